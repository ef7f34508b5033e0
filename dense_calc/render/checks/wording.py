"""Checks in words, the same for every format. Text from a file is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from dense_calc.analysis.budget import Check, CheckResult, LayerShare, OtherError
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
    """The quantity that a check is about, and the layers: `params of 'head*'`."""
    subject = LIMIT_SUBJECTS[check.what]
    return subject if check.layers is None else f"{subject} of '{escape_unprintable(check.layers)}'"


def limit_text(check: Check) -> str:
    """The limit, also as its author wrote it: `at most 100,000 (100k)`."""
    original = f" ({escape_unprintable(check.given)})" if check.given else ""
    return f"{_LIMIT_PHRASES[check.rule]} {amount_text(check.limit)}{original}"


def amount_text(value: object) -> str:
    """A number with commas between thousands, or a shape."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def outcome_text(check: Check) -> str:
    """How far the value is from its limit: `38,294 left (38.3%)`, `12 over (0.1%)`."""
    if check.slack is None:
        return "as expected" if check.ok else "another shape"
    if check.rule == "exact" and check.ok:
        return "as expected"
    words = {
        "max": ("left", "over"),
        "min": ("more", "missing"),
        "exact": ("", _deviation_text(check)),
    }
    text = f"{abs(check.slack):,} {words[check.rule][not check.ok]}"
    return text if check.percent is None else f"{text} ({percent_text(abs(check.percent))})"


def _deviation_text(check: Check) -> str:
    """Whether a value is above or below the expected one."""
    assert isinstance(check.value, int)
    assert isinstance(check.limit, int)
    return "too many" if check.value > check.limit else "too few"


def percent_text(share: float) -> str:
    """A percentage with one decimal; a smaller one is `< 0.1%`, not zero."""
    return "< 0.1%" if 0 < share < 0.05 else f"{share:,.1f}%"


def check_sentence(check: Check) -> str:
    """A check in one line: `params: 123,456, at most 100,000 (100k); 23,456 over (23.5%)`."""
    amounts = f"{amount_text(check.value)}, {limit_text(check)}"
    return f"{check_subject(check)}: {amounts}; {outcome_text(check)}"


def check_heading(check: Check) -> str:
    """A check in a few words: `params: 23,456 over (23.5%)`."""
    return f"{check_subject(check)}: {outcome_text(check)}"


def check_explanation(check: Check) -> str:
    """A check in one line, and below it a line for each of the largest layers."""
    return "\n".join((check_sentence(check), *map(_part_sentence, check.largest)))


def _part_sentence(part: LayerShare) -> str:
    """A layer and its share in a value: `head (Dense): 80,000 (64.8%)`."""
    return f"{layer_text(part)}: {amount_text(part.value)} ({percent_text(part.percent)})"


def status_word(check: Check) -> str:
    """The status of a check in a word."""
    return "ok" if check.ok else {"max": "over", "min": "under", "exact": "off"}[check.rule]


def file_errors(verdict: CheckResult) -> Iterator[tuple[CheckResult | OtherError, str]]:
    """Each error of a file, with its message."""
    errors: tuple[CheckResult | OtherError, ...] = (verdict, *verdict.other_errors)
    for each in errors:
        if each.error is not None:
            yield each, escape_unprintable(each.error)


def file_location(verdict: CheckResult, problem: Check | CheckResult | OtherError) -> str:
    """The file and, if it is known, the place of a problem: `m.yaml:12:9`."""
    name = escape_unprintable(verdict.file)
    return name if problem.line is None else f"{name}:{problem.line}:{problem.column}"


def verdict_state(verdict: CheckResult) -> str:
    """The state of a file in a few words; with several problems, the first of _FAILURE_STATES."""
    if verdict.error is not None:
        return "broken"
    if not verdict.checks:
        return "not compared" if verdict.notes else "no limits"
    rules = {check.rule for check in failed_checks(verdict.checks)}
    return next(
        (_FAILURE_STATES[rule] for rule in _FAILURE_STATES if rule in rules), "within budget"
    )


def state_tally(verdicts: Sequence[CheckResult]) -> str:
    """The number of files in each state: `3 within budget, 1 over budget`."""
    counts = Counter(map(verdict_state, verdicts))
    order = ("broken", *_FAILURE_STATES.values(), "within budget", "not compared", "no limits")
    return ", ".join(f"{counts[each]:,} {each}" for each in order if counts[each])


def failed_checks(checks: Iterable[Check]) -> Iterator[Check]:
    """The checks that do not hold."""
    return (check for check in checks if not check.ok)
