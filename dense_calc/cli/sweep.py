"""`dense-calc sweep`: the totals of a model with every combination of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import click

from dense_calc.cli.completed_values import complete_files, complete_settings
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import (
    ascii_option,
    assume_option,
    compact_option,
    parse_settings,
    style_options,
    warn_about_variants,
)
from dense_calc.cli.output import GRID_SUFFIXES, choose_format, emit_text, is_terminal
from dense_calc.cli.progress import show_progress
from dense_calc.cli.streams import exit_on_signals, write_stderr
from dense_calc.errors import format_diagnostic
from dense_calc.files.loader import read_variants
from dense_calc.render import GRID_FORMATS, Style, stream_grid
from dense_calc.render.axes import PICTURE_SUFFIXES, SweepPoints
from dense_calc.render.sweep_grid import combination_grid, csv_lines, json_lines, sweep_points
from dense_calc.settings.variants import VariantRow
from dense_calc.whatif.sweeping import Sweep, build_sweep

_SWEEP_SUFFIXES = {**GRID_SUFFIXES, ".jsonl": "json", ".csv": "csv"}
_SWEEP_FORMATS = (*GRID_FORMATS, "json", "csv", "chart")
_STREAM_FORMATS = {"json": json_lines, "csv": csv_lines}
_TOP_ORDER = "-params"  # the order of --top without --sort
_MAX_PICTURE_SETTINGS = 2


@click.command(cls=SectionedCommand)
@click.argument("file", shell_complete=complete_files)
@click.option(
    "--set",
    "choices",
    metavar="NAME=VALUES",
    multiple=True,
    required=True,
    callback=parse_settings,
    shell_complete=complete_settings,
    help="Values of a var, of an argument of a layer (conv2d_1.filters) or of the input: a list "
    "(32,64,128) or a range FIRST:LAST:STEP (2:12:2). Repeatable.",
)
@click.option(
    "--zip",
    "zipped",
    is_flag=True,
    help="Combine the first value of each --set, then the second of each, and so on.",
)
@click.option(
    "--where",
    metavar="CONDITION",
    multiple=True,
    help="Show only rows that meet a condition: 'params<5M and width>=64', 'within_budget'. "
    "Repeatable; all must hold.",
)
@click.option(
    "--sort",
    metavar="[-]NAME",
    help="Sort by a setting, or by params, trainable, non_trainable, size or change. With a minus "
    "(-params), the largest come first.",
)
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    help="Show the first N rows; without --sort, those with the most parameters.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Use N processes, at most one for each core.",
)
@click.option(
    "--plot",
    metavar="FILE",
    shell_complete=complete_files,
    help="Also draw the parameters to FILE (.svg, .png or .pdf). Needs the extra 'plot'.",
)
@assume_option
@click.option(
    "--format",
    type=click.Choice(_SWEEP_FORMATS),
    help="Format of the output. Default: by the suffix of -o FILE; otherwise a table with a chart "
    "on a terminal, text elsewhere. JSON has one line for each row.",
)
@style_options
@ascii_option
@compact_option
def sweep(
    file: str,
    choices: dict[str, str],
    zipped: bool,
    assumed: dict[str, str],
    format: str | None,
    plot: str | None,
    jobs: int,
    where: tuple[str, ...],
    sort: str | None,
    top: int | None,
    **output_options: Any,
) -> None:
    """Size a model for every combination of values.

    Each combination is one row. If it makes no valid model, the row says why.

    Example: dense-calc sweep gallery:lenet5 --set width=4:16:4
    """
    combinations = build_sweep(read_variants(file, assumed), choices, zipped)
    warn_about_variants(combinations.variants, assumed)
    select_rows = _row_selector(where, sort, top, list(choices))
    output = output_options["output"]
    if format is None and str(output).lower().endswith(PICTURE_SUFFIXES):
        raise click.UsageError(f"-o takes a table; draw with --plot {output}.")
    chosen = choose_format(format, output, _SWEEP_SUFFIXES)
    if plot or chosen == "chart":
        _demand_drawable_settings(_picture_settings(combinations), plot)
    if jobs > 1:
        exit_on_signals()
    is_streamed = chosen in _STREAM_FORMATS and not plot
    is_quiet = is_streamed and is_terminal(output)
    with _batches_with_progress(combinations, jobs, quiet=is_quiet) as batches:
        if is_streamed:
            parts = _selected_parts(batches, select_rows, is_ordered=bool(sort or top))
            stream = _STREAM_FORMATS[chosen]
            emit_text(lambda style: stream(parts, list(choices), style), **output_options)
            return
        rows = list(select_rows(chain.from_iterable(batches)))
    _print_sweep(combinations, rows, chosen, plot, **output_options)


def _print_sweep(
    combinations: Sweep,
    rows: Sequence[VariantRow],
    format: str,
    plot: str | None,
    **output_options: Any,
) -> None:
    """Print rows of a sweep in a format, and draw them to the file `plot`, if any."""
    names = _picture_settings(combinations)
    can_draw = len(names) <= _MAX_PICTURE_SETTINGS
    points = sweep_points(rows, names, combinations.choices) if can_draw else ()
    if plot:
        from dense_calc.cli.write_file import save_file
        from dense_calc.render.plot import render_plot

        save_file(plot, [render_plot(names, points, plot)])
    if format == "chart" and not points:
        write_stderr(format_diagnostic("note", "there is nothing to draw", None))
    emit_text(
        lambda style: _render_sweep(combinations, rows, format, (names, points), style),
        **output_options,
    )


def _demand_drawable_settings(names: Sequence[str], plot: str | None) -> None:
    """Raise an error if a picture of these settings cannot be drawn, or not to the file `plot`."""
    if len(names) > _MAX_PICTURE_SETTINGS:
        raise click.UsageError(
            f"A picture shows {_MAX_PICTURE_SETTINGS} settings, not {len(names)}."
        )
    if plot:
        from dense_calc.render.plot import demand_plot_file

        demand_plot_file(plot)


def _row_selector(
    where: Sequence[str], sort: str | None, top: int | None, names: Sequence[str]
) -> Callable[[Iterable[VariantRow]], Iterable[VariantRow]]:
    """A function that filters and sorts rows with these settings, as the options say.

    Raises:
        SpecError: a condition is invalid, or rows have no value of that name.
    """
    if not where and sort is None and not top:
        return iter
    from dense_calc.cli.row_options import build_row_selector

    return build_row_selector(where, _TOP_ORDER if sort is None and top else sort, top, names)


def _selected_parts(
    batches: Iterable[list[VariantRow]],
    select_rows: Callable[[Iterable[VariantRow]], Iterable[VariantRow]],
    *,
    is_ordered: bool,
) -> Iterable[Iterable[VariantRow]]:
    """The selected rows in parts: those of each batch, or each row where all are in an order."""
    if is_ordered:
        return zip(select_rows(chain.from_iterable(batches)))
    return map(select_rows, batches)


@contextmanager
def _batches_with_progress(
    combinations: Sweep, jobs: int, *, quiet: bool
) -> Iterator[Iterable[list[VariantRow]]]:
    """The rows of a sweep in lists, by so many processes; a bar counts them, if not `quiet`."""
    batches = combinations.row_batches()
    if jobs > 1:
        from dense_calc.cli.sweep_jobs import row_batches_in_parallel

        batches = row_batches_in_parallel(combinations, jobs)
    with show_progress(len(combinations), "sweep", quiet=quiet) as advance:
        yield _count_rows(batches, advance)


def _count_rows(
    batches: Iterable[list[VariantRow]], advance: Callable[[int], None]
) -> Iterator[list[VariantRow]]:
    """The rows in lists; each row advances the progress by a step."""
    for batch in batches:
        yield batch
        advance(len(batch))


def _picture_settings(combinations: Sweep) -> list[str]:
    """The settings of a picture: those with several values; only the first if they are zipped."""
    several = [name for name, values in combinations.choices.items() if len(values) > 1]
    is_one = combinations.is_zipped or not several
    return (several or list(combinations.choices))[: 1 if is_one else None]


def _render_sweep(
    combinations: Sweep,
    rows: Sequence[VariantRow],
    format: str,
    picture: tuple[Sequence[str], SweepPoints],
    style: Style,
) -> Iterator[str]:
    """The rows in a format; a table has a chart below it."""
    if format in _STREAM_FORMATS:
        yield from _STREAM_FORMATS[format](zip(rows), list(combinations.choices), style)
    if format in GRID_FORMATS:
        yield from stream_grid(combination_grid(combinations, rows, style), format, style)
    if format == "chart" or (format == "table" and len(picture[1]) > 1):
        from dense_calc.render.chart import render_chart

        chart = render_chart(*picture, style)
        yield f"\n{chart}" if format == "table" else chart
