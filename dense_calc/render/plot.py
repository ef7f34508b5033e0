"""The counts of a sweep as a picture in a file: what the chart shows, drawn by matplotlib."""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dense_calc.errors import FileError, printable
from dense_calc.render.axes import (
    Axis,
    Cells,
    Points,
    axes,
    counts_along,
    counts_over,
    human,
    is_wide,
    ticks,
)
from dense_calc.render.plain_text import folded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as Ruler
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

# The endings of PICTURES, and what would tell one drawing of a picture from the next.
DATES: Mapping[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".png": {},
    ".pdf": {"CreationDate": None},
}
LOOK: Any = {  # matplotlib spells out the names of its settings for the type checker
    "figure.figsize": (7.2, 4.5),  # inches
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "axes.axisbelow": True,
    "axes.facecolor": "0.95",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "white",
    "lines.linewidth": 2,
    "image.cmap": "viridis",
    "svg.hashsalt": "dense-calc",  # the same picture is the same file
    "text.parse_math": False,  # a dollar in a name is a dollar
}
PARAMS = "parameters"
FEW = 40  # points that have markers, or cells that stand apart
MANY = 2_000  # cells that are an image in a drawing
VAST = 1_000_000  # cells of which most are blank: a command tries no more than some 10,000
APART = 0.06  # of an axis, between numbers that are all labelled
MOST_LABELS = 12  # of an axis of cells or words
LINE = 50  # characters of a line of a name
ROOM = 70, 16  # characters and lines that fit side by side and one above the other


def picture(names: Sequence[str], points: Points, path: str) -> bytes:
    """A picture of the counts over one or two variables, of the kind that a path ends in.

    Raises:
        FileError: the ending is unknown, or matplotlib is not there.
    """
    ending = ending_of(path)
    if not points:
        raise FileError(f"cannot write {path}: there is nothing to plot")
    return drawn(axes(names, points), points, ending)


def demand_drawable(path: str) -> None:
    """Raise FileError where a picture cannot be drawn, before it is known what is in it."""
    ending_of(path)
    with own_look():
        pass


def ending_of(path: str) -> str:
    """The ending of a path, which tells what kind of picture it is; FileError if it is of none."""
    ending = Path(path).suffix.lower()
    if ending not in DATES:
        *others, last = DATES
        raise FileError(f"cannot write {path}: a plot ends in {', '.join(others)} or {last}")
    return ending


def drawn(along: Sequence[Axis], points: Points, ending: str) -> bytes:
    """The bytes of a picture of a kind; FileError where matplotlib cannot be used."""
    with own_look():
        from matplotlib.figure import Figure

        figure = Figure()
        area = figure.add_subplot()
        if len(along) == 1:
            draw_curve(area, along[0], counts_along(along[0], points))
        else:
            draw_map(area, along[0], along[1], counts_over(along[0], along[1], points))
        area.set_xlabel(label(along[0].name))
        file = io.BytesIO()
        figure.savefig(file, format=ending[1:], metadata=DATES[ending])
        return file.getvalue()


