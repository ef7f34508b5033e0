"""Two Models → what differs: the layers that came, went and changed, and how much that weighs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.budget import Check
from dense_calc.analysis.match_layers import (
    NO_OLD_NAMES,
    ComparedLayer,
    ComparedLayers,
    OldNames,
    comparable_arguments,
    compared_layers,
    match_layers,
)
from dense_calc.errors import describe_value
from dense_calc.layers.arguments.types import normalize_object_name
from dense_calc.model import Model, ModelBlock
from dense_calc.report import LayerRow, Report
from dense_calc.tracing.collapse import block_layer_name, blocks_by_copy
from dense_calc.tracing.tracer import trace

# What Keras calls one initializer by two names: keras/src/initializers/__init__.py.
_INITIALIZER_SYNONYMS = {
    "uniform": "randomuniform",
    "normal": "randomnormal",
    "one": "ones",
    "zero": "zeros",
}
_ChangeStatus = Literal["added", "removed", "changed"]


class TotalChange(Struct, frozen=True):
    """A total of both models, and the change from the old to the new one."""

    old: int
    new: int
    change: int


class _OldAndNew(Struct, frozen=True):
    """What something is in the old and in the new model; None where it is not there."""

    old: Any
    new: Any


class ArgumentChange(Struct, frozen=True):
    """An argument that is not the same: `units`, `layer.units` of a layer inside another."""

    name: str
    old: Any
    new: Any


class LayerChange(Struct, frozen=True, omit_defaults=True):
    """A layer that differs, and by how many parameters.

    Its name is that in the new model, if it is there. Shapes are told where they differ. In a
    repeated block, `repeat` copies that changed alike may be one.
    """

    name: str
    status: _ChangeStatus
    change: int
    type: str
    params: _OldAndNew
    renamed_from: str | None = None
    arguments: tuple[ArgumentChange, ...] = ()
    input_shapes: _OldAndNew | None = None
    output_shape: _OldAndNew | None = None
    repeat: int = 1


class ModelComparison(Struct, frozen=True, omit_defaults=True):
    """What differs between two models; `layers` are those that do, the largest change first.

    `outputs` are the names and shapes of what the models give, where they differ; `blocks` are
    those of both models. `checks` hold the change against what is allowed, `notes` say why
    something could not be compared.
    """

    old: str
    new: str
    total_params: TotalChange
    trainable_params: TotalChange
    non_trainable_params: TotalChange
    total_bytes: TotalChange
    layers: tuple[LayerChange, ...]
    outputs: _OldAndNew | None = None
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    blocks: tuple[ModelBlock, ...] = ()


def compare_models(old: Model | None, new: Model, old_name: str, new_name: str) -> ModelComparison:
    """What differs between two models; where there is no old one, all is added.

    Raises:
        LayerError: Keras would not build a layer of one.
    """
    before, after = trace(old) if old else None, trace(new)
    was = (
        {part.name: part for part in compared_layers(old, before.layers)} if old and before else {}
    )
    now = {part.name: part for part in compared_layers(new, after.layers)}
    names = match_layers(was, now)
    changes = _layer_changes(was, now, names)

    def total(name: str) -> TotalChange:
        values = getattr(before, name, 0), getattr(after, name)
        return TotalChange(*values, values[1] - values[0])

    return ModelComparison(
        old=old_name,
        new=new_name,
        total_params=total("total_params"),
        trainable_params=total("trainable_params"),
        non_trainable_params=total("non_trainable_params"),
        total_bytes=total("total_bytes"),
        layers=tuple(sorted(changes, key=lambda change: -abs(change.change))),
        outputs=_output_difference(before, after, names) if before else None,
        blocks=(*(old.blocks if old else ()), *new.blocks),
    )


def _output_difference(before: Report, after: Report, names: OldNames) -> _OldAndNew | None:
    """What the models give, if that differs in more than the names of renamed layers."""
    old = [(port.name, port.shape) for port in before.outputs]
    new = [(names.get(port.name, port.name), port.shape) for port in after.outputs]
    return None if old == new else _OldAndNew(before.outputs, after.outputs)


def _layer_changes(
    was: ComparedLayers, now: ComparedLayers, names: OldNames
) -> Iterator[LayerChange]:
    """The layers that are not as they were, in the new order, then those that went."""
    stayed = set(names.values())
    for name, part in now.items():
        if name not in names:
            yield LayerChange(name, "added", part.params, part.type, _OldAndNew(None, part.params))
            continue
        old = was[names[name]]
        other = (*_argument_changes(old, part), *_reuse_changes(old, part, names))
        if stayed.issuperset(old.source_layers(NO_OLD_NAMES)) and was.keys() >= part.source_layers(
            names
        ):
            other += tuple(_input_changes(old, part, names))
        is_renamed = name != old.name and bool(old.row or part.row)  # what has no row is not seen
        if other or is_renamed or part.weights != old.weights:
            yield _layer_change(old, part, other)
    for name, part in was.items():
        if name not in stayed:
            yield LayerChange(
                name, "removed", -part.params, part.type, _OldAndNew(part.params, None)
            )


def _layer_change(
    old: ComparedLayer, new: ComparedLayer, arguments: tuple[ArgumentChange, ...]
) -> LayerChange:
    """How a layer has changed that has these other arguments."""
    return LayerChange(
        name=new.name,
        status="changed",
        change=new.params - old.params,
        type=new.type,
        params=_OldAndNew(old.params, new.params),
        renamed_from=old.name if old.name != new.name else None,
        arguments=arguments,
        input_shapes=_row_difference(old.row, new.row, "input_shapes"),
        output_shape=_row_difference(old.row, new.row, "output_shape"),
    )


def _row_difference(old: LayerRow | None, new: LayerRow | None, name: str) -> _OldAndNew | None:
    """What an attribute of two rows is, if it is not the same."""
    values = getattr(old, name, None), getattr(new, name, None)
    return None if values[0] == values[1] else _OldAndNew(*values)


def _argument_changes(old: ComparedLayer, new: ComparedLayer) -> Iterator[ArgumentChange]:
    """The arguments of a layer that differ."""
    if old.node.layer != new.node.layer:
        yield from _nested_changes("", comparable_arguments(old), comparable_arguments(new))


def _input_changes(
    old: ComparedLayer, new: ComparedLayer, names: OldNames
) -> Iterator[ArgumentChange]:
    """What else a layer reads of what was there and still is."""
    given = old.call_sources(NO_OLD_NAMES), new.call_sources(names)
    if given[0] != given[1]:
        yield ArgumentChange("from", *given)


def _reuse_changes(
    old: ComparedLayer, new: ComparedLayer, names: OldNames
) -> Iterator[ArgumentChange]:
    """Which other layer's weights a call shares."""
    shared = old.shared_with(NO_OLD_NAMES), new.shared_with(names)
    if shared[0] != shared[1]:
        yield ArgumentChange("reuse", *shared)


