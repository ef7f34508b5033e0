"""What a setting means in a Model: `conv2d_1.filters`, `decoder/mlp.units`, `input`, `input[0]`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from dense_calc.analysis.collapse import block_layer_name, blocks_by_copy
from dense_calc.errors import MAX_LISTED_CHOICES, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS
from dense_calc.model import Model, Node
from dense_calc.shapes import UnknownShape
from dense_calc.tracing.layer_paths import format_layer_path
from dense_calc.tracing.lent_layers import OUTER_PREFIX
from dense_calc.tracing.name_patterns import WILDCARD, matching_names

_SET_USAGE = "{}=VALUE"  # how the command line takes a setting
_INPUT_SETTING = "input"  # the model's one input, whatever it is called
_DOT = "."  # between a layer and its argument
_SLASH = "/"  # between a model, or a copy of a block, and a layer in it
SHAPE_ARGUMENT = INPUT_SIZE_ARGUMENTS[0]
_AXIS_PATTERN = r"(.+)\[([0-9]{1,2})\]"
_MODEL_ARGUMENT = "model"  # of a nested model
_FIXED_ARGUMENTS = ("name", "from")
_FIRST_LAYER_ARGUMENTS = ("input_shape", "input_dim")  # the shape of a model's input


class SettingTarget(Struct):
    """The nodes that a setting changes, and the path to the argument in their layers.

    The path into a nested model is its argument `model` and a setting of that.
    """

    node_indices: tuple[int, ...]
    argument_path: tuple[str, ...]


class SettingTargets:
    """Finds the targets of settings that are no vars; only a pattern looks at every layer."""

    def __init__(self, model: Model, file: str = "", vars: Collection[str] = ()) -> None:
        self.model, self.vars = model, vars
        self.file = file or model.name  # as messages call it
        self.index_by_name = {node.name: index for index, node in enumerate(model.nodes)}
        self.max_name_length = max(map(len, self.index_by_name), default=0)
        self.calls_by_holder = defaultdict[str, list[int]](list)
        for index, node in enumerate(model.nodes):
            self.calls_by_holder[node.holder].append(index)
        self.copies = defaultdict[str, set[str]](set)  # by their names and by those of the blocks
        for copy, block in blocks_by_copy(model.blocks).items():
            self.copies[copy].add(copy)
            self.copies[block].add(copy)

    def __getitem__(self, name: str) -> SettingTarget:
        """The target of a setting; SpecError if there is none."""
        return self.find(name)

    def find(self, name: str, usage: str | None = None) -> SettingTarget:
        """The target of a setting, in the layer with the longest name that the setting begins with.

        Messages say by `usage` how a setting is named, as in '--vary {}'; None for '{}=VALUE'.

        Raises:
            SpecError: there is no such layer, or no such argument.
        """
        usage = usage or _SET_USAGE
        whole, axis = _split_axis(name) if name not in self.model.inputs else (name, None)
        if whole == _INPUT_SETTING or whole in self.model.inputs:
            value = "[...]" if axis is None else "VALUE"
            usage = usage.replace("VALUE", value).replace("{}", f"{{}}{name.removeprefix(whole)}")
            index = self.index_by_name[_resolve_input_name(whole, self.model, usage)]
            if axis is not None:
                _demand_axis(axis, whole, self.model.nodes[index])
                return SettingTarget((index,), (SHAPE_ARGUMENT, str(axis)))
            return SettingTarget((index,), (SHAPE_ARGUMENT,))
        for layer, argument in self._split_after_layers(name, _DOT):
            if indices := self._find_layers(layer):
                return self._layer_target(indices, argument)
        for layer, inner_setting in self._split_after_layers(name, _SLASH):
            if _DOT in inner_setting and (indices := self._find_models(layer)):
                return self._inner_target(indices, inner_setting)
        raise _no_target_error(name, self, usage)

    def _split_after_layers(self, name: str, sign: str) -> Iterator[tuple[str, str]]:
        """What is before and after a sign where a layer's name may end, the longest name first."""
        is_pattern = WILDCARD.search(name)  # which may be longer than what it matches
        end = name.rfind(sign, 0, len(name) if is_pattern else self.max_name_length + 1)
        while end >= 0:
            yield name[:end], name[end + 1 :]
            end = name.rfind(sign, 0, end)

    def _find_layers(self, name: str) -> list[int]:
        """The indices of the layers of this name, in which blocks may stand for their copies.

        A name that no layer has may be a pattern.
        """
        starts, rest = [""], name
        while starts and _SLASH in rest:
            step, _, rest = rest.partition(_SLASH)
            starts = [f"{copy}/" for start in starts for copy in self.copies.get(start + step, ())]
        names = {name, *(start + rest for start in starts)}
        found = sorted(self.index_by_name[each] for each in names if each in self.index_by_name)
        return found or (self._match_layers(name) if WILDCARD.search(name) else [])

    def _match_layers(self, pattern: str) -> list[int]:
        """The indices of the layers that match a pattern, in which blocks may stand for copies."""
        blocks = blocks_by_copy(self.model.blocks)
        indices = defaultdict[str, list[int]](list)
        for index, node in enumerate(self.model.nodes):
            for name in {node.name, block_layer_name(node.name, blocks)}:
                indices[name].append(index)
        return sorted({each for name in matching_names(pattern, indices) for each in indices[name]})

    def _find_models(self, name: str) -> list[int]:
        """The indices of all calls of the nested models of this name."""
        nodes = self.model.nodes
        return self._all_calls(each for each in self._find_layers(name) if nodes[each].layer.model)

    def _all_calls(self, indices: Iterable[int]) -> list[int]:
        """The indices of all calls of the layers that are called at these."""
        holders = {self.model.nodes[index].holder for index in indices}
        return sorted(chain.from_iterable(self.calls_by_holder[holder] for holder in holders))

    def _layer_target(self, indices: Sequence[int], argument: str) -> SettingTarget:
        """An argument of some layers, in all their calls unless it is a call's own."""
        path = tuple(argument.split(_DOT))
        nodes = [self.model.nodes[index] for index in indices]
        for node in nodes:
            _demand_own_layer(argument, node, _DOT)
            _demand_argument(path, node)
        is_for_call = path[0] in nodes[0].layer.call_arguments
        return SettingTarget(tuple(indices if is_for_call else self._all_calls(indices)), path)

    def _inner_target(self, indices: Sequence[int], inner_setting: str) -> SettingTarget:
        """The target of a setting within some nested models."""
        nodes = [self.model.nodes[index] for index in indices]
        for node in nodes:
            _demand_own_layer(inner_setting, node, _SLASH)
        for model in {id(node.layer.model): node.layer.model for node in nodes}.values():
            SettingTargets(model)[inner_setting]  # raises where there is none
        return SettingTarget(tuple(indices), (_MODEL_ARGUMENT, inner_setting))


