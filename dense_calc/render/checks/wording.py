"""What a check says in words: the same for every format. Text from a file comes out escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from dense_calc.analysis.budget import Check, CheckResult, LayerShare
from dense_calc.errors import escape_unprintable
from dense_calc.quantities import QUANTITIES
from dense_calc.render.grid import layer_text

LIMIT_SUBJECTS = {
    **{name: quantity.words for name, quantity in QUANTITIES.items() if quantity.limits},
    "output_shape": "output shape",
    "increase": "increase of params",
}
_LIMIT_PHRASES = {"max": "at most", "min": "at least", "exact": "expected"}
_FAILURE_STATES = {
    "max": "over budget",
    "min": "below its minimum",
    "exact": "not as expected",
}
NOT_CHECKED = "not checked"


def check_subject(check: Check) -> str:
    """What is measured, and of which layers: `params of 'head*'`."""
    what = LIMIT_SUBJECTS[check.what]
    return what if check.layers is None else f"{what} of '{escape_unprintable(check.layers)}'"


def limit_text(check: Check) -> str:
    """What may be: `at most 100,000 (100k)`."""
    given = f" ({escape_unprintable(check.given)})" if check.given else ""
    return f"{_LIMIT_PHRASES[check.rule]} {amount_text(check.limit)}{given}"


def amount_text(value: object) -> str:
    """A number with its thousands apart, or a shape."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def outcome_text(check: Check) -> str:
    """How far the value is from its limit: `38,294 left (38.3 %)`, `12 over (0.1 %)`."""
    if check.slack is None:
        return "as expected" if check.ok else "another shape"
    if check.rule == "exact" and check.ok:
        return "as expected"
    words = {
        "max": ("left", "over"),
        "min": ("more", "missing"),
        "exact": ("", _deviation_text(check)),
    }
    said = f"{abs(check.slack):,} {words[check.rule][not check.ok]}"
    return said if check.percent is None else f"{said} ({percent_text(abs(check.percent))})"


def _deviation_text(check: Check) -> str:
    """On which side of what is expected a value is."""
    assert isinstance(check.value, int)
    assert isinstance(check.limit, int)
    return "too many" if check.value > check.limit else "too few"


def percent_text(share: float) -> str:
    """A number of per cent, with a digit after the point; what is less is not nothing."""
    return "< 0.1 %" if 0 < share < 0.05 else f"{share:,.1f} %"


def check_sentence(check: Check) -> str:
    """A check in one line: `params: 123,456, at most 100,000 (100k); 23,456 over (23.5 %)`."""
    return f"{check_subject(check)}: {amount_text(check.value)}, {limit_text(check)}; {outcome_text(check)}"


def check_heading(check: Check) -> str:
    """A check in a few words: `params: 23,456 over (23.5 %)`."""
    return f"{check_subject(check)}: {outcome_text(check)}"


def check_explanation(check: Check) -> str:
    """A check in one line, and below it a line for each of the largest layers."""
    return "\n".join((check_sentence(check), *map(_part_sentence, check.largest)))


def _part_sentence(part: LayerShare) -> str:
    """A layer and what it has of a value: `head (Dense): 80,000 (64.8 %)`."""
    return f"{layer_text(part)}: {amount_text(part.value)} ({percent_text(part.percent)})"


def status_word(check: Check) -> str:
    """A word for what a check comes to."""
    return "ok" if check.ok else {"max": "over", "min": "under", "exact": "off"}[check.rule]


def file_location(verdict: CheckResult, at: Check | CheckResult) -> str:
    """The file, and the place in it if that is known: `m.yaml:12:9`."""
    name = escape_unprintable(verdict.file)
    return name if at.line is None else f"{name}:{at.line}:{at.column}"


def verdict_state(verdict: CheckResult) -> str:
    """What a verdict comes to; of several things that are wrong, the first of STATES."""
    if verdict.error is not None:
        return "broken"
    if not verdict.checks:
        return "not compared" if verdict.notes else "no limits"
    rules = {check.rule for check in failed_checks(verdict.checks)}
    return next(
        (_FAILURE_STATES[rule] for rule in _FAILURE_STATES if rule in rules), "within budget"
    )


def state_tally(verdicts: Sequence[CheckResult]) -> str:
    """How many files are in which state: `3 within budget, 1 over budget`."""
    counts = Counter(map(verdict_state, verdicts))
    order = ("broken", *_FAILURE_STATES.values(), "within budget", "not compared", "no limits")
    return ", ".join(f"{counts[each]:,} {each}" for each in order if counts[each])


def failed_checks(checks: Iterable[Check]) -> Iterator[Check]:
    """The checks that do not hold."""
    return (check for check in checks if not check.ok)
