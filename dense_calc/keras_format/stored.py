"""What is in the weights that a file of Keras' stores: names and shapes are read, never numbers.

A `.keras` archive has a group for each object with variables (`layers/dense/vars/0`), an HDF5 file
one for each layer (`model_weights/dense/...`).
"""

from __future__ import annotations

import io
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, cast

from msgspec import Struct

from dense_calc.errors import EXCERPT, FileError
from dense_calc.keras_format.archives import (
    HDF5,
    MAX_INFLATED,
    STORED,
    WEIGHTS,
    ZIP,
    Stretch,
    hdf5,
    member,
    members_of,
    opened,
    readable,
)
from dense_calc.shapes import Sizes

MAX_OBJECTS = 30_000  # groups and arrays in a file: a second's work, some 8,000 layers
MAX_DEPTH = 100  # groups in groups; models in models take two each
MAX_NAME = 1000
LOCAL_HEADER = 30  # bytes before the name of a member

LAYERS = ("layers", "_layer_checkpoint_dependencies")  # the latter up to Keras 2.13
MODEL_WEIGHTS = "model_weights"
# What counts as no weight: the state of a seed, and the frequencies that a vocabulary has.
SEED, SEED_SHAPE = re.compile(r"(seed_)?generator(_\d+)?"), (2,)
FREQUENCIES = "idf_weights"

Path = tuple[str, ...]


class Stored(Struct):
    """What a file stores of a layer; `group` is where, `name` is '' where it does not tell.

    `again` are the shapes that a wrapper stores a second time, of the layer inside it. `is_merged`
    is whether a kernel is stored as its sum with what LoRA adds, which is not stored.
    """

    name: str
    group: str
    shapes: list[Sizes]
    again: list[Sizes]
    is_merged: bool


def stored_weights(path: str, names: Iterable[str] = ()) -> list[Stored]:
    """The layers of which a file stores arrays; `names` are those that layers may have.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    if path == "-":
        raise FileError("cannot read the weights of <stdin>: they are read from a file")
    with readable(path), open(path, "rb") as file:
        head = file.read(len(HDF5))
        if head.startswith(ZIP):
            with members_of(file) as members, hdf5(weights_in(members, file)) as root:
                return in_layers(root.id)
        if head == HDF5:
            with hdf5(file) as root:
                return in_file(root.id, set(names))
        raise ValueError("it stores no weights; a .keras archive or an HDF5 file does")


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


def in_file(root: Any, names: set[str]) -> list[Stored]:
    """What an HDF5 file stores: of a whole model, or weights alone."""
    whole = group_in(root, MODEL_WEIGHTS)
    if whole is not None:
        return in_groups(whole, names)
    if any(root.links.exists(each.encode()) for each in LAYERS):
        return in_layers(root)
    return in_groups(root, names)


def in_groups(top: Any, names: set[str]) -> list[Stored]:
    """What the groups that are named as layers hold, which a name with slashes divides."""
    found: defaultdict[str, list[Sizes]] = defaultdict(list)
    slashed = any("/" in name for name in names)
    for path, shape in arrays(top):
        starts = ("/".join(path[:number]) for number in range(len(path) - 1, 1, -1))
        owner = next((each for each in starts if each in names), None) if slashed else None
        found[owner or path[0]].append(shape)
    return [Stored(name, name, shapes, [], False) for name, shapes in found.items()]


def in_layers(root: Any) -> list[Stored]:
    """What the groups below `layers` hold, which are named as classes; most tell a layer's name."""
    layers = []
    for top in (group_in(root, each) for each in LAYERS):
        if top is None:
            continue
        below: defaultdict[str, list[tuple[Path, Sizes]]] = defaultdict(list)
        for path, shape in arrays(top):
            if is_weight(path, shape):
                below[path[0]].append((path, shape))
        for group, pairs in below.items():
            shapes = [shape for _, shape in pairs]
            name, again = name_of(top, group), stored_again(pairs)
            layers.append(Stored(name, group, shapes, again, True))
    return layers


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


def arrays(top: Any) -> Iterator[tuple[Path, Sizes]]:
    """The arrays in a group and in those below it: the way to each, and its shape.

    Raises:
        ValueError: there are too many, they are in too many groups, or links lead elsewhere.
    """
    import h5py

    left = MAX_OBJECTS
    waiting: list[tuple[Path, Any]] = [((), top)]
    while waiting:
        path, group = waiting.pop()
        left -= group.get_num_objs()
        if left < 0 or len(path) > MAX_DEPTH:
            raise ValueError("it has more groups and arrays than a model has")
        inner = []
        for name in links(group):
            here = (*path, name)
            found = object_in(group, name)
            if isinstance(found, h5py.h5d.DatasetID):
                yield here, shape_of(found)
            elif isinstance(found, h5py.h5g.GroupID):
                inner.append((here, found))
        waiting += reversed(inner)


def links(group: Any) -> list[str]:
    """The names of what is in a group.

    Raises:
        ValueError: a link leads elsewhere, which Keras does not allow, or its name is no name.
    """
    found: list[tuple[bytes, int]] = []
    group.links.iterate(lambda name, link: found.append((name, link.type)), info=True)
    return [name_in(name, kind) for name, kind in found]


def name_in(name: bytes, kind: int) -> str:
    """The name of a link of a kind; ValueError if the link is not one to an object of the file."""
    import h5py

    text = name.decode(errors="surrogateescape")
    if kind != h5py.h5l.TYPE_HARD or len(name) > MAX_NAME:
        raise ValueError(f"{quoted(text)} in it is no group or array, but leads elsewhere")
    return text


def group_in(group: Any, name: str) -> Any:
    """The group that has a name in a group, None if nothing has.

    Raises:
        ValueError: it is no group.
    """
    import h5py

    link = name.encode(errors="surrogateescape")
    if not group.links.exists(link):
        return None
    name_in(link, group.links.get_info(link).type)
    found = object_in(group, name)
    if not isinstance(found, h5py.h5g.GroupID):
        raise ValueError(f"its {quoted(name)} is no group")
    return found


def object_in(group: Any, name: str) -> Any:
    """What a link leads to, as h5py's inner objects, which take a tenth of the time."""
    import h5py

    return h5py.h5o.open(group, name.encode(errors="surrogateescape"))


def shape_of(array: Any) -> Sizes:
    """The shape that is declared for an array.

    Raises:
        ValueError: it is in other files, which would be opened to tell; or it has none.
    """
    import h5py

    if array.get_create_plist().get_layout() == h5py.h5d.VIRTUAL:
        raise ValueError("an array in it is in other files")
    shape: Sizes | None = array.shape
    if shape is None:
        raise ValueError("an array in it has no shape")
    return shape


def name_of(top: Any, group: str) -> str:
    """The name that a layer's own variables tell, '' if they do not."""
    import h5py

    own = group_in(group_in(top, group), "vars")
    if own is None or not h5py.h5a.exists(own, b"name"):
        return ""
    if h5py.h5a.open(own, b"name").get_storage_size() > MAX_NAME:
        raise ValueError("a layer's name in it is too long")
    name = h5py.Group(own).attrs["name"]
    return name if isinstance(name, str) else ""


def quoted(name: str) -> str:
    """A name in a sentence, of which a file may have a long one."""
    return f"'{name if len(name) <= EXCERPT else name[:EXCERPT] + '...'}'"
