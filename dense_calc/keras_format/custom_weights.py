"""What a file stores of a layer whose class nobody knows: the names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from dense_calc.errors import FileError, SpecError, printable
from dense_calc.keras_format.archives import readable
from dense_calc.keras_format.assumed_layer import Held
from dense_calc.keras_format.custom_objects import Store
from dense_calc.keras_format.hdf5_groups import Path
from dense_calc.keras_format.stored_weights import LAYERS, Stored, stored_again, stored_in
from dense_calc.shapes import Sizes

VARS = "vars"  # the group of an object's own variables
NUMBER = ":0"  # what TensorFlow adds to the name of a variable

Layers = Callable[[], dict[str, Stored]]


def store_in(path: str, owners: Callable[[], Mapping[str, str]]) -> Store:
    """What a file stores of its model; it is not read before that is asked.

    `owners` gives the layers of the model, by their names and those of layers inside them.
    """

    @cache
    def layers() -> dict[str, Stored]:
        try:
            found = stored_layers(path, owners)
        except (FileError, SpecError):
            return {}
        return {each.name or f"{VARS}/{each.group}": each for each in found}

    return FileStore(layers)


def stored_layers(path: str, owners: Callable[[], Mapping[str, str]]) -> list[Stored]:
    """What an archive, an HDF5 file or the manifest of TensorFlow.js stores.

    Raises:
        FileError: it is broken.
        SpecError: its manifest is.
    """
    with readable(path), open(path, "rb") as file:
        found = stored_in(file, set())
        if found is not None:
            return found
        file.seek(0)
        from dense_calc.keras_format.tfjs_manifest import MAX_TEXT, in_manifest  # of few files

        return in_manifest(file.read(MAX_TEXT), path, owners())


class FileStore(Store):
    """What a file stores of a layer or a model, by the two ways to it.

    `names` are those of the models around it and its own, `groups` those of the groups of an
    archive: `functional`, `layers`, `dense`.
    """

    def __init__(self, layers: Layers, names: Path = (), groups: Path = ()) -> None:
        self.layers = layers
        self.names = names
        self.groups = groups

    def at(self, name: str, group: str) -> Store:
        between = LAYERS[:1] if self.groups else ()
        return FileStore(self.layers, (*self.names, name), (*self.groups, *between, group))

    def within(self, argument: str) -> Store:
        return FileStore(self.layers, self.names, (*self.groups, argument))

    def held(self) -> Held | None:
        if any("/" in name for name in self.names):  # which divides the groups of HDF5
            return None
        stored = self.layers()
        tells_names = stored and not any(each.startswith(f"{VARS}/") for each in stored)
        top = stored.get(self.names[0]) or stored.get(f"{VARS}/{self.groups[0]}")
        if top is None:
            return {} if tells_names else None
        found = top if len(self.names) == 1 else self.inside(top)
        if found.again or not (found.shapes or tells_names):
            return None
        return named(found)

    def inside(self, top: Stored) -> Stored:
        """What is stored of the layer, in what is stored of the outermost model around it."""
        pairs = list(zip(top.paths, top.shapes, strict=True))
        if any(path[-2] == VARS for path in top.paths if len(path) > 1):
            pairs = list(below(pairs, self.groups))
        else:
            pairs = closest(pairs, self.names)
        paths, shapes = [path for path, _ in pairs], [shape for _, shape in pairs]
        return Stored(self.names[-1], self.groups[-1], shapes, stored_again(pairs), paths=paths)


Arrays = list[tuple[Path, Sizes]]


def below(arrays: Arrays, groups: Path) -> Iterator[tuple[Path, Sizes]]:
    """The arrays in a group of an archive, with their ways from the one around it."""
    for path, shape in arrays:
        steps = tuple(LAYERS[0] if step in LAYERS else step for step in path)
        if steps[: len(groups)] == groups:
            yield steps[len(groups) - 1 :], shape


def closest(arrays: Arrays, names: Path) -> Arrays:
    """The arrays that an HDF5 file has of the layer that these names lead to.

    The way to one may leave out models around it, and has the more of them, the closer it is.
    """
    found: dict[int, Arrays] = {}
    for path, shape in arrays:
        steps = path[1:]
        if names[0] in steps:
            steps = steps[steps.index(names[0]) + 1 :]
        place = next((at for at, step in enumerate(steps[:-1]) if step == names[-1]), None)
        if place is not None and set(steps[:place]) <= set(names):
            found.setdefault(place, []).append((path, shape))
    return found[max(found)] if found else []


def named(stored: Stored) -> Held:
    """The shapes of arrays by the names that their paths tell."""
    held: Held = {}
    for path, shape in zip(stored.paths, stored.shapes, strict=True):
        name = name_in(path, stored.name)
        while name in held:
            name += "_"
        held[name] = shape
    return held


def name_in(path: Path, layer: str) -> str:
    """The name of an array within its layer: `dense/kernel`, or a number where there is none."""
    steps = [step for step in path[1:] if step != VARS]
    if layer in steps[:-1]:
        steps = steps[len(steps) - steps[::-1].index(layer) :]
    return printable("/".join(steps).removesuffix(NUMBER))
