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

from dense_calc.errors import FileError, escape_unprintable
from dense_calc.render.axes import (
    CellCounts,
    SweepPoints,
    VariableAxis,
    build_axes,
    count_ticks,
    counts_by_cell,
    counts_by_value,
    human_count,
    needs_log_scale,
)
from dense_calc.render.plain_text import fold_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as Ruler
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

# The endings of PICTURES, and what would tell one drawing of a picture from the next.
_PICTURE_METADATA: Mapping[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".png": {},
    ".pdf": {"CreationDate": None},
}
_PLOT_RC_PARAMS: Any = {  # matplotlib spells out the names of its settings for the type checker
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
_PARAMS_AXIS_LABEL = "parameters"
_MAX_MARKED_POINTS = 40  # points that have markers, or cells that stand apart
_MAX_VECTOR_CELLS = 2_000  # cells that are an image in a drawing
_MAX_MESH_CELLS = (
    1_000_000  # cells of which most are blank: a command tries no more than some 10,000
)
_MIN_LABEL_DISTANCE = 0.06  # of an axis, between numbers that are all labelled
_MAX_AXIS_LABELS = 12  # of an axis of cells or words
_LABEL_LINE_LENGTH = 50  # characters of a line of a name
_TEXT_CAPACITY = 70, 16  # characters and lines that fit side by side and one above the other


def render_plot(names: Sequence[str], points: SweepPoints, path: str) -> bytes:
    """A picture of the counts over one or two variables, of the kind that a path ends in.

    Raises:
        FileError: the ending is unknown, or matplotlib is not there.
    """
    ending = _picture_suffix(path)
    if not points:
        raise FileError(f"cannot write {path}: there is nothing to plot")
    return draw_picture(build_axes(names, points), points, ending)


def demand_plot_file(path: str) -> None:
    """Raise FileError where a picture cannot be drawn, before it is known what is in it."""
    _picture_suffix(path)
    with _use_plot_settings():
        pass


def _picture_suffix(path: str) -> str:
    """The ending of a path, which tells what kind of picture it is; FileError if it is of none."""
    ending = Path(path).suffix.lower()
    if ending not in _PICTURE_METADATA:
        *others, last = _PICTURE_METADATA
        raise FileError(f"cannot write {path}: a plot ends in {', '.join(others)} or {last}")
    return ending


def draw_picture(along: Sequence[VariableAxis], points: SweepPoints, ending: str) -> bytes:
    """The bytes of a picture of a kind; FileError where matplotlib cannot be used."""
    with _use_plot_settings():
        from matplotlib.figure import Figure

        figure = Figure()
        area = figure.add_subplot()
        if len(along) == 1:
            _draw_curve(area, along[0], counts_by_value(along[0], points))
        else:
            _draw_heat_map(area, along[0], along[1], counts_by_cell(along[0], along[1], points))
        area.set_xlabel(_label_text(along[0].name))
        file = io.BytesIO()
        figure.savefig(file, format=ending[1:], metadata=_PICTURE_METADATA[ending])
        return file.getvalue()


@contextmanager
def _use_plot_settings() -> Iterator[None]:
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
            matplotlib.rcParams.update(_PLOT_RC_PARAMS)
            yield


def _draw_curve(area: Axes, along: VariableAxis, counts: Sequence[int]) -> None:
    """A line through numbers, with its points if they are few, or a bar for each word."""
    marks = count_ticks(min(counts) if along.is_numeric else 0, max(counts))
    heights = [float(total - marks[0]) for total in counts]  # told apart however large they are
    if along.is_numeric:
        marker = "o" if len(counts) <= _MAX_MARKED_POINTS else ""
        area.plot(list(map(float, along.values)), heights, marker=marker, clip_on=False)
        _label_numbers(area.xaxis, along)
    else:
        area.bar(range(len(counts)), heights, width=0.6)
        _label_cells(area.xaxis, along)
        _rotate_labels(area)
    area.set_yticks([float(mark - marks[0]) for mark in marks], list(map(human_count, marks)))
    area.set_ylim(0, float(marks[-1] - marks[0]))
    area.set_ylabel(_PARAMS_AXIS_LABEL)
    area.grid(axis="both" if along.is_numeric else "y")


def _draw_heat_map(area: Axes, across: VariableAxis, up: VariableAxis, counts: CellCounts) -> None:
    """A field of cells, their counts where there is room, and what their colours mean."""
    from matplotlib.colors import LogNorm, Normalize

    marks = count_ticks(min(counts.values()), max(counts.values()))
    is_log = needs_log_scale(counts.values())
    base = 0 if is_log else marks[0]
    norm = LogNorm() if is_log else Normalize(0, float(marks[-1] - base))
    cells = {place: float(total - base) for place, total in counts.items()}
    mesh = _draw_cells(area, (len(across.values), len(up.values)), cells, norm)
    _draw_counts(area, norm, counts, cells)
    scale = area.figure.colorbar(mesh, ax=area, label=_PARAMS_AXIS_LABEL)
    scale.outline.set_visible(False)
    if is_log:
        scale.ax.yaxis.set_major_formatter(lambda total, _: human_count(round(total)))
    else:
        scale.set_ticks(
            [float(mark - base) for mark in marks], labels=list(map(human_count, marks))
        )
    _label_heat_map(area, across, up)


def _label_heat_map(area: Axes, across: VariableAxis, up: VariableAxis) -> None:
    """What stands beside a field of cells; words are read downwards."""
    _label_cells(area.xaxis, across)
    _label_cells(area.yaxis, up)
    _rotate_labels(area)
    area.set_ylabel(_label_text(up.name))
    area.spines[:].set_visible(False)
    if not up.is_numeric:
        area.invert_yaxis()


def _draw_cells(
    area: Axes, size: tuple[int, int], cells: Mapping[tuple[int, int], float], norm: Normalize
) -> ScalarMappable:
    """Cells at 0, 1, 2, ... each way, blank where there is none; dots alone if most are blank."""
    wide, high = size
    if wide * high > _MAX_MESH_CELLS:
        xs, ys = zip(*cells, strict=True)
        dots = area.scatter(xs, ys, 4, list(cells.values()), marker="s", norm=norm)
        dots.set_rasterized(True)
        return dots
    tints = [[cells.get((x, y), math.nan) for x in range(wide)] for y in range(high)]
    mesh = area.pcolormesh(_cell_edges(wide), _cell_edges(high), tints, norm=norm)
    mesh.set_rasterized(wide * high > _MAX_VECTOR_CELLS)
    if wide * high <= _MAX_MARKED_POINTS:
        mesh.set(edgecolor="white", linewidth=2)
    return mesh


def _cell_edges(cells: int) -> list[float]:
    """Where so many cells begin and end."""
    return [each - 0.5 for each in range(cells + 1)]


def _draw_counts(
    area: Axes, norm: Normalize, counts: CellCounts, cells: Mapping[tuple[int, int], float]
) -> None:
    """The counts in their cells, where there is room."""
    texts = {place: f"{total:,}" for place, total in counts.items()}
    wide, high = (1 + max(place[side] for place in counts) for side in (0, 1))
    if wide * max(map(len, texts.values())) > _TEXT_CAPACITY[0] or high > _TEXT_CAPACITY[1]:
        return
    for (x, y), text in texts.items():
        is_dark = norm(cells[x, y]) < 0.5
        area.text(x, y, text, ha="center", va="center", color="white" if is_dark else "black")


def _label_numbers(ruler: Ruler, along: VariableAxis) -> None:
    """The numbers under a curve themselves if they stand apart, else round ones."""
    from matplotlib.ticker import MaxNLocator

    if all(end - start >= _MIN_LABEL_DISTANCE for start, end in pairwise(along.positions)):
        ruler.set_ticks(list(map(float, along.values)), along.value_texts)
        return
    is_whole = all(isinstance(value, int) for value in along.values)
    ruler.set_major_locator(MaxNLocator(integer=is_whole))
    ruler.set_major_formatter(lambda value, _: f"{value:.12g}")


def _label_cells(ruler: Ruler, along: VariableAxis) -> None:
    """The values beside cells or under bars, not all where they are many."""
    texts = list(map(_label_text, along.value_texts))
    some = range(0, len(texts), -(-len(texts) // _MAX_AXIS_LABELS))
    ruler.set_ticks(list(some), [texts[each] for each in some])
    ruler.set_tick_params(length=0)


def _rotate_labels(area: Axes) -> None:
    """The labels under cells or bars, askew where they are too long to stand side by side."""
    labels = area.get_xticklabels()
    if len(labels) * max(len(each.get_text()) for each in labels) > _TEXT_CAPACITY[0]:
        for each in labels:
            each.set(rotation=30, ha="right", rotation_mode="anchor")


def _label_text(text: str) -> str:
    """A name or a value on as many lines as it takes."""
    return "\n".join(fold_text(escape_unprintable(text), _LABEL_LINE_LENGTH))
