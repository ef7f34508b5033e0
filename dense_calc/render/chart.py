"""The counts of a sweep as a picture in the terminal: a curve, bars for words, or a heat map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from dense_calc.render import Style
from dense_calc.render.axes import Axis, Points, axes, counts_along, counts_over, human, ticks
from dense_calc.render.frame import NARROWEST, by_column, foot, painted, signs, value_labels
from dense_calc.render.heat_map import heat_map

NATURAL = 80  # columns where no width is given
WIDEST = 120  # columns that a picture fills
HEIGHT = 12  # rows of a curve above its lowest
TITLE = "params"
COLOR = "color(33)"  # as the kinds of layers in a table

ACROSS, UP = 2, 4  # dots in a character of Braille, a bit for each
BLANK, UPPER, LOWER, MANY = 0x2800, 0b00011011, 0b11100100, 6


def typed(dots: int) -> str:
    """What a typewriter has for a character of Braille: by where its dots are, or if many."""
    if dots.bit_count() >= MANY:
        return "#"
    return " '.:"[bool(dots & UPPER) + 2 * bool(dots & LOWER)]


NO_DOTS = {BLANK: " "}  # some fonts show the blank one
TYPED_DOTS = {BLANK + dots: typed(dots) for dots in range(256)}


def chart(names: Sequence[str], points: Points, style: Style) -> str:
    """The counts over one or two variables; '' where there is nothing to draw, or no room."""
    width = min(NATURAL if style.width is None else style.width, WIDEST)
    if not points or width < NARROWEST * 2:
        return ""
    along = axes(names, points)
    if len(along) == 1:
        lines = curve(along[0], counts_along(along[0], points), width, style)
    else:
        lines = heat_map(along[0], along[1], counts_over(along[0], along[1], points), width, style)
    return "".join(f"{line}\n" for line in lines)


def curve(along: Axis, counts: Sequence[int], width: int, style: Style) -> Iterator[str]:
    """The lines of a picture of one variable; none where there is no room."""
    marks = ticks(min(counts) if along.is_numeric else 0, max(counts))
    apart = HEIGHT // (len(marks) - 1)
    labels = {apart * index: human(mark) for index, mark in enumerate(marks)}
    edge = max(map(len, [TITLE, *labels.values()])) + 1
    room = width - edge - 1
    if room < NARROWEST:
        return
    heights = [(total - marks[0]) / (marks[-1] - marks[0]) for total in counts]
    picture = drawn(along, heights, room, max(labels) + 1, style)
    sign = signs(style)
    yield TITLE.rjust(edge - 1)
    for row, dots in zip(range(max(labels), -1, -1), picture, strict=True):
        side = sign.tick if row in labels else sign.up
        yield f"{labels.get(row, ''):>{edge - 1}} {side}{painted(dots, COLOR, style)}"
    middles = [round(place * (room - 1)) for place in along.places]
    yield from foot(along.name, by_column(middles, value_labels(along, style)), edge, room, style)


def drawn(along: Axis, heights: Sequence[float], room: int, rows: int, style: Style) -> list[str]:
    """The rows of a picture: a line through numbers, with its points if they are few; or bars."""
    from plotille import Canvas  # 4 ms, which only a curve pays

    across, up = ACROSS * room - 1, UP * (rows - 1)
    canvas = Canvas(room, rows, 0, 0, ACROSS * room, UP * rows)
    ends = [
        (round(place * across), UP // 2 + round(height * up))  # the middle of a row is at its tick
        for place, height in zip(along.places, heights, strict=True)
    ]
    for start, end in pairwise(ends) if along.is_numeric else bars(ends, across):
        canvas.line(*start, *end)
    if along.is_numeric and len(ends) <= room // 4:
        for x, y in ends:
            canvas.point(x, y, marker=signs(style).point)
    dots = canvas.plot("\n").translate(TYPED_DOTS if style.ascii else NO_DOTS)
    return [row.rstrip() for row in dots.split("\n")]


def bars(ends: Sequence[tuple[int, int]], across: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Upright lines side by side up to each end: half as wide together as there is room."""
    half = across // len(ends) // 4
    for x, y in ends:
        yield from (((each, 0), (each, y)) for each in range(x - half, x + half + 1))
