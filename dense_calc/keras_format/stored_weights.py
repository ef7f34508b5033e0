"""Read the names and shapes of the weights that a Keras file stores, by layer; never the numbers.

A `.keras` archive has a group for each object with variables (`layers/dense/vars/0`), an HDF5 file
one for each layer (`model_weights/dense/...`).
"""

from __future__ import annotations

import io
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, cast

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
    wrap_read_errors,
)
from dense_calc.keras_format.detect import DETECTION_BYTES, JSON_START
from dense_calc.keras_format.hdf5_file import (
    VERSION_ATTRIBUTE,
    FileSlice,
    open_hdf5,
    read_text_attribute,
)
from dense_calc.keras_format.hdf5_groups import (
    MAX_NAME_LENGTH,
    GroupPath,
    StoredArrays,
    link_names,
    open_group,
    open_object,
    split_group_name,
    walk_arrays,
)
from dense_calc.keras_format.stored_layer import NO_WEIGHTS_MESSAGE, StoredLayer
from dense_calc.shapes import Sizes

_LOCAL_HEADER_BYTES = 30  # of a zip member, before its name

LAYER_GROUPS = ("layers", "_layer_checkpoint_dependencies")  # the latter up to Keras 2.13
_MODEL_WEIGHTS_GROUP = "model_weights"
# Arrays that Keras does not count as weights: the state of a seed, the frequencies of a vocabulary.
_SEED_GROUP_PATTERN, _SEED_STATE_SHAPE = re.compile(r"(seed_)?generator(_\d+)?"), (2,)
_FREQUENCIES_NAME = "idf_weights"


def read_stored_layers(
    path: str, names: set[str], owners: Callable[[], Mapping[str, str]]
) -> list[StoredLayer]:
    """The layers of which an archive, an HDF5 file or a manifest of TensorFlow.js stores arrays.

    `names` are those that layers may have. `owners` returns the names of a model's layers, by those
    names and by the names of the layers inside.

    Raises:
        FileError: the file stores no weights, or is broken.
        SpecError: the file is not JSON, as a manifest is.
    """
    with wrap_read_errors(path), open(path, "rb") as file:
        layers = _read_weights_file(file, names)
        if layers is not None:
            return layers
        file.seek(0)
        if not re.match(JSON_START, file.read(DETECTION_BYTES).decode(errors="replace")):
            raise ValueError(NO_WEIGHTS_MESSAGE)
        from dense_calc.keras_format.tfjs_manifest import (  # few files have one
            MAX_MANIFEST_BYTES,
            read_weights_manifest,
        )

        file.seek(0)
        return read_weights_manifest(file.read(MAX_MANIFEST_BYTES), path, owners())


def _read_weights_file(file: BinaryIO, names: set[str]) -> list[StoredLayer] | None:
    """The layers in an archive or an HDF5 file; None if the file is neither."""
    if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
        with open_archive(file) as members, open_hdf5(_open_weights(members, file)) as (root, _):
            return _read_layer_groups(root.id)
    if is_hdf5(file):
        with open_hdf5(file) as (root, hdf5):
            return _read_hdf5_layers(root, hdf5, names)
    return None


def _open_weights(members: Any, file: BinaryIO) -> BinaryIO:
    """The weights of an archive as a file: a part of it, or in memory if they are compressed."""
    open_member(members, WEIGHTS_MEMBER).close()
    info = members.getinfo(WEIGHTS_MEMBER)
    if info.compress_type != ZIP_STORED:
        return io.BytesIO(read_member(members, WEIGHTS_MEMBER, MAX_INFLATED_BYTES))
    file.seek(info.header_offset + _LOCAL_HEADER_BYTES - 4)
    start = info.header_offset + _LOCAL_HEADER_BYTES + sum(struct.unpack("<HH", file.read(4)))
    end = file.seek(0, io.SEEK_END)
    return cast(BinaryIO, FileSlice(file, start, min(info.file_size, end - start)))


