"""The arguments of a layer in a spec → the layer, decoded by the types of its kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cache, lru_cache, partial
from typing import Any

from msgspec import Struct, ValidationError, convert, defstruct
from msgspec import field as renamed
from msgspec.structs import fields

from dense_calc.errors import Place, SpecError, describe_value
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.refusals import (
    ANY_KEY,
    ValuePath,
    describe_bad_value,
    describe_refusal,
    parse_validation_error,
    resolve_any_key,
    value_at_path,
)
from dense_calc.layers.layer_references import LayerReference
from dense_calc.spec_language.entries import ReuseEntry, SpecEntry, read_entry
from dense_calc.spec_language.expression_types import takes_expression
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_numbers import ExpressionError
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.symbolic.state import current_log
from dense_calc.tracing.nested_model import NestedModel

CALL_KEYS = ("name", "from")  # keys of an entry that are no arguments of its layer
_SCALAR_TYPES = {bool, int, float, str, type(None)}

NestedModelDecoder = Callable[[SpecEntry, Scope], LayerKind]  # makes the layer of a nested model

# Arguments of a kind in which an expression stood: those of the next layer are evaluated first.
_NUMERIC_ARGUMENTS: defaultdict[type, set[str]] = defaultdict(set)


def decode_layer(
    entry: SpecEntry,
    scope: Scope,
    decode_nested: NestedModelDecoder,
    omitted_keys: Container[str] = CALL_KEYS,
) -> LayerKind:
    """The layer that an entry describes, without the omitted keys.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    if entry.fixed_layer:
        return entry.fixed_layer
    if issubclass(entry.kind, NestedModel):
        scope.use_count += 1  # its layers may use the names of the scope
        return decode_nested(entry, scope)
    consulted = scope.use_count
    inner = entry.kind.inner_layer_arguments
    values: Any = {
        name: decode_inner_layers(value, scope, decode_nested)
        if name in inner
        else value.plain_value()
        for name, (_, value) in entry.arguments.items()
        if name not in omitted_keys
    }
    if scope.substitutions:
        scope.use_count += 1
        for name in values.keys() - {"name", *inner}:
            values[name] = substitute_parameters(values[name], scope.substitutions)
    layer: LayerKind = decode_arguments(entry, values, scope)
    if scope.use_count == consulted:
        entry.fixed_layer = layer
    return layer


def substitute_parameters(value: Any, words: Mapping[str, Any]) -> Any:
    """A value in which each word that is a key of `words` is replaced."""
    if isinstance(value, list):
        return [substitute_parameters(each, words) for each in value]
    return words.get(value, value) if isinstance(value, str) else value


def decode_arguments(entry: SpecEntry, values: Any, scope: Scope) -> Any:
    """The instance of an entry's kind with these values.

    Text where the kind wants a number is an expression.

    Raises:
        SpecError: a value is missing, unknown or of a wrong type.
    """
    numbers = _NUMERIC_ARGUMENTS[entry.kind]
    for name, value in values.items():
        if name in numbers and isinstance(value, str):
            try:
                values[name] = scope.evaluate(value)
            except ExpressionError as error:
                raise _expression_refusal(entry, [name], value, error) from None
    while True:
        try:
            return _convert_arguments(values, entry.kind)
        except ValidationError as error:
            problem, path = parse_validation_error(error)
        if not _is_expression_at(entry.kind, path, values):
            if current_log():
                from dense_calc.spec_language.symbolic_arguments import demand_refused_values

                values = demand_refused_values(values, entry.kind, path)
            label = _entry_label(entry)
            from dense_calc.spec_language.argument_slips import suggest_mending  # for a mistake

            suggest = partial(suggest_mending, entry, partial(_locate_value, entry))
            message, path = describe_refusal(entry.kind, label, values, problem, path, suggest)
            raise SpecError(message, _locate_value(entry, path))
        consulted = scope.use_count
        _evaluate_in_place(entry, path, values, scope)
        assert scope.use_count > consulted, path  # else this would never end
        if len(path) == 1:
            _NUMERIC_ARGUMENTS[entry.kind].add(str(path[0]))


def _is_expression_at(kind: Any, path: ValuePath, values: Any) -> bool:
    """Whether the value at a path in the arguments of a kind is an expression."""
    value = path and value_at_path(values, resolve_any_key(kind, values, path))
    return isinstance(value, str) and takes_expression(kind, tuple(path))


