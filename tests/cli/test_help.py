"""The help: sections of options, and first lines that are whole, also where a shell shows them."""

from __future__ import annotations

import re
from importlib import import_module

import click
import pytest
from conftest import Run

from dense_calc.cli import command_line
from dense_calc.render.grid import REPORT_COLUMNS

CONTEXT = click.Context(command_line)
COMMANDS = command_line.list_commands(CONTEXT)
SHELL_WIDTH = 45  # up to which click shows the help of a command beside it in a shell


def command_named(name: str) -> click.Command:
    """One command of the command line."""
    command: click.Command = getattr(import_module(f"dense_calc.cli.{name}"), name)
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_first_line_of_a_command_is_whole(name: str) -> None:
    first_line = (command_named(name).help or "").partition("\n")[0]
    assert command_named(name).get_short_help_str(SHELL_WIDTH) == first_line


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_each_option_once(name: str) -> None:
    command = command_named(name)
    text = command.get_help(click.Context(command))
    for option in command.params:
        if isinstance(option, click.Option):
            assert (
                len(re.findall(rf"^  (?:-\w, )?{option.opts[-1]}(?: |$)", text, re.MULTILINE)) == 1
            )


def test_the_options_of_a_command_come_in_sections(run: Run) -> None:
    text = run("fit", "--help").stdout
    sections = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert sections == ["Options", "Limits", "Model", "Output"]
    columns = re.findall(r"^  --?\w.{0,26}?  +(?=\w)", text, re.MULTILINE)
    assert len(set(map(len, columns))) == 1
    assert max(map(len, text.splitlines())) <= 80


def test_required_options_say_so(run: Run) -> None:
    for name in ("fit", "growth", "sweep"):
        assert "[required]" in run(name, "--help").stdout


def test_help_names_the_commands_and_the_options(run: Run) -> None:
    assert "summary" in run("-h").stdout
    text = run("summary", "--help").stdout
    for option in ("--set", "--format", "-o", "--columns", "--width", "--ascii", "--color"):
        assert option in text
    for column in REPORT_COLUMNS:
        assert re.search(rf"\b{column}\b", text)