def _nested_changes(name: str, old: Any, new: Any) -> Iterator[ArgumentChange]:
    """The values in two nests that differ, by the way to them: `layer.units`.

    Of two layers of different classes, these alone.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        is_other = old.get("type") != new.get("type")
        for key in ("type",) if is_other else {**old, **new}:
            way = f"{name}.{key}" if name else key
            yield from _nested_changes(way, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and _are_layer_lists(old, new):
        for index, values in enumerate(zip(old, new, strict=True)):
            yield from _nested_changes(f"{name}[{index}]", *values)
    elif old != new and not _is_same_value(old, new):
        old, new = _with_yaml_numbers(old), _with_yaml_numbers(new)
        if old != new:
            yield ArgumentChange(name, old, new)


def _with_yaml_numbers(value: Any) -> Any:
    """A value with YAML's words in place of numbers that JSON does not have: `.inf`, `.nan`."""
    match value:
        case list():
            return list(map(_with_yaml_numbers, value))
        case dict():
            return {name: _with_yaml_numbers(each) for name, each in value.items()}
        case float() if not isfinite(value):
            return describe_value(value)
    return value


def _are_layer_lists(old: list[Any], new: list[Any]) -> bool:
    """Whether these are lists of as many layers."""
    return len(old) == len(new) and all(isinstance(each, dict) for each in (*old, *new))


def _is_same_value(old: Any, new: Any) -> bool:
    """Whether two values are one to Keras: `GlorotUniform`, `glorot_uniform`; `[-1]`, `-1`."""
    if isinstance(old, str) and isinstance(new, str):
        names = [normalize_object_name(each) for each in (old, new)]
        return _INITIALIZER_SYNONYMS.get(names[0], names[0]) == _INITIALIZER_SYNONYMS.get(
            names[1], names[1]
        )
    return bool(old == [new] or [old] == new)


def fold_copies(whole: ModelComparison) -> ModelComparison:
    """A comparison in which what is the same in copies of a block is one change."""
    copies = blocks_by_copy(whole.blocks)
    alike: defaultdict[bytes, list[LayerChange]] = defaultdict(list)
    for change in whole.layers:
        alike[msgspec.json.encode(_change_in_block(change, copies))].append(change)
    changes = [_merge_changes(changes, copies) for changes in alike.values()]
    return replace(whole, layers=tuple(sorted(changes, key=lambda change: -abs(change.change))))


def _change_in_block(change: LayerChange, copies: Mapping[str, str]) -> LayerChange:
    """A change as it is in any copy of the block that it is in, without what is not told."""
    was = change.renamed_from and block_layer_name(change.renamed_from, copies)
    name = block_layer_name(change.name, copies)
    inputs = None if change.arguments else change.input_shapes  # arguments say why
    return replace(change, name=name, renamed_from=was, input_shapes=inputs, output_shape=None)


def _merge_changes(changes: Sequence[LayerChange], copies: Mapping[str, str]) -> LayerChange:
    """Changes that are the same in several copies as one; a single one as it is."""
    first, *others = changes
    if not others:
        return first
    times = len(changes)
    counts = (first.params.old, first.params.new)
    params = _OldAndNew(*(None if count is None else times * count for count in counts))
    whole = times * first.change
    return replace(_change_in_block(first, copies), change=whole, params=params, repeat=times)
