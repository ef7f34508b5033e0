"""Verdicts as JUnit XML: a suite for each file, in it a test case for each check.

In the form that Jenkins reads (junit-10.xsd of its xunit plugin), which others read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dense_calc.analysis.budget import Check, Verdict
from dense_calc.errors import printable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    allowed,
    explained,
    mark,
    sentence,
    state,
    subject,
    where,
)

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
TRACED = "traced"  # the case of a file that has no checks: its model could be traced, or not
COUNTED = {"tests": "testcase", "failures": "failure", "errors": "error"}
TIME = {"time": "0"}  # many readers ask for one, and a check takes none


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """The suites; with signs beyond ASCII as references where the output cannot carry them."""
    root = Element("testsuites", {"name": "dense-calc check"})
    root.extend(map(suite, verdicts))
    counted(root, COUNTED)
    indent(root)
    encoded: bytes = tostring(root, "us-ascii" if style.ascii else "utf-8", xml_declaration=False)
    return DECLARATION + encoded.decode() + "\n"


def suite(verdict: Verdict) -> Element:
    """A file as a suite, which always has a case."""
    element = Element("testsuite", {"name": printable(verdict.file)})
    held = list(cases(verdict))
    for case, name in zip(held, distinct(case.attrib.pop("name") for case in held), strict=True):
        case.attrib = {"classname": printable(verdict.file), "name": name, **TIME}
        element.append(case)
    counted(element, {**COUNTED, "skipped": "skipped"})
    return element


def cases(verdict: Verdict) -> Iterator[Element]:
    """A case for each check, and one that is skipped for each thing that could not be checked."""
    for check in verdict.checks:
        yield case_of(verdict, check)
    if verdict.error is not None or not verdict.checks:
        yield traced(verdict)
    for note in verdict.notes:
        case = Element("testcase", {"name": NOT_CHECKED})
        SubElement(case, "skipped", {"message": printable(note)})
        yield case


def case_of(verdict: Verdict, check: Check) -> Element:
    """A check by its limit, which is the same however large the model is."""
    case = Element("testcase", {"name": f"{subject(check)} {allowed(check)}"})
    if not check.ok:
        about = {"message": sentence(check), "type": mark(check)}
        failure = SubElement(case, "failure", about)
        failure.text = f"{where(verdict, check)}: {explained(check)}"
    return case


def traced(verdict: Verdict) -> Element:
    """The case of a file that has no limits, or is broken."""
    case = Element("testcase", {"name": TRACED})
    if verdict.error is None:
        SubElement(case, "system-out").text = state(verdict)
    else:
        message = printable(verdict.error)
        error = SubElement(case, "error", {"message": message, "type": state(verdict)})
        error.text = f"{where(verdict, verdict)}: {message}"
    return case


def counted(element: Element, kinds: dict[str, str]) -> None:
    """Say in an element how many there are of each kind in it."""
    for name, tag in kinds.items():
        element.set(name, str(sum(1 for _ in element.iter(tag))))
    element.attrib |= TIME


def distinct(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number where one has been there: a file and a flag may say the same."""
    seen: set[str] = set()
    for name in names:
        chosen, numbers = name, count(2)
        while chosen in seen:
            chosen = f"{name} #{next(numbers)}"
        seen.add(chosen)
        yield chosen
