"""Match the layers of two models: by names that somebody gave, and by structure."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from operator import attrgetter

import msgspec
from msgspec import Struct

from dense_calc.analysis.common_subsequence import common_places
from dense_calc.analysis.compared_layers import (
    NO_OLD_NAMES,
    ComparedLayer,
    ComparedLayers,
    OldNames,
    comparable_arguments,
)
from dense_calc.layers.base import LayerKind
from dense_calc.model import is_node_chain

_MAX_LEVELS = 64  # of names in names: more than blocks and models in each other can have


class _Part(Struct, frozen=True, gc=False):
    """A layer, or the `parts` of a copy of a block or of a nested model, and the evidence for it.

    `place` is that of the first layer in the order in which data flows.

    Evidence is equal for parts that may be the same, and None where there is none. An `anchor` is
    a label that somebody gave to one layer only, in both models. `arguments` are the classes and
    the arguments of all layers; `labelled_arguments` have them together with a label, and
    `labelled_type` the class alone.
    """

    name: str
    label: str
    place: int
    parts: tuple[_Part, ...] = ()
    anchor: str | None = None
    labelled_arguments: tuple[bytes, str] | None = None
    arguments: bytes | None = None
    labelled_type: tuple[str, str] | None = None


_EVIDENCE = ("anchor", "labelled_arguments", "arguments", "labelled_type")  # the surest first


def match_layers(was: ComparedLayers, now: ComparedLayers) -> OldNames:
    """The old names of the new layers that were in the old model, perhaps under another name.

    A name that somebody gave is the same layer where its class is the same. The other layers are
    matched in the order in which data flows, by each of the `_EVIDENCE` between those that are
    matched by the one before. Then come layers that kept only their name, or only what they read.
    """
    old_anchors, new_anchors = _anchors(was), _anchors(now)
    anchors = old_anchors.keys() & new_anchors.keys()
    keys: dict[LayerKind, bytes] = {}
    olds, news = (
        [
            _layer_part(layer, place, anchors, keys)
            for place, layer in enumerate(_flow_order(layers))
        ]
        for layers in (was, now)
    )
    names = dict(_aligned_names(_grouped_parts(olds), _grouped_parts(news)))
    names |= {new_anchors[each]: old_anchors[each] for each in anchors}
    free = was.keys() & now.keys() - names.keys() - {*names.values()}
    names |= {name: name for name in free if was[name].is_named and now[name].is_named}
    _match_moved(was, now, olds, news, names)
    return names


def _anchors(layers: ComparedLayers) -> Mapping[tuple[str, str], str]:
    """The names of layers by their classes and the labels that only they were given."""
    counts = Counter(layer.label for layer in layers.values() if layer.is_named)
    return {
        (layer.type, layer.label): name
        for name, layer in layers.items()
        if layer.is_named and counts[layer.label] == 1
    }


def _layer_part(
    layer: ComparedLayer, place: int, anchors: Set[tuple[str, str]], keys: dict[LayerKind, bytes]
) -> _Part:
    """The evidence for a layer; `keys` are the arguments of the layers before."""
    labelled_type = (layer.type, layer.label)
    if layer.is_named and labelled_type in anchors:
        return _Part(layer.name, layer.label, place, anchor=layer.label)
    arguments = _arguments_key(layer, keys)
    labelled = (arguments, layer.label)
    return _Part(layer.name, layer.label, place, (), None, labelled, arguments, labelled_type)


def _grouped_parts(layers: Sequence[_Part], level: int = 0) -> tuple[_Part, ...]:
    """The parts of which the names begin alike, those of one block or model, as one part."""
    if level == _MAX_LEVELS or not any("/" in each.name for each in layers):
        return tuple(layers)
    groups: defaultdict[tuple[str, bool], list[_Part]] = defaultdict(list)
    for each in layers:
        *path, _ = each.name.split("/", level + 1)
        is_inside = len(path) > level
        groups["/".join(path) if is_inside else each.name, is_inside].append(each)
    return tuple(
        _group_part(name, _grouped_parts(group, level + 1)) if is_inside else group[0]
        for (name, is_inside), group in groups.items()
    )


def _group_part(name: str, parts: tuple[_Part, ...]) -> _Part:
    """The evidence for some parts together."""
    from hashlib import sha256  # most models have no blocks

    text = msgspec.msgpack.encode([each.arguments or each.anchor for each in parts])
    arguments = sha256(text).digest()
    label = "/".join(parts[0].label.split("/")[: name.count("/") + 1])
    return _Part(
        name, label, parts[0].place, parts, None, (arguments, label), arguments, ("", label)
    )


def _arguments_key(layer: ComparedLayer, keys: dict[LayerKind, bytes]) -> bytes:
    """The class and the arguments of a layer as JSON, worked out once for layers that are equal."""
    kind = layer.node.layer
    try:
        key = keys.get(kind)
    except TypeError:  # a mapping is among its arguments
        return _encode_arguments(layer)
    if key is None:
        key = _encode_arguments(layer)
        if layer.node.inputs and not layer.is_opened:
            keys[kind] = key
    return key


def _encode_arguments(layer: ComparedLayer) -> bytes:
    """The class and the arguments of a layer as JSON."""
    return msgspec.json.encode(comparable_arguments(layer), order="deterministic")


def _flow_order(layers: ComparedLayers) -> Iterable[ComparedLayer]:
    """The layers, each after the branches that it reads, one branch after the other.

    In the order of Keras, by depth, a layer more in one branch would move those of the others.
    """
    if layers and is_node_chain([layer.node for layer in layers.values()]):
        return layers.values()
    sources = {
        name: [each for each in layer.sources if each in layers] for name, layer in layers.items()
    }
    read = {name for names in sources.values() for name in names}
    ordered: dict[str, ComparedLayer] = {}
    waiting = [name for name in layers if name not in read][::-1]
    while waiting:
        name = waiting[-1]
        missing = [each for each in sources.pop(name, ()) if each not in ordered]
        if missing:
            waiting.extend(reversed(missing))
        else:
            ordered.setdefault(waiting.pop(), layers[name])
    return ordered.values()


def _aligned_names(
    olds: Sequence[_Part], news: Sequence[_Part], evidence: Sequence[str] = _EVIDENCE
) -> Iterator[tuple[str, str]]:
    """The new and the old names of the layers that evidence matches.

    Groups are opened where only one model has them, and where no evidence matches them.
    """
    has_groups = [any(each.parts for each in parts) for parts in (olds, news)]
    if any(has_groups) and not (evidence and all(has_groups)):
        yield from _aligned_names(_opened_parts(olds), _opened_parts(news))
    elif evidence:
        keys = ([getattr(each, evidence[0]) for each in parts] for parts in (olds, news))
        old_start = new_start = 0
        for old, new in [*common_places(*keys), (len(olds), len(news))]:
            if old > old_start and new > new_start:
                gaps = olds[old_start:old], news[new_start:new]
                yield from _aligned_names(*gaps, evidence[1:])
            old_start, new_start = old + 1, new + 1
            if old < len(olds) and olds[old].parts:
                yield from _aligned_names(olds[old].parts, news[new].parts)
            elif old < len(olds):
                yield news[new].name, olds[old].name


def _opened_parts(parts: Sequence[_Part]) -> Sequence[_Part]:
    """The parts of groups in place of the groups, in the order in which data flows."""
    opened = [inner for each in parts for inner in (each.parts or (each,))]
    return sorted(opened, key=attrgetter("place"))


def _match_moved(
    was: ComparedLayers,
    now: ComparedLayers,
    olds: Sequence[_Part],
    news: Sequence[_Part],
    names: dict[str, str],
) -> None:
    """Match the layers that are left, where class, arguments and what they read are the same."""
    kept = {*names.values()}
    left: defaultdict[object, deque[str]] = defaultdict(deque)
    for each in olds:
        if each.name not in kept:
            left[each.arguments, was[each.name].call_sources(NO_OLD_NAMES)].append(each.name)
    for each in news:
        layer = now[each.name]
        if layer.name not in names and names.keys() >= {*layer.sources}:
            same = left[each.arguments, layer.call_sources(names)]
            if same:
                names[layer.name] = same.popleft()
