"""The weights that a `model.json` of TensorFlow.js names: its `weightsManifest`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

from dense_calc.errors import Source
from dense_calc.keras_format.places import value_of
from dense_calc.keras_format.signs import MANIFEST
from dense_calc.keras_format.stored import NO_WEIGHTS, Stored
from dense_calc.layers.base import NotNegative
from dense_calc.report import Row
from dense_calc.shapes import MAX_RANK, Sizes

MAX_STEPS = 20  # names in the name of a weight


class Weight(Struct):
    """A weight as the manifest has it: `dense/kernel` and its shape."""

    name: str
    shape: Annotated[tuple[NotNegative, ...], Meta(max_length=MAX_RANK)]


class Group(Struct):
    """Weights that are stored together."""

    weights: list[Weight]


def in_manifest(data: bytes, name: str, rows: Sequence[Row]) -> list[Stored]:
    """What a file stores of the layers of a model, whose rows say which names they have.

    Raises:
        SpecError: it is no JSON.
        ValueError: it has no manifest, or one that is not understood.
    """
    value = value_of(Source(name, data.decode()))
    if not isinstance(value, dict) or MANIFEST not in value:
        raise ValueError(NO_WEIGHTS)
    try:
        groups = convert(value[MANIFEST], list[Group])
    except ValidationError as error:
        raise ValueError(f"its {MANIFEST} is not understood: {error}") from None
    owners = dict(reversed(list(owners_in(rows))))
    found: defaultdict[str, list[Sizes]] = defaultdict(list)
    for weight in (each for group in groups for each in group.weights):
        found[owner_of(weight.name, owners)].append(weight.shape)
    return [Stored(owner, owner, shapes) for owner, shapes in found.items()]


def owners_in(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The names of layers and of those inside them, and the rows that they belong to."""
    yield from ((row.name, row.name) for row in rows)
    for row in rows:
        yield from ((name, row.name) for name, _ in owners_in(row.layers))


def owner_of(weight: str, owners: dict[str, str]) -> str:
    """The row that a weight belongs to: the first that its name tells, or else its first part."""
    steps = weight.split("/")[:MAX_STEPS]
    for start in range(len(steps)):
        for end in range(len(steps) - 1, start, -1):
            name = "/".join(steps[start:end])
            if name in owners:
                return owners[name]
    return steps[0]
