"""Read the names and shapes of weights in the manifest of a `model.json` of TensorFlow.js."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

from dense_calc.errors import Source
from dense_calc.keras_format.archives import MIB
from dense_calc.keras_format.detect import MANIFEST_KEY
from dense_calc.keras_format.hdf5_groups import GroupPath, StoredArrays
from dense_calc.keras_format.json_locations import decode_json
from dense_calc.keras_format.stored_layer import NO_WEIGHTS_MESSAGE, StoredLayer
from dense_calc.layers.base import NonNegativeInt
from dense_calc.shapes import MAX_RANK

MAX_MANIFEST_BYTES = 16 * MIB  # of a file with a manifest
_MAX_NAME_STEPS = 20  # parts of a weight's name


class _ManifestWeight(Struct):
    """A weight in the manifest: its name, `dense/kernel`, and its shape."""

    name: str
    shape: Annotated[tuple[NonNegativeInt, ...], Meta(max_length=MAX_RANK)]


class _ManifestGroup(Struct):
    """Weights that are stored together."""

    weights: list[_ManifestWeight]


def read_weights_manifest(data: bytes, name: str, owners: Mapping[str, str]) -> list[StoredLayer]:
    """The layers of which a manifest names weights.

    `owners` has the names of a model's layers, by those names and by the names of the layers
    inside.

    Raises:
        SpecError: the file is not JSON.
        ValueError: the file has no manifest, or a broken one.
    """
    value = decode_json(Source(name, data.decode()))
    if not isinstance(value, dict) or MANIFEST_KEY not in value:
        raise ValueError(NO_WEIGHTS_MESSAGE)
    try:
        groups = convert(value[MANIFEST_KEY], list[_ManifestGroup])
    except ValidationError as error:
        raise ValueError(f"its {MANIFEST_KEY} is not understood: {error}") from None
    by_owner: defaultdict[str, StoredArrays] = defaultdict(list)
    for weight in (each for group in groups for each in group.weights):
        steps = tuple(weight.name.split("/")[:_MAX_NAME_STEPS])
        owner = _find_owner(steps, owners)
        by_owner[owner].append(((owner, *steps), weight.shape))
    return [StoredLayer(owner, owner, arrays) for owner, arrays in by_owner.items()]


def owners_by_name(layers: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The names of a model's layers, by those names and by the names of the layers inside.

    A layer of the model comes before a layer inside of the same name, the first inside before
    later ones.
    """
    pairs = [(name, list(inside)) for name, inside in layers]
    owners = {each: name for name, inside in reversed(pairs) for each in inside}
    return owners | {name: name for name, _ in pairs}


def _find_owner(steps: GroupPath, owners: Mapping[str, str]) -> str:
    """The layer of a weight: the first layer in the parts of its name, or else its first part."""
    for start in range(len(steps)):
        for end in range(len(steps) - 1, start, -1):
            name = "/".join(steps[start:end])
            if name in owners:
                return owners[name]
    return steps[0]
