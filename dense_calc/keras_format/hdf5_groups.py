"""The groups and arrays of an HDF5 file: what is where, and of which shape, without the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dense_calc.errors import MAX_EXCERPT_CHARS
from dense_calc.shapes import Sizes

MAX_OBJECTS = 30_000  # groups and arrays in a file: a second's work, some 8,000 layers
_MAX_GROUP_DEPTH = 100  # groups in groups; models in models take two each
MAX_NAME_LENGTH = 1000
_TOO_MANY_OBJECTS = "it has more groups and arrays than a model has"
_BACKSLASH = "\\"

GroupPath = tuple[str, ...]


def walk_arrays(tops: Iterable[tuple[GroupPath, Any]]) -> Iterator[tuple[GroupPath, Sizes]]:
    """The arrays in groups and in those below them: the way to each, and its shape.

    Raises:
        ValueError: there are too many, they are in too many groups, or links lead elsewhere.
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
            found = open_object(group, name)
            if isinstance(found, h5py.h5d.DatasetID):
                yield here, _array_shape(found)
            elif isinstance(found, h5py.h5g.GroupID):
                inner.append((here, found))
        waiting += reversed(inner)


def link_names(group: Any) -> list[str]:
    """The names of what is in a group.

    Raises:
        ValueError: there are too many; or a link leads elsewhere, which Keras does not allow, or
            its name is no name.
    """
    if group.get_num_objs() > MAX_OBJECTS:
        raise ValueError(_TOO_MANY_OBJECTS)
    found: list[tuple[bytes, int]] = []
    group.links.iterate(lambda name, link: found.append((name, link.type)), info=True)
    return [_decode_link_name(name, kind) for name, kind in found]


def _decode_link_name(name: bytes, kind: int) -> str:
    """The name of a link of a kind; ValueError if the link is not one to an object of the file."""
    import h5py

    text = name.decode(errors="surrogateescape")
    if kind != h5py.h5l.TYPE_HARD or len(name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"{quote_stored_name(text)} in it is no group or array, but leads elsewhere"
        )
    return text


def open_group(group: Any, name: str) -> Any:
    """The group that has a name in a group, None if nothing has.

    Raises:
        ValueError: it is no group.
    """
    import h5py

    link = name.encode(errors="surrogateescape")
    if not group.links.exists(link):
        return None
    _decode_link_name(link, group.links.get_info(link).type)
    found = open_object(group, name)
    if not isinstance(found, h5py.h5g.GroupID):
        raise ValueError(f"its {quote_stored_name(name)} is no group")
    return found


def open_object(group: Any, name: str) -> Any:
    """What a link leads to, as h5py's inner objects, which take a tenth of the time."""
    import h5py

    return h5py.h5o.open(group, name.encode(errors="surrogateescape"))


def _array_shape(array: Any) -> Sizes:
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


def split_group_name(name: str) -> GroupPath:
    """The names in that of a group, which some versions join with backslashes on Windows."""
    return tuple(name.split(_BACKSLASH))


def quote_stored_name(name: str) -> str:
    """A name in a sentence, of which a file may have a long one."""
    return f"'{name if len(name) <= MAX_EXCERPT_CHARS else name[:MAX_EXCERPT_CHARS] + '...'}'"
