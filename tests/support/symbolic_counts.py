"""How a function of Python grows: it is traced with symbolic numbers, as a model is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dense_calc.symbolic.condition_log import Condition, ConditionLog
from dense_calc.symbolic.count_polynomials import Point
from dense_calc.symbolic.formulas import compile_formulas, essential_conditions
from dense_calc.symbolic.polynomials import Term
from dense_calc.symbolic.symbolic_number import as_integer_term, make_variable
from dense_calc.whatif.find_growth import Growth, find_growth

Count = Callable[..., int | None]


class TracedFunction:
    """A function as an expression, None where it has no value, and its conditions."""

    def __init__(self, count: Count, point: Point) -> None:
        self.log = ConditionLog()
        variables = [make_variable(self.log, f"x{axis}", at) for axis, at in enumerate(point)]
        result = count(*variables)
        self.count: Term | None = None if result is None else as_integer_term(result)
        self.conditions: list[Condition] = essential_conditions(self.log)
        self.evaluate = compile_formulas(self.log, self.conditions, ())

    def holds_at(self, point: Point) -> bool:
        """Whether its conditions hold at a point."""
        return list(self.evaluate([point])) == [()]


def growth_of(count: Count, *ranges: tuple[int, int], own: Point) -> Growth:
    """How a function grows over ranges."""

    def counts(points: Iterable[Point]) -> Iterator[int | None]:
        return (count(*point) for point in points)

    known: list[TracedFunction] = []

    def formula_at(point: Point) -> TracedFunction:
        formula = next((each for each in known if each.holds_at(point)), None)
        if formula is None:
            formula = TracedFunction(count, point)
            known.append(formula)
        return formula

    spans = [range(low, high + 1) for low, high in ranges]
    return find_growth(formula_at, counts, spans, own)
