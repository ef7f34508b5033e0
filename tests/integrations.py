"""The GitHub Action and the pre-commit hook, run as they would be by those who use them.

    python tests/integrations.py        # needs git, bash, and the extra `hooks`

The steps of `action.yml` are taken from the file and run by hand in a scratch repository, with the
environment that a runner gives them. The hook is tried on a copy of this folder. Prints a line for
each scenario; the exit status is 1 if one is not as it should be.
"""

from __future__ import annotations

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
    "settings.yaml": "port: 80\n",
}
BASE = MODEL.format(3)  # what specs/within.yaml was one commit ago: 27 parameters, now 36

# files and options, one a line → exit status, what the annotations hold, what the summary does
ACTION: list[tuple[str, str, int, str, str]] = [
    ("specs/within.yaml", "", 0, "1 within budget", "1 within budget"),
    ("specs/with space.yaml\nspecs/within.yaml", "", 0, "2 within budget", "with space"),
    ("specs/over.yaml", "", 1, "::error file=specs/over.yaml,line=4,col=11,", "260 over"),
    ("specs/over.yaml\nspecs/broken.yaml", "", 2, "::error file=specs/broken.yaml,line=2,", "260"),
    ("specs", "", 2, "260 over", "1 broken, 1 over budget, 2 within budget"),
    ("specs/w*.yaml", "--max-params=5M", 0, "2 within budget", "5,000,000 (5M)"),
    ("specs/within.yaml", "--base=HEAD~1\n--max-increase=10%", 1, "7 over", "at most 2 (10%)"),
    ("specs/within.yaml", "--base=HEAD~1\n--max-increase=50%", 0, "1 within", "at most 13 (50%)"),
    (
        "specs/within.yaml",
        "--base=HEAD~9\n--max-increase=5%",
        2,
        "no revision 'HEAD~9'",
        "no revision",
    ),
    ("gone/*.yaml", "", 2, "no file matches 'gone/*.yaml'", "broken"),
    ("--help", "", 2, "cannot read --help", "broken"),
    ("specs/within.yaml", "--no-such-option", 2, "No such option", ""),
    ("$(touch pwned)\n; touch pwned", "", 2, "cannot read $(touch pwned)", "broken"),
    ("specs/within.yaml", "`touch pwned`", 2, "cannot read `touch pwned`", "broken"),
]

# files that change → exit status of pre-commit, what it prints
HOOK: list[tuple[list[str], int, str]] = [
    (["specs/within.yaml", "specs/with space.yaml", "settings.yaml"], 0, "Passed"),
    (["specs/within.yaml", "specs/over.yaml"], 1, "260 over (260.0 %)"),
    (["specs/broken.yaml"], 1, "Dense has no argument 'unit'"),
    (["settings.yaml"], 0, "Skipped"),
]


def main() -> None:
    """Run all scenarios."""
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
    environ = runner(place)
    install, check = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    result = step(install, {}, environ, models)
    yield judged("action: install", result.returncode == 0, result)
    environ |= dict(re.findall("(.*?)=(.*)\n", (place / "env").read_text("utf-8")))
    for files, options, status, annotation, told in ACTION:
        summary = place / "summary"
        summary.write_text("", "utf-8")
        result = step(check, {"files": files, "options": options}, environ, models)
        is_right = result.returncode == status and annotation in result.stdout + result.stderr
        is_told = told in summary.read_text("utf-8") and not list(models.rglob("pwned"))
        yield judged(f"action: {files!r} {options!r} → {status}", is_right and is_told, result)


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
        command = ("pre_commit", "try-repo", str(copy), "dense-calc-check", "--files", *files)
        result = ran(sys.executable, "-m", *command, cwd=models, **environ)
        is_right = result.returncode == status and told in result.stdout
        yield judged(f"hook: {', '.join(files)} → {status}", is_right, result)


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder, whoever runs it."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    result = ran("git", "-C", str(folder), *who, *arguments, cwd=folder, **os.environ)
    assert result.returncode == 0, result.stderr
    return result.stdout


def ran(*command: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a command prints in a folder."""
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
