"""One copy of the package is tested, the work tree's, in this process and in its children."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import dense_calc

OURS = (ROOT / "dense_calc" / "__init__.py").resolve()
TELL = "import dense_calc; print(dense_calc.__file__)"
# how Python is started; -P, like the script `dense-calc`, imports nothing from the folder
WAYS = {"a module": (), "the script": ("-P",)}


def test_this_process_imports_the_work_tree() -> None:
    ours = Path(dense_calc.__file__).resolve()
    assert ours == OURS, "install the work tree: pip install -e '.[test]'"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["the work tree", "another folder"])
def test_a_process_of_its_own_imports_the_same(way: str, place: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, *WAYS[way], "-c", TELL],
        cwd=ROOT if place == "the work tree" else tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert Path(result.stdout.strip()).resolve() == OURS
