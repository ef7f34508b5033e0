"""`dense-calc diff --base`: a model and its past in git."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, git
from support.differences import OLD, edited


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder in git: a broken model, then the old one, and in the work tree the new one."""
    folder = tmp_path / "repository"
    (folder / "models").mkdir(parents=True)
    model = folder / "models" / "m.yaml"
    git(folder, "init", "--quiet")
    for text in (edited(("units: 16", "unit: 16")), OLD):
        model.write_text(text, "utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", "a model")
    model.write_text(edited(("units: 4", "units: 5")), "utf-8")
    (folder / "models" / "untracked.yaml").write_text(OLD, "utf-8")
    return folder


def test_a_file_is_compared_with_its_past(repository: Path, run: Run) -> None:
    before = git(repository, "status", "--porcelain")
    path = str(Path("models", "m.yaml"))
    result = run("diff", "--base", "HEAD", path, "--format", "json", cwd=repository)
    found = json.loads(result.stdout)
    assert (found["old"], found["new"]) == (f"HEAD:{path}", path)
    assert found["total_params"] == {"old": 276, "new": 293, "change": 17}
    assert git(repository, "status", "--porcelain") == before


@pytest.mark.parametrize("place", ["repository", "repository/models", "."])
def test_the_file_is_found_from_any_folder(place: str, repository: Path, run: Run) -> None:
    folder = repository.parent / place
    path = os.path.relpath(repository / "models" / "m.yaml", folder)
    result = run("diff", "--base", "HEAD", path, cwd=folder)
    assert result.returncode == 0
    assert "units: 4 → 5" in result.stdout


