"""Verdicts: some made by hand, and any that Hypothesis draws, with hostile names."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dense_calc.analysis.budget import Check, CheckResult, LayerShare, OtherError
from dense_calc.render import Style
from dense_calc.render.checks.sarif import LIMIT_RULES

PLAIN, ASCII = Style(), Style(ascii=True)


# What the tests check by: verdicts made by hand.

OVER = Check(
    "params", 10, 12, False, "max", -2, -20.0, "1e1", None, None, 4, 9,
    (LayerShare("deep/inner", "Dense", 9, 75.0, 3), LayerShare("head", "Dense", 3, 25.0)),
)  # fmt: skip
WELL = Check("params", 20, 12, True, "max", 8, 40.0)


def over(file: str = "m.yaml", *checks: Check, **others: Any) -> CheckResult:
    """A verdict that is not well."""
    return CheckResult(file, False, checks or (OVER,), **others)


# Laws, of whatever stands in a name. No half of a surrogate pair: files with one are refused,
# but the names of files that cannot be read come into messages.

SIGNS = st.sampled_from([*"|`<>&@#:[](){}%\r\n\x1b\x00\x85\u2028\ufffe\\*_~,='\"!/ ", "]("])
TEXTS = st.lists(st.characters(codec="utf-8") | SIGNS, min_size=1, max_size=12).map("".join)
MESSAGES = st.lists(st.characters() | SIGNS, max_size=12).map("".join)
PLACES = st.none() | st.integers(1, 10**6)


@st.composite
def checks(draw: Any) -> Check:
    """A check with hostile names."""
    what, rule = draw(st.sampled_from(list(LIMIT_RULES)))
    limit, value = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    is_count = what != "output_shape"
    line = draw(PLACES)
    part = st.builds(
        LayerShare, TEXTS, TEXTS, st.integers(1, 9), st.floats(0, 100), st.integers(1, 3)
    )
    return Check(
        what=what,
        limit=limit if is_count else (None, limit),
        value=value if is_count else (None, value),
        ok=draw(st.booleans()),
        rule=rule,
        slack=limit - value if is_count else None,
        percent=draw(st.none() | st.floats(-1e9, 1e9)),
        given=draw(st.none() | TEXTS),
        layers=draw(st.none() | TEXTS),
        line=line,
        column=line,
        largest=tuple(draw(st.lists(part, max_size=3))),
    )


@st.composite
def verdicts(draw: Any) -> CheckResult:
    """A verdict on a file with a hostile name."""
    held = tuple(draw(st.lists(checks(), max_size=3)))
    error = draw(MESSAGES) if not held and draw(st.booleans()) else None
    ok = error is None and all(check.ok for check in held)
    line = draw(PLACES)
    notes = tuple(draw(st.lists(MESSAGES, max_size=2)))
    places = PLACES.map(lambda place: (place, place))
    pairs = draw(st.lists(st.tuples(MESSAGES, places), max_size=2 * (error is not None)))
    others = tuple(OtherError(message, *place) for message, place in pairs)
    return CheckResult(draw(TEXTS), ok, held, error, line, line, others, notes)
