"""The weights that a `model.json` of TensorFlow.js names: its `weightsManifest`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

from dense_calc.errors import Source
from dense_calc.keras_format.archives import MIB
from dense_calc.keras_format.detect import MANIFEST_KEY
from dense_calc.keras_format.hdf5_groups import GroupPath
from dense_calc.keras_format.json_locations import decode_json
from dense_calc.keras_format.stored_weights import NO_WEIGHTS_MESSAGE, StoredLayer
from dense_calc.layers.base import NonNegativeInt
from dense_calc.shapes import MAX_RANK, Sizes

MAX_MANIFEST_BYTES = 16 * MIB  # bytes of a file with a manifest
_MAX_NAME_STEPS = 20  # names in the name of a weight


class _ManifestWeight(Struct):
    """A weight as the manifest has it: `dense/kernel` and its shape."""

    name: str
    shape: Annotated[tuple[NonNegativeInt, ...], Meta(max_length=MAX_RANK)]


class _ManifestGroup(Struct):
    """Weights that are stored together."""

    weights: list[_ManifestWeight]


def read_weights_manifest(data: bytes, name: str, owners: Mapping[str, str]) -> list[StoredLayer]:
    """What a file stores of the layers of a model; `owners` are they by their names.

    Those of layers inside them lead to them, too.

    Raises:
        SpecError: it is no JSON.
        ValueError: it has no manifest, or one that is not understood.
    """
    value = decode_json(Source(name, data.decode()))
    if not isinstance(value, dict) or MANIFEST_KEY not in value:
        raise ValueError(NO_WEIGHTS_MESSAGE)
    try:
        groups = convert(value[MANIFEST_KEY], list[_ManifestGroup])
    except ValidationError as error:
        raise ValueError(f"its {MANIFEST_KEY} is not understood: {error}") from None
    found: defaultdict[str, list[tuple[GroupPath, Sizes]]] = defaultdict(list)
    for weight in (each for group in groups for each in group.weights):
        steps = tuple(weight.name.split("/")[:_MAX_NAME_STEPS])
        owner = _find_owner(steps, owners)
        found[owner].append(((owner, *steps), weight.shape))
    return [
        StoredLayer(owner, owner, [shape for _, shape in pairs], paths=[path for path, _ in pairs])
        for owner, pairs in found.items()
    ]


def owners_by_name(layers: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The layers of a model by their names, and by those of layers inside them, which come last."""
    pairs = [(name, list(inside)) for name, inside in layers]
    owners = {each: name for name, inside in reversed(pairs) for each in reversed(inside)}
    return owners | {name: name for name, _ in pairs}


def _find_owner(steps: GroupPath, owners: Mapping[str, str]) -> str:
    """The layer that a weight belongs to: the first that its name tells, or else its first part."""
    for start in range(len(steps)):
        for end in range(len(steps) - 1, start, -1):
            name = "/".join(steps[start:end])
            if name in owners:
                return owners[name]
    return steps[0]
