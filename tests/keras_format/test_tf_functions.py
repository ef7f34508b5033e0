"""Functions of TensorFlow in files of Keras 2 give what they give there, or are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from dense_calc import summarize
from dense_calc.call_inputs import OutputIndex
from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow.tf_functions import (
    TF_FUNCTION_RULES,
    TF_LAMBDA_CLASSES,
    tf_function_kind,
)

FILE = DATA / "legacy" / "tf_functions.jsonl"
FACTS = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]


def called(fact: dict[str, Any]) -> str:
    """The functions that a fact's model calls."""
    layers = fact["model"]["config"]["layers"]
    return " ".join(each["config"].get("function", "") for each in layers).strip()


def tuples(written: Any) -> Any:
    """Nested lists as tuples."""
    return tuple(map(tuples, written)) if isinstance(written, list) else written


@pytest.mark.parametrize("fact", FACTS, ids=called)
def test_every_layer_gives_what_it_did(fact: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(fact["model"]), "utf-8")
    report = summarize(path)
    found = {row.name: row.output_shape for row in report.layers}
    assert found == {name: tuples(shape) for name, shape in fact["outputs"].items()}
    assert report.total_params == 0


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("math.multiply", "multiply"),
        ("compat.v1.math.reduce_mean", "reduce_mean"),
        ("compat.v1.nn.relu", "nn.relu"),
        ("compat.v1.transpose", "transpose"),
        ("linalg.matmul", "matmul"),
        ("dtypes.cast", "cast"),
        ("__operators__.add", "math.add"),
    ],
)
def test_a_function_has_several_names(name: str, same: str) -> None:
    assert tf_function_kind("TFOpLambda", name) is tf_function_kind("TFOpLambda", same) is not None


@pytest.mark.parametrize("class_name", TF_LAMBDA_CLASSES)
def test_a_kind_has_the_name_of_its_class(class_name: str) -> None:
    kind = tf_function_kind(class_name, "__operators__.getitem")
    assert kind is not None
    assert kind.__name__ == class_name
    assert kind.__doc__
    assert kind.resolve_keras_module() == ""


@pytest.mark.parametrize(
    "function", ["", "einsum", "py_function", "image.relu", "__class__", "math.", "nn.nn.nn"]
)
def test_other_functions_are_not_known(function: str) -> None:
    assert tf_function_kind("TFOpLambda", function) is None


def test_other_classes_are_not_known() -> None:
    assert tf_function_kind("TensorFlowOpLayer", "math.add") is None


# A function, its arguments, the shapes of its inputs, and what is said of them.
REFUSED: list[tuple[str, dict[str, Any], list[Any], str]] = [
    (
        "reshape",
        {"shape": OutputIndex("other", 0)},
        [(None, 4)],
        "its shape is what another layer gives",
    ),
    ("reshape", {}, [(None, 4)], "it needs 'shape'"),
    ("reshape", {"shape": [-1, "a"]}, [(None, 4)], "its shape does not fit"),
    ("reshape", {"shape": [3, -1]}, [(2, 4)], "does not hold the elements"),
    ("squeeze", {}, [(None, 1)], "is not known"),
    ("squeeze", {"axis": [1]}, [(None, 2)], "is not 1"),
    ("squeeze", {"axis": [0]}, [(0, 2)], "is not 1"),
    ("reduce_mean", {"axis": "a"}, [(None, 4)], "axis"),
    ("reduce_mean", {"axis": 5}, [(None, 4)], "axis 5"),
    ("concat", {"axis": 0}, [()], "a list of tensors"),
    ("concat", {"axis": 0}, [((None, 4), (None, 5))], "cannot join"),
    ("split", {"num_or_size_splits": 3, "axis": 1}, [(None, 4)], "not divisible"),
    ("split", {"num_or_size_splits": [3, 2], "axis": 1}, [(None, 4)], "are not all of 4"),
    ("split", {"num_or_size_splits": 10**9}, [(None, 4)], "outputs are more than"),
    ("split", {"num_or_size_splits": [1] * 20_000}, [(None, 4)], "outputs are more than"),
    ("split", {}, [(None, 4)], "indices_or_sections"),
    ("unstack", {}, [(None, 4)], "give num"),
    ("tile", {"multiples": [1]}, [(None, 4)], "one for each axis"),
    ("pad", {"paddings": [[1, 1]]}, [(None, 4)], "one for each axis"),
    ("pad", {}, [(None, 4)], "its paddings does not fit"),
    ("gather", {"batch_dims": 5}, [(None, 4), (None,)], "batch_dims 5"),
    ("gather_nd", {}, [(None, 4), (5, None)], "must be known"),
    ("gather_nd", {}, [(None, 4), (5, 3)], "more axes"),
    ("boolean_mask", {}, [(None, 4), ()], "does not fit"),
    ("slice", {"begin": [0], "size": [1]}, [(None, 4)], "one for each axis"),
    ("matmul", {}, [(4,), (4, 4)], "at least 2 axes"),
    ("matmul", {}, [(None, 4), (5, 4)], "cannot multiply"),
    ("add", {}, [(None, 4), (5,)], "differ"),
    ("add", {}, [(None, 4), None], "its input y is missing"),
    ("ensure_shape", {"shape": [1, 5]}, [(None, 4)], "is not"),
    ("image.resize", {"size": [4]}, [(None, 8, 8, 3)], "height and width"),
    ("image.resize", {"size": [4, 4], "preserve_aspect_ratio": True}, [(8, 8, 3)], "aspect"),
    ("image.resize", {"size": [4, 4]}, [(8, 8)], "images have 3 axes"),
    ("image.crop_and_resize", {"crop_size": [4]}, [(1, 8, 8, 3), (2, 4), (2,)], "height and"),
    ("nn.max_pool2d", {"ksize": 2, "strides": 2, "padding": [[0, 0]]}, [(1, 8, 8, 3)], "a list"),
    ("nn.max_pool2d", {"ksize": [2, 2, 2], "padding": "SAME"}, [(1, 8, 8, 3)], "one number"),
    ("nn.max_pool2d", {"ksize": 2, "padding": "A"}, [(1, 8, 8, 3)], "valid or same"),
    ("nn.max_pool2d", {"ksize": 2, "data_format": 3, "padding": "A"}, [(1, 8, 8, 3)], "is text"),
    ("__operators__.getitem", {"slice_spec": [0, 0, 0]}, [(None, 4)], "more parts"),
    ("__operators__.getitem", {"slice_spec": "a"}, [(None, 4)], "slice"),
    ("__operators__.getitem", {"slice_spec": [5, 4]}, [(None, 4)], "place 4"),
]