def _no_target_error(name: str, targets: SettingTargets, usage: str) -> SpecError:
    """The complaint about a setting that means nothing in a model."""
    layers = dict.fromkeys(_settable_layer_names(targets.model))
    if name in layers:
        mending = f"name one of its arguments: {usage.format(f'{name}.ARGUMENT')}"
        return SpecError(f"'{name}' is a layer; {mending}")
    layer, dot, argument = name.rpartition(_DOT)
    if layer in targets.copies:
        mending = f"let a var stand for its '{argument}', and set that"
        return SpecError(f"'{layer}' is a block; {mending}")
    if dot:
        return SpecError(f"{targets.file} has no layer '{layer}'{did_you_mean(layer, layers)}")
    hint = did_you_mean(name, targets.vars, else_listed=False)
    if not hint:
        known = did_you_mean(name, targets.vars) if targets.vars else ", nor any other"
        hint = f"{known}; an argument of a layer is {usage.format('LAYER.ARGUMENT')}"
    return SpecError(f"{targets.file} has no var '{name}'{hint}")


def _settable_layer_names(model: Model) -> Iterator[str]:
    """The names that a setting may use, those of all copies of a block first."""
    blocks = blocks_by_copy(model.blocks)
    for node in model.nodes:
        yield block_layer_name(node.name, blocks)
        yield node.name
        if inner := node.layer.model:
            yield from (f"{node.name}/{name}" for name in _settable_layer_names(inner))


