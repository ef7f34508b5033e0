"""The vars of a spec: names for numbers, which expressions use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from keyword import iskeyword

from dense_calc.errors import SpecError
from dense_calc.spec.document import Marked, said

Number = int | float

MAX_CHAIN = 50  # vars that use vars that use vars


class ExpressionError(Exception):
    """An expression without a value; the message says why."""


class Scope(Mapping[str, Number]):
    """Vars and their values, each computed when it is first asked for; a var may use others."""

    def __init__(self, definitions: Mapping[str, Marked]) -> None:
        for name, definition in definitions.items():
            if not is_var_name(name):
                raise SpecError(f"a var cannot be called '{name}'", definition)
        self.definitions = definitions
        self.results: dict[str, Number] = {}  # of expressions
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Number:
        definition = self.definitions[name]
        if name in self.asked:
            told = " uses ".join(f"'{step}'" for step in (*self.asked, name))
            raise SpecError(f"vars use each other: {told}", definition)
        if len(self.asked) == MAX_CHAIN:
            raise SpecError(f"more than {MAX_CHAIN} vars use each other in a chain", definition)
        self.asked.append(name)
        value = self.number(definition)
        self.asked.pop()
        return value

    def __contains__(self, name: object) -> bool:
        return name in self.definitions

    def __iter__(self) -> Iterator[str]:
        return iter(self.definitions)

    def __len__(self) -> int:
        return len(self.definitions)

    def number(self, marked: Marked) -> Number:
        """The number that a var is given: itself, or its expression's.

        Raises:
            SpecError: it is none.
        """
        value = marked.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if not isinstance(value, str):
            raise SpecError(f"a var is a number or an expression, not {said(value)}", marked)
        try:
            return self.evaluate(value)
        except ExpressionError as error:
            raise SpecError(str(error), marked) from None

    def evaluate(self, text: str) -> Number:
        """The value of an expression, computed once.

        Raises:
            ExpressionError: it is none, uses an unknown name or leaves the range of numbers.
        """
        if text not in self.results:
            from dense_calc.spec.expressions import evaluate  # 2 ms, for files that have any

            self.results[text] = evaluate(text, self)
        return self.results[text]


def is_var_name(name: str) -> bool:
    """Whether an expression can mean a var by this name."""
    from dense_calc.spec.expressions import FUNCTIONS

    return name.isidentifier() and not iskeyword(name) and name not in FUNCTIONS