@pytest.mark.parametrize(("function", "arguments", "shapes", "said"), REFUSED)
def test_what_does_not_fit_is_refused(
    function: str, arguments: dict[str, Any], shapes: list[Any], said: str
) -> None:
    kind = tf_function_kind("TFOpLambda", function)
    assert kind is not None
    with pytest.raises(LayerError, match=said):
        convert({"arguments": arguments}, kind).output_shape(*shapes)


# A function, its arguments and the shapes of its inputs: what other layers give is unknown.
UNKNOWN = OutputIndex("other", 0)
UNKNOWNS: list[tuple[str, dict[str, Any], list[Any], Any]] = [
    ("one_hot", {"depth": UNKNOWN}, [(2, 3)], (2, 3, None)),
    ("one_hot", {"depth": UNKNOWN, "axis": 1}, [(2, 3)], (2, None, 3)),
    ("pad", {"paddings": ((0, 0), (UNKNOWN, 1))}, [(2, 3)], (2, None)),
    ("repeat", {"repeats": UNKNOWN}, [(2, 3)], (None,)),
    ("repeat", {"repeats": UNKNOWN, "axis": 1}, [(2, 3)], (2, None)),
    ("slice", {"begin": (0, UNKNOWN), "size": [2, -1]}, [(2, 3)], (2, None)),
    ("split", {"num_or_size_splits": (UNKNOWN, 1), "axis": 1}, [(2, 3)], ((2, None), (2, 1))),
    ("image.resize", {"size": UNKNOWN}, [(8, 6, 3)], (None, None, 3)),
    ("image.resize", {"size": (UNKNOWN, 4)}, [(8, 6, 3)], (None, 4, 3)),
    ("image.resize_with_pad", {"target_height": UNKNOWN, "target_width": 2}, [(8, 6, 3)],
     (None, 2, 3)),
    ("getitem", {"slice_spec": UNKNOWN}, [(2, 3)], (3,)),
    ("getitem", {"slice_spec": ({"class_name": "__ellipsis__"}, UNKNOWN)}, [(2, 3)], (2,)),
    ("getitem", {"slice_spec": (0, {"start": UNKNOWN, "stop": None, "step": None})}, [(2, 3)],
     (None,)),
    ("reshape", {"shape": {"class_name": "TensorShape", "items": [None, 3]}}, [(2, 3)], (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "shapes", "output"), UNKNOWNS)
def test_what_comes_from_other_layers_is_unknown(
    function: str, arguments: dict[str, Any], shapes: list[Any], output: Any
) -> None:
    kind = tf_function_kind("TFOpLambda", function)
    assert kind is not None
    assert convert({"arguments": arguments}, kind).output_shape(*shapes) == output


NAMES = [
    "adjoint_a", "axes", "axis", "batch_dims", "begin", "block_size", "crop_size",
    "data_format", "depth", "dilations", "dim", "k", "keepdims", "ksize", "maxlen", "multiples",
    "num", "num_or_size_splits", "padding", "paddings", "perm", "rates", "repeats", "shape",
    "size", "sizes", "slice_spec", "strides", "target_height", "target_width", "transpose_b",
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.integers()
    | st.floats()
    | st.sampled_from(["SAME", "VALID", "NCHW", "", UNKNOWN]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(
            st.sampled_from(["class_name", "config", "items", "start", "step", "stop"]),
            inner | st.just("__ellipsis__") | st.just("__tuple__"),
            max_size=4,
        )
    ),
    max_leaves=8,
)
SHAPES = st.lists(st.none() | st.integers(0, 6), max_size=5).map(tuple)


@settings(max_examples=500)
@given(
    st.sampled_from(sorted(TF_FUNCTION_RULES)),
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.data(),
)
def test_whatever_stands_in_a_call_is_followed_or_refused(
    function: str, arguments: dict[str, Any], data: st.DataObject
) -> None:
    kind = tf_function_kind("TFOpLambda", function)
    assert kind is not None
    shape = st.lists(SHAPES, max_size=3).map(tuple) if kind.accepts_nested else SHAPES
    shapes = [data.draw(shape) for _ in kind.input_names]
    with suppress(LayerError):
        convert({"arguments": arguments}, kind).output_shape(*shapes)
