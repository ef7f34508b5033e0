"""The weights in Keras' files are held against the architecture, whatever the files hold."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest
from msgspec.structs import replace
from support.weight_files import (
    FIRST,
    IN_GROUPS,
    LAYERS,
    NAMES,
    SECOND,
    SOUND,
    Arrays,
    Names,
    archive,
    filled,
    hdf5_file,
    keras_file,
    report,
)

from dense_calc.errors import FileError
from dense_calc.keras_format.compare_weights import weight_differences
from dense_calc.keras_format.stored_layer import NO_WEIGHTS_MESSAGE


@pytest.mark.parametrize("names", [NAMES, {}])
@pytest.mark.parametrize(
    "how", [{}, {"method": zipfile.ZIP_DEFLATED}, {"before": 100_000}, {"method": 8, "before": 9}]
)
def test_a_sound_archive_agrees(tmp_path: Path, names: Names, how: dict[str, Any]) -> None:
    assert weight_differences(report(), keras_file(tmp_path / "a.keras", names=names, **how)) == []


def test_a_sound_hdf5_file_agrees(tmp_path: Path) -> None:
    assert weight_differences(report(), hdf5_file(tmp_path / "a.h5", IN_GROUPS)) == []


@pytest.mark.parametrize("top", ["layers", "_layer_checkpoint_dependencies"])
def test_weights_alone_agree(tmp_path: Path, top: str) -> None:
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        filled(file, top, SOUND, NAMES)
    assert weight_differences(report(), str(tmp_path / "a.weights.h5")) == []
    assert weight_differences(report(), hdf5_file(tmp_path / "b.h5", IN_GROUPS, "/")) == []


# How the arrays of the archive and of the HDF5 file are changed, and what is said of it.
CHANGES: list[tuple[Arrays, Arrays, list[str]]] = [
    (
        {"dense/vars/0": (4, 12)},
        {"first/model/first/kernel": (4, 12)},
        [f"{FIRST}, and the file stores (4, 12) and (10,)"],
    ),
    (
        {"dense_1/vars/2": (2,)},
        {"second/model/second/scale": (2,)},
        [f"{SECOND}, and the file stores (10, 2), (2,) and (2,)"],
    ),
    (
        {"dropout/vars/0": (7,)},
        {"dropout/state": (7,)},
        ["'dropout' holds nothing, and the file stores (7,)"],
    ),
    (
        {"conv2d/vars/0": (3, 3)},
        {"conv2d/kernel": (3, 3)},
        ["the file stores (3, 3) for 'conv2d', which the model does not have"],
    ),
]


@pytest.mark.parametrize(("change", "in_groups", "said"), CHANGES)
def test_what_differs_is_said(
    tmp_path: Path, change: Arrays, in_groups: Arrays, said: list[str]
) -> None:
    assert (
        weight_differences(report(), keras_file(tmp_path / "a.keras", {**SOUND, **change})) == said
    )
    assert (
        weight_differences(report(), hdf5_file(tmp_path / "a.h5", {**IN_GROUPS, **in_groups}))
        == said
    )


def test_a_layer_that_is_not_there_is_said(tmp_path: Path) -> None:
    said = ["the file does not have 'second', which holds kernel (10, 2) and bias (2,)"]
    without = {path: shape for path, shape in SOUND.items() if "dense_1" not in path}
    assert weight_differences(report(), keras_file(tmp_path / "a.keras", without)) == said
    assert weight_differences(report(), keras_file(tmp_path / "a.keras", without, {})) == said
    without = {path: shape for path, shape in IN_GROUPS.items() if "second" not in path}
    assert weight_differences(report(), hdf5_file(tmp_path / "a.h5", without)) == said


def test_layers_are_known_by_name_and_without_names_by_order(tmp_path: Path) -> None:
    """Keras 2 counts each layer with weights twice: the second one is `dense_2`."""
    swapped = {**NAMES, "dense": "second", "dense_1": "first"}
    assert weight_differences(report(), keras_file(tmp_path / "a.keras", names=swapped)) == [
        f"{FIRST}, and the file stores (10, 2) and (2,)",
        f"{SECOND}, and the file stores (4, 10) and (10,)",
    ]
    counted = {path.replace("dense_1", "dense_10"): shape for path, shape in SOUND.items()}
    more = {**counted, "dense_2/vars/0": (10, 10), "dense_2/vars/1": (10,)}
    layers = [LAYERS[0], {"Dense": {"units": 10, "name": "between"}}, *LAYERS[1:]]
    assert weight_differences(report(layers), keras_file(tmp_path / "b.keras", more, {})) == []


def test_two_groups_of_a_layer_are_both_looked_at(tmp_path: Path) -> None:
    twice = {**SOUND, "other/vars/0": (10,)}
    said = [f"{FIRST}, and the file stores (4, 10), (10,) and (10,)"]
    for group, names in (("other", {**NAMES, "other": "first"}), ("first", NAMES)):
        arrays = {path.replace("other", group): shape for path, shape in twice.items()}
        assert weight_differences(report(), keras_file(tmp_path / "a.keras", arrays, names)) == said


def test_of_many_arrays_those_that_differ_are_said(tmp_path: Path) -> None:
    held = report([{"Bidirectional": {"layer": {"LSTM": {"units": 2}}, "name": "both"}}], (5, 3))
    arrays = {f"both/{weight.path}": weight.shape for weight in held.layers[0].weights}
    path = next(iter(arrays))
    assert weight_differences(held, hdf5_file(tmp_path / "a.h5", arrays)) == []
    more = {**arrays, "both/more": (1, 2)}
    assert weight_differences(held, hdf5_file(tmp_path / "b.h5", more)) == [
        "the file stores (1, 2) beside what 'both' holds"
    ]
    lacking = "of what 'both' holds, the file does not store 1 of 2 arrays (3, 8)"
    other = {**arrays, path: (3, 9)}
    said = [f"{lacking}; it stores (3, 9) instead"]
    assert weight_differences(held, hdf5_file(tmp_path / "c.h5", other)) == said
    del arrays[path]
    assert weight_differences(held, hdf5_file(tmp_path / "d.h5", arrays)) == [lacking]
    gru = report([{"GRU": {"units": 2, "name": "both"}}], (5, 3))
    assert weight_differences(
        gru, hdf5_file(tmp_path / "e.h5", {**arrays, "both/more": (1, 2)})
    ) == [
        "of what 'both' holds, the file does not store gru_cell/kernel (3, 6), "
        "gru_cell/recurrent_kernel (2, 6) and gru_cell/bias (2, 6); "
        "it stores (1, 2), (8,), (8,), (3, 8) and 2 more instead"
    ]


def test_a_wrapper_may_store_the_kernel_of_its_layer_again(tmp_path: Path) -> None:
    layers = [{"SpectralNormalization": {"layer": {"Dense": {"units": 3}}, "name": "norm"}}]
    arrays: Arrays = {
        "norm/vars/0": (4, 3),
        "norm/vars/1": (1, 3),
        "norm/layer/vars/0": (4, 3),
        "norm/layer/vars/1": (3,),
    }
    path = tmp_path / "a.keras"
    assert weight_differences(report(layers), keras_file(path, arrays, {"norm": "norm"})) == []
    thrice = {**arrays, "norm/vars/2": (4, 3)}
    assert weight_differences(report(layers), keras_file(path, thrice, {"norm": "norm"})) != []


def test_lora_is_stored_merged_and_frequencies_are_no_weight(tmp_path: Path) -> None:
    layers = [{"Dense": {"units": 2, "lora_rank": 2, "name": "first"}}]
    arrays: Arrays = {
        "dense/vars/0": (4, 2),
        "dense/vars/1": (2,),
        "string_lookup/vars/idf_weights": (7,),
    }
    assert weight_differences(report(layers), keras_file(tmp_path / "a.keras", arrays)) == []
    without = {"dense/vars/1": (2,)}
    assert weight_differences(report(layers), keras_file(tmp_path / "a.keras", without)) != []
    apart = {"first/kernel": (4, 2), "first/bias": (2,), "first/a": (4, 2), "first/b": (2, 2)}
    assert weight_differences(report(layers), hdf5_file(tmp_path / "a.h5", apart)) == []
    assert weight_differences(
        report(layers), keras_file(tmp_path / "b.keras", {**arrays, "dense/vars/2": (4, 2)})
    ) == ["'first' holds kernel (4, 2) and bias (2,), and the file stores (4, 2), (2,) and (4, 2)"]


def test_names_may_have_slashes(tmp_path: Path) -> None:
    held = report()
    names = ("block", "block/dropout", "block/dense")
    rows = tuple(replace(row, name=name) for row, name in zip(held.layers, names, strict=True))
    arrays: Arrays = {
        "block/block/kernel": (4, 10),
        "block/block/bias": (10,),
        "block/dense/block/dense/kernel": (10, 2),
        "block/dense/block/dense/bias": (2,),
    }
    path = hdf5_file(tmp_path / "a.h5", arrays)
    assert weight_differences(replace(held, layers=rows), path) == []


def test_a_layer_that_is_called_again_has_nothing_of_its_own(tmp_path: Path) -> None:
    held = report()
    again = replace(held.layers[0], name="again", weights=(), shared_with="first")
    path = keras_file(tmp_path / "a.keras")
    assert weight_differences(replace(held, layers=(*held.layers, again)), path) == []


def test_names_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    (said,) = weight_differences(
        report(), keras_file(tmp_path / "a.keras", {**SOUND, "\x1b[2J/vars/0": (3,)})
    )
    assert "'\\x1b[2J'" in said
    (said,) = weight_differences(
        report(), keras_file(tmp_path / "b.keras", {**SOUND, f"{'n' * 900}/vars/0": (3,)})
    )
    assert len(said) < 200


def test_a_shape_is_only_told(tmp_path: Path) -> None:
    def vast(file: Any) -> None:
        file.create_dataset("layers/dense/vars/0", (2**40, 2**20), "f8", chunks=(1, 1))

    path = archive(tmp_path / "a.keras", vast)
    assert "stores (1099511627776, 1048576)" in weight_differences(report(), path)[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"input: [4]", NO_WEIGHTS_MESSAGE),
        (b"class_name: Sequential\nconfig: []", NO_WEIGHTS_MESSAGE),
        (b"", NO_WEIGHTS_MESSAGE),
        (b"PK\x03\x04", "File is not a zip file"),
        (None, "No such file or directory"),
    ],
)
def test_files_without_weights(tmp_path: Path, text: bytes | None, why: str) -> None:
    path = tmp_path / "a.keras"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(FileError, match=re.escape(f"cannot read {path}: {why}")):
        weight_differences(report(), str(path))


def test_standard_input_is_not_read_twice() -> None:
    with pytest.raises(FileError, match="they are read from a file"):
        weight_differences(report(), "-")


def test_an_archive_without_weights(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("config.json", "{}")
    with pytest.raises(FileError, match=r"it has no model\.weights\.h5"):
        weight_differences(report(), str(path))
