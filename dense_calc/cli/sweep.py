"""`dense-calc sweep`: what a model comes to with every combination of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click

from dense_calc.cli.options import (
    ascii_option,
    assume_option,
    emit,
    format_of,
    is_terminal,
    look_options,
    settings,
    warned_of,
)
from dense_calc.cli.progress import progress
from dense_calc.cli.streams import end_in_order, tell
from dense_calc.errors import remark
from dense_calc.render import GRIDS, Style, streamed
from dense_calc.render.axes import PICTURES, Points
from dense_calc.render.sweep_grid import csv_lines, grid, json_lines, points
from dense_calc.settings.variants import Row
from dense_calc.whatif.shelf import Shelf
from dense_calc.whatif.sweeping import Sweep, spread
from dense_calc.whatif.sweeping import sweep as sweep_of

SUFFIXES = {".json": "json", ".jsonl": "json", ".csv": "csv", ".md": "markdown"}
FORMATS = (*GRIDS, "json", "csv", "chart")
STREAMS = {"json": json_lines, "csv": csv_lines}
LARGEST = "-params"  # what --top means without an order
MOST_SEEN = 2  # settings in a picture


@click.command()
@click.argument("file")
@click.option(
    "--set",
    "choices",
    metavar="NAME=VALUES",
    multiple=True,
    required=True,
    callback=settings,
    help="The values of a var, of an argument of a layer (conv2d_1.filters) or of the input: a "
    "list, 32,64,128, or a range with its last value, 2:12:2. Repeatable: every combination is "
    "tried.",
)
@click.option(
    "--zip",
    "zipped",
    is_flag=True,
    help="Take the first values of all together, then the second ones, ...",
)
@click.option(
    "--where",
    metavar="CONDITION",
    multiple=True,
    help="Show rows for which this holds: 'params<5M and width>=64', 'within_budget'. Repeatable.",
)
@click.option(
    "--sort",
    metavar="[-]NAME",
    help="Sort by a setting, or by params, trainable, non_trainable, size or change; with a "
    "minus, the largest first.",
)
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    help="Show the first N; without --sort, the largest.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Use so many processes, but no more than there are cores.",
)
@click.option(
    "--plot",
    metavar="FILE",
    help="Also draw the parameters to FILE, .svg, .png or .pdf; needs the extra 'plot'.",
)
@assume_option
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    help="How to print it: a table with a chart on a terminal and text elsewhere, or as FILE of -o "
    "ends. In JSON, a line for each row.",
)
@look_options
@ascii_option
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
    **look: Any,
) -> None:
    """Tell what the model in FILE comes to with every combination of settings.

    A combination that is no valid model is a row that says why.

    Example: dense-calc sweep specs/lenet5.yaml --set width=4:16:4
    """
    whole = sweep_of(file, choices, zip=zipped, assume=assumed)
    warned_of(whole.variants)
    names = list(choices)
    pick = picker(where, sort, top, names)
    chosen = format_of(format, look["output"], SUFFIXES)
    seen = pictured(whole)
    if format is None and str(look["output"]).lower().endswith(PICTURES):
        raise click.UsageError(f"-o takes a table; draw with --plot {look['output']}.")
    if plot or chosen == "chart":
        demand_drawable(seen, plot)
    if jobs > 1:
        end_in_order()
    streams = chosen in STREAMS and not plot
    with progress(len(whole), "sweep", quiet=streams and is_terminal(look["output"])) as advance:
        rows = counted(spread(whole, jobs) if jobs > 1 else whole, advance)
        if streams:
            emit(lambda style: STREAMS[chosen](pick(rows), names, style), **look)
            return
        shelf = Shelf(pick(rows))
    found = points(shelf, seen, whole.choices) if len(seen) <= MOST_SEEN else ()
    if plot:
        from dense_calc.cli.write_file import save
        from dense_calc.render.plot import picture

        save(plot, [picture(seen, found, plot)])
    if chosen == "chart" and not found:
        tell(remark("note", "there is nothing to draw", None))
    emit(lambda style: shown(whole, shelf, chosen, (seen, found), style), **look)


def demand_drawable(seen: Sequence[str], plot: str | None) -> None:
    """Raise a complaint where a picture of these settings cannot be drawn, perhaps to a file."""
    if len(seen) > MOST_SEEN:
        raise click.UsageError(f"A picture shows {MOST_SEEN} settings, not {len(seen)}.")
    if plot:
        from dense_calc.render.plot import demand_drawable as demand_file

        demand_file(plot)


def picker(
    where: Sequence[str], sort: str | None, top: int | None, names: Sequence[str]
) -> Callable[[Iterable[Row]], Iterable[Row]]:
    """What takes from rows with these settings those that are wanted, in their order.

    Raises:
        SpecError: a condition is none, or rows have nothing of this name.
    """
    if not where and sort is None and not top:
        return iter
    from dense_calc.whatif.picking import picked

    return picked(where, LARGEST if sort is None and top else sort, top, names)


def counted(rows: Iterable[Row], advance: Callable[[int], None]) -> Iterator[Row]:
    """The rows, each of which is a step of the run."""
    for row in rows:
        yield row
        advance(1)


def pictured(whole: Sweep) -> list[str]:
    """The settings that a picture shows: those of several values; what goes together is one."""
    several = [name for name, values in whole.choices.items() if len(values) > 1]
    return (several or list(whole.choices))[: 1 if whole.zipped or not several else None]


def shown(
    whole: Sweep, shelf: Shelf, format: str, picture: tuple[Sequence[str], Points], style: Style
) -> Iterator[str]:
    """The rows in a format; a table has a chart below it on a terminal."""
    if format in STREAMS:
        yield from STREAMS[format](shelf, list(whole.choices), style)
    if format in GRIDS:
        yield from streamed(grid(whole, shelf, style), format, style)
    if format == "chart" or (format == "table" and len(picture[1]) > 1):
        from dense_calc.render.chart import chart

        yield f"\n{chart(*picture, style)}" if format == "table" else chart(*picture, style)
