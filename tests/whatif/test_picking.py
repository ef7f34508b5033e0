"""Rows of a sweep that are chosen by conditions, and sorted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from support.sweep_model import MODEL, Told, rows, widths

from dense_calc.api import sweep
from dense_calc.errors import SpecError

# conditions → the widths of 4, 8, 0, 16, 32 that fulfil them; they have 56, 108, -, 212, 420
CONDITIONS: dict[str, list[int]] = {
    "params<200": [4, 8],
    "w>4 AND w<16": [8],
    "within_budget=yes": [4, 8, 16],
    "within_budget = no": [32],
    "params <= 0.212k": [4, 8, 16],
    "params>=2_12": [16, 32],
    "params>1M": [],
    "params=108": [8],
    "params == 108": [8],
    "params!=108": [4, 16, 32],
    "trainable>100params": [8, 16, 32],
    "non_trainable=0": [4, 8, 16, 32],
    "size<=1KB": [4, 8, 16],
    "size<1KiB": [4, 8, 16],
    "size>1KiB": [32],
    "change<0": [4, 8],
    "change<-150": [4],
    "change>=-104": [8, 16, 32],
    "change>+0.1k": [32],
    "change!=0": [4, 8, 32],
    "within_budget": [4, 8, 16],
    "within_budget=true": [4, 8, 16],
    "within_budget=false": [32],
    "within_budget!=true": [32],
    "w>=8": [8, 16, 32],
    "w<8": [4, 0],
    "w=8.0": [8],
    "w!=8": [4, 0, 16, 32],
    "w=010": [],
    "w>4 and params<300": [8, 16],
    "w>4   and params<300 and within_budget and w!=8": [16],
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_rows_for_which_a_condition_holds_are_shown(condition: str, told: Told) -> None:
    given = ("--set", "w=4,8,0,16,32", "--where", condition)
    assert widths(told, *given) == CONDITIONS[condition]


def test_all_conditions_must_hold(told: Told) -> None:
    given = ("--set", "w=4,8,0,16,32", "--where", "w>4", "--where", "params<300")
    assert widths(told, *given) == [8, 16]


# a setting, its values, and a condition on it → which of the values fulfil it
ON_SETTINGS: list[tuple[str, str, str, list[Any]]] = [
    ("head.activation", "relu,gelu,null", "head.activation=relu", ["relu"]),
    ("head.activation", "relu,gelu", "head.activation != relu", ["gelu"]),
    ("head.use_bias", "true,false", "head.use_bias=false", [False]),
    ("head.use_bias", "true,false", "head.use_bias!=false", [True]),
    ("head.units", "1:9:2", "head.units>3 and head.units<=7", [5, 7]),
    ("head.units", "2*4,3", "head.units=2*4", ["2*4"]),
    ("input", "[8],[9],[3, 8]", "input=[9]", [[9]]),
    ("input", "[8],[9],[3, 8]", "input=[3,8]", [[3, 8]]),
    ("input", "[8],[9],[3, 8]", "input!=[9]", [[8], [3, 8]]),
]


@pytest.mark.parametrize(("name", "values", "condition", "kept"), ON_SETTINGS)
def test_a_condition_may_be_on_any_setting(
    name: str, values: str, condition: str, kept: list[Any], told: Told
) -> None:
    given = ("m.yaml", "--set", f"{name}={values}", "--where", condition)
    assert [row["set"][name] for row in rows(told, *given)] == kept


@pytest.mark.parametrize(
    "condition",
    [
        "w>8 and",
        "w<abc",
        "w<",
        "within_budget<5",
        "not within_budget",
        "200>params",
        "w in 8",
        "error",
        "and",
        " ",
    ],
)
def test_a_condition_that_no_row_could_fulfil_is_a_complaint(condition: str, told: Told) -> None:
    with pytest.raises(SpecError):
        told("m.yaml", "--set", "w=4,8", "--where", condition)


def test_nothing_is_left(told: Told) -> None:
    given = ("m.yaml", "--set", "w=4,8", "--where", "params>1M", "--format")
    assert told(*given, "json") == ""
    assert told(*given, "csv") == (
        "w,total_params,trainable_params,non_trainable_params,total_bytes,change,within_budget,"
        "error\n"
    )
    assert told(*given, "text") == dedent("""\
        m.yaml
        _________________________________________________________________
                                      w  Param #  Trainable  Size  Change
        =================================================================
        Shown: 0 of 2 combinations
        Without changes: 212 params
        _________________________________________________________________
        """)


# a spec whose sizes are told apart by more than parameters: of two widths and a type
SORTED = """\
vars: {w: 2}
input: [4]
layers: [Dense: {units: w, name: a}, BatchNormalization: {name: n}, Dense: {units: 1, name: b}]
budget: {size: 100}
"""
# in the order of the rows: w, a.dtype and what comes of them
MADE: list[tuple[int, str, int | None]] = [
    (3, "float32", 15 + 12 + 4),
    (3, "float16", 15 + 12 + 4),
    (0, "float32", None),
    (0, "float16", None),
    (1, "float32", 5 + 4 + 2),
    (1, "float16", 5 + 4 + 2),
    (2, "float32", 10 + 8 + 3),
    (2, "float16", 10 + 8 + 3),
]
GROWING = tuple((w, dtype) for w in (1, 2, 3, 0) for dtype in ("32", "16"))
SHRINKING = tuple((w, dtype) for w in (3, 2, 1, 0) for dtype in ("32", "16"))
ORDERS: dict[str, Sequence[tuple[int, str]]] = {
    "w": [(0, "32"), (0, "16"), (1, "32"), (1, "16"), (2, "32"), (2, "16"), (3, "32"), (3, "16")],
    "-w": [(3, "32"), (3, "16"), (2, "32"), (2, "16"), (1, "32"), (1, "16"), (0, "32"), (0, "16")],
    "a.dtype": [(w, "16") for w in (3, 0, 1, 2)] + [(w, "32") for w in (3, 0, 1, 2)],
    "-a.dtype": [(w, "32") for w in (3, 0, 1, 2)] + [(w, "16") for w in (3, 0, 1, 2)],
    **dict.fromkeys(("params", "trainable", "non_trainable", "change"), GROWING),
    **dict.fromkeys(("-params", "-trainable", "-non_trainable", "-change"), SHRINKING),
    "size": [
        (1, "16"),
        (1, "32"),
        (2, "16"),
        (2, "32"),
        (3, "16"),
        (3, "32"),
        (0, "32"),
        (0, "16"),
    ],
    "-size": [
        (3, "32"),
        (3, "16"),
        (2, "32"),
        (2, "16"),
        (1, "32"),
        (1, "16"),
        (0, "32"),
        (0, "16"),
    ],
    "within_budget": [(3, "32"), (1, "32"), (1, "16"), (2, "32"), (2, "16"), (3, "16")],
}


def in_order(told: Told, *arguments: str) -> list[tuple[int, str]]:
    """The widths and types of the rows of a run."""
    Path("m.yaml").write_text(SORTED, "utf-8")
    given = ("--set", "w=3,0,1,2", "--set", "a.dtype=float32,float16")
    found = rows(told, "m.yaml", *given, *arguments)
    return [(row["set"]["w"], row["set"]["a.dtype"].removeprefix("float")) for row in found]


def test_rows_come_as_they_are_made(told: Told) -> None:
    assert in_order(told) == [(w, dtype.removeprefix("float")) for w, dtype, _ in MADE]
    found = [row.get("total_params") for row in sweep("m.yaml", {"w": [3, 0, 1, 2]})]
    assert found == [total for _, dtype, total in MADE if dtype == "float32"]


@pytest.mark.parametrize("by", [each for each in ORDERS if each != "within_budget"])
@pytest.mark.parametrize("top", [None, 1, 3, 7, 8, 9])
def test_rows_are_sorted_what_is_no_model_last_and_equal_ones_as_they_come(
    by: str, top: int | None, told: Told
) -> None:
    arguments = () if top is None else ("--top", str(top))
    assert in_order(told, "--sort", by, *arguments) == list(ORDERS[by][:top])


def test_rows_are_sorted_by_whether_they_are_within_budget(told: Told) -> None:
    Path("m.yaml").write_text(MODEL, "utf-8")
    given = ("--set", "w=32,4,0,64,8", "--sort")
    assert widths(told, *given, "within_budget") == [32, 64, 4, 8, 0]
    assert widths(told, *given, "-within_budget") == [4, 8, 32, 64, 0]


def test_the_top_without_an_order_are_the_largest(told: Told) -> None:
    assert widths(told, "--set", "w=4,8,0,32,16", "--top", "2") == [32, 16]
    assert widths(told, "--set", "w=4,8,0,32,16", "--top", "5") == [32, 16, 8, 4, 0]


def test_what_is_wanted_is_chosen_before_it_is_sorted_and_counted(told: Told) -> None:
    given = ("--set", "w=4,8,0,32,16", "--where", "params<300", "--sort", "-w", "--top", "2")
    assert widths(told, *given) == [16, 8]


def test_lists_and_words_have_an_order_too(told: Told) -> None:
    found = rows(told, "m.yaml", "--set", "input=[64],[7],[8, 8],9", "--sort", "input")
    assert [row["set"]["input"] for row in found if "error" not in row] == [[7], [8, 8], [64]]
    given = ("--set", "head.activation=relu,gelu,tanh", "--sort", "-head.activation")
    found = rows(told, "m.yaml", *given)
    assert [row["set"]["head.activation"] for row in found] == ["tanh", "relu", "gelu"]
