"""Runs of items that repeat in a row → one item with the number of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_ItemLines = list[str]

_MAX_RUN_LENGTH = 40  # items of a run
_MIN_ITEMS_SAVED = 3  # items that a repeat must save


def fold_repeated_items(items: Sequence[_ItemLines]) -> Iterator[_ItemLines]:
    """The items, where a run that repeats in a row becomes one item: `repeat`, `layers`."""
    place = 0
    while place < len(items):
        length, times = _best_repeated_run(items, place)
        if length * (times - 1) < _MIN_ITEMS_SAVED:
            yield items[place]
            place += 1
            continue
        inner = [
            f"  {sign} {line}"
            for item in fold_repeated_items(items[place : place + length])
            for sign, line in zip(("-", *" " * len(item)), item, strict=False)
        ]
        yield [f"repeat: {times}", "layers:", *inner]
        place += length * times


def _best_repeated_run(items: Sequence[_ItemLines], place: int) -> tuple[int, int]:
    """The length and the number of times of the run at a place that saves the most items."""
    best = (1, 1)
    for length in range(1, min(_MAX_RUN_LENGTH, (len(items) - place) // 2) + 1):
        run, times = items[place : place + length], 1
        while items[place + times * length : place + (times + 1) * length] == run:
            times += 1
        if length * (times - 1) > best[0] * (best[1] - 1):
            best = length, times
    return best
