"""Verdicts as JUnit XML: a suite for each file, in it a test case for each check.

The XML follows junit-10.xsd of the xunit plugin of Jenkins, which other programs read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dense_calc.analysis.budget import Check, CheckResult
from dense_calc.errors import escape_unprintable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    check_explanation,
    check_sentence,
    check_subject,
    file_errors,
    file_location,
    limit_text,
    status_word,
    verdict_state,
)

_XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TRACING_CASE_NAME = "traced"  # of a file without checks: whether its model could be traced
_COUNTED_TAGS = {"tests": "testcase", "failures": "failure", "errors": "error"}
_TIME_ATTRIBUTE = {"time": "0"}  # many readers require it, and a check takes no time


def render_junit(verdicts: Sequence[CheckResult], style: Style) -> str:
    """The suites; characters beyond ASCII are references if the output cannot encode them."""
    root = Element("testsuites", {"name": "dense-calc check"})
    root.extend(map(_suite_element, verdicts))
    _set_counts(root, _COUNTED_TAGS)
    indent(root)
    encoded: bytes = tostring(root, "us-ascii" if style.ascii else "utf-8", xml_declaration=False)
    return _XML_DECLARATION + encoded.decode() + "\n"


def _suite_element(verdict: CheckResult) -> Element:
    """The suite of a file; it has at least one case."""
    file = escape_unprintable(verdict.file)
    suite = Element("testsuite", {"name": file})
    cases = list(_case_elements(verdict))
    names = _number_duplicates(case.attrib.pop("name") for case in cases)
    for case, name in zip(cases, names, strict=True):
        case.attrib = {"classname": file, "name": name, **_TIME_ATTRIBUTE}
        suite.append(case)
    _set_counts(suite, {**_COUNTED_TAGS, "skipped": "skipped"})
    return suite


def _case_elements(verdict: CheckResult) -> Iterator[Element]:
    """A case for each check, and a skipped case for each note, which says what was not checked."""
    for check in verdict.checks:
        yield _check_case(verdict, check)
    if verdict.error is not None or not verdict.checks:
        yield _tracing_case(verdict)
    for note in verdict.notes:
        case = Element("testcase", {"name": NOT_CHECKED})
        SubElement(case, "skipped", {"message": escape_unprintable(note)})
        yield case


def _check_case(verdict: CheckResult, check: Check) -> Element:
    """The case of a check. Its name is the limit, which stays the same if the model changes."""
    case = Element("testcase", {"name": f"{check_subject(check)} {limit_text(check)}"})
    if not check.ok:
        attributes = {"message": check_sentence(check), "type": status_word(check)}
        failure = SubElement(case, "failure", attributes)
        failure.text = f"{file_location(verdict, check)}: {check_explanation(check)}"
    return case


def _tracing_case(verdict: CheckResult) -> Element:
    """The case of a file that has no limits, or is broken."""
    case = Element("testcase", {"name": _TRACING_CASE_NAME})
    if verdict.error is None:
        SubElement(case, "system-out").text = verdict_state(verdict)
    else:
        errors = list(file_errors(verdict))
        (_, first), *_ = errors
        error = SubElement(case, "error", {"message": first, "type": verdict_state(verdict)})
        error.text = "\n".join(f"{file_location(verdict, each)}: {text}" for each, text in errors)
    return case


def _set_counts(element: Element, counted_tags: dict[str, str]) -> None:
    """Set attributes of an element to the numbers of elements in it with these tags."""
    for name, tag in counted_tags.items():
        element.set(name, str(sum(1 for _ in element.iter(tag))))
    element.attrib |= _TIME_ATTRIBUTE


def _number_duplicates(names: Iterable[str]) -> Iterator[str]:
    """The names, repeated ones with a number: a file and a flag may set the same limit."""
    used: set[str] = set()
    for name in names:
        unique, numbers = name, count(2)
        while unique in used:
            unique = f"{name} #{next(numbers)}"
        used.add(unique)
        yield unique
