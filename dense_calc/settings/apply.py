"""A Model with other arguments for its layers: `conv2d_1.filters=64`, `input=[64, 64, 1]`.

They are put into the Model itself, so that they hold for specs and for Keras' files alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

from msgspec import json
from msgspec.structs import asdict, replace

from dense_calc.errors import Source, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.layers.borrowed import borrowed_in
from dense_calc.layers.introspect.config import SIZES
from dense_calc.model import Model
from dense_calc.settings.targets import SHAPE, Target, Targets, attribute
from dense_calc.shapes import Unknown
from dense_calc.spec_language.entries import Entry
from dense_calc.spec_language.layer_arguments import decoded, layers_in, some_arguments
from dense_calc.spec_language.layer_names import named_apart
from dense_calc.spec_language.scope import Scope, is_finite
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, resolved
from dense_calc.spec_language.yaml_tree import Marked, document, not_utf8
from dense_calc.tracing.lent_layers import with_loans
from dense_calc.tracing.nested_model import Inside

VAST = 200  # bits of a number
QUOTED = ("[", "{", '"', "'")  # how a value starts that is more than a word


def marked(name: str, value: Any) -> Marked:
    """The value that a setting has, as text or as itself, with a place for complaints.

    Raises:
        SpecError: the text is no value.
    """
    whose = f"--set {name}"
    value = plain(value)
    if not is_finite(value):
        raise SpecError(f"'{name}' must be a finite number")
    if isinstance(value, int) and value.bit_length() > VAST:  # too long to be repeated
        raise SpecError(f"'{name}' may be at most {MAX_NUMBER:,}")
    if isinstance(value, list | tuple | dict):
        return document(Source(whose, json.encode(value).decode()))
    if isinstance(value, str):
        found = meant(Source(whose, value))
    else:
        text = str(value)
        found = Marked(Source(whose, text), 1, 1, len(text), value)
    if type(found.value) is int and not -MAX_NUMBER <= found.value <= MAX_NUMBER:
        raise SpecError(f"a number may be at most {MAX_NUMBER:,}", found)
    return found


def meant(source: Source) -> Marked:
    """The value that a text of the command line means: a word, or YAML if it starts as more.

    Raises:
        SpecError: it is none.
    """
    if source.text.lstrip().startswith(QUOTED):
        return document(source)
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        raise not_utf8(source, error) from None
    return Marked(source, 1, 1, len(source.text), resolved(source.text))


def plain(value: Any) -> Any:
    """A value as Python's own: numbers and arrays of NumPy are none."""
    if hasattr(value, "tolist"):
        return value.tolist()
    is_whole = hasattr(value, "__index__") and not isinstance(value, int)
    return index(value) if is_whole else value


def overridden(
    model: Model, settings: Mapping[str, Marked], targets: Mapping[str, Target], scope: Scope
) -> Model:
    """The model with these settings, of which we know the targets.

    An expression uses the names of the scope.

    Raises:
        SpecError: a value does not fit.
    """
    nodes = list(model.nodes)
    for name, value in settings.items():
        target = targets[name]
        made: dict[int, LayerKind] = {}
        for place in target.places:
            node = nodes[place]
            layer = made.get(id(node.layer))
            if layer is None:
                layer = made[id(node.layer)] = changed(node.layer, target, value, scope)
            nodes[place] = replace(node, layer=layer)
    set_anew = {id(nodes[place].place) for target in targets.values() for place in target.places}
    remarks = tuple(each for each in model.remarks if id(each.place) not in set_anew)
    return replace(model, nodes=tuple(with_loans(nodes)), remarks=remarks)


def changed(layer: LayerKind, target: Target, value: Marked, scope: Scope) -> LayerKind:
    """A layer in which a setting has its value.

    Raises:
        SpecError: it cannot have it.
    """
    if target.inner is not None:
        assert isinstance(layer, Inside)
        inner = layer.model
        targets = Targets(inner, inner.name)
        return replace(layer, model=overridden(inner, {target.inner: value}, targets, scope))
    made = with_argument(layer, target.steps, value, scope)
    if any(borrowed_in(made)):
        raise SpecError("a setting cannot call a layer again; write 'reuse' in the file", value)
    return made


def with_argument(layer: LayerKind, steps: Sequence[str], value: Marked, scope: Scope) -> LayerKind:
    """A layer in which the argument that steps lead to has a value.

    Raises:
        SpecError: it cannot have it.
    """
    name, *further = steps
    kind = type(layer)
    if further:
        own = attribute(kind, name)
        values: dict[str, Any] = {own: within(getattr(layer, own), further, value, scope)}
    else:
        values = argument(kind, name, value, scope)
    if name == SHAPE and 0 in kind.takes:
        values |= dict.fromkeys(SIZES[1:])
        shape = layer.output_shape()
        values["batch_size"] = None if isinstance(shape, Unknown) else next(iter(shape), None)
    try:
        made = replace(layer, **values)
        return named_apart(made) if made.wraps else made
    except ValueError as error:
        raise SpecError(f"{kind.__name__}: {error}", value) from None


def within(held: Any, steps: Sequence[str], value: Marked, scope: Scope) -> Any:
    """The layer, or list of layers, that is an argument, with one of its own changed."""
    if isinstance(held, LayerKind):
        return with_argument(held, steps, value, scope)
    number, *further = steps
    items = list(held)
    item = items[int(number)]
    items[int(number)] = within(item, further, value, scope) if further else layers_in(value, scope)
    return tuple(items)


def argument(kind: type[LayerKind], name: str, value: Marked, scope: Scope) -> dict[str, Any]:
    """The value of an argument, by what a kind calls it.

    Raises:
        SpecError: it is of a wrong type.
    """
    plain = layers_in(value, scope) if name in kind.wraps else value.plain()
    entry = Entry(
        *value.where, some_arguments(kind, (name,)), {name: (value, value)}, kind.__name__
    )
    return asdict(decoded(entry, {name: plain}, scope))
