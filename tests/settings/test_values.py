"""The values of a setting: lists and ranges as a text, and what is none."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.errors import SpecError
from dense_calc.settings.values import parse_setting_values

# values of a setting as a text → what they are
VALUES: dict[str, list[Any]] = {
    "32": [32],
    "32,64,128": [32, 64, 128],
    " 32 , 64 ": [32, 64],
    "1,2,": [1, 2],
    "8,8": [8, 8],
    "2:12:2": [2, 4, 6, 8, 10, 12],
    "2:5": [2, 3, 4, 5],
    "7:7": [7],
    "2:11:4": [2, 6, 10],
    "2:3:5": [2],
    "12:2:-4": [12, 8, 4],
    "3:1:-1": [3, 2, 1],
    "-2:2:2": [-2, 0, 2],
    "0:0": [0],
    "1_000:1_002": [1000, 1001, 1002],
    "010:0x0c": [10, 11, 12],
    "1e3:1002": [1000, 1001, 1002],
    "1:2:0.5": [1.0, 1.5, 2.0],
    "0:1:0.1": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    "0.1:0.35:0.1": [0.1, 0.2, 0.3],
    "1:0:-0.25": [1.0, 0.75, 0.5, 0.25, 0.0],
    "1,4:6,32": [1, 4, 5, 6, 32],
    "1:2,0.5:1:0.5,relu": [1, 2, 0.5, 1.0, "relu"],
    "relu,gelu": ["relu", "gelu"],
    "\"relu\",'gelu'": ["relu", "gelu"],
    "true,false,null,~": [True, False, None, None],
    "yes,no": ["yes", "no"],
    "0.5,1.0,1e-3": [0.5, 1.0, 0.001],
    "2*4,w // 2": ["2*4", "w // 2"],
    "[32,32,1],[64,64,1]": [[32, 32, 1], [64, 64, 1]],
    "[32, null, 1]": [[32, None, 1]],
    "[3],4:5,[6, 7]": [[3], 4, 5, [6, 7]],
    "{LSTM: {units: 3}},{GRU: {units: 3}}": [{"LSTM": {"units": 3}}, {"GRU": {"units": 3}}],
}


@pytest.mark.parametrize("text", VALUES)
def test_a_text_is_values(text: str) -> None:
    found = list(parse_setting_values("w", text))
    assert found == VALUES[text]
    assert list(map(type, found)) == list(map(type, VALUES[text]))


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 60), st.booleans())
def test_a_range_has_its_first_value_and_those_that_the_steps_meet(
    first: int, last: int, step: int, is_down: bool
) -> None:
    low, high = sorted((first, last))
    text = f"{high}:{low}:-{step}" if is_down else f"{low}:{high}:{step}"
    found = list(parse_setting_values("w", text))
    assert found[0] == (high if is_down else low)
    assert all(low <= each <= high for each in found)
    assert {abs(b - a) for a, b in pairwise(found)} <= {step}
    assert high - low - abs(found[-1] - found[0]) < step


def test_a_long_range_is_not_written_out() -> None:
    assert isinstance(parse_setting_values("w", "1:1000000"), range)


def blamed(text: str, message: str, column: int = 2, width: int | None = None) -> str:
    """The whole complaint about values, of which some are to blame."""
    caret = " " * (5 + column) + "^" * (len(text) if width is None else width)
    return f"--set w:1:{column}: error: {message}\n  1 | [{text}]\n{caret}"


NO_RANGE = "a range is first:last or first:last:step, not"
# values that are none → the complaint
NO_VALUES: dict[str, str] = {
    "2:12:0": blamed("2:12:0", "the step of a range cannot be 0"),
    "2:12:0.0": blamed("2:12:0.0", "the step of a range cannot be 0"),
    "12:2": blamed("12:2", "the range 12:2 is empty; to count down: 12:2:-1"),
    "12:2:3": blamed("12:2:3", "the range 12:2:3 is empty; to count down: 12:2:-3"),
    "2:12:-3": blamed("2:12:-3", "the range 2:12:-3 is empty; to count up: 2:12:3"),
    "12:2:0.5": blamed("12:2:0.5", "the range 12:2:0.5 is empty; to count down: 12:2:-0.5"),
    "a:b": blamed("a:b", f"{NO_RANGE} a:b"),
    "1:d": blamed("1:d", f"{NO_RANGE} 1:d"),
    "1:2:x": blamed("1:2:x", f"{NO_RANGE} 1:2:x"),
    ".nan:3": blamed(".nan:3", f"{NO_RANGE} .nan:3"),
    "true:3": blamed("true:3", f"{NO_RANGE} true:3"),
    "1:.inf": blamed("1:.inf", f"{NO_RANGE} 1:.inf"),
    "1:4:1e400": blamed("1:4:1e400", f"{NO_RANGE} 1:4:1e400"),
    "4,a:b,5": blamed("4,a:b,5", f"{NO_RANGE} a:b", column=4, width=3),
    "1:1e9": blamed("1:1e9", "a range may have at most 1,000,000 values; widen its step"),
    "0:1:1e-300": blamed("0:1:1e-300", "a range may have at most 1,000,000 values; widen its step"),
    "9223372036854775808": blamed(
        "9223372036854775808", "a number may be at most 9,223,372,036,854,775,807"
    ),
    "1:600000,1:600000": "error: 'w' has more than 1,000,000 values; take fewer, or wider steps",
}


@pytest.mark.parametrize("text", NO_VALUES)
def test_what_is_no_values_is_a_complaint(text: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_setting_values("w", text)
    assert str(error.value) == NO_VALUES[text]


@pytest.mark.parametrize("text", ["1,,2", ",", "[4", "4]", "1:", ":", "a\tb: [", "*a", "!!int 4"])
def test_what_is_no_yaml_is_a_complaint_about_the_setting(text: str) -> None:
    with pytest.raises(SpecError, match=r"^--set w:1:\d+: error: "):
        parse_setting_values("w", text)
