"""Counts at points, each asked for once, and no more of them than a moment allows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from dense_calc.whatif.growth.polynomial import Point

CountFunction = Callable[[Point], int | None]  # None: there is no model with these values

MAX_SAMPLES = 5000
_MAX_SAMPLING_SECONDS = 20  # seconds in which they are worked out; large models take as long each
_NEIGHBOR_STEPS = 8  # values around a known one that are likely to have a model, too
_CANDIDATE_ROUNDS = 40
_SAMPLING_SEED = 514


class SampleLimitError(Exception):
    """More counts were asked for than is allowed."""


class CountSamples:
    """What is known of a count so far."""

    def __init__(self, measure: CountFunction) -> None:
        self.measure = measure
        self.known_counts: dict[Point, int | None] = {}
        self.max_samples = MAX_SAMPLES
        self.deadline = math.inf

    def __call__(self, point: Point) -> int | None:
        if point not in self.known_counts:
            if len(self.known_counts) >= self.max_samples or perf_counter() > self.deadline:
                raise SampleLimitError
            self.known_counts[point] = self.measure(point)
        return self.known_counts[point]

    def set_allowance(self, times: int) -> None:
        """Allow so many times what is usual, and as much time from now on."""
        self.max_samples = times * MAX_SAMPLES
        self.deadline = perf_counter() + _MAX_SAMPLING_SECONDS

    @property
    def valid_counts(self) -> dict[Point, int]:
        """The points so far that have a model, and their counts."""
        return {point: count for point, count in self.known_counts.items() if count is not None}

    def line_through(self, through: Point, axis: int) -> Callable[[int], int | None]:
        """The counts of one variable, the others as they are at a point."""
        before, after = through[:axis], through[axis + 1 :]
        return lambda at: self((*before, at, *after))

    def anchor_points(self, start: Point, ranges: Sequence[range]) -> Iterator[Point]:
        """Points that have a model: the start, some near to it, and some anywhere."""
        if self(start) is not None:
            yield start
        for point in candidate_points(start, ranges):
            if self(point) is not None:
                yield point


def candidate_points(start: Point, ranges: Sequence[range]) -> Iterator[Point]:
    """Points near the start and anywhere in the ranges, the same ones in every run."""
    chosen = random.Random(_SAMPLING_SEED)  # noqa: S311, no secret hangs on it
    near = [_nearby_values(values, at) for at, values in zip(start, ranges, strict=True)]
    for _ in range(_CANDIDATE_ROUNDS):
        yield tuple(map(chosen.choice, near))
        yield tuple(map(chosen.choice, ranges))


def random_points(ranges: Sequence[range], count: int) -> Iterator[Point]:
    """So many points anywhere in the ranges, the same ones in every run."""
    chosen = random.Random(_SAMPLING_SEED)  # noqa: S311, no secret hangs on it
    return (tuple(map(chosen.choice, ranges)) for _ in range(count))


def _nearby_values(values: range, at: int) -> range:
    """Some of the values, around one of them."""
    index = (at - values.start) // values.step
    return values[max(0, index - _NEIGHBOR_STEPS) : index + _NEIGHBOR_STEPS + 1]
