"""The GitHub Action and the pre-commit hook, run as they would be by those who use them.

    python tests/integrations.py        # needs git, bash, and the extra `hooks`

The steps of `action.yml` are taken from the file and run by hand in a scratch repository, with the
environment that a runner gives them. The hook is tried on a copy of this folder. Prints a line for
each scenario; the exit status is 1 if one is not as it should be.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
MODEL = "input: [8]\nlayers: [Dense: {{units: {}, name: head}}]\nbudget:\n  params: 100\n"
FILES = {
    "specs/within.yaml": MODEL.format(4),
    "specs/over.yaml": MODEL.format(40),
    "specs/broken.yaml": MODEL.format("4, unit: 3"),
    "specs/with space.yaml": MODEL.format(4),
    "specs/[1] 100%, π.yaml": MODEL.format(4),
    "settings.yaml": "port: 80\n",
    "net.dense-calc.yaml": MODEL.format(4),
    "over.dense-calc.yml": MODEL.format(40),
    "broken.dense-calc.yaml": MODEL.format("4, unit: 3"),
    "[1] 100%, π.dense-calc.yaml": MODEL.format(4),
    "models/deployment.yaml": "kind: Deployment\n",
    "click.py": "raise SystemExit('a module of the repository was run')\n",
    "subprocess.py": "raise SystemExit('a module of the repository was run')\n",
}
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
PRE_COMMIT = (sys.executable, "-P", "-m", "pre_commit")  # -P: not the modules of the folder
BASE = MODEL.format(3)  # what specs/within.yaml was one commit ago: 27 parameters, now 36

# files and options, one a line, "" for the default → exit status, what the annotations hold, what
# the summary does
ACTION: list[tuple[str, str, int, str, str]] = [
    ("specs/within.yaml", "", 0, "1 within budget", "1 within budget"),
    ("specs/with space.yaml\nspecs/within.yaml", "", 0, "2 within budget", "with space"),
    ("specs/over.yaml", "", 1, "::error file=specs/over.yaml,line=4,col=11,", "260 over"),
    ("specs/over.yaml\nspecs/broken.yaml", "", 2, "::error file=specs/broken.yaml,line=2,", "260"),
    ("", "", 2, "260 over", "1 broken, 1 over budget, 3 within budget"),
    ("specs/w*.yaml", "--max-params=5M", 0, "2 within budget", "5,000,000 (5M)"),
    ("specs/w*.yaml", "--max-params  5M\n--min-params 36", 0, "2 within", "at least 36"),
    ("specs/[1] 100%, π.yaml", "--max-params=9", 1, "specs/[1] 100%25%2C π.yaml", "π.yaml"),
    ("specs/within.yaml", "--base=HEAD~1\n--max-increase=10%", 1, "7 over", "at most 2 (10%)"),
    ("specs/within.yaml", "--base=HEAD~1\n--max-increase=50%", 0, "1 within", "at most 13 (50%)"),
    (
        "specs/within.yaml",
        "--base=HEAD~9\n--max-increase=5%",
        2,
        "no revision 'HEAD~9'",
        "no revision",
    ),
    (
        "specs/within.yaml",
        "--base=HEAD~9\n--max-increase=5%\n--allow-missing-base",
        0,
        "::notice file=specs/within.yaml",
        "1 within budget",
    ),
    ("gone/*.yaml", "", 2, "no file matches 'gone/*.yaml'", "broken"),
    ("--help", "", 2, "cannot read --help", "broken"),
    ("specs/within.yaml", "--no-such-option", 2, "No such option", ""),
    ("$(touch pwned)\n; touch pwned", "", 2, "cannot read $(touch pwned)", "broken"),
    ("specs/within.yaml", "`touch pwned`", 2, "cannot read `touch pwned`", "broken"),
]

# files that change → exit status of pre-commit, what it prints
HOOK: list[tuple[list[str], int, str]] = [
    (["net.dense-calc.yaml", "[1] 100%, π.dense-calc.yaml", "settings.yaml"], 0, "Passed"),
    (["net.dense-calc.yaml", "over.dense-calc.yml"], 1, "260 over (260.0%)"),
    (["broken.dense-calc.yaml"], 1, "Dense has no argument 'unit'"),
    (["settings.yaml", "models/deployment.yaml", "specs/broken.yaml"], 0, "Skipped"),
]


def main() -> None:
    """Run all scenarios."""
    if importlib.util.find_spec("pre_commit") is None:
        sys.exit("pre-commit is not installed here: pip install '.[hooks]'")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        models = repository(place / "models", [{"specs/within.yaml": BASE}, FILES])
        wrong = [title for title in (*action(models, place), *hook(models, place)) if title]
    sys.exit(1 if wrong else 0)


def repository(folder: Path, commits: list[dict[str, str]]) -> Path:
    """A repository with these files, commit by commit."""
    git(folder.parent, "init", "--quiet", str(folder))
    for files in commits:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", "models")
    return folder


def action(models: Path, place: Path) -> Iterator[str]:
    """What is wrong with the runs of the action."""
    described = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    install, check = described["runs"]["steps"]
    defaults = {name: each["default"] for name, each in described["inputs"].items()}
    environ = runner(place)
    yield from installed(install, environ, models)
    environ |= dict(re.findall("(.*?)=(.*)\n", (place / "env").read_text("utf-8")))
    for files, options, status, annotation, told in ACTION:
        given = {"files": files, "options": options}
        inputs = defaults | {name: value for name, value in given.items() if value}
        yield checked(check, inputs, environ, models, status, annotation, told)


def installed(install: dict[str, Any], environ: dict[str, str], models: Path) -> Iterator[str]:
    """What is wrong with the installation: with a Python that is too old, and with this one."""
    old = old_python(Path(environ["RUNNER_TEMP"]))
    result = step(install, {}, environ | old, models)
    is_refused = result.returncode == 2 and "::error title=dense-calc::Python 3.11" in result.stdout
    yield judged("action: install with an old Python → 2", is_refused, result)
    result = step(install, {}, environ, models)
    yield judged("action: install", result.returncode == 0, result)


def checked(
    check: dict[str, Any],
    inputs: dict[str, str],
    environ: dict[str, str],
    models: Path,
    status: int,
    annotation: str,
    told: str,
) -> str:
    """What is wrong with one run of the check, and with the summary that it writes."""
    summary = Path(environ["GITHUB_STEP_SUMMARY"])
    summary.write_text("", "utf-8")
    result = step(check, inputs, environ, models)
    is_right = result.returncode == status and annotation in result.stdout + result.stderr
    is_right &= status != 0 or "::error" not in result.stdout
    is_told = told in summary.read_text("utf-8") and not list(models.rglob("pwned"))
    title = f"action: {inputs['files']!r} {inputs['options']!r} → {status}"
    return judged(title, is_right and is_told, result)


def old_python(place: Path) -> dict[str, str]:
    """A PATH whose first Python says that it is too old."""
    python = place / "old" / "python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    python.chmod(0o755)
    return {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}


def runner(place: Path) -> dict[str, str]:
    """The environment that a runner of GitHub's gives a step."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return kept | {
        "RUNNER_TEMP": str(place),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
        "GITHUB_ENV": str(place / "env"),
    }


