"""The options that commands share, and what they mean for the output."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from dense_calc.analysis.freezing import idle_freeze_notes
from dense_calc.cli.streams import STDOUT_NAMES, write_stderr, write_stdout
from dense_calc.errors import (
    MAX_LISTED_CHOICES,
    DenseCalcError,
    Place,
    did_you_mean,
    format_diagnostic,
)
from dense_calc.files.loader import load_at_revision
from dense_calc.model import Model
from dense_calc.render import GRID_FORMATS, REPORT_FORMATS, Style, render_reports
from dense_calc.report import Report
from dense_calc.settings.variants import ModelVariants

CommandFunction = Callable[..., Any]
_OutputText = str | Iterator[str]  # a long one comes in parts
_REPORT_SUFFIXES = {".json": "json", ".csv": "csv", ".md": "markdown"}


def parse_settings(
    ctx: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """`--set NAME=VALUE` as a mapping; the last of a name wins."""
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not name.strip() or not equals or not value.strip():
            raise click.BadParameter(f"'{name}{equals}{value}' is not NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _parse_columns(
    ctx: click.Context, option: click.Parameter, given: str | None
) -> tuple[str, ...] | None:
    """`--columns a,b` as names of columns."""
    if given is None:
        return None
    from dense_calc.render.grid import REPORT_COLUMNS  # JSON needs none of it

    names = tuple(re.sub("[ -]", "_", name.strip().lower()) for name in given.split(","))
    for name in names:
        if name not in REPORT_COLUMNS:
            hint = did_you_mean(name, REPORT_COLUMNS) or f"; there are {', '.join(REPORT_COLUMNS)}"
            raise click.BadParameter(f"there is no column '{name}'{hint}")
    if len(names) > len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise click.BadParameter(f"the column '{twice}' stands there twice")
    return names


set_option = click.option(
    "--set",
    "overrides",
    metavar="NAME=VALUE",
    multiple=True,
    callback=parse_settings,
    help="Give a var, an argument of a layer (dense_1.units=64) or the input (input=[64, 64, 3]) "
    "another value; numbers may be expressions. Repeatable.",
)

assume_option = click.option(
    "--assume",
    "assumed",
    metavar="CLASS=WHAT",
    multiple=True,
    callback=parse_settings,
    help="What stands in for a class that Keras does not have: 'identity', or what it gives and "
    "holds, '{output_shape: [64], weights: {kernel: [10, 64]}}'. CLASS may also be the name of one "
    "layer, of a function, an initializer or the like, or '*', all that is not known. Repeatable.",
)


def _parse_output(ctx: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """The file that `-o FILE` names, None for standard output."""
    if given is not None and not given.strip():
        raise click.BadParameter(f"'{given}' names no file; write - for standard output")
    return None if given in STDOUT_NAMES else given


output_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=_parse_output,
    help="Write to FILE instead of standard output, which is -. FILE is replaced once all is "
    "written.",
)

_STYLE_OPTIONS = (
    output_option,
    click.option(
        "--width",
        type=click.IntRange(min=1),
        help="Wrap at this width; default: the terminal's, and none elsewhere.",
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours: on a terminal without NO_COLOR, always, or never.",
    ),
)

ascii_option = click.option("--ascii", is_flag=True, help="Draw the table in ASCII.")

GRID_SUFFIXES = {".json": "json", ".md": "markdown"}
_GRID_OPTIONS = (
    click.option(
        "--format",
        type=click.Choice([*GRID_FORMATS, "json"]),
        help="How to print it: a table on a terminal and text elsewhere, or as FILE of -o ends.",
    ),
    *_STYLE_OPTIONS,
    ascii_option,
)

_TABLE_OPTIONS = (
    click.option(
        "--format",
        type=click.Choice(list(REPORT_FORMATS)),
        help="How to print it: a table on a terminal and text elsewhere, or as FILE of -o ends.",
    ),
    click.option(
        "--columns",
        metavar="A,B,...",
        callback=_parse_columns,
        help="What to show of each layer: layer, name, type, output_shape, params, "
        "trainable_params, non_trainable_params, connected_to, feeds, weights.",
    ),
    *_STYLE_OPTIONS,
    ascii_option,
)


def load_model(
    file: str,
    overrides: Mapping[str, str],
    assumed: Mapping[str, str],
    revision: str | None = None,
) -> Model:
    """The model in a file, perhaps as it is at a revision; what no output needs is reported.

    Raises:
        DenseCalcError: the file holds no model.
    """
    return warn_about_model(load_at_revision(file, revision, assumed, overrides))


def warn_about_model(model: Model) -> Model:
    """The same model; what no output of it needs, and what freezes nothing, is reported."""
    _print_remarks(
        "warning",
        [(f"no output needs '{node.name}'; it is left out", node.place) for node in model.unused],
    )
    notes = (*model.remarks, *idle_freeze_notes(model))
    _print_remarks("note", [(note.message, note.place) for note in notes])
    return model


def warn_about_variants(models: ModelVariants) -> ModelVariants:
    """The same models; what there is to say of the file as it stands is reported."""
    with suppress(DenseCalcError):  # a model that is none may be one with other settings
        warn_about_model(models.model_with())
    return models


def _print_remarks(sort: str, remarks: Sequence[tuple[str, Place | None]]) -> None:
    """Print what there is to say of a model, and where; not all of it where that is much."""
    for message, place in remarks[:MAX_LISTED_CHOICES]:
        write_stderr(format_diagnostic(sort, message, place))
    if len(remarks) > MAX_LISTED_CHOICES:
        write_stderr(
            format_diagnostic(sort, f"and {len(remarks) - MAX_LISTED_CHOICES:,} more", None)
        )


def add_options(command: CommandFunction, options: Sequence[CommandFunction]) -> CommandFunction:
    """A command with more options, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def style_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say where and how a text is printed; `emit` takes them."""
    return add_options(command, _STYLE_OPTIONS)


def grid_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say where and how a grid is printed; `emit` takes most of them."""
    return add_options(command, _GRID_OPTIONS)


