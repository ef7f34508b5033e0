"""The README: its commands print what it says, and its Python does too. `--update` rewrites it."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

import dense_calc
from dense_calc.layers import KIND_MODULES

README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n\$ (.*)\n((?s:.*?))```\n")
COMMANDS = BLOCK.findall(README.read_text("utf-8"))


def printed(command: str) -> str:
    """What a command of the README prints, both streams together."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "LANG": "C.UTF-8"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    ).stdout


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_a_command_prints_what_the_readme_shows(command: str, output: str) -> None:
    assert printed(command) == output


def test_the_outputs_are_up_to_date(update: bool) -> None:
    text = README.read_text("utf-8")
    fresh = BLOCK.sub(lambda found: f"```console\n$ {found[1]}\n{printed(found[1])}```\n", text)
    if update:
        README.write_text(fresh, "utf-8")
    assert README.read_text("utf-8") == fresh
    assert len(COMMANDS) >= 6


def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for path in (README, Path(dense_calc.__file__)):
        result = doctest.testfile(str(path), module_relative=False)
        assert result.attempted > 0
        assert result.failed == 0


EXAMPLES = re.findall(r"```yaml\n# (specs/.*)\n((?s:.*?))```", README.read_text("utf-8"))


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_an_example_is_the_spec(path: str, example: str) -> None:
    shown = yaml.safe_load(example)
    whole = yaml.safe_load((ROOT / path).read_text("utf-8"))
    assert shown == {name: whole[name] for name in shown}
    assert shown


def test_the_examples_are_those_that_the_text_speaks_of() -> None:
    told = ["specs/lenet5.yaml", "specs/gpt2.yaml", "specs/gpt2.yaml"]
    assert [path for path, _ in EXAMPLES] == told


def test_the_test_of_the_readme_passes_and_can_fail(tmp_path: Path) -> None:
    (text,) = re.findall(r"```python\n# test_size.py\n((?s:.*?))```", README.read_text("utf-8"))
    path = tmp_path / "test_size.py"
    for limit, status in ("100_000", 0), ("60_000", 1):
        path.write_text(text.replace("100_000", limit), "utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(path)]
        assert subprocess.run(command, cwd=ROOT, check=False).returncode == status


def test_the_readme_counts_every_layer() -> None:
    assert f"{len(KIND_MODULES)} kinds and their aliases" in README.read_text("utf-8")
