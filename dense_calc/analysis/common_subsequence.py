"""The longest common subsequence of two sequences, in the bits of large numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from math import isqrt
from typing import Any

_MAX_KEPT_MASKS = 4_000  # each has a bit for every key of a sequence

_Keys = Sequence[Any]


def common_places(old: _Keys, new: _Keys) -> list[tuple[int, int]]:
    """The places of the keys in a longest common subsequence, in the old and in the new sequence.

    Keys can be hashed and compared with `<`; None is like no other. Of subsequences that are as
    long, it takes one with as many keys of both ends as there are, the same in both directions.
    """
    olds, news = ([at for at, key in enumerate(keys) if key is not None] for keys in (old, new))
    ends = _pop_ends(old, new, olds, news)
    shared = {old[at] for at in olds} & {new[at] for at in news}
    olds, news = (
        [at for at in olds if old[at] in shared],
        [at for at in news if new[at] in shared],
    )
    ends += _pop_ends(old, new, olds, news)
    middle = _middle_places([old[at] for at in olds], [new[at] for at in news])
    return sorted(ends + [(olds[one], news[other]) for one, other in middle])


def _pop_ends(old: _Keys, new: _Keys, olds: list[int], news: list[int]) -> list[tuple[int, int]]:
    """Remove the places at both ends of which the keys are the same."""
    ends: list[tuple[int, int]] = []
    for _ in range(2):
        pairs = zip(olds, news, strict=False)
        same = [*takewhile(lambda pair: old[pair[0]] == new[pair[1]], pairs)]
        ends += same
        for places in (olds, news):
            del places[: len(same)]
            places.reverse()
    return ends


def _middle_places(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """The places of a longest common subsequence, of the same one if old and new are exchanged."""
    if old > new:
        return [(one, other) for other, one in _middle_places(new, old)]
    return [*_common_places_backwards(old, new)][::-1]


def _common_places_backwards(old: _Keys, new: _Keys) -> Iterator[tuple[int, int]]:
    """The places of a longest common subsequence, the last first.

    Hyyrö, "Bit-parallel LCS-length computation revisited", 2004. After each new key, a row of bits
    has a zero where one more old key makes the subsequence longer. 100,000 rows of 100,000 bits
    take seconds; so that they need no gigabyte, only every nth one is kept, and the rows between
    are computed again.
    """
    mask = _key_masks(old)
    ones = (1 << len(old)) - 1

    def rows_after(row: int, start: int) -> Iterator[int]:
        yield row
        for key in new[start : start + step]:
            both = row & mask(key)
            row = (row + both | row - both) & ones
            yield row

    step = isqrt(len(new)) + 1
    kept = [ones]
    for start in range(0, len(new), step):
        *_, last = rows_after(kept[-1], start)
        kept.append(last)
    column = len(old)
    for number, start in reversed([*enumerate(range(0, len(new), step))]):
        rows = [*rows_after(kept[number], start)]
        for place in reversed(range(len(rows) - 1)):
            while column and rows[place + 1] >> (column - 1) & 1:
                column -= 1
            if column and rows[place] >> (column - 1) & 1:
                column -= 1
                yield column, start + place


def _key_masks(keys: _Keys) -> Callable[[Any], int]:
    """A function that gives a number with a bit for each place of a key."""
    places: defaultdict[Any, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key].append(place)

    @lru_cache(_MAX_KEPT_MASKS)
    def mask(key: Any) -> int:
        bits = bytearray(len(keys) // 8 + 1)
        for place in places[key]:
            bits[place // 8] |= 1 << place % 8
        return int.from_bytes(bits, "little")

    return mask
