"""Verdicts as JUnit XML: a suite for each file, in it a test case for each check.

In the form that Jenkins reads (junit-10.xsd of its xunit plugin), which others read as well.
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
    file_location,
    limit_text,
    status_word,
    verdict_state,
)

_XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TRACING_CASE_NAME = (
    "traced"  # the case of a file that has no checks: its model could be traced, or not
)
_COUNTED_TAGS = {"tests": "testcase", "failures": "failure", "errors": "error"}
_TIME_ATTRIBUTE = {"time": "0"}  # many readers ask for one, and a check takes none


def render(verdicts: Sequence[CheckResult], style: Style) -> str:
    """The suites; with signs beyond ASCII as references where the output cannot carry them."""
    root = Element("testsuites", {"name": "dense-calc check"})
    root.extend(map(_suite_element, verdicts))
    _set_counts(root, _COUNTED_TAGS)
    indent(root)
    encoded: bytes = tostring(root, "us-ascii" if style.ascii else "utf-8", xml_declaration=False)
    return _XML_DECLARATION + encoded.decode() + "\n"


def _suite_element(verdict: CheckResult) -> Element:
    """A file as a suite, which always has a case."""
    element = Element("testsuite", {"name": escape_unprintable(verdict.file)})
    held = list(_case_elements(verdict))
    for case, name in zip(
        held, _number_duplicates(case.attrib.pop("name") for case in held), strict=True
    ):
        case.attrib = {
            "classname": escape_unprintable(verdict.file),
            "name": name,
            **_TIME_ATTRIBUTE,
        }
        element.append(case)
    _set_counts(element, {**_COUNTED_TAGS, "skipped": "skipped"})
    return element


def _case_elements(verdict: CheckResult) -> Iterator[Element]:
    """A case for each check, and one that is skipped for each thing that could not be checked."""
    for check in verdict.checks:
        yield _check_case(verdict, check)
    if verdict.error is not None or not verdict.checks:
        yield _tracing_case(verdict)
    for note in verdict.notes:
        case = Element("testcase", {"name": NOT_CHECKED})
        SubElement(case, "skipped", {"message": escape_unprintable(note)})
        yield case


def _check_case(verdict: CheckResult, check: Check) -> Element:
    """A check by its limit, which is the same however large the model is."""
    case = Element("testcase", {"name": f"{check_subject(check)} {limit_text(check)}"})
    if not check.ok:
        about = {"message": check_sentence(check), "type": status_word(check)}
        failure = SubElement(case, "failure", about)
        failure.text = f"{file_location(verdict, check)}: {check_explanation(check)}"
    return case


def _tracing_case(verdict: CheckResult) -> Element:
    """The case of a file that has no limits, or is broken."""
    case = Element("testcase", {"name": _TRACING_CASE_NAME})
    if verdict.error is None:
        SubElement(case, "system-out").text = verdict_state(verdict)
    else:
        message = escape_unprintable(verdict.error)
        error = SubElement(case, "error", {"message": message, "type": verdict_state(verdict)})
        error.text = f"{file_location(verdict, verdict)}: {message}"
    return case


def _set_counts(element: Element, kinds: dict[str, str]) -> None:
    """Say in an element how many there are of each kind in it."""
    for name, tag in kinds.items():
        element.set(name, str(sum(1 for _ in element.iter(tag))))
    element.attrib |= _TIME_ATTRIBUTE


def _number_duplicates(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number where one has been there: a file and a flag may say the same."""
    seen: set[str] = set()
    for name in names:
        chosen, numbers = name, count(2)
        while chosen in seen:
            chosen = f"{name} #{next(numbers)}"
        seen.add(chosen)
        yield chosen
