"""Operations of TensorFlow in files of tf.keras give what they gave there, or nobody knows them."""

from __future__ import annotations

import json
import lzma
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, Run
from hypothesis import given, settings
from hypothesis import strategies as st

import dense_calc
from dense_calc.errors import DenseCalcError, LayerError
from dense_calc.keras_format.tensorflow.tf_functions import TF_FUNCTION_RULES
from dense_calc.keras_format.tensorflow.tf_operations import (
    NODE_GROUPS,
    TF_OPERATIONS,
    build_operation_layer,
)
from dense_calc.report import Report

FILE = DATA / "legacy" / "tf_operations.jsonl.xz"
FACTS = [json.loads(line) for line in lzma.decompress(FILE.read_bytes()).splitlines()]
FOLLOWED = {"Shape", "Size"}  # whose numbers TensorFlow follows, and we do not
OF_LISTS = {"BroadcastTo", "Pack", "Reshape", "Shape", "StridedSlice", "Tile"}  # with constants
# What only data or an unknown operation tells.
LEFT_OPEN = {"IdentityN", "MatrixDiagPartV3", "RandomUniform", "Range", "TopKV2"}


def operations_of(fact: dict[str, Any]) -> list[str]:
    """The operations in a fact's model."""
    configs = [layer["config"] for layer in fact["model"]["config"]["layers"]]
    return [config["node_def"]["op"] for config in configs if "node_def" in config]


def read(model: Any, tmp_path: Path, assume: dict[str, str] | None = None) -> Report:
    """The report on a model that a file holds."""
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model), "utf-8")
    return dense_calc.summarize(path, assume)


def tuples(written: Any) -> Any:
    """Nested lists as tuples."""
    return tuple(map(tuples, written)) if isinstance(written, list) else written


def agrees(ours: Any, theirs: Any) -> bool:
    """Whether two shapes, or nests of them, are the same where ours is known."""
    if isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(agrees, ours, theirs))
    return ours in (None, theirs)


KNOWN = [
    fact for fact in FACTS if operations_of(fact) and LEFT_OPEN.isdisjoint(operations_of(fact))
]


@pytest.mark.parametrize("fact", KNOWN, ids=lambda fact: " ".join(operations_of(fact))[:60])
def test_every_operation_gives_what_it_did(fact: dict[str, Any], tmp_path: Path) -> None:
    report = read(fact["model"], tmp_path)
    operations = set(operations_of(fact))
    is_exact = FOLLOWED.isdisjoint(operations) or operations <= OF_LISTS
    for row in report.layers:
        theirs = tuples(fact["outputs"][row.name])
        assert row.output_shape == theirs if is_exact else agrees(row.output_shape, theirs)
    assert report.total_params == 0


def test_the_facts_have_every_sort_of_operation() -> None:
    drawn = {operation for fact in KNOWN for operation in operations_of(fact)}
    assert len(drawn) > 90
    assert len([node for node in NODE_GROUPS if drawn & set(node.operations.split())]) > 35


def test_the_table_names_functions_and_their_parameters() -> None:
    assert len(TF_OPERATIONS) == sum(len(node.operations.split()) for node in NODE_GROUPS)
    for node in NODE_GROUPS:
        function = TF_FUNCTION_RULES[node.function_name]
        given = {name.rstrip("*") for name in node.input_names.split()}
        assert given >= set(
            function.input_names[: len(function.input_names) - function.optional_count]
        )


def layer(op: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """A layer that is an operation on the model's input."""
    name = f"tf_op_layer_{op}{number or ''}"
    config = {"name": op, "node_def": {"name": op, "op": op, "attr": {}}, "constants": {}, **more}
    return {
        "class_name": "TensorFlowOpLayer",
        "config": config,
        "name": name,
        "inbound_nodes": [[["x", 0, 0, {}]]],
    }


def model_with(*layers: dict[str, Any]) -> dict[str, Any]:
    """A model with these layers, each an output."""
    first = {"name": "x", "batch_input_shape": [None, 4], "dtype": "float32"}
    x = {"class_name": "InputLayer", "config": first, "name": "x", "inbound_nodes": []}
    ends = [[each["name"], 0, 0] for each in layers]
    config = {"layers": [x, *layers], "input_layers": [["x", 0, 0]], "output_layers": ends}
    return {"class_name": "Functional", "config": config, "keras_version": "2.3.0-tf"}


@pytest.mark.parametrize(
    "command",
    ["summary --format json", "explain", "check --max-params 1", "diff", "growth --vary d.units"],
)
def test_commands_take_operations(command: str, tmp_path: Path, run: Run) -> None:
    dense: dict[str, Any] = {
        "class_name": "Dense",
        "config": {"name": "d", "units": 3},
        "name": "d",
    }
    dense["inbound_nodes"] = [[["tf_op_layer_Mul", 0, 0, {}]]]
    model = model_with(layer("Mul", constants={"1": 2.0}), dense)
    (tmp_path / "m.json").write_text(json.dumps(model), "utf-8")
    name, *options = command.split()
    files = ["m.json"] * (1 + (name == "diff"))
    done = run(name, *files, *options, cwd=tmp_path)
    assert done.returncode == (1 if name == "check" else 0), done.stderr
    assert "tf_op_layer_Mul" in done.stdout or name not in ("summary", "explain")


def test_an_operation_that_nobody_knows_is_told_by_its_layer(tmp_path: Path) -> None:
    model = model_with(layer("Foo"), layer("Bar"), layer("Neg"))
    with pytest.raises(DenseCalcError) as caught:
        read(model, tmp_path)
    assert "tf_op_layer_Foo=identity" in str(caught.value)
    assert "(tf.raw_ops.Bar)" in str(caught.value)
    assume = {"tf_op_layer_Foo": "{output_shape: [7]}", "tf_op_layer_Bar": "identity"}
    shapes = [port.shape for port in read(model, tmp_path, assume).outputs]
    assert shapes == [(None, 7), (None, 4), (None, 4)]


@pytest.mark.parametrize(
    ("op", "more", "said"),
    [
        ("Reshape", {"constants": {"7": [1]}}, "constants are not those of Reshape"),
        ("Reshape", {}, "it needs 'shape'"),
        ("Mul", {}, "too few inputs"),
        ("Concat", {"constants": {"0": 9}}, "axis"),
        ("StridedSlice", {}, "known only with data"),
        ("Sum", {"constants": {"1": "a"}}, "axis"),
        ("Mul", {"constants": {"0": 1.0, "1": 2.0}}, "too many inputs"),
    ],
)
def test_what_does_not_fit_is_refused(
    op: str, more: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(LayerError, match=said):
        read(model_with(layer(op, **more)), tmp_path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["op", "attr", "b", "i", "s", "list", "shape", "dim", "size", "0", "1"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
ATTRIBUTES = sorted({name for node in NODE_GROUPS for name in node.attributes})
SHAPES = st.lists(st.lists(st.none() | st.integers(0, 5), max_size=4).map(tuple), max_size=3)


@settings(max_examples=500)
@given(
    st.sampled_from(sorted(TF_OPERATIONS)),
    st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=4) | VALUES,
    st.dictionaries(st.sampled_from(["0", "1", "2", "3", "x"]), VALUES, max_size=3) | VALUES,
    SHAPES,
)
def test_whatever_stands_in_a_node_is_followed_or_refused(
    op: str, attributes: Any, constants: Any, shapes: list[Any]
) -> None:
    made = build_operation_layer({"op": op, "attr": attributes}, constants)
    assert made is not None
    with suppress(LayerError):
        made.output_shape(*shapes)
