"""The options that several commands share, and the models that these options choose."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click
import yaml  # noqa: F401 - imported here, not deep in a chain of imports, it takes 10 ms less

from dense_calc.analysis.freezing import idle_freeze_notes
from dense_calc.cli.completed_values import complete_columns, complete_files, complete_settings
from dense_calc.cli.streams import STDOUT_NAMES, choose_message_color, write_stderr
from dense_calc.errors import (
    MAX_LISTED_CHOICES,
    DenseCalcError,
    Place,
    did_you_mean,
    format_diagnostic,
)
from dense_calc.files.loader import read_variants
from dense_calc.limits import AmountError
from dense_calc.model import Model
from dense_calc.quantities import QUANTITIES
from dense_calc.render import GRID_FORMATS, REPORT_FORMATS
from dense_calc.settings.variants import ModelVariants, idle_assumption_message

CommandFunction = Callable[..., Any]


def parse_settings(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """The settings of `--set NAME=VALUE`; the last one for a name wins."""
    pairs = [text.partition("=") for text in texts]
    for name, equals, value in pairs:
        if not name.strip() or not equals or not value.strip():
            raise click.BadParameter(f"'{name}{equals}{value}' is not NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in pairs}


def amount_callback(
    parse: Callable[[str], object],
) -> Callable[[click.Context, click.Parameter, str | None], object]:
    """A callback of click that parses an amount and reports an AmountError as a usage error."""

    def callback(ctx: click.Context, option: click.Parameter, text: str | None) -> object:
        try:
            return None if text is None else parse(text)
        except AmountError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _parse_columns(
    ctx: click.Context, option: click.Parameter, text: str | None
) -> tuple[str, ...] | None:
    """The names of columns in `--columns A,B`."""
    if text is None:
        return None
    from dense_calc.render.grid import REPORT_COLUMNS  # JSON does not need it

    names = tuple(re.sub("[ -]", "_", name.strip().lower()) for name in text.split(","))
    for name in names:
        if name not in REPORT_COLUMNS:
            hint = did_you_mean(name, REPORT_COLUMNS) or f"; there are {', '.join(REPORT_COLUMNS)}"
            raise click.BadParameter(f"there is no column '{name}'{hint}")
    if len(names) > len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise click.BadParameter(f"the column '{twice}' is listed twice")
    return names


set_option = click.option(
    "--set",
    "overrides",
    metavar="NAME=VALUE",
    multiple=True,
    callback=parse_settings,
    shell_complete=complete_settings,
    help="Change a var (width=64), an argument of a layer (dense_1.units=64), the input "
    "(input=[64, 64, 3]) or one of its sizes (input[0]=64). Numbers may be expressions. "
    "Repeatable.",
)

assume_option = click.option(
    "--assume",
    "assumed",
    metavar="CLASS=WHAT",
    multiple=True,
    callback=parse_settings,
    help="Replace a class that Keras does not have by 'identity', or by its output shape and "
    "weights: '{output_shape: [64], weights: {kernel: [10, 64]}}'. CLASS may also name a "
    "layer, a function or an initializer; '*' means everything unknown. Repeatable.",
)


def parse_output(ctx: click.Context, option: click.Parameter, name: str | None) -> str | None:
    """The file of `-o FILE`, None for standard output."""
    if name is not None and not name.strip():
        raise click.BadParameter(f"'{name}' names no file; write - for standard output")
    return None if name in STDOUT_NAMES else name


def _output_option(remark: str) -> CommandFunction:
    """The option `-o`, with a remark on a FILE that is there already."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=complete_files,
        callback=parse_output,
        help=f"Write to FILE; - is standard output. {remark}",
    )


output_option = _output_option("FILE is replaced only once everything is written.")

force_option = click.option("--force", is_flag=True, help="Replace FILE if it exists.")


def _choose_color(ctx: click.Context, option: click.Parameter, choice: str) -> str:
    """The choice of `--color`, which the messages obey, too."""
    choose_message_color(choice)
    return choice


_LOOK_OPTIONS = (
    click.option(
        "--width",
        metavar="N",
        type=click.IntRange(min=1),
        help="Wrap lines at N columns. Default: the width of the terminal; elsewhere no limit.",
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        callback=_choose_color,
        is_eager=True,
        help="Use colours; auto means on a terminal, unless NO_COLOR is set.",
    ),
)
_STYLE_OPTIONS = (output_option, *_LOOK_OPTIONS)

