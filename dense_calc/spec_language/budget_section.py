"""`budget:` and `expect:` → the limits of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import defstruct
from msgspec.structs import replace

from dense_calc.errors import SpecError, describe_value, did_you_mean
from dense_calc.layers.base import NonNegativeInt
from dense_calc.limits import AmountError, Limit
from dense_calc.quantities import QUANTITIES, limit_kinds, parse_limit
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.layer_arguments import decode_arguments
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_numbers import ExpressionError
from dense_calc.spec_language.yaml_tree import YamlNode

_MAX_BUDGET_LAYERS = 100  # names and patterns, each of which is compared with every layer


_EXPECTED_QUANTITIES = [name for name, quantity in QUANTITIES.items() if "exact" in quantity.limits]
_ExpectedOutputs = tuple[NonNegativeInt | tuple[NonNegativeInt | None, ...] | None, ...]

Expect = defstruct(
    "Expect",
    [
        *((name, NonNegativeInt | None, None) for name in _EXPECTED_QUANTITIES),
        ("output_shape", _ExpectedOutputs | None, None),
        ("source", str | None, None),
    ],
    namespace={"__doc__": "The facts that a file says of its model, and where it has them from."},
    frozen=True,
    forbid_unknown_fields=True,
)


def read_model_limits(sections: Mapping[str, YamlNode], scope: Scope) -> Iterator[Limit]:
    """The limits that a file sets its model: what its budget allows, and what it expects.

    Raises:
        SpecError: an amount is none, or a limit is unknown.
    """
    if "budget" in sections:
        yield from _read_budget(sections["budget"], scope)
    if "expect" in sections:
        yield from _read_expected_limits(sections["expect"], scope)


def _read_budget(section: YamlNode, scope: Scope) -> Iterator[Limit]:
    """The limits of a budget, of the whole model and of layers in it."""
    for word, value in section.value.values():
        if word.value == "layers":
            yield from _read_layer_limits(value, scope)
        else:
            yield _read_budget_limit(word, value, scope)


def _read_layer_limits(section: YamlNode, scope: Scope) -> Iterator[Limit]:
    """The limits of layers, by their names or by patterns."""
    wanted = 'such as {"head*": {params: 1M}}'
    if not isinstance(section.value, dict):
        raise SpecError(
            f"'layers' is a mapping {wanted}, not {describe_value(section.value)}", section
        )
    if len(section.value) > _MAX_BUDGET_LAYERS:
        raise SpecError(
            f"a budget may limit at most {_MAX_BUDGET_LAYERS:,} names of layers", section
        )
    for name, own in section.value.values():
        if not isinstance(own.value, dict):
            raise SpecError(f"a layer's limits are {wanted}, not {describe_value(own.value)}", own)
        each = "each" in own.value and _read_each_flag(own.value["each"][1])
        pairs = [pair for pair in own.value.values() if pair[0].value != "each"]
        if not pairs:
            raise SpecError(f"'{name.value}' has no limit; it is written {wanted}", name)
        for word, value in pairs:
            found = _read_budget_limit(word, value, scope)
            yield replace(found, layers=name.value, each=each, layers_place=name)


def _read_each_flag(marked: YamlNode) -> bool:
    """Whether `each` is true."""
    if not isinstance(marked.value, bool):
        raise SpecError(f"'each' is true or false, not {describe_value(marked.value)}", marked)
    return marked.value


def _read_budget_limit(word: YamlNode, marked: YamlNode, scope: Scope) -> Limit:
    """One limit of a budget: an amount with a unit, or an expression."""
    name = word.value
    kinds = limit_kinds()
    if name not in kinds:
        hint = did_you_mean(name.removeprefix("max_"), kinds)
        raise SpecError(f"a budget has no limit '{name}'{hint}", word)
    kind, value = kinds[name], marked.value
    try:
        return parse_limit(kind, value, marked)
    except AmountError as error:
        if not _is_expression(value, scope):
            raise SpecError(str(error), marked) from None
    try:
        return parse_limit(kind, scope.evaluate(value), marked)
    except (AmountError, ExpressionError) as error:
        raise SpecError(str(error), marked) from None


def _is_expression(value: object, scope: Scope) -> bool:
    """Whether a value that is no amount is one by its vars and its arithmetic."""
    if not isinstance(value, str):
        return False
    from dense_calc.spec_language.expressions import is_arithmetic  # few limits pay for it

    return value in scope if value.isidentifier() else is_arithmetic(value)


def _read_expected_limits(section: YamlNode, scope: Scope) -> Iterator[Limit]:
    """What `expect:` says, as limits that are exact."""
    values = {name: value.plain_value() for name, (_, value) in section.value.items()}
    entry = SpecEntry(*section.coordinates, Expect, section.value, "expect")
    expect = decode_arguments(entry, values, scope)
    for what in (*_EXPECTED_QUANTITIES, "output_shape"):
        amount = getattr(expect, what)
        if what in section.value:
            if amount is None:
                raise SpecError(
                    f"nothing is expected of '{what}'; remove it", section.value[what][0]
                )
            yield Limit(what, "exact", amount, place=section.value[what][1])