def _convert_arguments(values: Mapping[str, Any], kind: type[Any]) -> Any:
    """The instance of a kind with these values; for equal scalars, the same instance.

    Raises:
        ValidationError: they do not fit.
    """
    if current_log():
        from dense_calc.spec_language.symbolic_arguments import (  # for what varies
            find_symbols,
            insert_symbols,
            strip_symbols,
        )

        symbols = list(find_symbols(values))
        return insert_symbols(convert(strip_symbols(values), kind), symbols)
    for value in values.values():
        if type(value) not in _SCALAR_TYPES:
            return convert(values, kind)
    hashable: Any = kind
    return _convert_scalars(hashable, tuple(values), *values.values())


@lru_cache(maxsize=1000, typed=True)  # many layers have the same arguments
def _convert_scalars(kind: Any, names: tuple[str, ...], *values: Any) -> Any:
    """The instance of a kind with these values under these names."""
    return convert(dict(zip(names, values, strict=True)), kind)


@cache
def argument_subset_type(kind: type[LayerKind], names: tuple[str, ...]) -> type[Struct]:
    """A type with only these arguments of a kind."""
    members = [
        (field.name, field.type, renamed(name=field.encode_name, default=field.default))
        for field in fields(kind)
        if field.encode_name in names
    ]
    inner = {"inner_layer_arguments": kind.inner_layer_arguments}
    return defstruct(kind.__name__, members, namespace=inner, forbid_unknown_fields=True)


def decode_inner_layers(node: YamlNode, scope: Scope, decode_nested: NestedModelDecoder) -> Any:
    """The layer, or list of layers, that is an argument of another."""
    if isinstance(node.value, list):
        return [decode_inner_layers(item, scope, decode_nested) for item in node.value]
    if not isinstance(node.value, str | dict):
        return node.value
    entry = read_entry(node, {})
    if isinstance(entry, ReuseEntry):
        return _read_layer_reference(entry)
    if "from" in entry.arguments:
        message = "a layer inside another reads what that one gives it; remove 'from'"
        raise SpecError(message, entry.arguments["from"][0])
    for name in entry.kind.call_arguments:
        if name in entry.arguments:
            who = "the layer around this one makes the call"
            message = f"'{name}' belongs to a call, and {who}; remove it"
            raise SpecError(message, entry.arguments[name][0])
    return decode_layer(entry, scope, decode_nested, omitted_keys=())


def _read_layer_reference(entry: ReuseEntry) -> LayerKind:
    """The reference to a layer that is called elsewhere, as an argument of another layer.

    Raises:
        SpecError: the entry has arguments.
    """
    for word, _ in entry.arguments.values():
        message = f"a layer that is called again keeps its arguments; remove '{word.value}'"
        raise SpecError(message, word)
    return LayerReference(target_name=str(entry.label), place=entry)


def _evaluate_in_place(entry: SpecEntry, path: ValuePath, values: Any, scope: Scope) -> None:
    """Replace the expression at `path` by its value, and those at similar paths by theirs."""
    for *steps, last in _similar_paths(values, path):
        container = value_at_path(values, steps)
        if not isinstance(container[last], str):
            continue
        try:
            container[last] = scope.evaluate(container[last])
        except ExpressionError as error:
            raise _expression_refusal(entry, [*steps, last], container[last], error) from None


def _expression_refusal(
    entry: SpecEntry, path: ValuePath, value: object, error: ExpressionError
) -> SpecError:
    """The complaint about an expression without a value."""
    from dense_calc.spec_language.argument_slips import suggest_several  # for a mistake only
    from dense_calc.spec_language.colons import describe_missing_colon

    place = _locate_value(entry, path)
    several = suggest_several(entry, str(path[0]), str(value))
    problem = f"not {describe_value(value)}" if several else f"but {error}"
    instead = problem + (several or describe_missing_colon(place))
    return SpecError(
        describe_bad_value(entry.kind, _entry_label(entry), path, value, instead), place
    )


def _similar_paths(values: Any, path: ValuePath) -> Iterator[ValuePath]:
    """The paths that lead to any item of the same lists, and any key of the same mappings."""
    step, *rest = path
    keys: Iterable[str | int] = [step]
    if not isinstance(step, str) or step == ANY_KEY:
        keys = range(len(values)) if isinstance(values, list) else list(values)
    for key in keys:
        if not rest:
            yield [key]
        elif isinstance(values[key], list | dict):
            yield from ([key, *further] for further in _similar_paths(values[key], rest))


def _entry_label(entry: SpecEntry) -> str:
    """The name of an entry in error messages."""
    return entry.label or entry.kind.__name__


def _locate_value(entry: SpecEntry, path: ValuePath) -> Place:
    """The place of a value of an entry, of the word of an unknown one, of the entry if none."""
    if not path:
        return entry
    name, *steps = path
    word, value = entry.arguments[str(name)]
    if name not in entry.kind.__struct_encode_fields__:
        return word
    place: Place = value
    for step in steps:
        place = place.locate_part(str(step))
    return place
