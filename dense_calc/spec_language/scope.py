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
    """Vars and their values, each computed when it is first read; a var may use others.

    In a block, `definitions` has the defaults of its parameters, `passed_values` the values that
    its use passes for some of them, numbers or not, and `outer` is the scope of the model.
    """

    def __init__(
        self,
        definitions: Mapping[str, YamlNode],
        passed_values: Mapping[str, Any] | None = None,
        outer: Mapping[str, Number] | None = None,
        index: int | None = None,
    ) -> None:
        for name, definition in definitions.items():
            demand_var_name(name, definition)
        self.definitions = definitions
        self.parameter_values: dict[str, Any] = {}
        # Parameters that are no numbers: their values replace their names.
        self.substitutions: dict[str, Any] = {}
        for name, value in (passed_values or {}).items():
            self.set_parameter(name, value)
        self.outer = outer or {}
        self.index = index
        self.index_was_read = False
        self.use_count = 0  # how often an expression or a nested model used it
        self._expression_results: dict[str, Number] = {}
        self._open_vars: list[
            str
        ] = []  # those that are being computed, each used by the one before

    def __getitem__(self, name: str) -> Number:
        if name in self.parameter_values:
            return self._parameter_number(name)
        if name == INDEX_VAR and self.index is not None:
            self.index_was_read = True
            return self.index
        if name not in self.definitions:
            return self.outer[name]
        definition = self.definitions[name]
        if name in self._open_vars:
            uses = " uses ".join(f"'{step}'" for step in (*self._open_vars, name))
            raise SpecError(f"vars use each other in a circle: {uses}", definition)
        if len(self._open_vars) == MAX_VAR_CHAIN:
            raise SpecError(f"more than {MAX_VAR_CHAIN} vars use each other in a chain", definition)
        self._open_vars.append(name)
        try:
            return self._read_number(definition)
        finally:
            self._open_vars.pop()

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

    def set_parameter(self, name: str, value: Any) -> None:
        """Set the value of a parameter."""
        self.parameter_values[name] = value
        if not is_number(value):
            self.substitutions[name] = value

    def _parameter_number(self, name: str) -> Number:
        """The value of a parameter; ExpressionError if it is no number."""
        value = self.parameter_values[name]
        if is_number(value):
            return value
        hint = did_you_mean(value, self, else_listed=False) if isinstance(value, str) else ""
        raise ExpressionError(f"'{name}' is {describe_value(value)}, not a number{hint}")

    def _read_number(self, node: YamlNode) -> Number:
        """The number that a var is, or the value of its expression.

        Raises:
            SpecError: it is neither, or the expression has no value.
        """
        value = node.value
        if is_number(value):
            return value
        if not isinstance(value, str):
            raise SpecError(
                f"a var is a number or an expression, not {describe_value(value)}", node
            )
        try:
            return self.evaluate(value)
        except ExpressionError as error:
            raise SpecError(str(error), node) from None

    def evaluate(self, text: str) -> Number:
        """The value of an expression, computed once.

        Raises:
            ExpressionError: it is no arithmetic, uses an unknown name or gets too large.
        """
        self.use_count += 1
        if text not in self._expression_results:
            from dense_calc.spec_language.expressions import (
                evaluate_expression,  # 2 ms, for files that have any
            )

            self._expression_results[text] = evaluate_expression(text, self)
        return self._expression_results[text]

    def is_expression(self, value: object) -> bool:
        """Whether a value where a number is wanted is an expression: a var, or arithmetic."""
        if not isinstance(value, str):
            return False
        from dense_calc.spec_language.expressions import is_arithmetic  # few values pay for it

        return value in self if value.isidentifier() else is_arithmetic(value)

    def read_value(self, node: YamlNode) -> Any:
        """The value of a parameter: a number, or text or another value that replaces its name.

        A word that names no var is text, and so is all that is no arithmetic.

        Raises:
            SpecError: an expression has no value.
        """
        value = node.value
        if isinstance(value, list):
            return [self.read_value(item) for item in value]
        if not isinstance(value, str):
            return node.plain_value()
        if value in self.substitutions:
            return self.parameter_values[value]
        from dense_calc.spec_language.expressions import is_arithmetic

        if value not in self and (value.isidentifier() or not is_arithmetic(value)):
            return value
        return self._read_number(node)


def demand_var_name(name: str, place: YamlNode, what: str = "var") -> None:
    """Raise SpecError unless an expression can use a var of this name."""
    if not is_var_name(name):
        normal = normalize("NFKC", name)
        hint = f"; write '{normal}'" if normal != name and is_var_name(normal) else ""
        raise SpecError(f"a {what} cannot be called '{name}'{hint}", place)


@lru_cache
def is_var_name(name: str) -> bool:
    """Whether an expression can use a var of this name; Python reads names in the form NFKC."""
    from dense_calc.spec_language.expressions import EXPRESSION_FUNCTIONS

    is_plain = name.isascii() or normalize("NFKC", name) == name
    return (
        name.isidentifier()
        and is_plain
        and not iskeyword(name)
        and name not in EXPRESSION_FUNCTIONS
    )
