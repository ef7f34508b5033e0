"""What a shell completes: files, and names from the model; nothing of what is broken or hostile."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from select import select

import pytest
from click.shell_completion import ShellComplete
from conftest import ROOT, Run

from dense_calc.cli import COMPLETION_VARIABLE, command_line
from dense_calc.render.grid import REPORT_COLUMNS

SPEC = """\
vars: {width: 4, depth: 2, wise: 1}
input: [8]
blocks: {b: [Dense: {units: width}]}
layers: [b: {repeat: depth}, Dense: {units: 2, name: head}]
"""
INNER = "input: [8]\nlayers: [Functional: {name: e, input: [8], layers: [Dense: {units: 3}]}]"
HOSTILE = r"""
vars: {width: 1}
input: [8]
layers:
  - Dense: {units: 1, name: "$(touch pwned)"}
  - Dense: {units: 1, name: "a; touch pwned"}
  - Dense: {units: 1, name: "a\nplain,b"}
  - Dense: {units: 1, name: "\e[2J"}
  - Dense: {units: 1, name: "--output=x"}
  - Dense: {units: 1, name: "~root"}
  - Dense: {units: 1, name: "größe:0"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a sound model, a hostile one, a broken one and a pipe."""
    monkeypatch.chdir(tmp_path)
    broken = {"broken": "a: [", "odd": "vars: 3"}
    for name, text in {"m": SPEC, "inner": INNER, "hostile": HOSTILE, **broken}.items():
        Path(f"{name}.yaml").write_text(text, "utf-8")
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.yaml")
    return tmp_path


def completions(line: str) -> list[str]:
    """What the last word of a command line, which may be empty, can become."""
    *words, incomplete = line.split(" ")
    shell = ShellComplete(command_line, {}, "dense-calc", COMPLETION_VARIABLE)
    return [item.value for item in shell.get_completions(words, incomplete)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("summ", ["summary"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("layers GRU", ["GRU", "GRUCell"]),
        ("layers GRU MaxoutD", ["MaxoutDense"]),
        ("explain m.yaml ", ["b_0/dense", "b_1/dense", "head"]),
        ("explain m.yaml head b_1", ["b_1/dense"]),
        ("explain m.yaml --set depth=3 b_2", ["b_2/dense"]),
        ("explain inner.yaml e", ["e", "e/input", "e/dense"]),
        ("summary m.yaml --set ", ["width=", "depth=", "wise="]),
        ("summary m.yaml --set w", ["width=", "wise="]),
        ("summary m.yaml --set wid", ["width=", "width=4"]),
        ("summary m.yaml --set width=", ["width=4"]),
        ("summary m.yaml --set wi=", []),
        ("sweep m.yaml --set depth=1:3 --set wid", ["width=", "width=4"]),
        ("check m.yaml hostile.yaml --set wid", ["width=", "width=4"]),
        ("diff m.yaml hostile.yaml --set wid", ["width=", "width=4"]),
        ("fit m.yaml --vary wid", ["width"]),
        ("growth m.yaml --vary width,", ["width,depth", "width,wise"]),
        ("summary m.yaml --columns ", list(REPORT_COLUMNS)),
        ("summary m.yaml --columns name,par", ["name,params"]),
        ("summary --columns name,params,par", []),
        ("gallery lene", ["lenet5"]),
        ("summary gallery:lene", ["gallery:lenet5"]),
        ("summary gallery:lenet5 --set wid", ["width=", "width=6"]),
    ],
)
def test_a_word_becomes_these(line: str, words: list[str], folder: Path) -> None:
    assert completions(line) == words


@pytest.mark.parametrize(
    "line",
    [
        "explain broken.yaml ",
        "explain odd.yaml ",
        "explain none.yaml ",
        "explain pipe.yaml ",
        "explain - ",
        "explain . ",
        "summary broken.yaml --set ",
        "summary --set ",
        "fit pipe.yaml --vary ",
        "sumary-x m.yaml --set",
    ],
)
def test_what_has_no_model_completes_nothing(line: str, folder: Path) -> None:
    assert completions(line) == []


def test_names_that_are_more_than_a_word_to_a_shell_are_left_out(folder: Path) -> None:
    assert completions("explain hostile.yaml ") == ["größe:0"]


@pytest.mark.parametrize(
    "line",
    [
        *("summary m", "explain m", "check a m", "diff a m", "sweep m", "fit m", "growth m"),
        *("convert m", "convert a -o m", "schema -o m", "sweep a --plot m"),
    ],
)
def test_a_file_is_completed_by_the_shell(line: str) -> None:
    *words, incomplete = line.split(" ")
    shell = ShellComplete(command_line, {}, "dense-calc", COMPLETION_VARIABLE)
    (item,) = shell.get_completions(words, incomplete)
    assert (item.type, item.value) == ("file", "m")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_asks_by_the_variable(shell: str, run: Run) -> None:
    result = run("completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"{COMPLETION_VARIABLE}={shell}_complete" in result.stdout


@pytest.mark.parametrize("words", [{}, {"COMP_WORDS": "dense-calc x", "COMP_CWORD": "x"}])
def test_a_wrong_question_of_a_shell_is_answered_with_silence(
    words: dict[str, str], run: Run
) -> None:
    result = run(**{COMPLETION_VARIABLE: "bash_complete"}, **words)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_files_layers_and_vars(folder: Path) -> None:
    line = (
        "dense-calc summ\tm.ya\t--set wid\t5 --set depth=\t; dense-calc diff gallery:lene\t; "
        "dense-calc expl\tbro\tx\t; dense-calc expl\tm.y\the\t"
    )
    assert typed_in_bash(line, command_folder(folder)) == (
        "dense-calc summary m.yaml --set width=5 --set depth=2 ; dense-calc diff gallery:lenet5 ; "
        "dense-calc explain broken.yaml x; dense-calc explain m.yaml head "
    )


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
def test_fish_completes_the_last_of_a_list_and_the_value_of_a_var(folder: Path) -> None:
    environ = os.environ | {
        "PATH": f"{command_folder(folder)}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
    }
    lines = "growth m.yaml --vary width,", "summary m.yaml --set width="
    asked = "; ".join(f"complete -C 'dense-calc {line}'" for line in lines)
    script = f"dense-calc completion fish | source; {asked}"
    command = ["fish", "--no-config", "-c", script]
    words = subprocess.check_output(command, env=environ, encoding="utf-8").split()
    assert words == ["width,depth", "width,wise", "width=4"]


def command_folder(folder: Path) -> str:
    """A folder that holds the command."""
    command = folder / "bin" / "dense-calc"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dense_calc "$@"\n', "utf-8")
    command.chmod(0o755)
    return str(command.parent)


def typed_in_bash(line: str, folder: str) -> str:
    """What becomes of a line with tabs in it that is typed in a bash that has the script."""
    environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
        "COLUMNS": "200",  # the line is not wrapped
    }
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile"], environ)  # noqa: S606
    try:
        os.write(terminal, b"eval \"$(dense-calc completion bash)\"; PS1='rea''dy> '\n")
        read_until(terminal, b"ready> ")
        os.write(terminal, line.encode())
        typed = read_until(terminal, b"head ").decode()
        return typed.replace("\a", "")  # bash rings where it cannot finish a word
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def read_until(terminal: int, end: bytes) -> bytes:
    """What a terminal prints until this has come."""
    text = b""
    while not text.endswith(end):
        ready, _, _ = select([terminal], [], [], 60)
        assert ready, text
        text += os.read(terminal, 65_536)
    return text
