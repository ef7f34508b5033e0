"""Two Models → their difference: layers added, removed and changed, and their parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.budget import Check
from dense_calc.analysis.collapse import block_layer_name, blocks_by_copy
from dense_calc.analysis.compared_layers import (
    NO_OLD_NAMES,
    ComparedLayer,
    ComparedLayers,
    OldNames,
    comparable_arguments,
    compared_layers,
)
from dense_calc.analysis.match_layers import match_layers
from dense_calc.errors import describe_value
from dense_calc.layers.arguments.types import normalize_object_name
from dense_calc.model import Model, ModelBlock
from dense_calc.report import LayerRow, Report
from dense_calc.result import JsonResult
from dense_calc.tracing.tracer import trace

# Initializers with two names in Keras: keras/src/initializers/__init__.py.
_INITIALIZER_SYNONYMS = {
    "uniform": "randomuniform",
    "normal": "randomnormal",
    "one": "ones",
    "zero": "zeros",
}
_ChangeStatus = Literal["added", "removed", "changed"]


class TotalChange(Struct, frozen=True):
    """A total of the old and of the new model, and the change."""

    old: int
    new: int
    change: int


class _OldAndNew(Struct, frozen=True):
    """A value in the old and in the new model; None where it is not there."""

    old: Any
    new: Any


class ArgumentChange(Struct, frozen=True):
    """An argument that has changed: `units`, or `layer.units` of a layer inside the layer."""

    name: str
    old: Any
    new: Any


class LayerChange(Struct, frozen=True, omit_defaults=True):
    """A layer that differs between the models; `change` is the difference in parameters.

    `name` is its name in the new model, or in the old one if it was removed. Shapes are None where
    they are the same. A change in a block may stand for `repeat` copies that changed alike.
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


