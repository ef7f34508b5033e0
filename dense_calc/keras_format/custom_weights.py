"""Find the stored weights of a layer whose class is unknown: their names and shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from dense_calc.errors import FileError, SpecError, escape_unprintable
from dense_calc.keras_format.custom_layers import WeightShapes
from dense_calc.keras_format.custom_objects import WeightStore
from dense_calc.keras_format.hdf5_groups import GroupPath, StoredArrays
from dense_calc.keras_format.stored_layer import StoredLayer
from dense_calc.keras_format.stored_weights import (
    LAYER_GROUPS,
    find_repeated_shapes,
    read_stored_layers,
)
from dense_calc.shapes import Sizes

_VARS_GROUP = "vars"  # of an object's variables, in an archive
_VARIABLE_SUFFIX = ":0"  # TensorFlow adds it to the names of variables

_StoredLayersReader = Callable[[], dict[str, StoredLayer]]


def open_weight_store(path: str, owners: Callable[[], Mapping[str, str]]) -> WeightStore:
    """The store of a file's weights, which is read only when a layer needs it.

    `owners` returns the names of a model's layers, by those names and by the names of the layers
    inside.
    """

    @cache
    def read_layers() -> dict[str, StoredLayer]:
        try:
            layers = read_stored_layers(path, set(), owners)
        except (FileError, SpecError):
            return {}
        return {each.name or f"{_VARS_GROUP}/{each.group}": each for each in layers}

    return _FileWeightStore(read_layers)


class _FileWeightStore(WeightStore):
    """The stored weights of a layer or a model, by two paths to it.

    `name_path` has the names of the models around it and its own name, `group_path` the names of
    its groups in an archive: `functional`, `layers`, `dense`.
    """

    def __init__(
        self,
        read_layers: _StoredLayersReader,
        name_path: GroupPath = (),
        group_path: GroupPath = (),
    ) -> None:
        self._read_layers = read_layers
        self._name_path = name_path
        self._group_path = group_path

    def for_layer(self, name: str, group: str) -> WeightStore:
        between = LAYER_GROUPS[:1] if self._group_path else ()
        return _FileWeightStore(
            self._read_layers, (*self._name_path, name), (*self._group_path, *between, group)
        )

    def for_argument(self, argument: str) -> WeightStore:
        return _FileWeightStore(self._read_layers, self._name_path, (*self._group_path, argument))

    def read_weight_shapes(self) -> WeightShapes | None:
        if any("/" in name for name in self._name_path):  # HDF5 would make groups of it
            return None
        stored = self._read_layers()
        tells_names = stored and not any(each.startswith(f"{_VARS_GROUP}/") for each in stored)
        top = stored.get(self._name_path[0]) or stored.get(f"{_VARS_GROUP}/{self._group_path[0]}")
        if top is None:
            return {} if tells_names else None
        arrays, name, repeated = top.arrays, top.name, top.repeated_shapes
        if len(self._name_path) > 1:
            arrays, name = self._find_in_model(arrays), self._name_path[-1]
            repeated = find_repeated_shapes(arrays)
        if repeated or not (arrays or tells_names):
            return None
        return _name_weight_shapes(arrays, name)

    def _find_in_model(self, arrays: StoredArrays) -> StoredArrays:
        """The arrays of the layer among those of the outermost model around it."""
        if any(path[-2] == _VARS_GROUP for path, _ in arrays if len(path) > 1):
            return list(_arrays_in_group(arrays, self._group_path))
        return _closest_arrays(arrays, self._name_path)


def _arrays_in_group(arrays: StoredArrays, groups: GroupPath) -> Iterator[tuple[GroupPath, Sizes]]:
    """The arrays in a group of an archive, with their paths from the group around it."""
    for path, shape in arrays:
        steps = tuple(LAYER_GROUPS[0] if step in LAYER_GROUPS else step for step in path)
        if steps[: len(groups)] == groups:
            yield steps[len(groups) - 1 :], shape


def _closest_arrays(arrays: StoredArrays, names: GroupPath) -> StoredArrays:
    """The arrays of the layer at the end of these names, in an HDF5 file.

    A path in the file may omit some of the models around a layer. Where several layers fit, the
    one with the most models in its path is meant.
    """
    by_depth: dict[int, StoredArrays] = {}
    for path, shape in arrays:
        steps = path[1:]
        if names[0] in steps:
            steps = steps[steps.index(names[0]) + 1 :]
        depth = next((at for at, step in enumerate(steps[:-1]) if step == names[-1]), None)
        if depth is not None and set(steps[:depth]) <= set(names):
            by_depth.setdefault(depth, []).append((path, shape))
    return by_depth[max(by_depth)] if by_depth else []


def _name_weight_shapes(arrays: StoredArrays, layer: str) -> WeightShapes:
    """The shapes of a layer's arrays, by unique names."""
    shapes: WeightShapes = {}
    for path, shape in arrays:
        name = _array_name(path, layer)
        while name in shapes:
            name += "_"
        shapes[name] = shape
    return shapes


def _array_name(path: GroupPath, layer: str) -> str:
    """The name of an array within its layer: `dense/kernel`, or a number in an archive."""
    steps = [step for step in path[1:] if step != _VARS_GROUP]
    if layer in steps[:-1]:
        steps = steps[len(steps) - steps[::-1].index(layer) :]
    return escape_unprintable("/".join(steps).removesuffix(_VARIABLE_SUFFIX))
