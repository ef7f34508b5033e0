"""What HDF5 files of Keras' store of each layer: names and shapes are read, never numbers.

A `.keras` archive has a group for each object with variables (`layers/dense/vars/0`), an HDF5 file
one for each layer (`model_weights/dense/...`).
"""

from __future__ import annotations

import io
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from msgspec import Struct

from dense_calc.keras_format.archives import (
    MAX_INFLATED,
    MAX_METADATA,
    STORED,
    WEIGHTS,
    ZIP,
    is_hdf5,
    member,
    members_of,
    opened,
)
from dense_calc.keras_format.hdf5_file import VERSION, Stretch, opened_hdf5, text_attribute
from dense_calc.keras_format.hdf5_groups import (
    MAX_NAME,
    Path,
    arrays,
    group_in,
    links,
    object_in,
    steps,
)
from dense_calc.shapes import Sizes

LOCAL_HEADER = 30  # bytes before the name of a member

LAYERS = ("layers", "_layer_checkpoint_dependencies")  # the latter up to Keras 2.13
MODEL_WEIGHTS = "model_weights"
NO_WEIGHTS = (
    "it stores no weights; a .keras archive, an HDF5 file or TensorFlow.js' model.json does"
)
# What counts as no weight: the state of a seed, and the frequencies that a vocabulary has.
SEED, SEED_SHAPE = re.compile(r"(seed_)?generator(_\d+)?"), (2,)
FREQUENCIES = "idf_weights"


class Stored(Struct):
    """What a file stores of a layer; `group` is where, `name` is '' where it does not tell.

    `paths` lead to the arrays, in the order of their `shapes`. `again` are the shapes that a
    wrapper stores a second time, of the layer inside it. `is_merged` is whether a kernel is stored
    as its sum with what LoRA adds, which is not stored, `is_old` whether Keras 1 may have stored
    it, which had other shapes.
    """

    name: str
    group: str
    shapes: list[Sizes]
    again: list[Sizes] = []
    is_merged: bool = False
    is_old: bool = False
    paths: list[Path] = []


def stored_in(file: BinaryIO, names: set[str]) -> list[Stored] | None:
    """What an archive or an HDF5 file stores of each layer; None if it is neither.

    `names` are those that layers may have.

    Raises:
        ValueError: it is broken, or holds more than a model does.
    """
    if file.read(len(ZIP)) == ZIP:
        with members_of(file) as members, opened_hdf5(weights_in(members, file)) as (root, _):
            return in_layers(root.id)
    if is_hdf5(file):
        with opened_hdf5(file) as (root, stretch):
            return in_file(root, stretch, names)
    return None


def weights_in(members: Any, file: BinaryIO) -> BinaryIO:
    """The weights of an archive as a file: where they stand, or in memory if they are packed."""
    opened(members, WEIGHTS).close()
    info = members.getinfo(WEIGHTS)
    if info.compress_type != STORED:
        return io.BytesIO(member(members, WEIGHTS, MAX_INFLATED))
    file.seek(info.header_offset + LOCAL_HEADER - 4)
    start = info.header_offset + LOCAL_HEADER + sum(struct.unpack("<HH", file.read(4)))
    end = file.seek(0, io.SEEK_END)
    return cast(BinaryIO, Stretch(file, start, min(info.file_size, end - start)))


def in_file(file: Any, stretch: Stretch, names: set[str]) -> list[Stored]:
    """What an HDF5 file stores: of a whole model, or weights alone."""
    whole = group_in(file.id, MODEL_WEIGHTS)
    if whole is None and any(steps(name)[0] in LAYERS for name in links(file.id)):
        return in_layers(file.id)
    top = file[MODEL_WEIGHTS] if whole else file
    versions = (text_attribute(each, VERSION, MAX_METADATA, stretch) for each in (top, file))
    version = next(filter(None, versions), b"1.")  # as later versions of Keras take it
    return in_groups(top.id, names, version.startswith(b"1."))


def in_groups(top: Any, names: set[str], is_old: bool) -> list[Stored]:
    """What the groups that are named as layers hold, which a name with slashes divides."""
    found: defaultdict[str, list[tuple[Path, Sizes]]] = defaultdict(list)
    slashed = any("/" in name for name in names)
    for path, shape in arrays([((), top)]):
        starts = ("/".join(path[:number]) for number in range(len(path) - 1, 1, -1))
        owner = next((each for each in starts if each in names), None) if slashed else None
        found[owner or path[0]].append((path, shape))
    return [
        Stored(name, name, shapes_of(pairs), is_old=is_old, paths=[path for path, _ in pairs])
        for name, pairs in found.items()
    ]


def shapes_of(pairs: list[tuple[Path, Sizes]]) -> list[Sizes]:
    """The shapes of arrays that are given with their paths."""
    return [shape for _, shape in pairs]


def in_layers(root: Any) -> list[Stored]:
    """What the groups below `layers` hold, which are named as classes; most tell a layer's name."""
    groups = list(groups_of_layers(root))
    names = {path[0]: name_of(group) for path, group in groups if len(path) == 1}
    below: defaultdict[str, list[tuple[Path, Sizes]]] = defaultdict(list)
    for path, shape in arrays(groups):
        if is_weight(path, shape):
            below[path[0]].append((path, shape))
    return [
        Stored(
            names.get(group, ""),
            group,
            shapes_of(pairs),
            stored_again(pairs),
            is_merged=True,
            paths=[path for path, _ in pairs],
        )
        for group, pairs in below.items()
    ]


def groups_of_layers(root: Any) -> Iterator[tuple[Path, Any]]:
    """The groups of layers and the ways to them from `layers`."""
    import h5py

    for name in links(root):
        top, *inner = steps(name)
        if top in LAYERS and inner:
            yield tuple(inner), group_in(root, name)
        elif top in LAYERS:
            group = group_in(root, name)
            for each in links(group):
                found = object_in(group, each)
                if isinstance(found, h5py.h5g.GroupID):
                    yield steps(each), found


def is_weight(path: Path, shape: Sizes) -> bool:
    """Whether an array is what Keras counts as a weight."""
    is_seed = len(path) > 3 and SEED.fullmatch(path[-3]) is not None and shape == SEED_SHAPE
    return path[-1] != FREQUENCIES and not is_seed


def stored_again(pairs: list[tuple[Path, Sizes]]) -> list[Sizes]:
    """The shapes that wrappers and the layers in them store both: `vars/0` and `layer/vars/0`.

    SpectralNormalization has a kernel of its layer among its own variables.
    """
    own: defaultdict[Path, Counter[Sizes]] = defaultdict(Counter)
    for path, shape in pairs:
        own[path[:-2]][shape] += 1
    return [
        shape
        for path, shapes in own.items()
        if (*path, "layer") in own
        for shape in (shapes & own[(*path, "layer")]).elements()
    ]


def name_of(layer: Any) -> str:
    """The name that a layer's own variables tell, '' if they do not."""
    import h5py

    own = group_in(layer, "vars")
    if own is None or not h5py.h5a.exists(own, b"name"):
        return ""
    if h5py.h5a.open(own, b"name").get_storage_size() > MAX_NAME:
        raise ValueError("a layer's name in it is too long")
    name = h5py.Group(own).attrs["name"]
    return name if isinstance(name, str) else ""
