"""Rows beyond what memory holds: the same rows in the same order."""

from __future__ import annotations

import pytest
from helpers.sweep_model import Row, Told
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.errors import DenseCalcError
from dense_calc.whatif import shelf
from dense_calc.whatif.shelf import Shelf, arranged


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers())),
    st.booleans(),
    st.none() | st.integers(1, 12),
    st.integers(1, 5),
)
def test_many_rows_are_arranged_as_few_are(
    pairs: list[tuple[int, int]], is_backwards: bool, top: int | None, few: int
) -> None:
    made: list[Row] = [{"set": {"w": w}, "total_params": total} for w, total in pairs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "FEW", few)
        found = arranged(iter(made), lambda row: row["set"]["w"], is_backwards, top)
        assert list(found) == sorted(made, key=lambda r: r["set"]["w"], reverse=is_backwards)[:top]


@pytest.mark.parametrize("few", [0, 1, 4, 5, 6, 100])
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_shelf_gives_its_rows_again_and_again(
    few: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "FEW", chunk)
    made: list[Row] = [
        {"set": {"w": 10**30, "a": "é\x1b\n", "b": [1, None]}, "total_params": 10**25},
        {"set": {"w": 0.1}, "error": "'x'\nis no var"},
        *({"set": {"w": each}, "within_budget": None} for each in range(3)),
    ]
    held = Shelf(iter(made), few)
    assert list(held) == made
    next(iter(held))  # one that is left unread
    assert list(held) == made
    assert list(Shelf([], few)) == []


def test_a_sweep_beyond_what_memory_holds_is_the_same(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("m.yaml", "--set", "w=1:40", "--format", "text", "--sort", "-change")
    wanted = told(*given)
    monkeypatch.setattr(shelf, "FEW", 7)
    monkeypatch.setattr("dense_calc.cli.sweep.Shelf", lambda rows: Shelf(rows, few=5))
    assert told(*given) == wanted


def test_a_disk_that_is_full_is_a_complaint(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    monkeypatch.setattr(shelf, "FEW", 3)
    with pytest.raises(DenseCalcError, match="No space left on device"):
        told("m.yaml", "--set", "w=1:9", "--sort", "w")
