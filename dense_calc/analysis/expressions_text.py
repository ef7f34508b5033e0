"""Expressions in the vars of a file as text: `width × (4 × width + 1)`, `width % heads == 0`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dense_calc.analysis.formula import format_factored_sum
from dense_calc.layers.base import PRODUCT_SIGN
from dense_calc.symbolic.condition_log import Condition, ConditionLog, Operation
from dense_calc.symbolic.polynomials import (
    CONSTANT,
    Monomial,
    Polynomial,
    Term,
    as_term,
    multiply,
    subtract,
)

_MAX_SHOWN_NUMBER = 100_000  # conditions with larger ones are about how large a model may be
_SIGNS = {f" + -1{PRODUCT_SIGN}": " - ", " + -": " - ", f"(-1{PRODUCT_SIGN}": "(-"}


def expression_text(log: ConditionLog, term: Term) -> str:
    """An expression with common factors taken out."""
    products = [
        (number, sorted((_atom_text(log, atom) for atom in monomial), key=_factor_sort_key))
        for monomial, number in sorted(term, key=_term_sort_key)
    ]
    text = format_factored_sum(products)
    for written, shown in _SIGNS.items():
        text = text.replace(written, shown)
    return text


def _factor_sort_key(factor: str) -> tuple[bool, str]:
    """The sort key of a factor: the variables in alphabetical order, then what is in brackets."""
    return factor.startswith("("), factor


def _term_sort_key(pair: tuple[Monomial, int]) -> tuple[bool, int, Monomial]:
    """The sort key of a monomial and its factor: what is subtracted last, high powers first."""
    monomial, number = pair
    return number < 0, -len(monomial), monomial


def _atom_text(log: ConditionLog, atom: int) -> str:
    """A variable, or an operation in brackets."""
    operation = log.atoms[atom]
    if not isinstance(operation, Operation):
        return operation
    operands = [_operand_text(log, each) for each in operation.operands]
    if operation.name.isidentifier():
        return f"{operation.name}({', '.join(operands)})"
    grouped = (
        text if isinstance(each, float) or _is_single(each) else f"({text})"
        for text, each in zip(operands, operation.operands, strict=True)
    )
    return f"({f' {operation.name} '.join(grouped)})"


def _operand_text(log: ConditionLog, operand: Term | float) -> str:
    """An expression, or a plain float."""
    return str(operand) if isinstance(operand, float) else expression_text(log, operand)


def _is_single(term: Term) -> bool:
    """Whether an expression is one number or one atom."""
    if len(term) > 1:
        return False
    return all((number == 1 and len(monomial) == 1) or not monomial for monomial, number in term)


def condition_texts(log: ConditionLog, conditions: Iterable[Condition]) -> Iterator[str]:
    """The conditions, without those about how large a model may be."""
    for condition in conditions:
        if isinstance(condition.left, float) or condition.right is not None:
            sides = [_operand_text(log, each) for each in (condition.left, condition.right or ())]
            text = f" {condition.relation} ".join(sides)
            yield text if condition.holds else f"not {text}"
            continue
        polynomial = dict(condition.left)
        if abs(polynomial.get(CONSTANT, 0)) < _MAX_SHOWN_NUMBER:
            yield _comparison_text(log, polynomial, condition.relation)


def _comparison_text(log: ConditionLog, polynomial: Polynomial, relation: str) -> str:
    """A comparison with 0, in which nothing is subtracted; of a remainder, if it is one."""
    for atom in sorted({atom for monomial in polynomial for atom in monomial}):
        remainder = _remainder_text(log, polynomial, relation, atom)
        if remainder:
            return remainder
    above = {monomial: number for monomial, number in polynomial.items() if number > 0}
    below = {monomial: -number for monomial, number in polynomial.items() if number < 0}
    if not above.keys() - {CONSTANT} and relation == ">=":
        above, below, relation = below, above, "<="
    left, right = (expression_text(log, as_term(each)) for each in (above, below))
    return f"{left} {relation} {right}"


def _remainder_text(log: ConditionLog, polynomial: Polynomial, relation: str, atom: int) -> str:
    """A comparison with 0 as one of a remainder: `width % heads == 0`; '' if it is none."""
    operation = log.atoms[atom]
    if not isinstance(operation, Operation) or operation.name != "//":
        return ""
    terms = [each for each in operation.operands if isinstance(each, tuple)]
    dividend, divisor = map(dict, terms)
    remainder = subtract(dividend, multiply(divisor, {(atom,): 1}))
    rest = subtract(polynomial, remainder)
    if rest.keys() - {CONSTANT}:
        return ""
    left, right = (expression_text(log, each) for each in terms)
    return f"{left} % {right} {relation} {-rest.get(CONSTANT, 0)}"