def step(
    step: dict[str, Any], inputs: dict[str, str], environ: dict[str, str], models: Path
) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does: its script is a file, and inputs stand in its environment."""
    assert step["shell"] == "bash"
    assert "${{" not in step["run"]
    own = {
        name: re.sub(r"\$\{\{ inputs\.(\S+) \}\}", lambda found: inputs[found[1]], value)
        for name, value in step.get("env", {}).items()
    }
    script = Path(environ["RUNNER_TEMP"]) / "script.sh"
    script.write_text(step["run"], "utf-8")
    return ran(
        "bash", "--noprofile", "--norc", "-eo", "pipefail", str(script), cwd=models, **environ | own
    )


def hook(models: Path, place: Path) -> Iterator[str]:
    """What is wrong with the runs of the hook, on a copy of this folder as it stands."""
    names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    present = [name for name in names if (ROOT / name).is_file()]
    copy = repository(place / "copy", [])
    for name in present:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    git(copy, "add", ".")
    git(copy, "commit", "--quiet", "--message", "as it stands")
    environ = dict(os.environ) | {"PRE_COMMIT_HOME": str(place / "cache")}
    for files, status, told in HOOK:
        command = ("try-repo", str(copy), "dense-calc-check", "--files", *files)
        result = ran(*PRE_COMMIT, *command, cwd=models, **environ)
        is_right = result.returncode == status and told in result.stdout
        yield judged(f"hook: {', '.join(files)} → {status}", is_right, result)
    yield from commits(copy, place, environ)


def commits(copy: Path, place: Path, environ: dict[str, str]) -> Iterator[str]:
    """What is wrong with commits to a repository that has the hook in its configuration."""
    hooks = [{"id": "dense-calc-check", "args": ["--max-params=50"]}]
    rev = git(copy, "rev-parse", "HEAD").strip()
    config = yaml.safe_dump({"repos": [{"repo": str(copy), "rev": rev, "hooks": hooks}]})
    folder = repository(place / "commits", [{".pre-commit-config.yaml": config}])
    ran(*PRE_COMMIT, "install", cwd=folder, **environ)
    for units, status in ((4, 0), (6, 1)):  # 36 and 54 parameters
        (folder / "net.dense-calc.yaml").write_text(MODEL.format(units), "utf-8")
        git(folder, "add", ".")
        result = ran("git", *WHO, "commit", "--message", "a model", cwd=folder, **environ)
        is_right = result.returncode == status and ("4 over" in result.stderr) == bool(status)
        yield judged(f"hook: git commit of {units} units → {status}", is_right, result)


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder, whoever runs it."""
    result = ran("git", "-C", str(folder), *WHO, *arguments, cwd=folder, **os.environ)
    assert result.returncode == 0, result.stderr
    return result.stdout


def ran(*command: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a command prints in a folder."""
    for name in [name for name in environ if name.startswith("GIT_")]:
        del environ[name]  # which a git hook that runs this sets, for its own repository
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, encoding="utf-8", check=False
    )


def judged(title: str, is_right: bool, result: subprocess.CompletedProcess[str]) -> str:
    """Print a scenario; its title if it went wrong."""
    print(f"{'ok' if is_right else 'WRONG':<6}{title}")
    if is_right:
        return ""
    print(f"exit status {result.returncode}\n{result.stdout}{result.stderr}")
    return title


if __name__ == "__main__":
    main()
