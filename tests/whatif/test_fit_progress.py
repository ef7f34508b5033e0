"""What `fit` and `growth` show while they search: a bar where somebody waits, nothing on a pipe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import Run
from support.progress_runs import watched

# The copies of the block are not alike, so that each depth is traced anew.
MODEL = """\
vars: {width: 4, depth: 2}
input: [8]
blocks: {one: [Dense: {units: width + index % 3}]}
layers: [one: {repeat: depth}]
"""
PAIR = ("fit", "m.yaml", "--vary", "width,depth", "--max-params", "2k", "--format", "json")
ONE = ("fit", "m.yaml", "--vary", "depth", "--max-params", "1k", "--max", "40")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the model."""
    (tmp_path / "m.yaml").write_text(MODEL, "utf-8")
    return tmp_path


def test_both_stages_of_a_long_search_are_seen(folder: Path, run: Run) -> None:
    out, seen = watched(folder, 0, *PAIR)
    assert out == run(*PAIR, cwd=folder).stdout
    assert seen.index("values tried for an end") < seen.index("combinations")
    assert seen.endswith("\x1b[2K")  # it is wiped away


def test_the_values_of_one_variable_are_counted(folder: Path) -> None:
    assert "40/40" in watched(folder, 0, *ONE)[1]


def test_a_short_search_has_no_bar(folder: Path) -> None:
    assert watched(folder, 60, *ONE)[1] == ""


def test_on_a_pipe_there_is_nothing(folder: Path, run: Run) -> None:
    assert run(*PAIR, cwd=folder).stderr == ""


def test_a_long_growth_has_a_bar(folder: Path, run: Run) -> None:
    out, seen = watched(folder, 0, "growth", "m.yaml", "--vary", "depth")
    assert out == run("growth", "m.yaml", "--vary", "depth", cwd=folder).stdout
    assert "values tried" in seen
