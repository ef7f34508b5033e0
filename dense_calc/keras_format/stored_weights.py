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
    MAX_INFLATED_BYTES,
    MAX_METADATA_BYTES,
    WEIGHTS_MEMBER,
    ZIP_MAGIC,
    ZIP_STORED,
    is_hdf5,
    open_archive,
    open_member,
    read_member,
)
from dense_calc.keras_format.hdf5_file import (
    VERSION_ATTRIBUTE,
    FileSlice,
    open_hdf5,
    read_text_attribute,
)
from dense_calc.keras_format.hdf5_groups import (
    MAX_NAME_LENGTH,
    GroupPath,
    link_names,
    open_group,
    open_object,
    split_group_name,
    walk_arrays,
)
from dense_calc.shapes import Sizes

_LOCAL_HEADER_BYTES = 30  # bytes before the name of a member

LAYER_GROUPS = ("layers", "_layer_checkpoint_dependencies")  # the latter up to Keras 2.13
_MODEL_WEIGHTS_GROUP = "model_weights"
NO_WEIGHTS_MESSAGE = (
    "it stores no weights; a .keras archive, an HDF5 file or TensorFlow.js' model.json does"
)
# What counts as no weight: the state of a seed, and the frequencies that a vocabulary has.
_SEED_GROUP_PATTERN, _SEED_STATE_SHAPE = re.compile(r"(seed_)?generator(_\d+)?"), (2,)
_FREQUENCIES_NAME = "idf_weights"


class StoredLayer(Struct):
    """What a file stores of a layer; `group` is where, `name` is '' where it does not tell.

    `paths` lead to the arrays, in the order of their `shapes`. `again` are the shapes that a
    wrapper stores a second time, of the layer inside it. `is_merged` is whether a kernel is stored
    as its sum with what LoRA adds, which is not stored, `is_old` whether Keras 1 may have stored
    it, which had other shapes.
    """

    name: str
    group: str
    shapes: list[Sizes]
    repeated_shapes: list[Sizes] = []
    is_lora_merged: bool = False
    is_keras_1: bool = False
    paths: list[GroupPath] = []


def read_weights_file(file: BinaryIO, names: set[str]) -> list[StoredLayer] | None:
    """What an archive or an HDF5 file stores of each layer; None if it is neither.

    `names` are those that layers may have.

    Raises:
        ValueError: it is broken, or holds more than a model does.
    """
    if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
        with open_archive(file) as members, open_hdf5(_open_weights(members, file)) as (root, _):
            return _read_layer_groups(root.id)
    if is_hdf5(file):
        with open_hdf5(file) as (root, stretch):
            return _read_hdf5_layers(root, stretch, names)
    return None


def _open_weights(members: Any, file: BinaryIO) -> BinaryIO:
    """The weights of an archive as a file: where they stand, or in memory if they are packed."""
    open_member(members, WEIGHTS_MEMBER).close()
    info = members.getinfo(WEIGHTS_MEMBER)
    if info.compress_type != ZIP_STORED:
        return io.BytesIO(read_member(members, WEIGHTS_MEMBER, MAX_INFLATED_BYTES))
    file.seek(info.header_offset + _LOCAL_HEADER_BYTES - 4)
    start = info.header_offset + _LOCAL_HEADER_BYTES + sum(struct.unpack("<HH", file.read(4)))
    end = file.seek(0, io.SEEK_END)
    return cast(BinaryIO, FileSlice(file, start, min(info.file_size, end - start)))


def _read_hdf5_layers(file: Any, stretch: FileSlice, names: set[str]) -> list[StoredLayer]:
    """What an HDF5 file stores: of a whole model, or weights alone."""
    whole = open_group(file.id, _MODEL_WEIGHTS_GROUP)
    if whole is None and any(
        split_group_name(name)[0] in LAYER_GROUPS for name in link_names(file.id)
    ):
        return _read_layer_groups(file.id)
    top = file[_MODEL_WEIGHTS_GROUP] if whole else file
    versions = (
        read_text_attribute(each, VERSION_ATTRIBUTE, MAX_METADATA_BYTES, stretch)
        for each in (top, file)
    )
    version = next(filter(None, versions), b"1.")  # as later versions of Keras take it
    return _read_named_groups(top.id, names, version.startswith(b"1."))