def table_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say where and how reports are printed; `write` takes them."""
    return add_options(command, _TABLE_OPTIONS)


def write_reports(
    reports: Sequence[Report], *, format: str | None, output: str | None, **look: Any
) -> None:
    """Print reports as the options say.

    Raises:
        FileError: the output cannot be written.
    """
    format = choose_format(format, output)
    if format == "json" and look["columns"]:
        raise click.UsageError("--columns does not go with JSON, which holds everything.")
    emit_text(lambda style: render_reports(reports, format, style), output=output, **look)


def choose_format(
    format: str | None, output: str | None, suffixes: Mapping[str, str] = _REPORT_SUFFIXES
) -> str:
    """The format that is asked for, or that suits the output."""
    return (
        format or format_by_suffix(output, suffixes) or ("table" if is_terminal(output) else "text")
    )


def format_by_suffix(output: str | None, formats: Mapping[str, str]) -> str | None:
    """The format that the name of the output ends in, if any."""
    return formats.get(os.path.splitext(output or "")[1].lower())


def emit_text(
    text_in: Callable[[Style], _OutputText],
    *,
    output: str | None,
    commands: bool = False,
    **look: Any,
) -> None:
    """Print the text that `text_in` gives for a style, as the options say.

    Its lines may be commands to what keeps the log only where they are meant to be.

    Raises:
        FileError: the output cannot be written.
        OSError: standard output cannot.
    """
    text = text_in(_output_style(is_terminal(output), output is not None, **look))
    texts = [text] if isinstance(text, str) else text
    if output is None:
        write_stdout(texts, commands=commands)
        return
    from dense_calc.cli.write_file import save_file  # most texts are printed

    save_file(output, (each.encode("utf-8", "backslashreplace") for each in texts))


def is_terminal(output: str | None) -> bool:
    """Whether the output goes to a terminal."""
    return output is None and sys.stdout.isatty()


def _output_style(
    is_terminal: bool,
    is_file: bool,
    *,
    width: int | None,
    color: str,
    columns: tuple[str, ...] | None = None,
    ascii: bool = False,
) -> Style:
    """How to show reports where they go."""
    return Style(
        columns,
        width=width or (None if is_file else _terminal_width(is_terminal)),
        ascii=ascii or not (is_file or _can_draw_boxes(os.environ)),
        color=color == "always" or (color == "auto" and is_terminal and _wants_color(os.environ)),
    )


def _terminal_width(is_terminal: bool) -> int | None:
    """The columns of the terminal, or of $COLUMNS; None where neither says."""
    if not is_terminal and "COLUMNS" not in os.environ:
        return None
    from shutil import get_terminal_size  # 2 ms, for the archives that it can also pack

    return get_terminal_size((0, 0)).columns or None


def _can_draw_boxes(environ: Mapping[str, str]) -> bool:
    """Whether the encoding of standard output, or a locale that says C, can carry a box.

    Python itself sets LC_CTYPE=C.UTF-8 where it finds the C locale, so that word is not the user's.
    """
    ctype = environ.get("LC_CTYPE", "")
    spoken = environ.get("LC_ALL") or (ctype if ctype != "C.UTF-8" else "") or environ.get("LANG")
    if spoken in ("C", "POSIX"):
        return False
    try:
        "┏━┓".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _wants_color(environ: Mapping[str, str]) -> bool:
    """Whether a terminal and its user allow colours; see no-color.org."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
