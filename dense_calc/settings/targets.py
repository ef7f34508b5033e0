"""What a setting means in a Model: `conv2d_1.filters`, `decoder/mlp.units`, `input`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from dense_calc.errors import MAX_LISTED_CHOICES, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS
from dense_calc.model import Model, Node, enclosing_names
from dense_calc.tracing.collapse import block_layer_name, blocks_by_copy
from dense_calc.tracing.layer_paths import format_layer_path
from dense_calc.tracing.lent_layers import OUTER_PREFIX
from dense_calc.tracing.nested_model import NestedModel

_INPUT_SETTING = "input"  # the model's one input, whatever it is called
_DOT = "."  # between a layer and its argument
SHAPE_ARGUMENT = INPUT_SIZE_ARGUMENTS[0]
_FIXED_ARGUMENTS = ("name", "from")
_FIRST_LAYER_ARGUMENTS = ("input_shape", "input_dim")  # the shape of a model's input


class SettingTarget(Struct):
    """The nodes that a setting changes, and the path to the argument in their layers.

    Where the layers are models, `inner_setting` is the setting within them.
    """

    node_indices: tuple[int, ...]
    argument_path: tuple[str, ...]
    inner_setting: str | None = None


class _BlockTree(Struct):
    """The layers of one copy of a block by their names in it, and the copies of blocks inside it.

    A copy is found by its own part of a name and by that of its block: `decoder_3` and `decoder`.
    """

    layer_indices: dict[str, list[int]] = {}
    child_by_step: dict[str, _BlockTree] = {}
    copies_by_step: dict[str, list[_BlockTree]] = {}


class SettingTargets(dict[str, SettingTarget]):
    """The targets of settings that are no vars, by the names of the settings; found on demand.

    A name is followed part by part through the tree of blocks, so that none looks at every layer.

    Raises:
        SpecError: there is no such layer, or no such argument.
    """

    def __init__(self, model: Model, file: str, vars: Iterable[str] = ()) -> None:
        super().__init__()
        self.model, self.file, self.vars = model, file, vars
        self.block_tree = _build_block_tree(model)
        names = [*(node.name for node in model.nodes), *(block.name for block in model.blocks)]
        self.max_name_length = max(map(len, names), default=0)
        self.calls_by_layer = defaultdict[str, list[int]](list)  # by the name of the first call
        for index, node in enumerate(model.nodes):
            self.calls_by_layer[node.holder].append(index)

    def __missing__(self, name: str) -> SettingTarget:
        self[name] = target = self.find_target(name)
        return target

    def find_target(self, name: str) -> SettingTarget:
        """The target of a setting, in the layer with the longest name that the setting begins with.

        Raises:
            SpecError: there is no such layer, or no such argument.
        """
        if name == _INPUT_SETTING or name in self.model.inputs:
            names = [node.name for node in self.model.nodes]
            index = names.index(_resolve_input_name(name, self.model))
            return SettingTarget((index,), (SHAPE_ARGUMENT,))
        steps = name.split("/")
        by_depth = list(_layers_per_depth(steps, self.block_tree))
        dotted = [depth for depth, step in enumerate(steps) if _DOT in step]
        for depth in reversed([depth for depth in dotted if depth < len(by_depth)]):
            for end in _layer_name_ends(steps[depth], self.max_name_length):
                indices = by_depth[depth].get(steps[depth][:end])
                if indices:
                    argument = "/".join((steps[depth][end + 1 :], *steps[depth + 1 :]))
                    return self.layer_target(indices, argument)
        for depth in reversed(range(min(dotted[-1], len(by_depth)) if dotted else 0)):
            models = self.model_indices(by_depth[depth].get(steps[depth], ()))
            if models:
                return self.inner_target(models, "/".join(steps[depth + 1 :]))
        raise _no_target_error(name, self.model, self.file, self.vars)

    def layer_target(self, indices: Sequence[int], argument: str) -> SettingTarget:
        """An argument of the layers at these indices, in all their calls unless it is a call's own.

        Raises:
            SpecError: they have no such argument.
        """
        nodes = self.model.nodes
        steps = tuple(argument.split(_DOT))
        for index in indices:
            _demand_layer_argument(steps, nodes[index])
        if steps[0] in nodes[indices[0]].layer.call_arguments:
            return SettingTarget(tuple(indices), steps)
        return SettingTarget(tuple(self.all_call_indices(indices)), steps)

    def model_indices(self, indices: Iterable[int]) -> list[int]:
        """Those of these indices at which models stand, with all calls of these models."""
        nodes = self.model.nodes
        models = [index for index in indices if isinstance(nodes[index].layer, NestedModel)]
        return self.all_call_indices(models)

    def inner_target(self, indices: Sequence[int], inner_setting: str) -> SettingTarget:
        """The target of a setting within the models at these indices.

        Raises:
            SpecError: one of them has no such layer, or no such argument.
        """
        for index in indices:
            _demand_own_layer(inner_setting, self.model.nodes[index], "/")
        models = {id(model): model for model in map(self.inner_model, indices)}
        for model in models.values():
            SettingTargets(model, model.name)[inner_setting]  # raises where there is none
        return SettingTarget(tuple(indices), (), inner_setting)

    def inner_model(self, index: int) -> Model:
        """The model at an index."""
        layer = self.model.nodes[index].layer
        assert isinstance(layer, NestedModel)
        return layer.model

    def all_call_indices(self, indices: Iterable[int]) -> list[int]:
        """The indices of all calls of the layers that are called at these."""
        holders = {self.model.nodes[index].holder for index in indices}
        return sorted(chain.from_iterable(self.calls_by_layer[holder] for holder in holders))


def _build_block_tree(model: Model) -> _BlockTree:
    """The layers of a model by the parts of their names."""
    blocks = blocks_by_copy(model.blocks)
    root = _BlockTree()
    for index, node in enumerate(model.nodes):
        branch = root
        for copy in enclosing_names(node.name):
            block = blocks.get(copy, copy)
            branch = _ensure_block_copy(branch, _last_part(copy), _last_part(block))
        branch.layer_indices.setdefault(_last_part(node.name), []).append(index)
    return root


def _last_part(name: str) -> str:
    """The last part of a name: `mlp` of `decoder_3/mlp`."""
    return name.rpartition("/")[2]


def _ensure_block_copy(branch: _BlockTree, copy: str, block: str) -> _BlockTree:
    """The copy of a block inside another, made where there is none yet."""
    if copy not in branch.child_by_step:
        branch.child_by_step[copy] = child = _BlockTree()
        for step in {copy, block}:
            branch.copies_by_step.setdefault(step, []).append(child)
    return branch.child_by_step[copy]


def _layers_per_depth(steps: Sequence[str], root: _BlockTree) -> Iterator[Mapping[str, list[int]]]:
    """The layers that may be meant after none, one, two, ... of these steps, by their own names.

    It ends where the steps lead nowhere.
    """
    branches = [root]
    for step in steps:
        if not branches:
            return
        yield branches[0].layer_indices if len(branches) == 1 else _merge_layer_indices(branches)
        branches = [copy for branch in branches for copy in branch.copies_by_step.get(step, ())]


def _merge_layer_indices(branches: Iterable[_BlockTree]) -> Mapping[str, list[int]]:
    """The indices of the layers of several copies of blocks, by their names in these."""
    merged = defaultdict[str, list[int]](list)
    for branch in branches:
        for name, indices in branch.layer_indices.items():
            merged[name] += indices
    return {name: sorted(indices) for name, indices in merged.items()}


def _layer_name_ends(step: str, longest: int) -> Iterator[int]:
    """The ends that a layer's name may have in a step, each before a dot, the last end first."""
    end = step.rfind(_DOT, 0, longest + 1)
    while end >= 0:
        yield end
        end = step.rfind(_DOT, 0, end)


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
        _demand_own_layer(_DOT.join(steps), node, _DOT)
    for number, step in enumerate(steps):
        whose = f"{type(layer).__name__} '{_DOT.join((node.name, *steps[:number]))}'"
        if isinstance(layer, tuple) and step.isdigit() and int(step) < len(layer):
            layer = layer[int(step)]
            continue
        if not isinstance(layer, LayerKind):
            path = _DOT.join((node.name, *steps[:number]))
            raise SpecError(f"'{path}' is no layer, and has no '{step}'")
        if step in _FIRST_LAYER_ARGUMENTS and _is_optional_argument(type(layer), step):
            raise SpecError(f"{whose} reads what it is given; set the model's input=[...]")
        if step in _FIXED_ARGUMENTS:
            raise SpecError(f"{whose} keeps its '{step}': only arguments can be set")
        own = ("name", "model") if isinstance(layer, NestedModel) else ("name",)
        known = [name for name in layer.__struct_encode_fields__ if name not in own]
        if step not in known:
            raise SpecError(f"{whose} has no argument '{step}'{did_you_mean(step, known)}")
        layer = getattr(layer, struct_field_name(type(layer), step))


