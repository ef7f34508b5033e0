"""The names that expressions use: the vars of a spec, and in a block its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from keyword import iskeyword
from typing import Any
from unicodedata import normalize

from dense_calc.errors import SpecError, describe_value, did_you_mean
from dense_calc.spec_language.spec_numbers import ExpressionError, Number, is_number
from dense_calc.spec_language.yaml_tree import YamlNode

MAX_VAR_CHAIN = 50  # vars that use vars that use vars
INDEX_VAR = "index"  # which copy of a repeated block this is: 0, 1, ...


class Scope(Mapping[str, Number]):
    """Vars and their values, each computed when it is first asked for; a var may use others.

    In a block, the definitions are those of its parameters, `given` has the values that its use
    gives some of them, numbers or anything else, and `outer` is the scope of the model.
    """

    def __init__(
        self,
        definitions: Mapping[str, YamlNode],
        given: Mapping[str, Any] | None = None,
        outer: Mapping[str, Number] | None = None,
        index: int | None = None,
    ) -> None:
        for name, definition in definitions.items():
            demand_var_name(name, definition)
        self.definitions = definitions
        self.passed_values = given or {}
        self.parameter_values: dict[str, Any] = {}
        self.substitutions: dict[str, Any] = {}  # no numbers: they stand where their names stand
        for name, value in self.passed_values.items():
            self.set_parameter(name, value)
        self.outer = outer or {}
        self.outer_reads: dict[str, Number] = {}  # what of the outer names was asked for
        self.index = index
        self.index_was_read = False
        self.use_count = 0  # how often something was made of its names
        self.expression_results: dict[str, Number] = {}  # of expressions
        self.open_vars: list[str] = []

    def __getitem__(self, name: str) -> Number:
        if name in self.parameter_values:
            return self.parameter_number(name)
        if name == INDEX_VAR and self.index is not None:
            self.index_was_read = True
            return self.index
        if name not in self.definitions:
            value = self.outer_reads[name] = self.outer[name]
            return value
        definition = self.definitions[name]
        if name in self.open_vars:
            told = " uses ".join(f"'{step}'" for step in (*self.open_vars, name))
            raise SpecError(f"vars use each other: {told}", definition)
        if len(self.open_vars) == MAX_VAR_CHAIN:
            raise SpecError(f"more than {MAX_VAR_CHAIN} vars use each other in a chain", definition)
        self.open_vars.append(name)
        value = self.read_number(definition)
        self.open_vars.pop()
        return value

    def __contains__(self, name: object) -> bool:
        return (
            name in self.parameter_values
            or name in self.definitions
            or (name == INDEX_VAR and self.index is not None)
            or name in self.outer
        )

    def __iter__(self) -> Iterator[str]:
        index = {} if self.index is None else {INDEX_VAR: None}
        return iter(
            {**self.definitions, **self.parameter_values, **index, **dict.fromkeys(self.outer)}
        )

    def __len__(self) -> int:
        return len(list(iter(self)))

    def has_passed_values(self, values: Mapping[str, Any]) -> bool:
        """Whether it has these values, of the same types: 1 is not true."""
        return values is self.passed_values or repr(values) == repr(self.passed_values)

    def is_unchanged(self, outer: Mapping[str, Number], given: Mapping[str, Any]) -> bool:
        """Whether all that was made of its names is the same with these outer ones and values."""
        return self.has_passed_values(given) and all(
            outer[name] == value and type(outer[name]) is type(value)
            for name, value in self.outer_reads.items()
        )

    def set_parameter(self, name: str, value: Any) -> None:
        """Give a parameter its value."""
        self.parameter_values[name] = value
        if not is_number(value):
            self.substitutions[name] = value

    def parameter_number(self, name: str) -> Number:
        """The number that a use gives a parameter; ExpressionError if that is no number."""
        value = self.parameter_values[name]
        if is_number(value):
            return value
        hint = did_you_mean(value, self, else_listed=False) if isinstance(value, str) else ""
        raise ExpressionError(f"'{name}' is {describe_value(value)}, not a number{hint}")

    def read_number(self, marked: YamlNode) -> Number:
        """The number that a var is given: itself, or its expression's.

        Raises:
            SpecError: it is none.
        """
        value = marked.value
        if is_number(value):
            return value
        if not isinstance(value, str):
            raise SpecError(
                f"a var is a number or an expression, not {describe_value(value)}", marked
            )
        try:
            return self.evaluate(value)
        except ExpressionError as error:
            raise SpecError(str(error), marked) from None

    def evaluate(self, text: str) -> Number:
        """The value of an expression, computed once.

        Raises:
            ExpressionError: it is none, uses an unknown name or leaves the range of numbers.
        """
        self.use_count += 1
        if text not in self.expression_results:
            from dense_calc.spec_language.expressions import (
                evaluate_expression,  # 2 ms, for files that have any
            )

            self.expression_results[text] = evaluate_expression(text, self)
        return self.expression_results[text]

    def read_value(self, marked: YamlNode) -> Any:
        """What a parameter is given: a number, or a word or another value to stand in its place.

        A word that no var has for a name is text, and so is what is no arithmetic at all.

        Raises:
            SpecError: it is an expression without a value.
        """
        value = marked.value
        if isinstance(value, list):
            return [self.read_value(item) for item in value]
        if not isinstance(value, str):
            return marked.plain_value()
        if value in self.substitutions:
            return self.parameter_values[value]
        from dense_calc.spec_language.expressions import is_arithmetic

        if value not in self and (value.isidentifier() or not is_arithmetic(value)):
            return value
        return self.read_number(marked)


def demand_var_name(name: str, place: YamlNode, what: str = "var") -> None:
    """Raise SpecError unless an expression can mean a var by this name."""
    if not is_var_name(name):
        as_read = normalize("NFKC", name)
        hint = f"; write '{as_read}'" if as_read != name and is_var_name(as_read) else ""
        raise SpecError(f"a {what} cannot be called '{name}'{hint}", place)


@lru_cache
def is_var_name(name: str) -> bool:
    """Whether an expression can mean a var by this name, which Python reads in the form NFKC."""
    from dense_calc.spec_language.expressions import EXPRESSION_FUNCTIONS

    is_plain = name.isascii() or normalize("NFKC", name) == name
    return (
        name.isidentifier()
        and is_plain
        and not iskeyword(name)
        and name not in EXPRESSION_FUNCTIONS
    )
