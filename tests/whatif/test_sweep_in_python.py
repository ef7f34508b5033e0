"""A sweep as a sequence in Python: its parts, its copies, and the settings that it takes."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.single_rows import row_with
from support.sweep_model import SPEC_FILES, params

from dense_calc import load
from dense_calc.api import sweep
from dense_calc.errors import FileError, SpecError
from dense_calc.files.loader import read_variants
from dense_calc.keras_format.writer import to_keras
from dense_calc.whatif.sweeping import Sweep

GIVEN: dict[str, Any] = {"w": "4,0,8:20:4", "d": [1, 2], "head.units": range(3, 5)}


def parts_of(whole: Sweep) -> list[Sweep]:
    """Some parts of a sweep."""
    return [whole, whole[3:7], whole[::-3], whole[5:5], whole[2:][::2][1:]]


def test_a_sweep_its_parts_and_its_rows_can_be_pickled(folder: Path) -> None:
    whole = sweep("m.yaml", GIVEN)
    first = whole[0]  # something is known of it then
    Path("m.yaml").unlink()
    for part in parts_of(whole):
        copy = pickle.loads(pickle.dumps(part))  # noqa: S301
        assert isinstance(copy, Sweep)
        assert list(copy) == list(part)
        assert pickle.loads(pickle.dumps(list(part))) == list(part)  # noqa: S301
    assert pickle.loads(pickle.dumps(whole))[0] == first == whole[0]  # noqa: S301


@pytest.mark.parametrize("zipped", [False, True])
def test_a_sweep_of_a_keras_file_can_be_pickled(zipped: bool, folder: Path) -> None:
    Path("keras.json").write_text(to_keras(load("m.yaml")), "utf-8")
    whole = sweep("keras.json", {"head.units": [3, 0], "input": [[8], [9]]}, zip=zipped)
    made = list(whole)
    Path("keras.json").unlink()
    assert list(pickle.loads(pickle.dumps(whole))) == made  # noqa: S301
    assert len(made) == (2 if zipped else 4)


def test_a_sweep_of_long_ranges_is_small_and_quick(folder: Path) -> None:
    whole = sweep("m.yaml", {"w": "1:1000", "d": range(1, 1001)})
    assert len(whole) == 1_000_000
    assert len(pickle.dumps(whole[5:10])) < 2000
    assert whole[-1]["set"] == {"w": 1000, "d": 1000}
    assert whole[1234:][4321]["set"] == {"w": 6, "d": 556}
    assert next(iter(whole))["total_params"] == params(1)


edges = st.none() | st.integers(-30, 30)
steps = st.none() | st.integers(-4, 4).filter(bool)
cuts = st.lists(st.builds(slice, edges, edges, steps), max_size=3)


@given(cuts, st.integers(-30, 30), st.booleans())
def test_parts_are_as_those_of_a_list(taken: list[slice], place: int, zipped: bool) -> None:
    given = {"width": [4, 0, 8], "digits.units": [1, 2, 3]}
    whole: Sweep = sweep(SPEC_FILES["lenet5"], given, zip=zipped)
    made = list(whole)
    for each in taken:
        whole, made = whole[each], made[each]
        assert len(whole) == len(made)
        assert list(whole) == made
    assert list(reversed(whole)) == made[::-1]
    try:
        wanted = made[place]
    except IndexError:
        with pytest.raises(IndexError):
            whole[place]
    else:
        assert whole[place] == wanted


def test_rows_come_one_by_one_where_each_is_traced(folder: Path) -> None:
    traced = sweep("m.yaml", {"input": [[size] for size in range(1, 20)]})
    assert set(map(len, traced.row_batches())) == {1}
    evaluated = list(map(len, sweep("m.yaml", {"w": range(1, 4000)}).row_batches()))
    assert (evaluated[:5], max(evaluated), sum(evaluated)) == ([1, 1, 2, 4, 8], 1000, 3999)


@given(st.integers(0, 20), st.integers(1, 12))
def test_a_sweep_is_split_into_parts_of_about_one_length(total: int, count: int) -> None:
    whole: Sweep = sweep(SPEC_FILES["lenet5"], {"width": range(total)})
    parts = whole.split(count)
    lengths = list(map(len, parts))
    assert len(parts) == count
    assert max(lengths) - min(lengths) <= 1
    assert [place for part in parts for place in part.indices] == list(whole.indices)


def test_a_sweep_is_not_split_into_nothing(folder: Path) -> None:
    with pytest.raises(SpecError, match="is split into 1 part or more, not 0"):
        sweep("m.yaml", {"w": [4]}).split(0)


# settings as Python has them → the values that are tried
PLAIN: list[tuple[Any, list[Any]]] = [
    ([4, 8], [4, 8]),
    ((4, 8), [4, 8]),
    (range(4, 6), [4, 5]),
    (4, [4]),
    (4.0, [4.0]),
    ("4", [4]),
    ("4:6", [4, 5, 6]),
    (["4", "2*4"], ["4", "2*4"]),
    ([], []),
]


@pytest.mark.parametrize(("value", "values"), PLAIN)
def test_settings_of_python(value: Any, values: list[Any], folder: Path) -> None:
    found = list(sweep("m.yaml", {"w": value}))
    assert [row["set"] for row in found] == [{"w": each} for each in values]
    assert all(row["total_params"] == params(int(eval(str(row["set"]["w"])))) for row in found)


def test_without_settings_there_is_the_model_as_it_stands(folder: Path) -> None:
    assert [row["total_params"] for row in sweep("m.yaml", {})] == [params(16)]


def test_an_unknown_setting_is_said_before_any_row(folder: Path) -> None:
    with pytest.raises(SpecError, match="has no var 'ww'; did you mean 'w'"):
        sweep("m.yaml", {"w": [1], "ww": [1]})
    with pytest.raises(FileError, match="No such file"):
        sweep("n.yaml", {"w": [1]})
    with pytest.raises(SpecError, match="'w' has 2 and 'd' has 1"):
        sweep("m.yaml", {"w": [1, 2], "d": [1]}, zip=True)
    assert row_with(read_variants("m.yaml", {}), {"w": 4})["total_params"] == params(4)


def test_values_of_other_libraries_are_numbers(folder: Path) -> None:
    class Whole:
        """A number as NumPy has it."""

        def __init__(self, value: Any) -> None:
            self.value = value

        def tolist(self) -> Any:
            return self.value

    found = sweep(folder / "m.yaml", {"w": Whole([4, 8]), "d": [Whole(1)]})
    assert [row["set"] for row in found] == [{"w": 4, "d": 1}, {"w": 8, "d": 1}]
    assert all(type(value) is int for row in found for value in row["set"].values())


def test_values_without_end_are_a_complaint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dense_calc.settings.values.MAX_COMBINATIONS", 100)
    with pytest.raises(SpecError, match="more than 100 values; take fewer"):
        sweep(folder / "m.yaml", {"w": itertools.count(1)})


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**5000], ids=["nan", "inf", "vast"]
)
def test_what_is_no_number_is_a_row_that_says_so(value: Any, folder: Path) -> None:
    (row,) = sweep(folder / "m.yaml", {"w": [value]})
    assert row["error"] in ("'w' must be a finite number", f"'w' may be at most {2**63 - 1:,}")


def test_text_that_cannot_be_encoded_is_a_row_that_says_so(folder: Path) -> None:
    (row,) = sweep(folder / "m.yaml", {"w": [["\ud800"]]})
    assert row["error"] == "'w' has text that is not UTF-8"
