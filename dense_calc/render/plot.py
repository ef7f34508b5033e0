"""The counts of a sweep as a picture in a file: the chart, drawn by matplotlib."""

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

# For each of PICTURE_SUFFIXES, the metadata to leave out: dates would make each file different.
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
_MAX_MARKED_POINTS = 40  # more points have no markers, more cells no gaps between them
_MAX_VECTOR_CELLS = 2_000  # more cells are one image within the drawing
_MAX_MESH_CELLS = 1_000_000  # of more cells most are blank: a picture has some 10,000 points
_MIN_LABEL_DISTANCE = 0.06  # of the length of an axis; numbers that are closer are not labelled
_MAX_AXIS_LABELS = 12  # labels of an axis of cells or words
_LABEL_LINE_LENGTH = 50  # characters
_TEXT_CAPACITY = 70, 16  # characters side by side and lines one above the other


def render_plot(names: Sequence[str], points: SweepPoints, path: str) -> bytes:
    """A picture of the counts over one or two variables, in the format of the path's suffix.

    Raises:
        FileError: the suffix is unknown, or matplotlib is not installed.
    """
    suffix = _picture_suffix(path)
    if not points:
        raise FileError(f"cannot write {path}: there is nothing to plot")
    return draw_picture(build_axes(names, points), points, suffix)


def demand_plot_file(path: str) -> None:
    """Raise FileError if no picture can be drawn to this path; a sweep asks before it runs."""
    _picture_suffix(path)
    with _use_plot_settings():
        pass


def _picture_suffix(path: str) -> str:
    """The suffix of a path, which names the format of a picture; FileError for any other."""
    suffix = Path(path).suffix.lower()
    if suffix not in _PICTURE_METADATA:
        *others, last = _PICTURE_METADATA
        raise FileError(f"cannot write {path}: a plot must end in {', '.join(others)} or {last}")
    return suffix


def draw_picture(axes: Sequence[VariableAxis], points: SweepPoints, suffix: str) -> bytes:
    """The bytes of a picture file; FileError if matplotlib cannot be used."""
    with _use_plot_settings():
        from matplotlib.figure import Figure

        figure = Figure()
        area = figure.add_subplot()
        if len(axes) == 1:
            _draw_curve(area, axes[0], counts_by_value(axes[0], points))
        else:
            _draw_heat_map(area, axes[0], axes[1], counts_by_cell(axes[0], axes[1], points))
        area.set_xlabel(_label_text(axes[0].name))
        file = io.BytesIO()
        figure.savefig(file, format=suffix[1:], metadata=_PICTURE_METADATA[suffix])
        return file.getvalue()


