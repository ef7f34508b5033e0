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

_MAX_BUDGET_LAYERS = 100  # names and patterns; each is compared with every layer
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
    """The limits of a model: those of its `budget`, and the exact amounts of its `expect`.

    Raises:
        SpecError: an amount has no value, or a limit is unknown.
    """
    if "budget" in sections:
        yield from _read_budget(sections["budget"], scope)
    if "expect" in sections:
        yield from _read_expected_limits(sections["expect"], scope)


def _read_budget(section: YamlNode, scope: Scope) -> Iterator[Limit]:
    """The limits of a budget, for the whole model and for layers in it."""
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
    for name, limits in section.value.values():
        if not isinstance(limits.value, dict):
            shown = describe_value(limits.value)
            raise SpecError(f"a layer's limits must be {wanted}, not {shown}", limits)
        each = "each" in limits.value and _read_each_flag(limits.value["each"][1])
        pairs = [pair for pair in limits.value.values() if pair[0].value != "each"]
        if not pairs:
            raise SpecError(f"'{name.value}' has no limit; write one, {wanted}", name)
        for word, value in pairs:
            limit = _read_budget_limit(word, value, scope)
            yield replace(limit, layers=name.value, each=each, layers_place=name)


def _read_each_flag(node: YamlNode) -> bool:
    """Whether `each` is true."""
    if not isinstance(node.value, bool):
        raise SpecError(f"'each' is true or false, not {describe_value(node.value)}", node)
    return node.value


def _read_budget_limit(word: YamlNode, node: YamlNode, scope: Scope) -> Limit:
    """One limit of a budget: an amount with a unit, or an expression."""
    name = word.value
    kinds = limit_kinds()
    if name not in kinds:
        hint = did_you_mean(name.removeprefix("max_"), kinds)
        raise SpecError(f"a budget has no limit '{name}'{hint}", word)
    kind, value = kinds[name], node.value
    try:
        return parse_limit(kind, value, node)
    except AmountError as error:
        if not scope.is_expression(value):
            raise SpecError(str(error), node) from None
    from dense_calc.symbolic.symbolic_number import demand_plain  # as for expressions

    try:
        return parse_limit(kind, demand_plain(scope.evaluate(value)), node)
    except (AmountError, ExpressionError) as error:
        raise SpecError(str(error), node) from None


def _read_expected_limits(section: YamlNode, scope: Scope) -> Iterator[Limit]:
    """The facts of `expect:`, as exact limits."""
    values = {name: value.plain_value() for name, (_, value) in section.value.items()}
    entry = SpecEntry(*section.coordinates, Expect, section.value, "expect")
    expect = decode_arguments(entry, values, scope)
    for name in (*_EXPECTED_QUANTITIES, "output_shape"):
        amount = getattr(expect, name)
        if name in section.value:
            word, value = section.value[name]
            if amount is None:
                raise SpecError(f"'{name}' has no expected value; remove it", word)
            yield Limit(name, "exact", amount, place=value)
