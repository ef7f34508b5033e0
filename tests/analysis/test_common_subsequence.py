"""The longest common subsequence: as long as a table says, the same in both directions, fast."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from dense_calc.analysis.common_subsequence import common_places


def tabled_length(old: Sequence[str | None], new: Sequence[str | None]) -> int:
    """The length of a longest common subsequence by the table that textbooks have."""
    above = [0] * (len(new) + 1)
    for one in old:
        row = [0]
        for place, other in enumerate(new):
            same = one is not None and one == other
            row.append(above[place] + 1 if same else max(above[place + 1], row[place]))
        above = row
    return above[-1]


@pytest.mark.parametrize("seed", range(40))
def test_it_is_as_long_as_a_table_says(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        keys = [None, *"abcdef"][: rng.randint(2, 7)]
        old, new = (rng.choices(keys, k=rng.randint(0, 30)) for _ in range(2))
        places = common_places(old, new)
        assert len(places) == tabled_length(old, new)
        assert all(old[one] is not None and old[one] == new[other] for one, other in places)
        assert all(one < two and other < last for (one, other), (two, last) in pairwise(places))
        assert common_places(new, old) == [(other, one) for one, other in places]


def test_equal_ends_are_in_it() -> None:
    assert common_places("aab", "aaab") == [(0, 0), (1, 1), (2, 3)]
    assert common_places("aa", "ba") == [(1, 1)]


@pytest.mark.parametrize("keys", [2, 3_000, 20_000])
def test_long_sequences_take_no_gigabyte_and_no_minute(keys: int) -> None:
    rng = random.Random(keys)
    old, new = ([rng.randrange(keys) for _ in range(20_000)] for _ in range(2))
    assert 0 < len(common_places(old, new)) < 20_000