@pytest.mark.parametrize("repository_of_the_hook", [".git", "/nowhere"])
def test_a_hook_of_git_may_ask(repository_of_the_hook: str, repository: Path, run: Run) -> None:
    result = run(
        *("diff", "--base", "HEAD", str(Path("models", "m.yaml"))),
        cwd=repository,
        GIT_DIR=repository_of_the_hook,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_several_files_are_an_array(repository: Path, run: Run) -> None:
    (repository / "models" / "untracked.yaml").unlink()
    (repository / "models" / "other.yaml").write_text(OLD, "utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "more")
    result = run("diff", "--base", "HEAD", "models", "--format", "json", cwd=repository)
    assert [each["new"] for each in json.loads(result.stdout)] == [
        str(Path("models", name)) for name in ("m.yaml", "other.yaml")
    ]


BASES: list[tuple[str, int, str]] = [
    ("diff --base HEAD models/m.yaml", 0, ""),
    ("diff --base HEAD models/m.yaml --max-increase 17params", 0, ""),
    ("diff --base HEAD models/m.yaml --max-increase 16params", 1, ""),
    ("diff --base nowhere models/m.yaml", 2, "error: there is no revision 'nowhere'\n"),
    ("diff --base ^HEAD models/m.yaml", 2, "error: there is no revision '^HEAD'\n"),
    ("diff --base=--help models/m.yaml", 2, "error: there is no revision '--help'\n"),
    ("diff --base HEAD^{tree} models/m.yaml", 2, "error: there is no revision 'HEAD^{tree}'\n"),
    (
        "diff --base HEAD models/untracked.yaml",
        2,
        "error: 'models/untracked.yaml' is not in revision 'HEAD'\n",
    ),
    (
        "diff --base HEAD models/untracked.yaml --allow-missing-base",
        0,
        "note: 'models/untracked.yaml' is not in revision 'HEAD': nothing to compare with\n",
    ),
    (
        "diff --base nowhere models/m.yaml --allow-missing-base",
        0,
        "note: there is no revision 'nowhere': nothing to compare with\n",
    ),
    (
        "diff --base HEAD~1 models/m.yaml",
        2,
        "HEAD~1:models/m.yaml:3:13: error: Dense has no argument 'unit'; did you mean 'units'?\n"
        "  3 |   - Dense: {unit: 16, name: body}\n"
        "                  ^^^^\n",
    ),
    ("check --base HEAD --max-increase 6.2% models/m.yaml", 0, ""),
    ("check --base HEAD --max-increase 6.1% models/m.yaml", 1, ""),
    ("check --base HEAD --max-increase 17params models/m.yaml", 0, ""),
    ("check --base HEAD --max-increase 16params models/m.yaml", 1, ""),
    (
        "check --base HEAD --max-increase 5% models/untracked.yaml",
        2,
        "error: 'models/untracked.yaml' is not in revision 'HEAD'\n",
    ),
    ("check --base HEAD --max-increase 5% models/untracked.yaml --allow-missing-base", 0, ""),
    (
        "check --base nowhere --max-increase 5% --max-params 1 models/m.yaml",
        2,
        "error: there is no revision 'nowhere'\n",
    ),
    ("check --base nowhere --max-increase 5% models/m.yaml --allow-missing-base", 0, ""),
    ("check --base nowhere --max-increase 5% models --allow-missing-base --max-params 1", 1, ""),
]


@pytest.mark.parametrize(("command", "status", "said"), BASES)
def test_a_base_that_is_missing_is_never_passed_over(
    command: str, status: int, said: str, repository: Path, run: Run
) -> None:
    result = run(*command.split(), cwd=repository)
    assert (result.stderr, result.returncode) == (said, status)


def test_what_could_not_be_compared_is_noted(repository: Path, run: Run) -> None:
    arguments = ("models/untracked.yaml", "--base", "HEAD", "--allow-missing-base")
    note = "'models/untracked.yaml' is not in revision 'HEAD': nothing to compare with"
    checked = run("check", *arguments, "--max-increase", "5%", "--format", "json", cwd=repository)
    assert json.loads(checked.stdout)["files"][0]["notes"] == [note]
    compared = run("diff", *arguments, "--format", "json", cwd=repository)
    found: dict[str, Any] = json.loads(compared.stdout)
    assert found["notes"] == [note]
    assert found["total_params"] == {"old": 0, "new": 276, "change": 276}
    assert {layer["status"] for layer in found["layers"]} == {"added"}


@pytest.mark.skipif(os.name == "nt", reason="a link needs more rights there")
def test_a_link_leads_where_it_led(repository: Path, run: Run) -> None:
    for name, units in ("small.yaml", 5), ("large.yaml", 500):
        (repository / name).write_text(edited(("units: 4", f"units: {units}")), "utf-8")
    link = repository / "link.yaml"
    link.symlink_to("small.yaml")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "a link")
    link.unlink()
    link.symlink_to("large.yaml")
    arguments = ("check", "--base", "HEAD", "--max-increase", "5%")
    assert run(*arguments, "link.yaml", cwd=repository).returncode == 1
    link.unlink()
    link.write_text(edited(("units: 4", "units: 5")), "utf-8")
    assert run(*arguments, "link.yaml", cwd=repository).returncode == 0
    assert run(*arguments, "small.yaml", cwd=repository).returncode == 0


def test_a_folder_is_no_file(repository: Path, run: Run) -> None:
    (repository / "was.yaml").mkdir()
    (repository / "was.yaml" / "m.yaml").write_text(OLD, "utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "a folder")
    (repository / "was.yaml" / "m.yaml").unlink()
    (repository / "was.yaml").rmdir()
    (repository / "was.yaml").write_text(OLD, "utf-8")
    result = run("diff", "--base", "HEAD", "was.yaml", "--allow-missing-base", cwd=repository)
    assert result.returncode == 2
    assert result.stderr == "error: 'was.yaml' is not a file in revision 'HEAD', but a folder\n"


def test_a_place_of_the_user_is_kept(repository: Path, run: Run, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    (repository / ".git").rename(hidden)
    arguments = ("diff", "--base", "HEAD", str(Path("models", "m.yaml")))
    both = {"GIT_DIR": str(hidden), "GIT_WORK_TREE": str(repository)}
    assert run(*arguments, cwd=repository, **both).returncode == 0


def test_standard_input_has_no_past(repository: Path, run: Run) -> None:
    result = run("diff", "--base", "HEAD", "-", cwd=repository, stdin=OLD)
    assert result.returncode == 2
    assert result.stderr == "error: standard input has no revision 'HEAD'; name a file\n"


def test_git_that_is_not_there_is_an_error(repository: Path, run: Run) -> None:
    result = run("diff", "--base", "HEAD", "models/m.yaml", cwd=repository, PATH="")
    assert result.returncode == 2
    assert result.stderr == "error: cannot run git: No such file or directory\n"
