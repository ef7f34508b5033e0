"""Tables of cases in text files: a title, a spec, and what dense-calc says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

_CASE = re.compile(r"=== (.*)\n((?s:.*?))~~~\n((?s:.*?))(?==== |\Z)")


def read_cases(path: Path) -> list[tuple[str, str, str]]:
    """The cases in a file: their titles, specs and answers."""
    return _CASE.findall(path.read_text("utf-8"))


def case_params(paths: Sequence[Path]) -> list[object]:
    """The specs and answers of all cases in files, as parameters of a test."""
    return [
        pytest.param(spec, said, id=title)
        for path in paths
        for title, spec, said in read_cases(path)
    ]


def demand_up_to_date(path: Path, answer: Callable[[str], str], update: bool) -> None:
    """Hold a file against the answers of today, or rewrite it."""
    cases = "".join(
        f"=== {title}\n{spec}~~~\n{answer(spec)}" for title, spec, _ in read_cases(path)
    )
    if update:
        path.write_text(cases, "utf-8")
    assert path.read_text("utf-8") == cases
