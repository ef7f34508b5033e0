"""The arguments of a layer as they are written → the layer, decoded by the types of its kind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct, ValidationError, convert, defstruct
from msgspec import field as renamed
from msgspec.structs import fields

from dense_calc.errors import Place, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.refusals import ANY, Path, at, problem_of, refusal, unfit
from dense_calc.model import Model
from dense_calc.spec_language.entries import Entry, Reuse, entry_of
from dense_calc.spec_language.scope import ExpressionError, Scope
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.nested_model import Inside

if TYPE_CHECKING:
    from dense_calc.spec_language.callables import Parts

    # what models inside may call again: the parts around them, nothing, or what is known later
    Around: TypeAlias = Parts | Literal["later"] | None

TEXT_FOR_NUMBER = r"Expected `[^`]*\b(int|float)\b[^`]*`, got `str`"

OF_A_CALL = ("name", "from")  # what is written beside the arguments
NOTHING = Model("", (), (), ())  # what a model inside is until it is read
PLAIN = {bool, int, float, str, type(None)}

# Arguments of a kind that were seen to want a number, so that the next layer is quicker.
NUMERIC: defaultdict[type, set[str]] = defaultdict(set)


def layer_of(
    entry: Entry, scope: Scope, but: Container[str] = OF_A_CALL, around: Around = None
) -> LayerKind:
    """The layer that an entry describes, without what is written beside its arguments.

    A model inside may call again what can be called `around` it.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    if entry.fixed:
        return entry.fixed
    if issubclass(entry.kind, Inside):
        scope.consulted += 1  # what is in it may follow from what is around it
        if around == "later":
            return entry.kind(model=NOTHING, name=entry.text("name"))
        from dense_calc.spec_language.outline import (
            inside,  # which needs this module for its layers
        )

        return inside(entry, scope, around)
    consulted = scope.consulted
    inner = entry.kind.wraps
    values: Any = {
        name: layers_in(value, scope, around) if name in inner else value.plain()
        for name, (_, value) in entry.arguments.items()
        if name not in but
    }
    if scope.words:
        scope.consulted += 1
        for name in values.keys() - {"name", *inner}:
            values[name] = with_words(values[name], scope.words)
    layer: LayerKind = decoded(entry, values, scope)
    if scope.consulted == consulted:
        entry.fixed = layer
    return layer


def with_words(value: Any, words: Mapping[str, Any]) -> Any:
    """A value with what the words in it stand for."""
    if isinstance(value, list):
        return [with_words(each, words) for each in value]
    return words.get(value, value) if isinstance(value, str) else value


def decoded(entry: Entry, values: Any, scope: Scope) -> Any:
    """The instance of an entry's kind that has these values.

    Types decide what is an expression: text that stands where the kind wants a number.

    Raises:
        SpecError: a value is missing, unknown or of a wrong type.
    """
    numbers = NUMERIC[entry.kind]
    for name, value in values.items():
        if name in numbers and isinstance(value, str):
            try:
                values[name] = scope.evaluate(value)
            except ExpressionError as error:
                raise no_number(entry, [name], value, error) from None
    while True:
        try:
            return made(values, entry.kind)
        except ValidationError as error:
            problem, path = problem_of(error)
        if not path or not re.match(TEXT_FOR_NUMBER, problem):
            raise SpecError(
                *located(entry, refusal(entry.kind, whose(entry), values, problem, path))
            )
        consulted = scope.consulted
        compute(entry, path, values, scope)
        assert scope.consulted > consulted, path  # else this would never end
        if len(path) == 1:
            NUMERIC[entry.kind].add(str(path[0]))


def made(values: Mapping[str, Any], kind: type[Any]) -> Any:
    """The instance of a kind that has these values; the same for the same plain ones.

    Raises:
        ValidationError: they do not fit.
    """
    for value in values.values():
        if type(value) not in PLAIN:
            return convert(values, kind)
    hashable: Any = kind
    return known(hashable, tuple(values), *values.values())


@lru_cache(maxsize=1000, typed=True)  # most layers of a model have their likes, all in the next one
def known(kind: Any, names: tuple[str, ...], *values: Any) -> Any:
    """The instance of a kind that has these values under these names."""
    return convert(dict(zip(names, values, strict=True)), kind)


@cache
def some_arguments(kind: type[LayerKind], names: tuple[str, ...]) -> type[Struct]:
    """Those arguments of a kind that have these names, as a type."""
    own = [
        (field.name, field.type, renamed(name=field.encode_name, default=field.default))
        for field in fields(kind)
        if field.encode_name in names
    ]
    return defstruct(kind.__name__, own, forbid_unknown_fields=True)


def layers_in(written: Marked, scope: Scope, around: Around = None) -> Any:
    """The layer, or list of layers, that is an argument of another."""
    if isinstance(written.value, list):
        return [layers_in(item, scope, around) for item in written.value]
    if not isinstance(written.value, str | dict):
        return written.value
    entry = entry_of(written, {})
    if isinstance(entry, Reuse):
        return borrowed(entry)
    if "from" in entry.arguments:
        outer = "a layer inside another reads what that one gives it; remove 'from'"
        raise SpecError(outer, entry.arguments["from"][0])
    for name in entry.kind.of_call:
        if name in entry.arguments:
            outer = f"'{name}' is for a call, which the layer around this one makes; remove it"
            raise SpecError(outer, entry.arguments[name][0])
    return layer_of(entry, scope, (), around)


def borrowed(entry: Reuse) -> LayerKind:
    """A layer inside another that is called elsewhere, by its name.

    Raises:
        SpecError: more is said of it.
    """
    from dense_calc.layers.borrowed import Borrowed  # few models have any

    for word, _ in entry.arguments.values():
        told = f"a layer that is called elsewhere has all it needs there; remove '{word.value}'"
        raise SpecError(told, word)
    return Borrowed(of=str(entry.label), place=entry)


def compute(entry: Entry, path: Path, values: Any, scope: Scope) -> None:
    """Put the value of the expression at `path` in its place, and of those in places like it."""
    for *steps, last in alike(values, path):
        holder = at(values, steps)
        if not isinstance(holder[last], str):
            continue
        try:
            holder[last] = scope.evaluate(holder[last])
        except ExpressionError as error:
            raise no_number(entry, [*steps, last], holder[last], error) from None


def no_number(entry: Entry, path: Path, value: object, error: ExpressionError) -> SpecError:
    """The complaint about an expression without a value."""
    complaint = unfit(entry.kind, whose(entry), path, value, f"but {error}")
    return SpecError(*located(entry, (complaint, path)))


def alike(values: Any, path: Path) -> Iterator[Path]:
    """The paths that differ from this one in which item of a list they lead to, or which key."""
    step, *rest = path
    keys: Iterable[str | int] = [step]
    if not isinstance(step, str) or step == ANY:
        keys = range(len(values)) if isinstance(values, list) else list(values)
    for key in keys:
        if not rest:
            yield [key]
        elif isinstance(values[key], list | dict):
            yield from ([key, *further] for further in alike(values[key], rest))


def whose(entry: Entry) -> str:
    """What a complaint calls the one that has the arguments."""
    return entry.label or entry.kind.__name__


def located(entry: Entry, complaint: tuple[str, Path]) -> tuple[str, Place]:
    """A complaint about a value in an entry, and where that is written."""
    message, path = complaint
    if not path:
        return message, entry
    name, *steps = path
    word, value = entry.arguments[str(name)]
    if name not in entry.kind.__struct_encode_fields__:
        return message, word
    place: Place = value
    for step in steps:
        place = place.part(str(step))
    return message, place