@contextmanager
def own_look() -> Iterator[None]:
    """matplotlib as it is drawn here, whatever its user has set, and quiet."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its caches
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that its font has not is drawn as a box
        try:
            import matplotlib
        except ImportError:
            wanted = "pip install 'dense-calc[plot]'"
            raise FileError(f"a plot needs matplotlib: {wanted}") from None
        except ValueError as error:  # a variable of the environment that it does not like
            raise FileError(f"matplotlib cannot be used: {error}") from None
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(LOOK)
            yield


def draw_curve(area: Axes, along: Axis, counts: Sequence[int]) -> None:
    """A line through numbers, with its points if they are few, or a bar for each word."""
    marks = ticks(min(counts) if along.is_numeric else 0, max(counts))
    heights = [float(total - marks[0]) for total in counts]  # told apart however large they are
    if along.is_numeric:
        marker = "o" if len(counts) <= FEW else ""
        area.plot(list(map(float, along.values)), heights, marker=marker, clip_on=False)
        label_numbers(area.xaxis, along)
    else:
        area.bar(range(len(counts)), heights, width=0.6)
        label_cells(area.xaxis, along)
        turn_labels(area)
    area.set_yticks([float(mark - marks[0]) for mark in marks], list(map(human, marks)))
    area.set_ylim(0, float(marks[-1] - marks[0]))
    area.set_ylabel(PARAMS)
    area.grid(axis="both" if along.is_numeric else "y")


def draw_map(area: Axes, across: Axis, up: Axis, counts: Cells) -> None:
    """A field of cells, their counts where there is room, and what their colours mean."""
    from matplotlib.colors import LogNorm, Normalize

    marks = ticks(min(counts.values()), max(counts.values()))
    is_log = is_wide(counts.values())
    base = 0 if is_log else marks[0]
    norm = LogNorm() if is_log else Normalize(0, float(marks[-1] - base))
    cells = {place: float(total - base) for place, total in counts.items()}
    mesh = field(area, (len(across.values), len(up.values)), cells, norm)
    draw_counts(area, norm, counts, cells)
    scale = area.figure.colorbar(mesh, ax=area, label=PARAMS)
    scale.outline.set_visible(False)
    if is_log:
        scale.ax.yaxis.set_major_formatter(lambda total, _: human(round(total)))
    else:
        scale.set_ticks([float(mark - base) for mark in marks], labels=list(map(human, marks)))
    label_field(area, across, up)


def label_field(area: Axes, across: Axis, up: Axis) -> None:
    """What stands beside a field of cells; words are read downwards."""
    label_cells(area.xaxis, across)
    label_cells(area.yaxis, up)
    turn_labels(area)
    area.set_ylabel(label(up.name))
    area.spines[:].set_visible(False)
    if not up.is_numeric:
        area.invert_yaxis()


def field(
    area: Axes, size: tuple[int, int], cells: Mapping[tuple[int, int], float], norm: Normalize
) -> ScalarMappable:
    """Cells at 0, 1, 2, ... each way, blank where there is none; dots alone if most are blank."""
    wide, high = size
    if wide * high > VAST:
        xs, ys = zip(*cells, strict=True)
        dots = area.scatter(xs, ys, 4, list(cells.values()), marker="s", norm=norm)
        dots.set_rasterized(True)
        return dots
    tints = [[cells.get((x, y), math.nan) for x in range(wide)] for y in range(high)]
    mesh = area.pcolormesh(edges(wide), edges(high), tints, norm=norm)
    mesh.set_rasterized(wide * high > MANY)
    if wide * high <= FEW:
        mesh.set(edgecolor="white", linewidth=2)
    return mesh


def edges(cells: int) -> list[float]:
    """Where so many cells begin and end."""
    return [each - 0.5 for each in range(cells + 1)]


def draw_counts(
    area: Axes, norm: Normalize, counts: Cells, cells: Mapping[tuple[int, int], float]
) -> None:
    """The counts in their cells, where there is room."""
    texts = {place: f"{total:,}" for place, total in counts.items()}
    wide, high = (1 + max(place[side] for place in counts) for side in (0, 1))
    if wide * max(map(len, texts.values())) > ROOM[0] or high > ROOM[1]:
        return
    for (x, y), text in texts.items():
        is_dark = norm(cells[x, y]) < 0.5
        area.text(x, y, text, ha="center", va="center", color="white" if is_dark else "black")


def label_numbers(ruler: Ruler, along: Axis) -> None:
    """The numbers under a curve themselves if they stand apart, else round ones."""
    from matplotlib.ticker import MaxNLocator

    if all(end - start >= APART for start, end in pairwise(along.places)):
        ruler.set_ticks(list(map(float, along.values)), along.texts)
        return
    is_whole = all(isinstance(value, int) for value in along.values)
    ruler.set_major_locator(MaxNLocator(integer=is_whole))
    ruler.set_major_formatter(lambda value, _: f"{value:.12g}")


def label_cells(ruler: Ruler, along: Axis) -> None:
    """The values beside cells or under bars, not all where they are many."""
    texts = list(map(label, along.texts))
    some = range(0, len(texts), -(-len(texts) // MOST_LABELS))
    ruler.set_ticks(list(some), [texts[each] for each in some])
    ruler.set_tick_params(length=0)


def turn_labels(area: Axes) -> None:
    """The labels under cells or bars, askew where they are too long to stand side by side."""
    labels = area.get_xticklabels()
    if len(labels) * max(len(each.get_text()) for each in labels) > ROOM[0]:
        for each in labels:
            each.set(rotation=30, ha="right", rotation_mode="anchor")


def label(text: str) -> str:
    """A name or a value on as many lines as it takes."""
    return "\n".join(folded(printable(text), LINE))
