"""The dtypes of tensors: through layers, operations and models, and in files of Keras'."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dense_calc.dtypes import NO_DTYPES, autocast_dtypes, expand_dtypes, leaf_dtypes
from dense_calc.errors import LayerError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import to_keras
from dense_calc.layers.operations import OPERATION_MODULES
from dense_calc.layers.operations.output_dtypes import (
    NAMES_BY_ARGUMENT_RULE,
    NAMES_BY_DTYPE_RULE,
    NAMES_BY_FIXED_DTYPE,
)
from dense_calc.layers.promotion import promote_dtypes
from dense_calc.model import Model
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

INPUTS = """
inputs:
  half: {shape: [4], dtype: float16}
  whole: {shape: [4], dtype: int32}
  short: {shape: [4], dtype: int16}
  text: {shape: [4], dtype: string}
  steps: {shape: [5, 4], dtype: bfloat16}
layers:
"""
MIXED = "dtype: mixed_bfloat16"
# What Keras 3.15.1 says of these layers.
LAYERS: list[tuple[str, Any]] = [
    ("Dense: {units: 3, from: half}", "float32"),
    (f"Dense: {{units: 3, {MIXED}, from: half}}", "bfloat16"),
    ("Dense: {units: 3, dtype: int8_from_mixed_bfloat16, from: half}", "bfloat16"),
    ("Flatten: {from: half}", "float32"),
    ("Flatten: {from: half, autocast: false}", "float16"),
    (f"Flatten: {{{MIXED}, from: half}}", "bfloat16"),
    ("Flatten: {from: whole}", "int32"),
    ("Reshape: {target_shape: [2, 2], dtype: float64, from: half}", "float64"),
    ("Masking: {from: whole}", "float32"),
    ("Identity: {from: [[half, whole]]}", ("float32", "int32")),
    ("Embedding: {input_dim: 9, output_dim: 2, from: whole}", "float32"),
    ("Discretization: {bin_boundaries: [1.0], from: half}", "int32"),
    ("Hashing: {num_bins: 3, from: text}", "int64"),
    ("Hashing: {num_bins: 3, output_mode: one_hot, from: text}", "float32"),
    ("StringLookup: {from: text}", "int64"),
    ("TextVectorization: {output_mode: multi_hot, max_tokens: 9, from: text}", "float32"),
    ("Concatenate: {from: [half, whole]}", "float32"),
    (f"LSTM: {{units: 2, return_state: true, {MIXED}, from: steps}}", ("bfloat16",) * 3),
    (f"LSTMCell: {{units: 4, {MIXED}, from: [half, [half, half]]}}",
     ("bfloat16", ("bfloat16", "bfloat16"))),
    (f"GRUCell: {{units: 4, {MIXED}, autocast: false, from: [half, whole]}}",
     ("float32", "float32")),
    ("Pipeline: {layers: [Rescaling: {scale: 2, dtype: float16}], from: whole}", "float16"),
    (f"Pipeline: {{layers: [Identity, Flatten: {{{MIXED}}}], from: half}}", "bfloat16"),
    (f"TimeDistributed: {{layer: {{Dense: {{units: 2, {MIXED}}}}}, from: steps}}", "float32"),
    ("Sequential: {layers: [Flatten], input: {shape: [4], dtype: float16}, from: whole}",
     "float32"),
    ("Sequential: {layers: [Flatten: {autocast: false}], input: {shape: [4], dtype: float16}, "
     "from: whole}", "float16"),
    ("ops.View: {dtype: int32, from: short}", "int32"),
    ("ops.View: {from: short}", "int16"),
    ("ops.Cast: {dtype: bool, from: half}", "bool"),
    ("ops.SaturateCast: {dtype: null, from: half}", "float32"),
    ("ops.Greater: {from: [half, 1]}", "bool"),
    ("ops.Argmax: {from: half}", "int32"),
    ("ops.Add: {from: [half, whole]}", "float16"),
    ("ops.Add: {from: [half, steps]}", "float32"),
    ("ops.Add: {from: [short, 1]}", "int16"),
    ("ops.Add: {from: [short, 1.5]}", "float32"),
    ("ops.Add: {from: [half, [1, 2, 3, 4]]}", "float16"),
    ("ops.Add: {from: [half, {constant: [3, 4], dtype: bfloat16}]}", "float32"),
    ("ops.Divide: {from: [short, short]}", "float32"),
    ("ops.Sum: {from: short}", "int32"),
    ("ops.TopK: {k: 2, from: half}", ("float16", "int32")),
    ("ops.Unique: {return_counts: true, from: half}", ("float16", "int32")),
    ("ops.Where: {from: [whole, half, short]}", "float16"),
    ("ops.FFT: {from: [half, half]}", ("float16", "float16")),
    ("ops.OneHot: {num_classes: 3, from: whole}", "float32"),
]  # fmt: skip


def model_of(layer: str) -> Model:
    """The model of a layer that reads one of the inputs."""
    return parse_spec(Source("m.yaml", f"{INPUTS}  - {layer}\n"), "m")


@pytest.mark.parametrize(("layer", "dtype"), LAYERS)
def test_a_layer_gives_the_dtype_that_keras_says(layer: str, dtype: Any) -> None:
    report = trace(model_of(layer))
    assert report.layers[-1].output_dtype == dtype
    assert report.outputs[0].dtype == dtype


KERAS = [
    pair
    for pair in LAYERS
    if "Identity" not in pair[0] and "[1, 2" not in pair[0] and "constant" not in pair[0]
]


@pytest.mark.parametrize(("layer", "dtype"), KERAS)
def test_keras_json_keeps_every_dtype(layer: str, dtype: Any) -> None:
    data = json.loads(to_keras(model_of(layer)))
    again = trace(from_keras(data, Source("m.json", "{}"), "m", {}))
    assert again.layers[-1].output_dtype == dtype


def test_keras_json_tells_the_dtype_of_each_tensor() -> None:
    layers = (
        "  - ops.TopK: {k: 2, from: half, name: top}\n  - ops.Add: {from: ['top[0]', 'top[1]']}"
    )
    model = parse_spec(Source("m.yaml", f"{INPUTS}{layers}\n"), "m")
    written = json.loads(to_keras(model))["config"]["layers"]
    assert tensors_in(written) == {
        ("half", 0): "float16",
        ("top", 0): "float16",
        ("top", 1): "int32",
    }


def tensors_in(written: Any) -> dict[tuple[str, int], str]:
    """The dtypes of the tensors in Keras' JSON, by their layer and their number."""
    found: dict[tuple[str, int], str] = {}
    if isinstance(written, list):
        for each in written:
            found |= tensors_in(each)
    elif isinstance(written, dict):
        if written.get("class_name") == "__keras_tensor__":
            layer, _, number = written["config"]["keras_history"]
            return {(layer, number): written["config"]["dtype"]}
        found = tensors_in(list(written.values()))
    return found