class ModelComparison(JsonResult, Struct, frozen=True, omit_defaults=True):
    """The difference between two models; `layers` are those that differ, largest change first.

    `outputs` are the outputs of both models, None where they are the same. `checks` compare the
    change with the increase that is allowed. `notes` say why something could not be compared.
    `blocks` are those of both models.
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

    def __repr__(self) -> str:
        names = f"{self.old!r}, {self.new!r}"
        return f"<ModelComparison {names}: {self.total_params.change:+,} params>"


def compare_models(old: Model | None, new: Model, old_name: str, new_name: str) -> ModelComparison:
    """The difference between two models; without an old one, everything is added.

    Raises:
        LayerError: Keras would not build a layer of a model.
    """
    before, after = trace(old) if old else None, trace(new)
    old_layers = compared_layers(old, before.layers) if old and before else ()
    was = {layer.name: layer for layer in old_layers}
    now = {layer.name: layer for layer in compared_layers(new, after.layers)}
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
    """The outputs of both models, if they differ in more than the names of renamed layers."""
    kept = {*names.values()}
    old = [(port.name, port.shape, port.name in kept) for port in before.outputs]
    new = [
        (names.get(port.name, port.name), port.shape, port.name in names) for port in after.outputs
    ]
    return None if old == new else _OldAndNew(before.outputs, after.outputs)


def _layer_changes(
    was: ComparedLayers, now: ComparedLayers, names: OldNames
) -> Iterator[LayerChange]:
    """The added and changed layers in the order of the new model, then the removed ones."""
    kept = set(names.values())
    for name, new in now.items():
        if name not in names:
            yield LayerChange(name, "added", new.params, new.type, _OldAndNew(None, new.params))
            continue
        old = was[names[name]]
        arguments = (*_argument_changes(old, new), *_reuse_changes(old, new, names))
        if kept.issuperset(old.sources) and names.keys() >= {*new.sources}:
            arguments += tuple(_input_changes(old, new, names))
        # an automatic name follows from the place, and without a row nobody sees it
        is_renamed = new.label != old.label and bool(old.row or new.row)
        if arguments or is_renamed or new.weights != old.weights:
            yield _layer_change(old, new, arguments)
    for name, old in was.items():
        if name not in kept:
            yield LayerChange(name, "removed", -old.params, old.type, _OldAndNew(old.params, None))


def _layer_change(
    old: ComparedLayer, new: ComparedLayer, arguments: tuple[ArgumentChange, ...]
) -> LayerChange:
    """The change of a layer whose arguments changed like this."""
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
    """A field of two rows, if it is not the same."""
    values = getattr(old, name, None), getattr(new, name, None)
    return None if values[0] == values[1] else _OldAndNew(*values)


def _argument_changes(old: ComparedLayer, new: ComparedLayer) -> Iterator[ArgumentChange]:
    """The arguments of a layer that differ."""
    if old.node.layer != new.node.layer:
        yield from _nested_changes("", comparable_arguments(old), comparable_arguments(new))


def _input_changes(
    old: ComparedLayer, new: ComparedLayer, names: OldNames
) -> Iterator[ArgumentChange]:
    """The change of `from` where a layer reads other layers than before."""
    sources = old.call_sources(NO_OLD_NAMES), new.call_sources(names)
    if sources[0] != sources[1]:
        yield ArgumentChange("from", *sources)


def _reuse_changes(
    old: ComparedLayer, new: ComparedLayer, names: OldNames
) -> Iterator[ArgumentChange]:
    """The change of `reuse` where a call shares the weights of another layer than before."""
    shared = old.shared_with(NO_OLD_NAMES), new.shared_with(names)
    if shared[0] != shared[1]:
        yield ArgumentChange("reuse", *shared)


def _nested_changes(name: str, old: Any, new: Any) -> Iterator[ArgumentChange]:
    """The values that differ between two nests, named by the keys to them: `layer.units`.

    Of two layers of different classes, only the classes.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        is_other = old.get("type") != new.get("type")
        for key in ("type",) if is_other else {**old, **new}:
            full_name = f"{name}.{key}" if name else key
            yield from _nested_changes(full_name, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and _are_layer_lists(old, new):
        for index, values in enumerate(zip(old, new, strict=True)):
            yield from _nested_changes(f"{name}[{index}]", *values)
    elif old != new and not _is_same_value(old, new):
        old, new = _with_yaml_numbers(old), _with_yaml_numbers(new)
        if old != new:
            yield ArgumentChange(name, old, new)


def _with_yaml_numbers(value: Any) -> Any:
    """A value with YAML's words for the numbers that JSON does not have: `.inf`, `.nan`."""
    match value:
        case list():
            return list(map(_with_yaml_numbers, value))
        case dict():
            return {name: _with_yaml_numbers(each) for name, each in value.items()}
        case float() if not isfinite(value):
            return describe_value(value)
    return value


def _are_layer_lists(old: list[Any], new: list[Any]) -> bool:
    """Whether these are lists of the same number of layers."""
    return len(old) == len(new) and all(isinstance(each, dict) for each in (*old, *new))


def _is_same_value(old: Any, new: Any) -> bool:
    """Whether two values are one to Keras: `GlorotUniform`, `glorot_uniform`; `[-1]`, `-1`."""
    if isinstance(old, str) and isinstance(new, str):
        names = map(normalize_object_name, (old, new))
        return len({_INITIALIZER_SYNONYMS.get(name, name) for name in names}) == 1
    return bool(old == [new] or [old] == new)


def fold_copies(comparison: ModelComparison) -> ModelComparison:
    """A comparison in which the same change in several copies of a block is one."""
    copies = blocks_by_copy(comparison.blocks)
    alike: defaultdict[bytes, list[LayerChange]] = defaultdict(list)
    for change in comparison.layers:
        alike[msgspec.json.encode(_change_in_block(change, copies))].append(change)
    merged = [_merge_changes(changes, copies) for changes in alike.values()]
    layers = tuple(sorted(merged, key=lambda change: -abs(change.change)))
    return replace(comparison, layers=layers)


def _change_in_block(change: LayerChange, copies: Mapping[str, str]) -> LayerChange:
    """A change with blocks for their copies in names, and without shapes that are not printed."""
    name = block_layer_name(change.name, copies)
    was = change.renamed_from and block_layer_name(change.renamed_from, copies)
    was = None if was == name else was  # only the number of the copy is another
    inputs = None if change.arguments else change.input_shapes  # arguments say why
    return replace(change, name=name, renamed_from=was, input_shapes=inputs, output_shape=None)


def _merge_changes(changes: Sequence[LayerChange], copies: Mapping[str, str]) -> LayerChange:
    """The same change in several copies as one; a single change as it is."""
    first, *others = changes
    if not others:
        return first
    times = len(changes)
    counts = (first.params.old, first.params.new)
    params = _OldAndNew(*(None if count is None else times * count for count in counts))
    total = times * first.change
    return replace(_change_in_block(first, copies), change=total, params=params, repeat=times)