def _demand_own_layer(rest: str, node: Node, sign: str) -> None:
    """Raise SpecError where what follows a node and a sign leads to a layer called elsewhere."""
    for lent in node.lent_layers:
        path, layer = format_layer_path(lent.path, node.layer)
        argument = rest.removeprefix(f"{path}.").partition(_DOT)[0]
        leads_there = not path or f"{rest}.".startswith(f"{path}.") or path.startswith(f"{rest}.")
        is_outside = lent.holder.startswith(OUTER_PREFIX)
        if leads_there and not is_outside and argument not in layer.call_arguments:
            name = f"{node.name}{sign}{path}" if path else node.name
            mending = f"an argument of it is set by {lent.holder}.ARGUMENT=VALUE"
            raise SpecError(f"'{name}' is the layer '{lent.holder}'; {mending}")


def _is_optional_argument(kind: type[LayerKind], argument: str) -> bool:
    """Whether an argument may be left out; the `input_dim` of an Embedding may not."""
    return not next(each.required for each in fields(kind) if each.encode_name == argument)


def struct_field_name(kind: type[LayerKind], argument: str) -> str:
    """The field of a kind that holds an argument of Keras."""
    return kind.__struct_fields__[kind.__struct_encode_fields__.index(argument)]


def _no_target_error(name: str, model: Model, file: str, vars: Iterable[str]) -> SpecError:
    """The complaint about a setting that means nothing in a model."""
    layers = dict.fromkeys(_settable_layer_names(model))
    blocks = {each for block in model.blocks for each in (block.name, *block.copies)}
    if name in layers:
        return SpecError(f"'{name}' is a layer; say which argument of it: {name}.ARGUMENT=VALUE")
    layer, dot, argument = name.rpartition(_DOT)
    if layer in blocks:
        mending = f"let a var stand for its '{argument}', and set that"
        return SpecError(f"'{layer}' is a block; {mending}")
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
