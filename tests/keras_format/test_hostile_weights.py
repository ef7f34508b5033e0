"""Hostile files of weights: refused with one message, whatever they hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.weight_files import IN_GROUPS, archive, hdf5_file, report

from dense_calc.errors import FileError
from dense_calc.keras_format.compare_weights import weight_differences
from dense_calc.keras_format.hdf5_groups import MAX_OBJECTS


def cyclic(file: Any) -> None:
    file["layers/dense"] = file.create_group("layers")


def deep(file: Any) -> None:
    group = file.create_group("layers")
    for _ in range(5000):
        group = group.create_group("a")


def soft(file: Any) -> None:
    file["layers/dense/vars"] = h5py.SoftLink("/layers")


def external(file: Any) -> None:
    file["layers/dense/vars"] = h5py.ExternalLink("/dev/zero", "/")


def outside(file: Any) -> None:
    file["layers"] = h5py.ExternalLink("/dev/zero", "/")


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4, 10), "f4", (None, 10))
    space = h5py.VirtualSource("/dev/zero", "a", (4, 10), maxshape=(None, 10))
    layout[: h5py.h5s.UNLIMITED] = space[: h5py.h5s.UNLIMITED]
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def shapeless(file: Any) -> None:
    file["layers/dense/vars/0"] = h5py.Empty("f4")


def an_array(file: Any) -> None:
    file["layers"] = np.zeros(3)


def many(file: Any) -> None:
    file.create_dataset("array", (2,), "f4")
    group = file.create_group("layers/dense/vars", track_order=True)
    for number in range(MAX_OBJECTS):
        group.id.links.create_hard(str(number).encode(), file.id, b"array")


def branching(file: Any) -> None:
    """Each group is ten times in the next: of 10 to the 20th ways, none is new."""
    group = file.create_group("start")
    for number in range(20):
        above = file.create_group(str(number))
        for name in "abcdefghij":
            above[name] = group
        group = above
    file["layers"] = group


def long_name(file: Any) -> None:
    file.create_dataset("layers/" + "a" * 5000, (3,), "f4")


def named_at_length(file: Any) -> None:
    name = np.bytes_(b"a" * 60_000)
    file.create_dataset("layers/dense/vars/0", (3,), "f4")
    file["layers/dense/vars"].attrs["name"] = name


@pytest.mark.parametrize(
    ("fill", "why"),
    [
        (cyclic, "it has more groups and arrays than a model has"),
        (deep, "it has more groups and arrays than a model has"),
        (many, "it has more groups and arrays than a model has"),
        (branching, "it has more groups and arrays than a model has"),
        (soft, "'vars' in it is not a group or array, but a link"),
        (external, "'vars' in it is not a group or array, but a link"),
        (outside, "'layers' in it is not a group or array, but a link"),
        (virtual, "an array in it is in other files"),
        (shapeless, "an array in it has no shape"),
        (an_array, "its 'layers' is not a group"),
        (long_name, f"'{'a' * 40}...' in it is not a group or array, but a link"),
        (named_at_length, "a layer's name in it is too long"),
    ],
)
def test_hostile_weights_are_refused(tmp_path: Path, fill: Callable[[Any], None], why: str) -> None:
    path = archive(tmp_path / "a.keras", fill)
    held = report()
    with pytest.raises(FileError) as caught:
        weight_differences(held, path)
    assert caught.value.message == f"cannot read {path}: {why}"


def test_broken_files_end_in_a_complaint_or_a_difference(tmp_path: Path) -> None:
    """Every place in the small file is broken once in a while."""
    sound = Path(hdf5_file(tmp_path / "a.h5", IN_GROUPS)).read_bytes()
    held, rng = report(), random.Random(1)
    path = tmp_path / "b.h5"
    for _ in range(300):
        broken = bytearray(sound)
        for _ in range(rng.randrange(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        path.write_bytes(broken[: rng.choice([len(broken), rng.randrange(len(broken))])])
        with suppress(FileError):
            weight_differences(held, str(path))
