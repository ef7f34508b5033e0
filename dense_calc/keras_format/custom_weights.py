"""What a file stores of a layer whose class nobody knows: the names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from dense_calc.errors import FileError, SpecError, escape_unprintable
from dense_calc.keras_format.archives import wrap_read_errors
from dense_calc.keras_format.custom_layers import WeightShapes
from dense_calc.keras_format.custom_objects import WeightStore
from dense_calc.keras_format.hdf5_groups import GroupPath
from dense_calc.keras_format.stored_weights import (
    LAYER_GROUPS,
    StoredLayer,
    find_repeated_shapes,
    read_weights_file,
)
from dense_calc.shapes import Sizes

_VARS_GROUP = "vars"  # the group of an object's own variables
_VARIABLE_SUFFIX = ":0"  # what TensorFlow adds to the name of a variable

_StoredLayersReader = Callable[[], dict[str, StoredLayer]]


def open_weight_store(path: str, owners: Callable[[], Mapping[str, str]]) -> WeightStore:
    """What a file stores of its model; it is not read before that is asked.

    `owners` gives the layers of the model, by their names and those of layers inside them.
    """

    @cache
    def layers() -> dict[str, StoredLayer]:
        try:
            found = _read_stored_layers(path, owners)
        except (FileError, SpecError):
            return {}
        return {each.name or f"{_VARS_GROUP}/{each.group}": each for each in found}

    return _FileWeightStore(layers)


def _read_stored_layers(path: str, owners: Callable[[], Mapping[str, str]]) -> list[StoredLayer]:
    """What an archive, an HDF5 file or the manifest of TensorFlow.js stores.

    Raises:
        FileError: it is broken.
        SpecError: its manifest is.
    """
    with wrap_read_errors(path), open(path, "rb") as file:
        found = read_weights_file(file, set())
        if found is not None:
            return found
        file.seek(0)
        from dense_calc.keras_format.tfjs_manifest import (  # of few files
            MAX_MANIFEST_BYTES,
            read_weights_manifest,
        )

        return read_weights_manifest(file.read(MAX_MANIFEST_BYTES), path, owners())


class _FileWeightStore(WeightStore):
    """What a file stores of a layer or a model, by the two ways to it.

    `names` are those of the models around it and its own, `groups` those of the groups of an
    archive: `functional`, `layers`, `dense`.
    """

    def __init__(
        self, layers: _StoredLayersReader, names: GroupPath = (), groups: GroupPath = ()
    ) -> None:
        self.read_layers = layers
        self.name_path = names
        self.group_path = groups

    def for_layer(self, name: str, group: str) -> WeightStore:
        between = LAYER_GROUPS[:1] if self.group_path else ()
        return _FileWeightStore(
            self.read_layers, (*self.name_path, name), (*self.group_path, *between, group)
        )

    def for_argument(self, argument: str) -> WeightStore:
        return _FileWeightStore(self.read_layers, self.name_path, (*self.group_path, argument))

    def read_weight_shapes(self) -> WeightShapes | None:
        if any("/" in name for name in self.name_path):  # which divides the groups of HDF5
            return None
        stored = self.read_layers()
        tells_names = stored and not any(each.startswith(f"{_VARS_GROUP}/") for each in stored)
        top = stored.get(self.name_path[0]) or stored.get(f"{_VARS_GROUP}/{self.group_path[0]}")
        if top is None:
            return {} if tells_names else None
        found = top if len(self.name_path) == 1 else self.find_in_model(top)
        if found.repeated_shapes or not (found.shapes or tells_names):
            return None
        return _name_weight_shapes(found)

    def find_in_model(self, top: StoredLayer) -> StoredLayer:
        """What is stored of the layer, in what is stored of the outermost model around it."""
        pairs = list(zip(top.paths, top.shapes, strict=True))
        if any(path[-2] == _VARS_GROUP for path in top.paths if len(path) > 1):
            pairs = list(_arrays_in_group(pairs, self.group_path))
        else:
            pairs = _closest_arrays(pairs, self.name_path)
        paths, shapes = [path for path, _ in pairs], [shape for _, shape in pairs]
        return StoredLayer(
            self.name_path[-1],
            self.group_path[-1],
            shapes,
            find_repeated_shapes(pairs),
            paths=paths,
        )


_StoredArrays = list[tuple[GroupPath, Sizes]]


def _arrays_in_group(arrays: _StoredArrays, groups: GroupPath) -> Iterator[tuple[GroupPath, Sizes]]:
    """The arrays in a group of an archive, with their ways from the one around it."""
    for path, shape in arrays:
        steps = tuple(LAYER_GROUPS[0] if step in LAYER_GROUPS else step for step in path)
        if steps[: len(groups)] == groups:
            yield steps[len(groups) - 1 :], shape


def _closest_arrays(arrays: _StoredArrays, names: GroupPath) -> _StoredArrays:
    """The arrays that an HDF5 file has of the layer that these names lead to.

    The way to one may leave out models around it, and has the more of them, the closer it is.
    """
    found: dict[int, _StoredArrays] = {}
    for path, shape in arrays:
        steps = path[1:]
        if names[0] in steps:
            steps = steps[steps.index(names[0]) + 1 :]
        place = next((at for at, step in enumerate(steps[:-1]) if step == names[-1]), None)
        if place is not None and set(steps[:place]) <= set(names):
            found.setdefault(place, []).append((path, shape))
    return found[max(found)] if found else []


def _name_weight_shapes(stored: StoredLayer) -> WeightShapes:
    """The shapes of arrays by the names that their paths tell."""
    held: WeightShapes = {}
    for path, shape in zip(stored.paths, stored.shapes, strict=True):
        name = _array_name(path, stored.name)
        while name in held:
            name += "_"
        held[name] = shape
    return held


def _array_name(path: GroupPath, layer: str) -> str:
    """The name of an array within its layer: `dense/kernel`, or a number where there is none."""
    steps = [step for step in path[1:] if step != _VARS_GROUP]
    if layer in steps[:-1]:
        steps = steps[len(steps) - steps[::-1].index(layer) :]
    return escape_unprintable("/".join(steps).removesuffix(_VARIABLE_SUFFIX))
