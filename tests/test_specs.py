"""The specs: what each file expects of itself, and the published facts layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import dense_calc

SPECS = Path(__file__).parents[1] / "specs"


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_spec_has_what_it_expects(path: Path) -> None:
    expect = yaml.safe_load(path.read_text("utf-8"))["expect"]
    report = dense_calc.summarize(path)
    assert report.total_params == expect["params"]
    assert report.trainable_params == expect.get("trainable", expect["params"])
    assert [*report.outputs[0].shape][1:] == expect["output_shape"][1:]
    assert expect["source"]


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
