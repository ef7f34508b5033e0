"""The specs: what each file expects of itself, and the published facts layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SPECS

import dense_calc
from dense_calc.analysis.budget import check_limits


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_spec_has_what_it_expects(path: Path) -> None:
    model = dense_calc.load(path)
    report = dense_calc.trace(model)
    expected = [check for check in check_limits(report, model.limits) if check.rule == "exact"]
    assert all(check.ok for check in expected)
    told = {check.what for check in expected}
    assert told >= {"params", "output_shape"} | (
        {"trainable"} if report.non_trainable_params else set()
    )
    assert yaml.safe_load(path.read_text("utf-8"))["expect"]["source"]
    assert not report.unused


# file → what `--set` alone makes of it → its published number of parameters
SIZES: list[tuple[str, dict[str, int], int]] = [
    ("gpt2", {"depth": 24, "width": 1024, "heads": 16}, 354_823_168),
    ("gpt2", {"depth": 36, "width": 1280, "heads": 20}, 774_030_080),
    ("gpt2", {"depth": 48, "width": 1600, "heads": 25}, 1_557_611_200),
    ("llama3-8b", {"depth": 80, "width": 8192, "heads": 64, "inner": 28672}, 70_553_706_496),
    ("llama3-8b", {"depth": 126, "width": 16384, "heads": 128, "inner": 53248}, 405_853_388_800),
    ("bert-base", {"depth": 24, "width": 1024, "heads": 16}, 335_141_888),
    ("vgg16", {"short": 2, "long": 4}, 143_667_240),
]


@pytest.mark.parametrize(("name", "changes", "params"), SIZES)
def test_a_model_has_its_other_sizes_by_vars_alone(
    name: str, changes: dict[str, int], params: int
) -> None:
    assert dense_calc.summarize(SPECS / f"{name}.yaml", **changes).total_params == params


@pytest.mark.parametrize(("name", "changes", "params"), SIZES)
def test_a_file_tells_the_sizes_that_it_has(
    name: str, changes: dict[str, int], params: int
) -> None:
    text = (SPECS / f"{name}.yaml").read_text("utf-8").replace("\n#", "")
    told = " ".join(f"--set {var}={value}" for var, value in changes.items())
    assert told in " ".join(text.split())
    assert f"{params:,}" in text


# model → (output shape without the batch, parameters) of each layer
PUBLISHED: dict[str, list[tuple[tuple[int | None, ...], int]]] = {
    "projection": [((25600,), 2_560_000)],
    "stacked": [((32,), 544), ((32,), 1056)],
    "sequence": [((7, 3), 18)],
    "mnist": [((784,), 0), ((10,), 7850), ((10,), 0)],
    "mlp": [((514,), 264_710), ((514,), 0), ((257,), 132_355)],
    "convnet": [
        ((222, 222, 32), 896),
        ((220, 220, 64), 18_496),
        ((218, 218, 128), 73_856),
        ((218, 218, 10), 1_290),
    ],
    "convnet-any-size": [
        ((None, None, 32), 896),
        ((None, None, 64), 18_496),
        ((None, None, 128), 73_856),
        ((None, None, 10), 1_290),
    ],
    "lenet5": [
        ((28, 28, 6), 156),
        ((14, 14, 6), 0),
        ((10, 10, 16), 2416),
        ((5, 5, 16), 0),
        ((400,), 0),
        ((120,), 48_120),
        ((84,), 10_164),
        ((10,), 850),
    ],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_model_has_its_published_layers(name: str) -> None:
    report = dense_calc.summarize(SPECS / f"{name}.yaml")
    assert [(row.output_shape, row.params) for row in report.layers] == [
        ((None, *shape), params) for shape, params in PUBLISHED[name]
    ]


def test_what_feeds_a_layer_and_what_it_feeds() -> None:
    rows = {row.name: row for row in dense_calc.summarize(SPECS / "residual.yaml").layers}
    assert rows["input"].feeds == ("pad", "shortcut")
    assert rows["add"].connected_to == ("main", "shortcut")
    assert rows["out"].feeds == ("average", "peak")
    assert rows["dense"].feeds == ()
    chain = dense_calc.summarize(SPECS / "mnist.yaml").layers
    assert [row.connected_to for row in chain] == [("input",), ("flatten",), ("dense",)]
    assert [row.feeds for row in chain] == [("dense",), ("activation",), ()]


def test_a_kernel_of_rank_above_two_contracts_the_last_axis() -> None:
    kernel, bias = dense_calc.summarize(SPECS / "sequence.yaml").layers[0].weights
    assert (kernel.shape, kernel.axes) == ((5, 3), ("inputs", "units"))
    assert (bias.shape, bias.axes) == ((3,), ("units",))


@pytest.mark.parametrize(
    ("changes", "params"), [({"width": 12}, 64_262), ({"width": "2*6"}, 64_262), ({}, 61_706)]
)
def test_vars_change_a_model(changes: dict[str, Any], params: int) -> None:
    assert dense_calc.summarize(SPECS / "lenet5.yaml", **changes).total_params == params
