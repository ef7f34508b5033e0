"""`--base` in repositories that are broken or hostile: nothing runs, and what is lost is told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run, git

from dense_calc.errors import FileError
from dense_calc.files.git import read_revision

MODEL = "input: [3]\nlayers: [Dense: {units: 2}]\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n"
NAMES = ["m.yaml", "two\nlines.yaml", "gone missing", ":(top)m.yaml", "*.yaml", "-z"]
LOST = (
    "git has lost it, which 'git fsck' tells more of; or this is a partial clone, to which "
    "'git show' brings it"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose configuration names commands wherever git takes one."""
    folder = tmp_path / "repository"
    (folder / "d").mkdir(parents=True)
    for name in (*NAMES, "d/m.yaml"):
        (folder / name).write_text(MODEL, "utf-8")
    (folder / "pointer.yaml").write_text(POINTER, "utf-8")
    (folder / "large.yaml").write_bytes(bytes(2**20 + 1))
    (folder / ".gitattributes").write_text("* filter=lfs diff=evil\n", "utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "models")
    (folder / "pointer.yaml").write_text(MODEL, "utf-8")
    command = f"touch '{tmp_path}/ran'"
    (tmp_path / "hook").write_text(f"#!/bin/sh\n{command}\n", "utf-8")
    (tmp_path / "hook").chmod(0o755)
    values = {
        **dict.fromkeys(("filter.lfs.smudge", "filter.lfs.process", "diff.evil.textconv"), command),
        **dict.fromkeys(("diff.external", "core.pager", "core.sshCommand"), command),
        "core.fsmonitor": str(tmp_path / "hook"),
        "alias.cat-file": f"!{command}",
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "evil",
        "remote.evil.promisor": "true",
        "remote.evil.url": f"ext::sh -c {command.replace(' ', '% ')}",
        "protocol.ext.allow": "always",
    }
    for name, value in values.items():
        git(folder, "config", name, value)
    return folder


@pytest.fixture(autouse=True)
def nothing_ran(tmp_path: Path) -> Iterator[None]:
    """Hold that no command of the repository's was run."""
    yield
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name == "nt", reason="there are no such names")
def test_a_name_is_only_a_name(repository: Path, run: Run) -> None:
    paths = [f"./{name}" for name in NAMES]
    result = run("diff", "--base", "HEAD", *paths, "--format", "json", cwd=repository)
    assert (result.stderr, result.returncode) == ("", 0)
    assert result.stdout.count('"total_params": {"old":8,"new":8,"change":0}') == len(NAMES)


def test_no_configured_way_of_fetching_is_used(repository: Path, run: Run, tmp_path: Path) -> None:
    damage("lose", repository, "HEAD:m.yaml")
    for url in ("ext::hook", "ssh://host/path", str(repository), "https://host.invalid/path"):
        git(repository, "config", "remote.evil.url", url)
        git(repository, "config", "remote.evil.uploadpack", str(tmp_path / "hook"))
        result = run("diff", "--base", "HEAD", "m.yaml", cwd=repository)
        assert (result.stderr, result.returncode) == (
            f"error: cannot read HEAD:m.yaml: {LOST}\n",
            2,
        )


def damage(how: str, repository: Path, what: str) -> str:
    """Lose an object of a repository, or spoil it; its number."""
    number = git(repository, "-c", "core.fsmonitor=false", "rev-parse", what).strip()
    path = repository / ".git" / "objects" / number[:2] / number[2:]
    content = path.read_bytes()
    path.unlink()
    if how != "lose":
        path.write_bytes(b"junk" if how == "spoil" else content[: len(content) // 2])
    return number


# what happens to an object, which, a base and a file → the error, with its number
DAMAGES = [
    ("lose", "HEAD:m.yaml", "HEAD", "m.yaml", f"cannot read HEAD:m.yaml: {LOST}"),
    ("spoil", "HEAD:m.yaml", "HEAD", "m.yaml", f"cannot read HEAD:m.yaml: {LOST}"),
    ("cut", "HEAD:m.yaml", "HEAD", "m.yaml", "cannot read HEAD:m.yaml: unable to stream {}"),
    ("lose", "HEAD:d", "HEAD", "d/m.yaml", "cannot read HEAD:d/m.yaml: "),
    ("lose", "HEAD", "HEAD", "m.yaml", f"cannot read revision 'HEAD': {LOST}"),
    ("spoil", "HEAD", "HEAD", "m.yaml", f"cannot read revision 'HEAD': {LOST}"),
    ("spoil", "HEAD", "{}", "m.yaml", f"cannot read revision '{{}}': {LOST}"),
]


@pytest.mark.parametrize(("how", "what", "base", "path", "message"), DAMAGES)
def test_what_git_has_lost_is_not_what_never_was(
    how: str, what: str, base: str, path: str, message: str, repository: Path, run: Run
) -> None:
    number = damage(how, repository, what)
    base = base.format(number)
    result = run("diff", "--base", base, path, "--allow-missing-base", cwd=repository)
    assert result.stderr.startswith(f"error: {message.format(number)}")
    assert (result.stderr.count("\n"), result.stdout, result.returncode) == (1, "", 2)


def test_a_commit_that_a_shallow_clone_may_lack_is_absent(repository: Path, run: Run) -> None:
    number = damage("lose", repository, "HEAD")
    result = run("diff", "--base", number, "m.yaml", "--allow-missing-base", cwd=repository)
    assert result.stderr == f"note: there is no revision '{number}': nothing to compare with\n"


def test_a_pointer_is_told(repository: Path, run: Run) -> None:
    result = run("diff", "--base", "HEAD", "pointer.yaml", cwd=repository)
    assert result.stderr.startswith("error: cannot read HEAD:pointer.yaml: it is a pointer of Git ")
    assert result.returncode == 2


def test_a_large_file_is_not_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dense_calc.files.git.MAX_BLOB_BYTES", 2**20)
    with pytest.raises(FileError, match="it is larger than 1 MiB"):
        read_revision(str(repository / "large.yaml"), "HEAD")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="it takes root")
def test_a_repository_of_somebody_else_is_told(repository: Path, run: Run) -> None:
    shutil.chown(repository, 1234)
    shutil.chown(repository / ".git", 1234)
    result = run("diff", "--base", "HEAD", "m.yaml", cwd=repository)
    assert "detected dubious ownership" in result.stderr
    assert "; git advises: git config --global --add safe.directory " in result.stderr
    assert result.returncode == 2