def _read_named_groups(top: Any, names: set[str], is_old: bool) -> list[StoredLayer]:
    """What the groups that are named as layers hold, which a name with slashes divides."""
    found: defaultdict[str, list[tuple[GroupPath, Sizes]]] = defaultdict(list)
    slashed = any("/" in name for name in names)
    for path, shape in walk_arrays([((), top)]):
        starts = ("/".join(path[:number]) for number in range(len(path) - 1, 1, -1))
        owner = next((each for each in starts if each in names), None) if slashed else None
        found[owner or path[0]].append((path, shape))
    return [
        StoredLayer(
            name, name, _array_shapes(pairs), is_keras_1=is_old, paths=[path for path, _ in pairs]
        )
        for name, pairs in found.items()
    ]


def _array_shapes(pairs: list[tuple[GroupPath, Sizes]]) -> list[Sizes]:
    """The shapes of arrays that are given with their paths."""
    return [shape for _, shape in pairs]


def _read_layer_groups(root: Any) -> list[StoredLayer]:
    """What the groups below `layers` hold, which are named as classes; most tell a layer's name."""
    groups = list(_open_layer_groups(root))
    names = {path[0]: _stored_layer_name(group) for path, group in groups if len(path) == 1}
    below: defaultdict[str, list[tuple[GroupPath, Sizes]]] = defaultdict(list)
    for path, shape in walk_arrays(groups):
        if _is_counted_weight(path, shape):
            below[path[0]].append((path, shape))
    return [
        StoredLayer(
            names.get(group, ""),
            group,
            _array_shapes(pairs),
            find_repeated_shapes(pairs),
            is_lora_merged=True,
            paths=[path for path, _ in pairs],
        )
        for group, pairs in below.items()
    ]


def _open_layer_groups(root: Any) -> Iterator[tuple[GroupPath, Any]]:
    """The groups of layers and the ways to them from `layers`."""
    import h5py

    for name in link_names(root):
        top, *inner = split_group_name(name)
        if top in LAYER_GROUPS and inner:
            yield tuple(inner), open_group(root, name)
        elif top in LAYER_GROUPS:
            group = open_group(root, name)
            for each in link_names(group):
                found = open_object(group, each)
                if isinstance(found, h5py.h5g.GroupID):
                    yield split_group_name(each), found


def _is_counted_weight(path: GroupPath, shape: Sizes) -> bool:
    """Whether an array is what Keras counts as a weight."""
    is_seed = (
        len(path) > 3
        and _SEED_GROUP_PATTERN.fullmatch(path[-3]) is not None
        and shape == _SEED_STATE_SHAPE
    )
    return path[-1] != _FREQUENCIES_NAME and not is_seed


def find_repeated_shapes(pairs: list[tuple[GroupPath, Sizes]]) -> list[Sizes]:
    """The shapes that wrappers and the layers in them store both: `vars/0` and `layer/vars/0`.

    SpectralNormalization has a kernel of its layer among its own variables.
    """
    own: defaultdict[GroupPath, Counter[Sizes]] = defaultdict(Counter)
    for path, shape in pairs:
        own[path[:-2]][shape] += 1
    return [
        shape
        for path, shapes in own.items()
        if (*path, "layer") in own
        for shape in (shapes & own[(*path, "layer")]).elements()
    ]


def _stored_layer_name(layer: Any) -> str:
    """The name that a layer's own variables tell, '' if they do not."""
    import h5py

    own = open_group(layer, "vars")
    if own is None or not h5py.h5a.exists(own, b"name"):
        return ""
    if h5py.h5a.open(own, b"name").get_storage_size() > MAX_NAME_LENGTH:
        raise ValueError("a layer's name in it is too long")
    name = h5py.Group(own).attrs["name"]
    return name if isinstance(name, str) else ""