def _resolve_input_name(name: str, model: Model, usage: str) -> str:
    """The input that a setting means; SpecError if it could be one of several."""
    if name in model.inputs:
        return name
    if not model.inputs:
        raise SpecError("the model has no input to set")
    if len(model.inputs) > 1:
        several = " or ".join(map(usage.format, model.inputs[:MAX_LISTED_CHOICES]))
        raise SpecError(f"the model has several inputs; name one: {several}")
    return model.inputs[0]


def _split_axis(name: str) -> tuple[str, int | None]:
    """An input and the place of one of its sizes, as in `input[0]`; None if the name has none."""
    match = re.fullmatch(_AXIS_PATTERN, name)
    return (match[1], int(match[2])) if match else (name, None)


def _demand_axis(axis: int, name: str, node: Node) -> None:
    """Raise SpecError unless an input has so many sizes."""
    sizes = input_sizes(node.layer)
    if sizes is None:
        raise SpecError(f"'{name}' has no known shape; set all of it: {name}=[...]")
    if axis >= len(sizes):
        told = f"{name}[0] to {name}[{len(sizes) - 1}]" if sizes else "no sizes"
        raise SpecError(f"'{name}' has {told}, not {name}[{axis}]")


def input_sizes(layer: LayerKind) -> list[Any] | None:
    """The sizes of an input without the batch axis, None if they are unknown."""
    shape = layer.output_shape()
    return None if isinstance(shape, UnknownShape) else list(shape)[1:]


def argument_at(owner: Any, step: str) -> Any:
    """An argument of a layer, or an item of a list of layers."""
    if isinstance(owner, tuple):
        return owner[int(step)]
    return getattr(owner, field_name(type(owner), step))


def field_name(kind: type[LayerKind], argument: str) -> str:
    """The field of a kind that holds an argument of Keras."""
    return kind.__struct_fields__[kind.__struct_encode_fields__.index(argument)]


def _demand_argument(path: Sequence[str], node: Node) -> None:
    """Raise SpecError unless the layer of a node has the argument that a path leads to."""
    held: Any = node.layer
    for number, step in enumerate(path):
        where = _DOT.join((node.name, *path[:number]))
        if isinstance(held, LayerKind):
            _demand_settable(step, type(held), where)
        elif not isinstance(held, tuple) or step not in map(str, range(len(held))):
            raise SpecError(f"'{where}' is not a layer, and has no '{step}'")
        held = argument_at(held, step)


def _demand_settable(argument: str, kind: type[LayerKind], where: str) -> None:
    """Raise SpecError unless a kind of layer has an argument, and one that can be set."""
    whose = f"{kind.__name__} '{where}'"
    if argument in _FIRST_LAYER_ARGUMENTS and any(
        each.encode_name == argument and not each.required  # it is required in an Embedding
        for each in fields(kind)
    ):
        raise SpecError(f"{whose} takes its shape from its input; set the model's input=[...]")
    if argument in _FIXED_ARGUMENTS:
        raise SpecError(f"{whose} keeps its '{argument}': only arguments can be set")
    hidden = ("name", _MODEL_ARGUMENT)
    known = [each for each in kind.__struct_encode_fields__ if each not in hidden]
    if argument not in known:
        raise SpecError(f"{whose} has no argument '{argument}'{did_you_mean(argument, known)}")


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
