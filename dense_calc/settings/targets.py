"""What a setting means in a Model: `conv2d_1.filters`, `decoder/mlp.units`, `input`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import fields

from dense_calc.errors import FEW, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import SIZES
from dense_calc.model import Model, Node
from dense_calc.shapes import Unknown
from dense_calc.tracing.collapse import blocks_by_copy, in_any_copy, prefixes
from dense_calc.tracing.lent_layers import OUTSIDE, way_told
from dense_calc.tracing.nested_model import Inside

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


class Branch(Struct):
    """Where the layers of a copy of a block stand, by their names in it, and the copies in it.

    A copy goes by its own step of a name and by that of its block: `decoder_3` and `decoder`.
    """

    layers: dict[str, list[int]] = {}
    own: dict[str, Branch] = {}
    copies: dict[str, list[Branch]] = {}


class Targets(dict[str, Target]):
    """What settings that are none of the vars change in the model of a file, by their names.

    Each is looked for once, step by step of its name: none takes a look at every layer.

    Raises:
        SpecError: there is no such layer, or no such argument.
    """

    def __init__(self, model: Model, file: str, vars: Iterable[str] = ()) -> None:
        super().__init__()
        self.model, self.file, self.vars = model, file, vars
        self.root = branches_of(model)
        names = [*(node.name for node in model.nodes), *(block.name for block in model.blocks)]
        self.longest = max(map(len, names), default=0)
        self.calls = defaultdict[str, list[int]](list)  # by whose weights they have
        for place, node in enumerate(model.nodes):
            self.calls[node.holder].append(place)

    def __missing__(self, name: str) -> Target:
        self[name] = target = self.target(name)
        return target

    def target(self, name: str) -> Target:
        """What a setting changes, of the layer with the longest name that it starts with."""
        if name == INPUT or name in self.model.inputs:
            names = [node.name for node in self.model.nodes]
            return Target((names.index(input_called(name, self.model)),), (SHAPE,))
        steps = name.split("/")
        called = list(layers_around(steps, self.root))
        dotted = [number for number, step in enumerate(steps) if DOT in step]
        for number in reversed(dotted):
            for end in ends(steps[number], self.longest) if number < len(called) else ():
                places = called[number].get(steps[number][:end])
                if places:
                    argument = "/".join((steps[number][end + 1 :], *steps[number + 1 :]))
                    return self.of_layer(places, argument)
        for number in reversed(range(min(dotted[-1], len(called)) if dotted else 0)):
            models = self.models(called[number].get(steps[number], ()))
            if models:
                return self.of_inner(models, "/".join(steps[number + 1 :]))
        raise no_target(name, self.model, self.file, self.vars)

    def of_layer(self, places: Sequence[int], argument: str) -> Target:
        """An argument of the layers at these places, in all their calls if it is not of a call.

        Raises:
            SpecError: they have no such argument.
        """
        nodes = self.model.nodes
        steps = tuple(argument.split(DOT))
        for place in places:
            demand_argument(steps, nodes[place])
        if steps[0] in nodes[places[0]].layer.of_call:
            return Target(tuple(places), steps)
        return Target(tuple(self.with_calls(places)), steps)

    def models(self, places: Iterable[int]) -> list[int]:
        """Where among these places models stand, in all their calls."""
        nodes = self.model.nodes
        return self.with_calls([at for at in places if isinstance(nodes[at].layer, Inside)])

    def of_inner(self, places: Sequence[int], rest: str) -> Target:
        """What a setting changes in the models at these places.

        Raises:
            SpecError: one of them has no such layer, or no such argument.
        """
        for place in places:
            demand_own(rest, self.model.nodes[place], "/")
        inner = {id(model): model for model in map(self.inner_model, places)}
        for model in inner.values():
            Targets(model, model.name)[rest]  # which may complain
        return Target(tuple(places), (), rest)

    def inner_model(self, place: int) -> Model:
        """The model that stands at a place."""
        layer = self.model.nodes[place].layer
        assert isinstance(layer, Inside)
        return layer.model

    def with_calls(self, places: Iterable[int]) -> list[int]:
        """The places of all calls of the layers that are called at these."""
        holders = {self.model.nodes[place].holder for place in places}
        return sorted(chain.from_iterable(self.calls[holder] for holder in holders))


def branches_of(model: Model) -> Branch:
    """Where the layers of a model stand, by the steps of their names."""
    blocks = blocks_by_copy(model.blocks)
    root = Branch()
    for place, node in enumerate(model.nodes):
        branch = root
        for copy in prefixes(node.name):
            branch = grown(
                branch, *(each.rpartition("/")[2] for each in (copy, blocks.get(copy, copy)))
            )
        branch.layers.setdefault(node.name.rpartition("/")[2], []).append(place)
    return root


def grown(branch: Branch, own: str, block: str) -> Branch:
    """The copy of a block in another, made where there is none yet."""
    if own not in branch.own:
        branch.own[own] = below = Branch()
        for step in {own, block}:
            branch.copies.setdefault(step, []).append(below)
    return branch.own[own]


def layers_around(steps: Sequence[str], root: Branch) -> Iterator[Mapping[str, list[int]]]:
    """Where layers stand by their last steps, once none, one, two of these steps are taken.

    As long as they lead somewhere.
    """
    branches = [root]
    for step in steps:
        if not branches:
            return
        yield branches[0].layers if len(branches) == 1 else layers_in(branches)
        branches = [copy for branch in branches for copy in branch.copies.get(step, ())]


def layers_in(branches: Iterable[Branch]) -> Mapping[str, list[int]]:
    """Where the layers of some copies of blocks stand, by their names in these, in their order."""
    found = defaultdict[str, list[int]](list)
    for branch in branches:
        for name, places in branch.layers.items():
            found[name] += places
    return {name: sorted(places) for name, places in found.items()}


def ends(step: str, longest: int) -> Iterator[int]:
    """Where a name may end in a step, before a dot, the last first."""
    end = step.rfind(DOT, 0, longest + 1)
    while end >= 0:
        yield end
        end = step.rfind(DOT, 0, end)


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


def demand_argument(steps: Sequence[str], node: Node) -> None:
    """Raise SpecError unless the layer of a node has the argument that steps lead to."""
    layer: Any = node.layer
    if steps[0] not in layer.of_call:
        demand_own(DOT.join(steps), node, DOT)
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


def demand_own(rest: str, node: Node, sign: str) -> None:
    """Raise SpecError where what follows a node and a sign leads to a layer called elsewhere."""
    for loan in node.loans:
        way, layer = way_told(loan.path, node.layer)
        argument = rest.removeprefix(f"{way}{DOT}").partition(DOT)[0]
        is_there = not way or f"{rest}{DOT}".startswith(f"{way}{DOT}") or way.startswith(f"{rest}.")
        if is_there and not loan.holder.startswith(OUTSIDE) and argument not in layer.of_call:
            told = f"{node.name}{sign}{way}" if way else node.name
            mended = f"an argument of it is set by {loan.holder}{DOT}ARGUMENT=VALUE"
            raise SpecError(f"'{told}' is the layer '{loan.holder}'; {mended}")


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
        return value_at(Targets(within, within.name)[target.inner], within)
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
