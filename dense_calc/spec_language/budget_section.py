"""`budget:` and `expect:` → the limits of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import defstruct
from msgspec.structs import replace

from dense_calc.errors import SpecError, did_you_mean, said
from dense_calc.layers.base import NotNegative
from dense_calc.limits import AmountError, Limit
from dense_calc.quantities import QUANTITIES, limit, limit_kinds
from dense_calc.spec_language.entries import Entry
from dense_calc.spec_language.layer_arguments import decoded
from dense_calc.spec_language.scope import ExpressionError, Scope
from dense_calc.spec_language.yaml_tree import Marked

MAX_LAYERS = 100  # names and patterns, each of which is compared with every layer


COUNTED = [name for name, quantity in QUANTITIES.items() if "exact" in quantity.limits]
Outputs = tuple[NotNegative | tuple[NotNegative | None, ...] | None, ...]

Expect = defstruct(
    "Expect",
    [
        *((name, NotNegative | None, None) for name in COUNTED),
        ("output_shape", Outputs | None, None),
        ("source", str | None, None),
    ],
    namespace={"__doc__": "The facts that a file says of its model, and where it has them from."},
    frozen=True,
    forbid_unknown_fields=True,
)


def limits_of(sections: Mapping[str, Marked], scope: Scope) -> Iterator[Limit]:
    """The limits that a file sets its model: what its budget allows, and what it expects.

    Raises:
        SpecError: an amount is none, or a limit is unknown.
    """
    if "budget" in sections:
        yield from budget(sections["budget"], scope)
    if "expect" in sections:
        yield from expected(sections["expect"], scope)


def budget(section: Marked, scope: Scope) -> Iterator[Limit]:
    """The limits of a budget, of the whole model and of layers in it."""
    for word, value in section.value.values():
        if word.value == "layers":
            yield from of_layers(value, scope)
        else:
            yield limit_at(word, value, scope)


def of_layers(section: Marked, scope: Scope) -> Iterator[Limit]:
    """The limits of layers, by their names or by patterns."""
    wanted = 'such as {"head*": {params: 1M}}'
    if not isinstance(section.value, dict):
        raise SpecError(f"'layers' is a mapping {wanted}, not {said(section.value)}", section)
    if len(section.value) > MAX_LAYERS:
        raise SpecError(f"a budget may limit at most {MAX_LAYERS:,} names of layers", section)
    for name, own in section.value.values():
        if not isinstance(own.value, dict):
            raise SpecError(f"a layer's limits are {wanted}, not {said(own.value)}", own)
        each = "each" in own.value and is_true(own.value["each"][1])
        pairs = [pair for pair in own.value.values() if pair[0].value != "each"]
        if not pairs:
            raise SpecError(f"'{name.value}' has no limit; it is written {wanted}", name)
        for word, value in pairs:
            found = limit_at(word, value, scope)
            yield replace(found, layers=name.value, each=each, layers_place=name)


def is_true(marked: Marked) -> bool:
    """Whether `each` is true."""
    if not isinstance(marked.value, bool):
        raise SpecError(f"'each' is true or false, not {said(marked.value)}", marked)
    return marked.value


def limit_at(word: Marked, marked: Marked, scope: Scope) -> Limit:
    """One limit of a budget: an amount with a unit, or an expression."""
    name = word.value
    kinds = limit_kinds()
    if name not in kinds:
        hint = did_you_mean(name.removeprefix("max_"), kinds)
        raise SpecError(f"a budget has no limit '{name}'{hint}", word)
    kind, value = kinds[name], marked.value
    try:
        return limit(kind, value, marked)
    except AmountError as error:
        if not is_expression(value, scope):
            raise SpecError(str(error), marked) from None
    try:
        return limit(kind, scope.evaluate(value), marked)
    except (AmountError, ExpressionError) as error:
        raise SpecError(str(error), marked) from None


def is_expression(value: object, scope: Scope) -> bool:
    """Whether a value that is no amount is one by its vars and its arithmetic."""
    if not isinstance(value, str):
        return False
    from dense_calc.spec_language.expressions import is_arithmetic  # few limits pay for it

    return value in scope if value.isidentifier() else is_arithmetic(value)


def expected(section: Marked, scope: Scope) -> Iterator[Limit]:
    """What `expect:` says, as limits that are exact."""
    values = {name: value.plain() for name, (_, value) in section.value.items()}
    entry = Entry(*section.where, Expect, section.value, "expect")
    expect = decoded(entry, values, scope)
    for what in (*COUNTED, "output_shape"):
        amount = getattr(expect, what)
        if what in section.value:
            if amount is None:
                raise SpecError(
                    f"nothing is expected of '{what}'; remove it", section.value[what][0]
                )
            yield Limit(what, "exact", amount, place=section.value[what][1])