@contextmanager
def _use_plot_settings() -> Iterator[None]:
    """Use matplotlib with the settings of this module, not the user's, and without log messages."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it logs that it builds its caches
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that is not in its font is drawn as a box
        try:
            import matplotlib
        except ImportError:
            command = "pip install 'dense-calc[plot]'"
            raise FileError(f"a plot needs matplotlib: {command}") from None
        except ValueError as error:  # an environment variable that it rejects
            raise FileError(f"matplotlib cannot be used: {error}") from None
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_PLOT_RC_PARAMS)
            yield


def _draw_curve(area: Axes, axis: VariableAxis, counts: Sequence[int]) -> None:
    """A line through numbers, with its points if they are few, or a bar for each word."""
    marks = count_ticks(min(counts) if axis.is_numeric else 0, max(counts))
    heights = [float(total - marks[0]) for total in counts]  # exact although counts may be huge
    if axis.is_numeric:
        marker = "o" if len(counts) <= _MAX_MARKED_POINTS else ""
        area.plot(list(map(float, axis.values)), heights, marker=marker, clip_on=False)
        _label_numbers(area.xaxis, axis)
    else:
        area.bar(range(len(counts)), heights, width=0.6)
        _label_cells(area.xaxis, axis)
        _rotate_labels(area)
    area.set_yticks([float(mark - marks[0]) for mark in marks], list(map(human_count, marks)))
    area.set_ylim(0, float(marks[-1] - marks[0]))
    area.set_ylabel(_PARAMS_AXIS_LABEL)
    area.grid(axis="both" if axis.is_numeric else "y")


def _draw_heat_map(area: Axes, across: VariableAxis, up: VariableAxis, counts: CellCounts) -> None:
    """A field of cells, the counts in them if there is room, and the scale of colours."""
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
        places = [float(mark - base) for mark in marks]
        scale.set_ticks(places, labels=list(map(human_count, marks)))
    _label_heat_map(area, across, up)


def _label_heat_map(area: Axes, across: VariableAxis, up: VariableAxis) -> None:
    """The labels and names beside a field of cells; words are listed downwards."""
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
    """Cells at 0, 1, 2, ... in both directions, blank without a count; dots if most are blank."""
    columns, rows = size
    if columns * rows > _MAX_MESH_CELLS:
        xs, ys = zip(*cells, strict=True)
        dots = area.scatter(xs, ys, 4, list(cells.values()), marker="s", norm=norm)
        dots.set_rasterized(True)
        return dots
    tints = [[cells.get((x, y), math.nan) for x in range(columns)] for y in range(rows)]
    mesh = area.pcolormesh(_cell_edges(columns), _cell_edges(rows), tints, norm=norm)
    mesh.set_rasterized(columns * rows > _MAX_VECTOR_CELLS)
    if columns * rows <= _MAX_MARKED_POINTS:
        mesh.set(edgecolor="white", linewidth=2)
    return mesh


def _cell_edges(number: int) -> list[float]:
    """The places where `number` cells begin and end."""
    return [index - 0.5 for index in range(number + 1)]


def _draw_counts(
    area: Axes, norm: Normalize, counts: CellCounts, cells: Mapping[tuple[int, int], float]
) -> None:
    """The counts in their cells, if there is room."""
    texts = {place: f"{total:,}" for place, total in counts.items()}
    columns, rows = (1 + max(place[side] for place in counts) for side in (0, 1))
    if columns * max(map(len, texts.values())) > _TEXT_CAPACITY[0] or rows > _TEXT_CAPACITY[1]:
        return
    for (x, y), text in texts.items():
        is_dark = norm(cells[x, y]) < 0.5
        area.text(x, y, text, ha="center", va="center", color="white" if is_dark else "black")


def _label_numbers(ruler: Ruler, axis: VariableAxis) -> None:
    """The labels under a curve: its own numbers if they are far enough apart, else round ones."""
    from matplotlib.ticker import MaxNLocator

    if all(end - start >= _MIN_LABEL_DISTANCE for start, end in pairwise(axis.positions)):
        ruler.set_ticks(list(map(float, axis.values)), axis.value_texts)
        return
    is_whole = all(isinstance(value, int) for value in axis.values)
    ruler.set_major_locator(MaxNLocator(integer=is_whole))
    ruler.set_major_formatter(lambda value, _: f"{value:.12g}")


def _label_cells(ruler: Ruler, axis: VariableAxis) -> None:
    """The labels beside cells or under bars: evenly spaced ones if there are many."""
    texts = list(map(_label_text, axis.value_texts))
    indices = range(0, len(texts), -(-len(texts) // _MAX_AXIS_LABELS))
    ruler.set_ticks(list(indices), [texts[index] for index in indices])
    ruler.set_tick_params(length=0)


def _rotate_labels(area: Axes) -> None:
    """Rotate the labels under cells or bars if they are too long to stand side by side."""
    labels = area.get_xticklabels()
    if len(labels) * max(len(label.get_text()) for label in labels) > _TEXT_CAPACITY[0]:
        for label in labels:
            label.set(rotation=30, ha="right", rotation_mode="anchor")


def _label_text(text: str) -> str:
    """A name or a value as a label, folded into lines."""
    return "\n".join(fold_text(escape_unprintable(text), _LABEL_LINE_LENGTH))