def _read_hdf5_layers(root: Any, hdf5: FileSlice, names: set[str]) -> list[StoredLayer]:
    """The layers in an HDF5 file of a whole model, or of weights alone."""
    weights = open_group(root.id, _MODEL_WEIGHTS_GROUP)
    if weights is None and any(
        split_group_name(name)[0] in LAYER_GROUPS for name in link_names(root.id)
    ):
        return _read_layer_groups(root.id)
    top = root[_MODEL_WEIGHTS_GROUP] if weights else root
    versions = (
        read_text_attribute(group, VERSION_ATTRIBUTE, MAX_METADATA_BYTES, hdf5)
        for group in (top, root)
    )
    version = next(filter(None, versions), b"1.")  # the default of later versions of Keras
    return _read_named_groups(top.id, names, version.startswith(b"1."))


def _read_named_groups(top: Any, names: set[str], is_keras_1: bool) -> list[StoredLayer]:
    """The layers in groups with the names of layers; slashes in a name are groups in groups."""
    by_owner: defaultdict[str, StoredArrays] = defaultdict(list)
    has_slashes = any("/" in name for name in names)
    for path, shape in walk_arrays([((), top)]):
        starts = ("/".join(path[:number]) for number in range(len(path) - 1, 1, -1))
        owner = next((each for each in starts if each in names), None) if has_slashes else None
        by_owner[owner or path[0]].append((path, shape))
    return [
        StoredLayer(name, name, arrays, is_keras_1=is_keras_1) for name, arrays in by_owner.items()
    ]


def _read_layer_groups(root: Any) -> list[StoredLayer]:
    """The layers in groups named after classes; most have the layer's name in an attribute."""
    groups = list(_open_layer_groups(root))
    names = {path[0]: _stored_layer_name(group) for path, group in groups if len(path) == 1}
    by_group: defaultdict[str, StoredArrays] = defaultdict(list)
    for path, shape in walk_arrays(groups):
        if _is_counted_weight(path, shape):
            by_group[path[0]].append((path, shape))
    return [
        StoredLayer(
            names.get(group, ""), group, arrays, find_repeated_shapes(arrays), is_lora_merged=True
        )
        for group, arrays in by_group.items()
    ]


def _open_layer_groups(root: Any) -> Iterator[tuple[GroupPath, Any]]:
    """The groups of layers, with their paths below `layers`."""
    import h5py

    for name in link_names(root):
        top, *inner = split_group_name(name)
        if top in LAYER_GROUPS and inner:
            yield tuple(inner), open_group(root, name)
        elif top in LAYER_GROUPS:
            group = open_group(root, name)
            for each in link_names(group):
                item = open_object(group, each)
                if isinstance(item, h5py.h5g.GroupID):
                    yield split_group_name(each), item


def _is_counted_weight(path: GroupPath, shape: Sizes) -> bool:
    """Whether Keras counts an array as a weight."""
    is_seed = (
        len(path) > 3
        and _SEED_GROUP_PATTERN.fullmatch(path[-3]) is not None
        and shape == _SEED_STATE_SHAPE
    )
    return path[-1] != _FREQUENCIES_NAME and not is_seed


def find_repeated_shapes(arrays: StoredArrays) -> list[Sizes]:
    """The shapes that both a wrapper and the layer in it store: `vars/0` and `layer/vars/0`.

    SpectralNormalization has the kernel of its layer among its own variables.
    """
    by_owner: defaultdict[GroupPath, Counter[Sizes]] = defaultdict(Counter)
    for path, shape in arrays:
        by_owner[path[:-2]][shape] += 1
    return [
        shape
        for path, shapes in by_owner.items()
        if (*path, "layer") in by_owner
        for shape in (shapes & by_owner[(*path, "layer")]).elements()
    ]


def _stored_layer_name(layer: Any) -> str:
    """The name of a layer in the attributes of its variables' group; '' if there is none."""
    import h5py

    variables = open_group(layer, "vars")
    if variables is None or not h5py.h5a.exists(variables, b"name"):
        return ""
    if h5py.h5a.open(variables, b"name").get_storage_size() > MAX_NAME_LENGTH:
        raise ValueError("a layer's name in it is too long")
    name = h5py.Group(variables).attrs["name"]
    return name if isinstance(name, str) else ""
