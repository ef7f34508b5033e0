"""What a setting means in a Model: `conv2d_1.filters`, `decoder/mlp.units`, `input`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import fields

from dense_calc.errors import MAX_LISTED_CHOICES, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS
from dense_calc.model import Model, Node, enclosing_names
from dense_calc.shapes import UnknownShape
from dense_calc.tracing.collapse import block_layer_name, blocks_by_copy
from dense_calc.tracing.lent_layers import OUTER_PREFIX, format_layer_path
from dense_calc.tracing.nested_model import NestedModel

_INPUT_SETTING = "input"  # the model's one input, whatever it is called
_ARGUMENT_SEPARATOR = "."  # between a layer and its argument
SHAPE_ARGUMENT = INPUT_SIZE_ARGUMENTS[0]
_FIXED_ARGUMENTS = ("name", "from")
_FIRST_LAYER_SHAPE_ARGUMENTS = (
    "input_shape",
    "input_dim",
)  # what a first layer says of it, which it is no more


class SettingTarget(Struct):
    """What a setting changes: these nodes, and of their layers the argument that steps lead to.

    `inner` is the rest of the setting where the layer is a model, in which something changes.
    """

    node_indices: tuple[int, ...]
    argument_path: tuple[str, ...]
    inner_setting: str | None = None


class _BlockTree(Struct):
    """Where the layers of a copy of a block stand, by their names in it, and the copies in it.

    A copy goes by its own step of a name and by that of its block: `decoder_3` and `decoder`.
    """

    layer_indices: dict[str, list[int]] = {}
    child_by_step: dict[str, _BlockTree] = {}
    copies_by_step: dict[str, list[_BlockTree]] = {}


class SettingTargets(dict[str, SettingTarget]):
    """What settings that are none of the vars change in the model of a file, by their names.

    Each is looked for once, step by step of its name: none takes a look at every layer.

    Raises:
        SpecError: there is no such layer, or no such argument.
    """

    def __init__(self, model: Model, file: str, vars: Iterable[str] = ()) -> None:
        super().__init__()
        self.model, self.file, self.vars = model, file, vars
        self.block_tree = _build_block_tree(model)
        names = [*(node.name for node in model.nodes), *(block.name for block in model.blocks)]
        self.max_name_length = max(map(len, names), default=0)
        self.calls_by_layer = defaultdict[str, list[int]](list)  # by whose weights they have
        for place, node in enumerate(model.nodes):
            self.calls_by_layer[node.holder].append(place)

    def __missing__(self, name: str) -> SettingTarget:
        self[name] = target = self.find_target(name)
        return target

    def find_target(self, name: str) -> SettingTarget:
        """What a setting changes, of the layer with the longest name that it starts with."""
        if name == _INPUT_SETTING or name in self.model.inputs:
            names = [node.name for node in self.model.nodes]
            return SettingTarget(
                (names.index(_resolve_input_name(name, self.model)),), (SHAPE_ARGUMENT,)
            )
        steps = name.split("/")
        called = list(_layers_per_depth(steps, self.block_tree))
        dotted = [number for number, step in enumerate(steps) if _ARGUMENT_SEPARATOR in step]
        for number in reversed(dotted):
            for end in (
                _layer_name_ends(steps[number], self.max_name_length)
                if number < len(called)
                else ()
            ):
                places = called[number].get(steps[number][:end])
                if places:
                    argument = "/".join((steps[number][end + 1 :], *steps[number + 1 :]))
                    return self.layer_target(places, argument)
        for number in reversed(range(min(dotted[-1], len(called)) if dotted else 0)):
            models = self.model_indices(called[number].get(steps[number], ()))
            if models:
                return self.inner_target(models, "/".join(steps[number + 1 :]))
        raise _no_target_error(name, self.model, self.file, self.vars)

    def layer_target(self, places: Sequence[int], argument: str) -> SettingTarget:
        """An argument of the layers at these places, in all their calls if it is not of a call.

        Raises:
            SpecError: they have no such argument.
        """
        nodes = self.model.nodes
        steps = tuple(argument.split(_ARGUMENT_SEPARATOR))
        for place in places:
            _demand_layer_argument(steps, nodes[place])
        if steps[0] in nodes[places[0]].layer.call_arguments:
            return SettingTarget(tuple(places), steps)
        return SettingTarget(tuple(self.all_call_indices(places)), steps)

    def model_indices(self, places: Iterable[int]) -> list[int]:
        """Where among these places models stand, in all their calls."""
        nodes = self.model.nodes
        return self.all_call_indices(
            [at for at in places if isinstance(nodes[at].layer, NestedModel)]
        )

    def inner_target(self, places: Sequence[int], rest: str) -> SettingTarget:
        """What a setting changes in the models at these places.

        Raises:
            SpecError: one of them has no such layer, or no such argument.
        """
        for place in places:
            _demand_own_layer(rest, self.model.nodes[place], "/")
        inner = {id(model): model for model in map(self.inner_model, places)}
        for model in inner.values():
            SettingTargets(model, model.name)[rest]  # which may complain
        return SettingTarget(tuple(places), (), rest)

    def inner_model(self, place: int) -> Model:
        """The model that stands at a place."""
        layer = self.model.nodes[place].layer
        assert isinstance(layer, NestedModel)
        return layer.model

    def all_call_indices(self, places: Iterable[int]) -> list[int]:
        """The places of all calls of the layers that are called at these."""
        holders = {self.model.nodes[place].holder for place in places}
        return sorted(chain.from_iterable(self.calls_by_layer[holder] for holder in holders))


def _build_block_tree(model: Model) -> _BlockTree:
    """Where the layers of a model stand, by the steps of their names."""
    blocks = blocks_by_copy(model.blocks)
    root = _BlockTree()
    for place, node in enumerate(model.nodes):
        branch = root
        for copy in enclosing_names(node.name):
            branch = _ensure_block_copy(
                branch, *(each.rpartition("/")[2] for each in (copy, blocks.get(copy, copy)))
            )
        branch.layer_indices.setdefault(node.name.rpartition("/")[2], []).append(place)
    return root


def _ensure_block_copy(branch: _BlockTree, own: str, block: str) -> _BlockTree:
    """The copy of a block in another, made where there is none yet."""
    if own not in branch.child_by_step:
        branch.child_by_step[own] = below = _BlockTree()
        for step in {own, block}:
            branch.copies_by_step.setdefault(step, []).append(below)
    return branch.child_by_step[own]


def _layers_per_depth(steps: Sequence[str], root: _BlockTree) -> Iterator[Mapping[str, list[int]]]:
    """Where layers stand by their last steps, once none, one, two of these steps are taken.

    As long as they lead somewhere.
    """
    branches = [root]
    for step in steps:
        if not branches:
            return
        yield branches[0].layer_indices if len(branches) == 1 else _merge_layer_indices(branches)
        branches = [copy for branch in branches for copy in branch.copies_by_step.get(step, ())]


def _merge_layer_indices(branches: Iterable[_BlockTree]) -> Mapping[str, list[int]]:
    """Where the layers of some copies of blocks stand, by their names in these, in their order."""
    found = defaultdict[str, list[int]](list)
    for branch in branches:
        for name, places in branch.layer_indices.items():
            found[name] += places
    return {name: sorted(places) for name, places in found.items()}


def _layer_name_ends(step: str, longest: int) -> Iterator[int]:
    """Where a name may end in a step, before a dot, the last first."""
    end = step.rfind(_ARGUMENT_SEPARATOR, 0, longest + 1)
    while end >= 0:
        yield end
        end = step.rfind(_ARGUMENT_SEPARATOR, 0, end)


def _resolve_input_name(name: str, model: Model) -> str:
    """The input that a setting means.

    Raises:
        SpecError: it could be one of several.
    """
    if name in model.inputs:
        return name
    if not model.inputs:
        raise SpecError("the model has no input to set")
    if len(model.inputs) > 1:
        several = " and ".join(f"{each}=[...]" for each in model.inputs[:MAX_LISTED_CHOICES])
        raise SpecError(f"the model has several inputs; set one: {several}")
    return model.inputs[0]


def _demand_layer_argument(steps: Sequence[str], node: Node) -> None:
    """Raise SpecError unless the layer of a node has the argument that steps lead to."""
    layer: Any = node.layer
    if steps[0] not in layer.call_arguments:
        _demand_own_layer(_ARGUMENT_SEPARATOR.join(steps), node, _ARGUMENT_SEPARATOR)
    for number, step in enumerate(steps):
        told = _ARGUMENT_SEPARATOR.join(steps[:number])
        whose = f"{type(layer).__name__} '{_ARGUMENT_SEPARATOR.join((node.name, *steps[:number]))}'"
        if isinstance(layer, tuple) and step.isdigit() and int(step) < len(layer):
            layer = layer[int(step)]
            continue
        if not isinstance(layer, LayerKind):
            raise SpecError(
                f"'{node.name}{_ARGUMENT_SEPARATOR}{told}' is no layer, and has no '{step}'"
            )
        if step in _FIRST_LAYER_SHAPE_ARGUMENTS and _is_optional_argument(type(layer), step):
            raise SpecError(
                f"{whose} reads what it is given; set the model's {_INPUT_SETTING}=[...]"
            )
        if step in _FIXED_ARGUMENTS:
            raise SpecError(f"{whose} keeps its '{step}': only arguments can be set")
        own = ("name", "model") if isinstance(layer, NestedModel) else ("name",)
        known = [name for name in layer.__struct_encode_fields__ if name not in own]
        if step not in known:
            raise SpecError(f"{whose} has no argument '{step}'{did_you_mean(step, known)}")
        layer = getattr(layer, struct_field_name(type(layer), step))


def _demand_own_layer(rest: str, node: Node, sign: str) -> None:
    """Raise SpecError where what follows a node and a sign leads to a layer called elsewhere."""
    for loan in node.lent_layers:
        way, layer = format_layer_path(loan.path, node.layer)
        argument = rest.removeprefix(f"{way}{_ARGUMENT_SEPARATOR}").partition(_ARGUMENT_SEPARATOR)[
            0
        ]
        is_there = (
            not way
            or f"{rest}{_ARGUMENT_SEPARATOR}".startswith(f"{way}{_ARGUMENT_SEPARATOR}")
            or way.startswith(f"{rest}.")
        )
        if (
            is_there
            and not loan.holder.startswith(OUTER_PREFIX)
            and argument not in layer.call_arguments
        ):
            told = f"{node.name}{sign}{way}" if way else node.name
            mended = f"an argument of it is set by {loan.holder}{_ARGUMENT_SEPARATOR}ARGUMENT=VALUE"
            raise SpecError(f"'{told}' is the layer '{loan.holder}'; {mended}")


def _is_optional_argument(kind: type[LayerKind], argument: str) -> bool:
    """Whether a kind can do without an argument; an Embedding has an `input_dim` of its own."""
    return not next(each.required for each in fields(kind) if each.encode_name == argument)


def struct_field_name(kind: type[LayerKind], argument: str) -> str:
    """What a kind calls an argument that Keras calls so."""
    return kind.__struct_fields__[kind.__struct_encode_fields__.index(argument)]


def target_value(target: SettingTarget, model: Model) -> Any:
    """The value of the argument that a target is, None where layers differ in it."""
    nodes = [model.nodes[place] for place in target.node_indices]
    if target.inner_setting is not None:
        assert isinstance(nodes[0].layer, NestedModel)
        within = nodes[0].layer.model
        return target_value(SettingTargets(within, within.name)[target.inner_setting], within)
    if target.argument_path == (SHAPE_ARGUMENT,) and not nodes[0].inputs:
        shape = nodes[0].layer.output_shape()
        return None if isinstance(shape, UnknownShape) else list(shape)[1:]
    found = [reduce(_argument_at_step, target.argument_path, node.layer) for node in nodes]
    return to_builtins(found[0]) if all(each == found[0] for each in found) else None


def _argument_at_step(held: Any, step: str) -> Any:
    """An argument of a layer, or an item of a list of layers."""
    return (
        held[int(step)]
        if isinstance(held, tuple)
        else getattr(held, struct_field_name(type(held), step))
    )


def _no_target_error(name: str, model: Model, file: str, vars: Iterable[str]) -> SpecError:
    """The complaint about a setting that means nothing in a model."""
    layers = dict.fromkeys(_settable_layer_names(model))
    blocks = {each for block in model.blocks for each in (block.name, *block.copies)}
    if name in layers:
        return SpecError(f"'{name}' is a layer; say which argument of it: {name}.ARGUMENT=VALUE")
    layer, dot, argument = name.rpartition(_ARGUMENT_SEPARATOR)
    if layer in blocks:
        return SpecError(
            f"'{layer}' is a block; let a var stand for its '{argument}', and set that"
        )
    if dot:
        return SpecError(f"{file} has no layer '{layer}'{did_you_mean(layer, layers)}")
    hint = did_you_mean(name, vars) or "; an argument of a layer is set by LAYER.ARGUMENT=VALUE"
    return SpecError(f"{file} has no var '{name}'{hint}")


def _settable_layer_names(model: Model) -> Iterator[str]:
    """The names that a setting may use, those of all copies of a block first."""
    blocks = blocks_by_copy(model.blocks)
    for node in model.nodes:
        yield block_layer_name(node.name, blocks)
        yield node.name
        if isinstance(node.layer, NestedModel):
            yield from (f"{node.name}/{inner}" for inner in _settable_layer_names(node.layer.model))
