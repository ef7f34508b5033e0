"""Which files folders and patterns mean: each once, whatever links, pipes and depths there are."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.cli.file_arguments import expand_file_arguments

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need more rights there")

MODEL = "input: [3]\nlayers: [ReLU]\n"
FILES = [
    "a/one.yaml",
    "a/b/two.yml",
    "a/b/[x].yaml",
    "c/three.keras",
    ".h/four.yaml",
    "c/.five.yaml",
]
LINKS = {
    "a/self": ".",
    "a/b/up": "..",
    "c/again": "../a",
    "far": "a/b",
    "a/dangling.yaml": "nowhere",
    "c/circle.yaml": "circle.yaml",
    "c/link.yaml": "../a/one.yaml",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to itself, to others and to nowhere, and with a pipe and a socket."""
    root = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(MODEL, "utf-8")
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "a" / "pipe.yaml")
    (root / "a" / "notes.txt").write_text("no model", "utf-8")
    return root


BELOW_A = ["a/b/[x].yaml", "a/b/two.yml", "a/dangling.yaml", "a/one.yaml"]
BELOW_C = ["c/circle.yaml", "c/link.yaml", "c/three.keras"]
MEANT = {
    ".": [f"./{each}" for each in (*BELOW_A, *BELOW_C)],
    "a": BELOW_A,
    "a/": BELOW_A,
    "c": BELOW_C,
    "far": ["far/[x].yaml", "far/two.yml"],
    "a/**/*.yaml": ["a/b/[x].yaml", "a/dangling.yaml", "a/one.yaml"],
    "a/**/**/**/*.yaml": ["a/b/[x].yaml", "a/dangling.yaml", "a/one.yaml"],
    "**/*.y*ml": ["a/b/[x].yaml", "a/b/two.yml", "a/dangling.yaml", "a/one.yaml", *BELOW_C[:2]],
    "**/up/one.yaml": ["a/b/up/one.yaml"],
    "c/**/two.yml": ["c/again/b/two.yml"],
    "*/one.yaml": ["a/one.yaml"],
    "*/*/one.yaml": ["a/self/one.yaml", "c/again/one.yaml", "far/up/one.yaml"],
    "a/b/[[]x].yaml": ["a/b/[x].yaml"],
    "a/b/[x].yaml": ["a/b/[x].yaml"],
    ".*/*.yaml": [".h/four.yaml"],
    "c/.*.yaml": ["c/.five.yaml"],
    "a/*": [*BELOW_A[:3], "a/notes.txt", "a/one.yaml", "a/self/dangling.yaml", "a/self/one.yaml"],
    "c/**": [
        *("c/again/b/[x].yaml", "c/again/b/two.yml", "c/again/dangling.yaml"),
        *("c/again/notes.txt", "c/again/one.yaml", *BELOW_C),
    ],
}


@pytest.mark.parametrize("argument", MEANT)
def test_an_argument_means_these_files(
    argument: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert list(expand_file_arguments([argument])) == [(each, None) for each in MEANT[argument]]


PARTS = st.lists(st.sampled_from(["**", "*", "a", "b", "c", "?", "*.yaml", "t*", "[ab]", ".*"]))


@given(parts=PARTS.filter(any), is_absolute=st.booleans())
def test_a_pattern_is_that_of_python_where_there_are_no_links(
    parts: list[str], is_absolute: bool, linkless: Path
) -> None:
    pattern = os.path.join(linkless if is_absolute else os.path.relpath(linkless), *parts)
    if glob(pattern) != [pattern]:
        found = {path for path in glob(pattern, recursive=True) if os.path.isfile(path)}
        ours = {path for path, mistake in expand_file_arguments([pattern]) if not mistake}
        assert found <= ours


@pytest.fixture(scope="module")
def linkless(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without what is no file."""
    root = tmp_path_factory.mktemp("linkless")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / name, root / name)
    return root


@pytest.fixture
def depths(tmp_path: Path) -> Iterator[Path]:
    """A folder in which two others go down by 1,500 folders, of short and of longer names."""
    for name in ("d", "longer"):
        folder = os.open(tmp_path, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir(name, dir_fd=folder)
            below = os.open(name, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = below
        os.close(os.open("m.yaml", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        os.close(folder)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path], check=True)  # Python's own goes not so deep


@pytest.mark.parametrize("argument", ["{}", "{}/**/*.yaml"])
def test_folders_may_be_as_deep_as_their_paths(argument: str, depths: Path, run: Run) -> None:
    result = run("check", argument.format("d"), cwd=depths)
    path = "d/" * 1500 + "m.yaml"
    empty = "the file is empty; a model has 'input:' and 'layers:'"
    assert result.stderr == f"{path}:1:1: error: {empty}\n"
    result = run("check", argument.format("longer"), cwd=depths)
    assert result.stderr.startswith("error: cannot read longer/longer/")
    assert result.stderr.endswith("/longer: File name too long\n")
    assert (result.stderr.count("\n"), result.returncode) == (1, 2)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    (tmp_path / "m.yaml").write_text(MODEL, "utf-8")
    result = run("check", ".", cwd=tmp_path)
    assert result.stderr == "error: cannot read ./shut: Permission denied\n"
    assert (result.returncode, "./m.yaml: " in result.stdout) == (2, True)