@pytest.mark.parametrize(("stated", "dtype"), [("bfloat16", "bfloat16"), ("nonsense", None)])
def test_a_file_tells_the_dtype_that_an_unknown_class_gives(stated: str, dtype: Any) -> None:
    layers = "- Dense: {units: 3, name: own, from: half}\n  - ops.Add: {from: [own, own]}"
    text = to_keras(model_of(layers[2:])).replace('"class_name": "Dense"', '"class_name": "Mine"')
    data = json.loads(text.replace('"dtype": "float32"', f'"dtype": "{stated}"'))
    report = trace(from_keras(data, Source("m.json", text), "m", {}), partial=True)
    assert [row.output_dtype for row in report.layers if row.name in ("own", "add")] == [dtype] * 2


# What `keras.backend.result_type` says.
PROMOTED = [
    (("bool", "bool"), "bool"),
    (("bool", "int8"), "int8"),
    (("bool", "int"), "int32"),
    (("int8", "uint8"), "int16"),
    (("uint32", "int32"), "int32"),
    (("uint64", "int8"), "float32"),
    (("int64",), "int32"),
    (("float64", "float16"), "float32"),
    (("float16", "bfloat16"), "float32"),
    (("float16", "int64"), "float16"),
    (("float16", "float"), "float16"),
    (("int16", "float"), "float32"),
    (("complex64", "float64"), "complex64"),
    (("string", "string"), "string"),
    (("float32", None), None),
]


@pytest.mark.parametrize(("dtypes", "result"), PROMOTED)
def test_dtypes_come_to_one(dtypes: tuple[str | None, ...], result: str | None) -> None:
    assert promote_dtypes(*dtypes) == promote_dtypes(*reversed(dtypes)) == result


@pytest.mark.parametrize("dtypes", [("string", "int8"), ("float8_e5m2",), ("float8_e5m2", "int8")])
def test_some_dtypes_do_not(dtypes: tuple[str, ...]) -> None:
    with pytest.raises(LayerError):
        promote_dtypes(*dtypes)


def test_an_operation_has_one_rule() -> None:
    names = [
        name
        for table in (NAMES_BY_FIXED_DTYPE, NAMES_BY_DTYPE_RULE, NAMES_BY_ARGUMENT_RULE)
        for held in table.values()
        for name in held.split()
    ]
    assert len(names) == len(set(names))
    assert set(names) <= set(OPERATION_MODULES)


def test_nests_of_dtypes() -> None:
    shapes: Any = {"b": ((None, 3), ()), "a": (2,)}
    dtypes = expand_dtypes("int8", shapes)
    assert dtypes == {"b": ("int8", "int8"), "a": "int8"}
    assert expand_dtypes(dtypes, shapes) == dtypes
    assert list(leaf_dtypes({"b": ("int8", None), "a": "bool", "c": NO_DTYPES})) == [
        "bool",
        "int8",
        None,
    ]
    assert autocast_dtypes((("bfloat16", None), {"a": "int8"}), "float16") == (
        ("float16", None),
        {"a": "int8"},
    )