ascii_option = click.option("--ascii", is_flag=True, help="Draw with ASCII characters.")

compact_option = click.option(
    "--compact",
    is_flag=True,
    help="Draw no lines between rows. Default where the table is longer than the terminal.",
)

text_format_option = click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    help="Format of the output; by default text, or as FILE of -o ends (.txt, .json).",
)


def _table_format_option(formats: Sequence[str]) -> Callable[[CommandFunction], CommandFunction]:
    """The option that chooses one of these formats."""
    return click.option(
        "--format",
        type=click.Choice(formats),
        help="Format of the output. Default: by the suffix of -o FILE; otherwise table on a "
        "terminal, text elsewhere.",
    )


_grid_format_option = _table_format_option([*GRID_FORMATS, "json"])
_GRID_OPTIONS = (_grid_format_option, *_STYLE_OPTIONS, ascii_option, compact_option)
_NEW_FILE_OPTIONS = (
    _grid_format_option,
    _output_option("An existing FILE is kept."),
    force_option,
    *_LOOK_OPTIONS,
    ascii_option,
    compact_option,
)

_TABLE_OPTIONS = (
    _table_format_option(list(REPORT_FORMATS)),
    click.option(
        "--columns",
        metavar="A,B,...",
        callback=_parse_columns,
        shell_complete=complete_columns,
        help="Columns to show: layer, name, type, output_shape, "
        f"{', '.join(each.column for each in QUANTITIES.values() if each.column)}, "
        "connected_to, feeds, weights.",
    ),
    *_STYLE_OPTIONS,
    ascii_option,
    compact_option,
)


def load_model(
    file: str,
    overrides: Mapping[str, str],
    assumed: Mapping[str, str],
    revision: str | None = None,
) -> Model:
    """The model in a file, perhaps at a revision; warnings about it are printed.

    Raises:
        DenseCalcError: the file holds no model.
    """
    models = warn_about_assumptions(read_variants(file, assumed, revision), assumed)
    return warn_about_model(models.model_with(overrides))


def warn_about_model(model: Model) -> Model:
    """The same model; warnings about unused layers and notes about it are printed."""
    _print_remarks(
        "warning",
        [(f"no output needs '{node.name}'; it is left out", node.place) for node in model.unused],
    )
    notes = (*model.remarks, *idle_freeze_notes(model))
    _print_remarks("note", [(note.message, note.place) for note in notes])
    return model


def warn_about_assumptions(models: ModelVariants, assumed: Mapping[str, str]) -> ModelVariants:
    """The same variants; a warning is printed where they are those of a spec."""
    if assumed and models.is_spec:
        message = idle_assumption_message(models.name, "--assume")
        write_stderr(format_diagnostic("warning", message, None))
    return models


def warn_about_variants(models: ModelVariants, assumed: Mapping[str, str]) -> ModelVariants:
    """The same variants; warnings about the file without settings are printed."""
    warn_about_assumptions(models, assumed)
    with suppress(DenseCalcError):  # a file may hold a model only under other settings
        warn_about_model(models.model_with())
    return models


def _print_remarks(sort: str, remarks: Sequence[tuple[str, Place | None]]) -> None:
    """Print warnings or notes with their places; the first ones if there are many."""
    for message, place in remarks[:MAX_LISTED_CHOICES]:
        write_stderr(format_diagnostic(sort, message, place))
    if len(remarks) > MAX_LISTED_CHOICES:
        count = len(remarks) - MAX_LISTED_CHOICES
        write_stderr(format_diagnostic(sort, f"and {count:,} more", None))


def add_options(command: CommandFunction, options: Sequence[CommandFunction]) -> CommandFunction:
    """A command with these options, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def style_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say where and how a text is printed, which `emit_text` takes."""
    return add_options(command, _STYLE_OPTIONS)


def grid_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say where and how a grid is printed: `format` and the style."""
    return add_options(command, _GRID_OPTIONS)


def new_file_options(command: CommandFunction) -> CommandFunction:
    """Add the options of a grid of which `-o` replaces no file unless `--force` is given."""
    return add_options(command, _NEW_FILE_OPTIONS)


def table_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say where and how reports are printed: with `columns`, too."""
    return add_options(command, _TABLE_OPTIONS)
