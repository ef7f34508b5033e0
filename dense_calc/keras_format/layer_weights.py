"""What a file stores of a layer whose class nobody knows: the names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from dense_calc.errors import FileError, printable
from dense_calc.keras_format.archives import readable
from dense_calc.keras_format.groups import Path
from dense_calc.keras_format.stored import Stored, stored_in
from dense_calc.layers.stated import Held

VARS = "vars"  # the group of an object's own variables
NUMBER = ":0"  # what TensorFlow adds to the name of a variable


def weights_reader(path: str) -> Callable[[str, str], Held | None]:
    """What gives the weights that a file stores of a layer, by its name, or that of its group.

    None stands for what the file does not tell. The file is not read before it is asked.
    """

    @cache
    def layers() -> dict[str, Stored]:
        try:
            found = stored_layers(path)
        except FileError:
            return {}
        return {each.name or f"{VARS}/{each.group}": each for each in found}

    def held(name: str, group: str) -> Held | None:
        if "/" in name:  # which divides the groups of HDF5
            return None
        stored = layers()
        found = stored.get(name) or stored.get(f"{VARS}/{group}")
        if found is None:
            tells_names = stored and not any(each.startswith(f"{VARS}/") for each in stored)
            return {} if tells_names else None
        return None if found.again else named(found)

    return held


def stored_layers(path: str) -> list[Stored]:
    """What an archive or an HDF5 file stores.

    Raises:
        FileError: it is broken.
    """
    with readable(path), open(path, "rb") as file:
        return stored_in(file, set()) or []


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
