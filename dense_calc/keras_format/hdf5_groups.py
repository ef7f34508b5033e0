"""Walk the groups of an HDF5 file, and read the shapes of its arrays without the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dense_calc.errors import MAX_EXCERPT_CHARS
from dense_calc.shapes import Sizes

MAX_OBJECTS = 30_000  # groups and arrays: a second's work, some 8,000 layers
_MAX_GROUP_DEPTH = 100  # groups in groups; each nested model takes two
MAX_NAME_LENGTH = 1000
_TOO_MANY_OBJECTS = "it has more groups and arrays than a model has"
_BACKSLASH = "\\"

GroupPath = tuple[str, ...]  # the names of a group and of those around it
StoredArrays = list[tuple[GroupPath, Sizes]]  # the paths of arrays, and their shapes


def walk_arrays(tops: Iterable[tuple[GroupPath, Any]]) -> Iterator[tuple[GroupPath, Sizes]]:
    """The path and the shape of each array in these groups, at any depth.

    Raises:
        ValueError: there are too many arrays or groups, or links lead out of the file.
    """
    import h5py

    waiting = list(tops)
    left = MAX_OBJECTS
    while waiting:
        path, group = waiting.pop()
        left -= 1 + group.get_num_objs()
        if left < 0 or len(path) > _MAX_GROUP_DEPTH:
            raise ValueError(_TOO_MANY_OBJECTS)
        inner = []
        for name in link_names(group):
            here = (*path, *split_group_name(name))
            item = open_object(group, name)
            if isinstance(item, h5py.h5d.DatasetID):
                yield here, _array_shape(item)
            elif isinstance(item, h5py.h5g.GroupID):
                inner.append((here, item))
        waiting += reversed(inner)


def link_names(group: Any) -> list[str]:
    """The names of the items of a group.

    Raises:
        ValueError: there are too many; or a name is too long, or a link leads out of the file,
            neither of which Keras writes.
    """
    if group.get_num_objs() > MAX_OBJECTS:
        raise ValueError(_TOO_MANY_OBJECTS)
    links: list[tuple[bytes, int]] = []
    group.links.iterate(lambda name, link: links.append((name, link.type)), info=True)
    return [_decode_link_name(name, kind) for name, kind in links]


def _decode_link_name(name: bytes, kind: int) -> str:
    """The name of a link of an HDF5 kind; ValueError if the link leads out of the file."""
    import h5py

    text = name.decode(errors="surrogateescape")
    if kind != h5py.h5l.TYPE_HARD or len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"{quote_stored_name(text)} in it is not a group or array, but a link")
    return text


def open_group(group: Any, name: str) -> Any:
    """The group of this name in a group; None if there is none.

    Raises:
        ValueError: the item of this name is no group.
    """
    import h5py

    link = name.encode(errors="surrogateescape")
    if not group.links.exists(link):
        return None
    _decode_link_name(link, group.links.get_info(link).type)
    item = open_object(group, name)
    if not isinstance(item, h5py.h5g.GroupID):
        raise ValueError(f"its {quote_stored_name(name)} is not a group")
    return item


def open_object(group: Any, name: str) -> Any:
    """The item of a group as an object of h5py's low-level API, which is ten times as fast."""
    import h5py

    return h5py.h5o.open(group, name.encode(errors="surrogateescape"))


def _array_shape(array: Any) -> Sizes:
    """The declared shape of an array.

    Raises:
        ValueError: the array has no shape, or is in other files, which h5py would have to open.
    """
    import h5py

    if array.get_create_plist().get_layout() == h5py.h5d.VIRTUAL:
        raise ValueError("an array in it is in other files")
    shape: Sizes | None = array.shape
    if shape is None:
        raise ValueError("an array in it has no shape")
    return shape


def split_group_name(name: str) -> GroupPath:
    """The names in the name of a group; some versions join them with backslashes on Windows."""
    return tuple(name.split(_BACKSLASH))


def quote_stored_name(name: str) -> str:
    """A name from a file for a sentence: in quotes, and cut if it is long."""
    return f"'{name if len(name) <= MAX_EXCERPT_CHARS else name[:MAX_EXCERPT_CHARS] + '...'}'"
