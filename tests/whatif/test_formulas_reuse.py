"""One piece holds at many points: formulas are made once, not for each point."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from conftest import ROOT
from support.applications import FACTS
from support.drawn_specs import variants_of
from support.formula_proof import ProvenFormulas

from dense_calc.errors import Source
from dense_calc.files.loader import parse_variants, read_variants
from dense_calc.settings.variants import ModelVariants
from dense_calc.whatif.pieces import ModelFormulas


def piece_count(whole: ModelVariants, names: list[str], points: Iterable[tuple[Any, ...]]) -> int:
    """The number of pieces that hold at these points, whatever the budget says."""
    formulas = ModelFormulas(whole, names, with_verdicts=False)
    list(formulas.evaluate(list(points)))
    return formulas.piece_count


@pytest.mark.parametrize(
    ("name", "settings", "ranges", "count"),
    [
        ("lenet5", ["width"], [range(1, 65)], 1),
        ("lenet5", ["conv2d.kernel_size"], [range(1, 29)], 1),
        ("lenet5", ["conv2d.filters", "dense.units"], [range(1, 40), range(1, 40)], 1),
        ("gpt2", ["width", "heads"], [range(12, 1200, 12), (1, 2, 3, 4, 6, 12)], 1),
        ("gpt2", ["depth"], [range(2, 60)], 1),
        ("vit-b16", ["width"], [range(12, 2400, 12)], 1),
        ("unet", ["width"], [range(1, 200)], 1),
        ("vgg16", ["short", "long"], [range(32, 300, 7), range(300, 500, 7)], 1),
        ("seq2seq", ["units"], [range(1, 500)], 1),
        ("llama3.2-1b", ["vocab"], [range(1, 500)], 1),
    ],
)
def test_well_known_models(
    name: str, settings: list[str], ranges: list[Iterable[int]], count: int
) -> None:
    whole = read_variants(ROOT / "specs" / f"{name}.yaml", {})
    assert piece_count(whole, settings, product(*ranges)) == count


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ({"Conv1D": {"filters": 4, "kernel_size": "x"}}, [40, 4]),
        ({"Conv1D": {"filters": 4, "kernel_size": 3, "strides": "x"}}, [40, 4]),
        ({"Dense": {"units": 8, "lora_rank": "x"}}, [8]),
        ({"Embedding": {"input_dim": "x", "output_dim": "x + 1"}}, [8]),
        ({"LSTM": {"units": "x"}}, [8, 4]),
        ({"EinsumDense": {"equation": "ab,bc->ac", "output_shape": "x"}}, [8]),
        ({"Reshape": {"target_shape": [-1, "x"]}}, [8, "x"]),
        ({"AdaptiveAveragePooling1D": {"output_size": "x"}}, [64, 4]),
        ({"UpSampling1D": {"size": "x"}}, [8, 4]),
        ({"ZeroPadding1D": {"padding": "x"}}, [8, 4]),
        ({"STFTSpectrogram": {"frame_length": "x + 8"}}, [640, 1]),
        ({"GroupNormalization": {"groups": "x"}}, [8, "4 * x"]),
        ({"RandomErasing": {"scale": ["x / 100", "x / 50"]}}, [32, 32, 3]),
    ],
)
def test_layers(layer: dict[str, Any], size: list[Any]) -> None:
    whole = variants_of({"vars": {"x": 2}, "input": size, "layers": [layer]})
    assert piece_count(whole, ["x"], ((x,) for x in range(2, 32))) <= 2


def test_batches_that_are_merged() -> None:
    batch = {"batch_shape": ["x", 8]}
    spec = {"inputs": {"a": batch, "b": batch}, "layers": [{"Add": {"from": ["a", "b"]}}]}
    assert (
        piece_count(variants_of({"vars": {"x": 2}, **spec}), ["x"], ((x,) for x in range(99))) <= 2
    )


@pytest.mark.parametrize(
    ("title", "settings", "values"),
    [
        ("ResNet50", ["conv2_block1_1_conv.filters"], [64, 32, 7, 0]),
        ("ResNet50", ["conv1_conv.kernel_size", "conv1_conv.strides"], [1, 2, 3, 7]),
        ("MobileNet", ["conv_pw_1.filters", "conv_pw_3.filters"], [8, 64, 128]),
        ("nested", ["inner/deep.units"], [1, 8, 9]),
    ],
)
def test_settings_of_files_of_keras(title: str, settings: list[str], values: list[int]) -> None:
    text = Source("m.json", FACTS[title]["json"])
    proven = ProvenFormulas(parse_variants(text, None, "m", {}, "m.json"), settings)
    for point in product(*[values] * len(settings)):
        proven.demand_equal(point)
    assert proven.count == len(values) ** len(settings)
