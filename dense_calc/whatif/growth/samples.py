"""Counts at points, each asked for once, and no more of them than a moment allows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from dense_calc.whatif.growth.polynomial import Point

Measure = Callable[[Point], int | None]  # None: there is no model with these values

MAX_SAMPLES = 5000
PATIENCE = 20  # seconds in which they are worked out; large models take as long each
NEAR = 8  # values around a known one that are likely to have a model, too
TRIES = 40
SEED = 514


class ExhaustedError(Exception):
    """More counts were asked for than is allowed."""


class Samples:
    """What is known of a count so far."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.known: dict[Point, int | None] = {}
        self.limit = MAX_SAMPLES
        self.deadline = math.inf

    def __call__(self, point: Point) -> int | None:
        if point not in self.known:
            if len(self.known) >= self.limit or perf_counter() > self.deadline:
                raise ExhaustedError
            self.known[point] = self.measure(point)
        return self.known[point]

    def allow(self, times: int) -> None:
        """Allow so many times what is usual, and as much time from now on."""
        self.limit = times * MAX_SAMPLES
        self.deadline = perf_counter() + PATIENCE

    @property
    def valid(self) -> dict[Point, int]:
        """The points so far that have a model, and their counts."""
        return {point: count for point, count in self.known.items() if count is not None}

    def line(self, through: Point, axis: int) -> Callable[[int], int | None]:
        """The counts of one variable, the others as they are at a point."""
        before, after = through[:axis], through[axis + 1 :]
        return lambda at: self((*before, at, *after))

    def anchors(self, start: Point, ranges: Sequence[range]) -> Iterator[Point]:
        """Points that have a model: the start, some near to it, and some anywhere."""
        if self(start) is not None:
            yield start
        for point in candidates(start, ranges):
            if self(point) is not None:
                yield point


def candidates(start: Point, ranges: Sequence[range]) -> Iterator[Point]:
    """Points near the start and anywhere in the ranges, the same ones in every run."""
    chosen = random.Random(SEED)  # noqa: S311, no secret hangs on it
    near = [nearest(values, at) for at, values in zip(start, ranges, strict=True)]
    for _ in range(TRIES):
        yield tuple(map(chosen.choice, near))
        yield tuple(map(chosen.choice, ranges))


def drawn_from(ranges: Sequence[range], count: int) -> Iterator[Point]:
    """So many points anywhere in the ranges, the same ones in every run."""
    chosen = random.Random(SEED)  # noqa: S311, no secret hangs on it
    return (tuple(map(chosen.choice, ranges)) for _ in range(count))


def nearest(values: range, at: int) -> range:
    """Some of the values, around one of them."""
    index = (at - values.start) // values.step
    return values[max(0, index - NEAR) : index + NEAR + 1]
