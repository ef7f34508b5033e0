"""The colors of messages: on a terminal, and as `--color` and NO_COLOR say."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run
from support.terminal import terminal_error

RED, END = "\x1b[1;31m", "\x1b[0m"
SPEC = "input: [8]\nlayers:\n  - Dense: {unit: 3}\n"
MESSAGE = "m.yaml:3:13: {0}error:{1} Dense has no argument 'unit'; did you mean 'units'?"
CARETS = " " * 18 + "{0}^^^^{1}"


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """The path of a spec with a mistake."""
    path = tmp_path / "m.yaml"
    path.write_text(SPEC, "utf-8")
    return str(path)


@pytest.mark.parametrize("command", ["summary", "explain", "check"])
def test_a_message_on_a_terminal_has_colors(broken: str, command: str) -> None:
    shown = terminal_error(command, broken)
    assert MESSAGE.format(RED, END) in shown
    assert CARETS.format(RED, END) in shown
    assert "\x1b" not in terminal_error(command, broken, NO_COLOR="1")


def test_messages_obey_the_option(broken: str, run: Run) -> None:
    assert MESSAGE.format(RED, END) in run("summary", broken, "--color", "always").stderr
    assert MESSAGE.format("", "") in run("summary", broken).stderr
    assert "\x1b" not in terminal_error("summary", broken, "--color", "never")


def test_a_wrong_command_line_has_colors() -> None:
    shown = terminal_error("summary", "--nothing")
    assert f"{RED}Error:{END} No such option" in shown
