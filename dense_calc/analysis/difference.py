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
from dense_calc.analysis.match_layers import NO_NAMES, Names, Part, Parts, arguments, pairs, parts
from dense_calc.errors import said
from dense_calc.layers.arguments.types import plain
from dense_calc.model import Block, Model
from dense_calc.report import Report, Row
from dense_calc.tracing.collapse import blocks_by_copy, in_any_copy
from dense_calc.tracing.tracer import trace

# What Keras calls one initializer by two names: keras/src/initializers/__init__.py.
SYNONYMS = {"uniform": "randomuniform", "normal": "randomnormal", "one": "ones", "zero": "zeros"}
Status = Literal["added", "removed", "changed"]


class Total(Struct, frozen=True):
    """A total of both models, and the change from the old to the new one."""

    old: int
    new: int
    change: int


class Difference(Struct, frozen=True):
    """What something is in the old and in the new model; None where it is not there."""

    old: Any
    new: Any


class Argument(Struct, frozen=True):
    """An argument that is not the same: `units`, `layer.units` of a layer inside another."""

    name: str
    old: Any
    new: Any


class Change(Struct, frozen=True, omit_defaults=True):
    """A layer that differs, and by how many parameters.

    Its name is that in the new model, if it is there. Shapes are told where they differ. In a
    repeated block, `repeat` copies that changed alike may be one.
    """

    name: str
    status: Status
    change: int
    type: str
    params: Difference
    renamed_from: str | None = None
    arguments: tuple[Argument, ...] = ()
    input_shapes: Difference | None = None
    output_shape: Difference | None = None
    repeat: int = 1


class Comparison(Struct, frozen=True, omit_defaults=True):
    """What differs between two models; `layers` are those that do, the largest change first.

    `outputs` are the names and shapes of what the models give, where they differ; `blocks` are
    those of both models. `checks` hold the change against what is allowed, `notes` say why
    something could not be compared.
    """

    old: str
    new: str
    total_params: Total
    trainable_params: Total
    non_trainable_params: Total
    total_bytes: Total
    layers: tuple[Change, ...]
    outputs: Difference | None = None
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()


def comparison(old: Model | None, new: Model, old_name: str, new_name: str) -> Comparison:
    """What differs between two models; where there is no old one, all is added.

    Raises:
        LayerError: Keras would not build a layer of one.
    """
    before, after = trace(old) if old else None, trace(new)
    was = {part.name: part for part in parts(old, before.layers)} if old and before else {}
    now = {part.name: part for part in parts(new, after.layers)}
    names = pairs(was, now)
    changes = differences(was, now, names)

    def total(name: str) -> Total:
        values = getattr(before, name, 0), getattr(after, name)
        return Total(*values, values[1] - values[0])

    return Comparison(
        old=old_name,
        new=new_name,
        total_params=total("total_params"),
        trainable_params=total("trainable_params"),
        non_trainable_params=total("non_trainable_params"),
        total_bytes=total("total_bytes"),
        layers=tuple(sorted(changes, key=lambda change: -abs(change.change))),
        outputs=other_outputs(before, after, names) if before else None,
        blocks=(*(old.blocks if old else ()), *new.blocks),
    )


def other_outputs(before: Report, after: Report, names: Names) -> Difference | None:
    """What the models give, if that differs in more than the names of renamed layers."""
    old = [(port.name, port.shape) for port in before.outputs]
    new = [(names.get(port.name, port.name), port.shape) for port in after.outputs]
    return None if old == new else Difference(before.outputs, after.outputs)


def differences(was: Parts, now: Parts, names: Names) -> Iterator[Change]:
    """The layers that are not as they were, in the new order, then those that went."""
    stayed = set(names.values())
    for name, part in now.items():
        if name not in names:
            yield Change(name, "added", part.params, part.type, Difference(None, part.params))
            continue
        old = was[names[name]]
        other = (*unlike(old, part), *reused(old, part, names))
        if stayed.issuperset(old.reads(NO_NAMES)) and was.keys() >= part.reads(names):
            other += tuple(rewired(old, part, names))
        is_renamed = name != old.name and bool(old.row or part.row)  # what has no row is not seen
        if other or is_renamed or part.weights != old.weights:
            yield changed(old, part, other)
    for name, part in was.items():
        if name not in stayed:
            yield Change(name, "removed", -part.params, part.type, Difference(part.params, None))


