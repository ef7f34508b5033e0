"""Objects and classes that Keras does not have: what is read of them all the same."""

from __future__ import annotations

from typing import Any

import pytest
from support.keras_objects import (
    Json,
    chain,
    dense,
    graph,
    layer,
    model_of,
    reading,
    rows_of,
    tensor,
)

from dense_calc.errors import DenseCalcError, SpecError
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

OBJECTS = {
    "activation": ("activation", "swoosh", "swoosh"),
    "initializer": ("kernel_initializer", "my_init", "my_init"),
    "code": ("bias_initializer", "<lambda>", "<lambda>"),
    "serialized code": ("activation", {"class_name": "__lambda__", "config": {}}, "<lambda>"),
    "regularizer": ("kernel_regularizer", "my_l2", "my_l2"),
    "constraint": ("kernel_constraint", {"class_name": "Mine", "config": {}}, "Mine"),
    "an activation that is no layer": (
        "activation",
        {"module": "keras.layers", "class_name": "Swoosh", "config": {}, "registered_name": None},
        "Swoosh",
    ),
    "a function of a package": (
        "activation",
        {"module": "builtins", "class_name": "function", "config": "lab>swoosh",
         "registered_name": "function"},
        "swoosh",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sort", OBJECTS)
def test_an_object_that_keras_does_not_have(sort: str) -> None:
    argument, value, name = OBJECTS[sort]
    written = chain(layer("Dense", "d", units=2, **{argument: value}), shape=[None, 8])
    with pytest.raises(DenseCalcError) as caught:
        trace(model_of(written))
    way = f"'{name}=identity'" if "<" in name else f"{name}=identity"
    assert caught.value.message == (
        f"'{name}' is unknown, and no code is run; if it does not change the shape: --assume {way}"
    )
    assert trace(model_of(written, **{name: "identity"})).total_params == 18


@pytest.mark.parametrize(
    "value",
    [
        "relu",
        None,
        {"module": "keras.layers", "class_name": "ReLU", "config": {}, "registered_name": None},
        {"module": "builtins", "class_name": "function", "config": "gelu",
         "registered_name": "function"},
    ],
)  # fmt: skip
def test_activations_of_keras_own_need_nothing_said(value: Any) -> None:
    written = chain(layer("Dense", "d", units=2, activation=value), shape=[None, 8])
    assert trace(model_of(written)).total_params == 18


GRAPH = graph(reading(dense(3), tensor("i", [None, 8])))
CHAIN = chain(dense(3), shape=[None, 8])


@pytest.mark.parametrize(("written", "kind"), [(GRAPH, "Functional"), (CHAIN, "Sequential")])
def test_a_class_derived_from_a_model_is_read_as_that(written: Json, kind: str) -> None:
    own = written | {"class_name": "Mine", "module": None, "registered_name": "lab>Mine"}
    model = model_of(own)
    assert (model.type, trace(model).total_params) == (kind, 27)
    said = [f"'Mine' is read as the {kind} that its config tells"]
    assert [note.message for note in model.remarks] == said
    outer = model_of(chain(own, dense(2, "head"), shape=[None, 8]))
    rows = trace(outer).layers
    assert [(row.type, row.params) for row in rows] == [("Mine", 27), ("Dense", 8)]
    assert f"- {kind}:\n" in format_spec(outer)
    assumed = trace(model_of(chain(own, dense(2, "head"), shape=[None, 8]), Mine="identity"))
    assert assumed.total_params == 18


def test_a_model_of_a_class_of_its_own_may_not_tell_its_layers() -> None:
    for config in ({}, {"layers": [1]}, {"layers": [dense(3)]}, {"layers": 2, "input_layers": []}):
        with pytest.raises(SpecError, match="the model has a custom class, 'Mine', and"):
            model_of({"module": None, "class_name": "Mine", "config": config})


def test_every_output_of_an_unknown_class_is_unknown() -> None:
    def reads(name: str, *ends: tuple[str, int]) -> Json:  # as before Keras 3, without shapes
        return {"name": name, "inbound_nodes": [[[end, 0, index, {}] for end, index in ends]]}

    split = layer("Split", "s") | reads("s", ("i", 0))
    one = dense(2, "d") | reads("d", ("s", 1))
    all_of_them = layer("Swap", "w") | reads("w", ("s", 0), ("s", 2), ("d", 0))
    rows = rows_of(graph(split, one, all_of_them))[1:]
    assert [(name, str(shape), state) for name, shape, _, state in rows] == [
        ("s", "?", "unknown"), ("d", "?", "unknown"), ("w", "?", "unknown")]  # fmt: skip
