"""What a setting means in a Model: `conv2d_1.filters`, `decoder/mlp.units`, `input`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import eq
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import fields

from dense_calc.errors import FEW, SpecError, did_you_mean
from dense_calc.folding import blocks_by_copy, in_any_copy, is_called
from dense_calc.layers.base import LayerKind
from dense_calc.layers.written import SIZES
from dense_calc.model import Model, Node
from dense_calc.nesting import Inside
from dense_calc.shapes import Unknown

INPUT = "input"  # the model's one input, whatever it is called
DOT = "."  # between a layer and its argument
SHAPE = SIZES[0]
FIXED = ("name", "from")
OF_INPUT = ("input_shape", "input_dim")  # what a first layer says of it, which it is no more


class Target(Struct):
    """What a setting changes: these nodes, and of their layers the argument that steps lead to.

    `inner` is the rest of the setting where the layer is a model, in which something changes.
    """

    places: tuple[int, ...]
    steps: tuple[str, ...]
    inner: str | None = None


def target_of(name: str, model: Model, file: str, vars: Iterable[str] = ()) -> Target:
    """What a setting that is none of the vars changes in the model of a file.

    Raises:
        SpecError: there is no such layer, or no such argument.
    """
    if name == INPUT or name in model.inputs:
        return Target(tuple(placed([input_called(name, model)], model)), (SHAPE,))
    layer, dot, argument = name.rpartition(DOT)
    while dot:
        places = tuple(placed([layer], model))
        if places:
            return of_layer(places, argument, model)
        outer, inner = inside(layer, model)
        if outer:
            rest = f"{inner}{DOT}{argument}"
            for place in outer:
                held = model.nodes[place].layer
                assert isinstance(held, Inside)
                target_of(rest, held.model, held.model.name)  # which may complain
            return Target(outer, (), rest)
        layer, dot, before = layer.rpartition(DOT)
        argument = f"{before}{DOT}{argument}"
    raise no_target(name, model, file, vars)


def input_called(name: str, model: Model) -> str:
    """The input that a setting means.

    Raises:
        SpecError: it could be one of several.
    """
    if name in model.inputs:
        return name
    if not model.inputs:
        raise SpecError("the model has no input to set")
    if len(model.inputs) > 1:
        several = " and ".join(f"{each}=[...]" for each in model.inputs[:FEW])
        raise SpecError(f"the model has several inputs; set one: {several}")
    return model.inputs[0]


def placed(names: Sequence[str], model: Model) -> Iterator[int]:
    """Where the layers of these names stand, in every copy of a block that is named: `decoder`."""
    blocks = blocks_by_copy(model.blocks)
    for place, node in enumerate(model.nodes):
        if any(is_called(node.name, name, blocks) for name in names):
            yield place


def inside(name: str, model: Model) -> tuple[tuple[int, ...], str]:
    """Where the models stand that hold a layer of this name, and its name within them."""
    outer, slash, inner = name.rpartition("/")
    while slash:
        places = with_calls(
            [at for at in placed([outer], model) if isinstance(model.nodes[at].layer, Inside)],
            model,
        )
        if places:
            return places, inner
        outer, slash, before = outer.rpartition("/")
        inner = f"{before}/{inner}"
    return (), ""


def of_layer(places: tuple[int, ...], argument: str, model: Model) -> Target:
    """An argument of the layers at these places, in all their calls if it is not of a call.

    Raises:
        SpecError: they have no such argument.
    """
    steps = tuple(argument.split(DOT))
    for place in places:
        demand_argument(steps, model.nodes[place])
    if steps[0] in model.nodes[places[0]].layer.of_call:
        return Target(places, steps)
    return Target(with_calls(places, model), steps)


def with_calls(places: Iterable[int], model: Model) -> tuple[int, ...]:
    """The places of all calls of the layers that are called at these."""
    holders = {model.nodes[place].holder for place in places}
    return tuple(place for place, node in enumerate(model.nodes) if node.holder in holders)


def demand_argument(steps: Sequence[str], node: Node) -> None:
    """Raise SpecError unless the layer of a node has the argument that steps lead to."""
    layer: Any = node.layer
    demand_own(steps, node)
    for number, step in enumerate(steps):
        told = DOT.join(steps[:number])
        whose = f"{type(layer).__name__} '{DOT.join((node.name, *steps[:number]))}'"
        if isinstance(layer, tuple) and step.isdigit() and int(step) < len(layer):
            layer = layer[int(step)]
            continue
        if not isinstance(layer, LayerKind):
            raise SpecError(f"'{node.name}{DOT}{told}' is no layer, and has no '{step}'")
        if step in OF_INPUT and is_optional(type(layer), step):
            raise SpecError(f"{whose} reads what it is given; set the model's {INPUT}=[...]")
        if step in FIXED:
            raise SpecError(f"{whose} keeps its '{step}': only arguments can be set")
        own = ("name", "model") if isinstance(layer, Inside) else ("name",)
        known = [name for name in layer.__struct_encode_fields__ if name not in own]
        if step not in known:
            raise SpecError(f"{whose} has no argument '{step}'{did_you_mean(step, known)}")
        layer = getattr(layer, attribute(type(layer), step))


def demand_own(steps: Sequence[str], node: Node) -> None:
    """Raise SpecError where steps lead into a layer inside that the model calls elsewhere."""
    for loan in node.loans:
        if all(map(eq, steps, loan.path)):
            told = f"'{node.name}{DOT}{DOT.join(loan.path)}' is the layer '{loan.holder}'"
            raise SpecError(f"{told}; an argument of it is set by {loan.holder}.ARGUMENT=VALUE")


def is_optional(kind: type[LayerKind], argument: str) -> bool:
    """Whether a kind can do without an argument; an Embedding has an `input_dim` of its own."""
    return not next(each.required for each in fields(kind) if each.encode_name == argument)


def attribute(kind: type[LayerKind], argument: str) -> str:
    """What a kind calls an argument that Keras calls so."""
    return kind.__struct_fields__[kind.__struct_encode_fields__.index(argument)]


def value_at(target: Target, model: Model) -> Any:
    """The value of the argument that a target is, None where layers differ in it."""
    nodes = [model.nodes[place] for place in target.places]
    if target.inner is not None:
        assert isinstance(nodes[0].layer, Inside)
        within = nodes[0].layer.model
        return value_at(target_of(target.inner, within, within.name), within)
    if target.steps == (SHAPE,) and not nodes[0].inputs:
        shape = nodes[0].layer.output_shape()
        return None if isinstance(shape, Unknown) else list(shape)[1:]
    found = [reduce(part, target.steps, node.layer) for node in nodes]
    return to_builtins(found[0]) if all(each == found[0] for each in found) else None


def part(held: Any, step: str) -> Any:
    """An argument of a layer, or an item of a list of layers."""
    return (
        held[int(step)] if isinstance(held, tuple) else getattr(held, attribute(type(held), step))
    )


def no_target(name: str, model: Model, file: str, vars: Iterable[str]) -> SpecError:
    """The complaint about a setting that means nothing in a model."""
    layers = dict.fromkeys(names_of(model))
    blocks = {each for block in model.blocks for each in (block.name, *block.copies)}
    if name in layers:
        return SpecError(f"'{name}' is a layer; say which argument of it: {name}.ARGUMENT=VALUE")
    layer, dot, argument = name.rpartition(DOT)
    if layer in blocks:
        return SpecError(
            f"'{layer}' is a block; let a var stand for its '{argument}', and set that"
        )
    if dot:
        return SpecError(f"{file} has no layer '{layer}'{did_you_mean(layer, layers)}")
    hint = did_you_mean(name, vars) or "; an argument of a layer is set by LAYER.ARGUMENT=VALUE"
    return SpecError(f"{file} has no var '{name}'{hint}")


def names_of(model: Model) -> Iterator[str]:
    """The names that a setting may use, those of all copies of a block first."""
    blocks = blocks_by_copy(model.blocks)
    for node in model.nodes:
        yield in_any_copy(node.name, blocks)
        yield node.name
        if isinstance(node.layer, Inside):
            yield from (f"{node.name}/{inner}" for inner in names_of(node.layer.model))
