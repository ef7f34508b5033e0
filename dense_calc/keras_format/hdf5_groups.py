"""The groups and arrays of an HDF5 file: what is where, and of which shape, without the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dense_calc.errors import EXCERPT
from dense_calc.shapes import Sizes

MAX_OBJECTS = 30_000  # groups and arrays in a file: a second's work, some 8,000 layers
MAX_DEPTH = 100  # groups in groups; models in models take two each
MAX_NAME = 1000
TOO_MANY = "it has more groups and arrays than a model has"
BACKSLASH = "\\"

Path = tuple[str, ...]


def arrays(tops: Iterable[tuple[Path, Any]]) -> Iterator[tuple[Path, Sizes]]:
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
        if left < 0 or len(path) > MAX_DEPTH:
            raise ValueError(TOO_MANY)
        inner = []
        for name in links(group):
            here = (*path, *steps(name))
            found = object_in(group, name)
            if isinstance(found, h5py.h5d.DatasetID):
                yield here, shape_of(found)
            elif isinstance(found, h5py.h5g.GroupID):
                inner.append((here, found))
        waiting += reversed(inner)


def links(group: Any) -> list[str]:
    """The names of what is in a group.

    Raises:
        ValueError: there are too many; or a link leads elsewhere, which Keras does not allow, or
            its name is no name.
    """
    if group.get_num_objs() > MAX_OBJECTS:
        raise ValueError(TOO_MANY)
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


def steps(name: str) -> Path:
    """The names in that of a group, which some versions join with backslashes on Windows."""
    return tuple(name.split(BACKSLASH))


def quoted(name: str) -> str:
    """A name in a sentence, of which a file may have a long one."""
    return f"'{name if len(name) <= EXCERPT else name[:EXCERPT] + '...'}'"