def changed(old: Part, new: Part, arguments: tuple[Argument, ...]) -> Change:
    """How a layer has changed that has these other arguments."""
    return Change(
        name=new.name,
        status="changed",
        change=new.params - old.params,
        type=new.type,
        params=Difference(old.params, new.params),
        renamed_from=old.name if old.name != new.name else None,
        arguments=arguments,
        input_shapes=difference(old.row, new.row, "input_shapes"),
        output_shape=difference(old.row, new.row, "output_shape"),
    )


def difference(old: Row | None, new: Row | None, name: str) -> Difference | None:
    """What an attribute of two rows is, if it is not the same."""
    values = getattr(old, name, None), getattr(new, name, None)
    return None if values[0] == values[1] else Difference(*values)


def unlike(old: Part, new: Part) -> Iterator[Argument]:
    """The arguments of a layer that differ."""
    if old.node.layer != new.node.layer:
        yield from unequal("", arguments(old), arguments(new))


def rewired(old: Part, new: Part, names: Names) -> Iterator[Argument]:
    """What else a layer reads of what was there and still is."""
    given = old.sources(NO_NAMES), new.sources(names)
    if given[0] != given[1]:
        yield Argument("from", *given)


def reused(old: Part, new: Part, names: Names) -> Iterator[Argument]:
    """Which other layer's weights a call shares."""
    shared = old.shared_with(NO_NAMES), new.shared_with(names)
    if shared[0] != shared[1]:
        yield Argument("reuse", *shared)


def unequal(name: str, old: Any, new: Any) -> Iterator[Argument]:
    """The values in two nests that differ, by the way to them: `layer.units`.

    Of two layers of different classes, these alone.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        is_other = old.get("type") != new.get("type")
        for key in ("type",) if is_other else {**old, **new}:
            way = f"{name}.{key}" if name else key
            yield from unequal(way, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and holds_layers(old, new):
        for index, values in enumerate(zip(old, new, strict=True)):
            yield from unequal(f"{name}[{index}]", *values)
    elif old != new and not is_same(old, new):
        old, new = in_words(old), in_words(new)
        if old != new:
            yield Argument(name, old, new)


def in_words(value: Any) -> Any:
    """A value with YAML's words in place of numbers that JSON does not have: `.inf`, `.nan`."""
    match value:
        case list():
            return list(map(in_words, value))
        case dict():
            return {name: in_words(each) for name, each in value.items()}
        case float() if not isfinite(value):
            return said(value)
    return value


def holds_layers(old: list[Any], new: list[Any]) -> bool:
    """Whether these are lists of as many layers."""
    return len(old) == len(new) and all(isinstance(each, dict) for each in (*old, *new))


def is_same(old: Any, new: Any) -> bool:
    """Whether two values are one to Keras: `GlorotUniform`, `glorot_uniform`; `[-1]`, `-1`."""
    if isinstance(old, str) and isinstance(new, str):
        names = [plain(each) for each in (old, new)]
        return SYNONYMS.get(names[0], names[0]) == SYNONYMS.get(names[1], names[1])
    return bool(old == [new] or [old] == new)


def folded(whole: Comparison) -> Comparison:
    """A comparison in which what is the same in copies of a block is one change."""
    copies = blocks_by_copy(whole.blocks)
    alike: defaultdict[bytes, list[Change]] = defaultdict(list)
    for change in whole.layers:
        alike[msgspec.json.encode(in_any(change, copies))].append(change)
    changes = [together(changes, copies) for changes in alike.values()]
    return replace(whole, layers=tuple(sorted(changes, key=lambda change: -abs(change.change))))


def in_any(change: Change, copies: Mapping[str, str]) -> Change:
    """A change as it is in any copy of the block that it is in, without what is not told."""
    was = change.renamed_from and in_any_copy(change.renamed_from, copies)
    name = in_any_copy(change.name, copies)
    inputs = None if change.arguments else change.input_shapes  # arguments say why
    return replace(change, name=name, renamed_from=was, input_shapes=inputs, output_shape=None)


def together(changes: Sequence[Change], copies: Mapping[str, str]) -> Change:
    """Changes that are the same in several copies as one; a single one as it is."""
    first, *others = changes
    if not others:
        return first
    times = len(changes)
    counts = (first.params.old, first.params.new)
    params = Difference(*(None if count is None else times * count for count in counts))
    whole = times * first.change
    return replace(in_any(first, copies), change=whole, params=params, repeat=times)
