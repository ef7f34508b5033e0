"""`--set NAME=VALUE`: vars, arguments of layers and inputs, of specs and of Keras' files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cases import Case, read_facts
from conftest import ROOT, Run, work
from ours import REFUSED, nest, spec_of

from dense_calc.analysis.match_layers import written
from dense_calc.errors import DenseCalcError, Source, SpecError
from dense_calc.files.loader import variants_in
from dense_calc.keras_format.writer import to_keras
from dense_calc.layers.base import LayerKind
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.settings.targets import Targets
from dense_calc.settings.variants import Variants
from dense_calc.spec_language import parse
from dense_calc.tracing.tracer import trace

MNIST = (ROOT / "specs" / "mnist.yaml").read_text("utf-8")
SPEC = """\
vars: {width: 8, rate: width / 16}
input: [16, 16, 3]
blocks:
  body:
    params: {filters: 4}
    layers:
      - Conv2D: {name: conv, filters: filters, kernel_size: 3, padding: same}
      - BatchNormalization
layers:
  - Conv2D: {filters: width, kernel_size: 3}
  - body: {repeat: 3}
  - Sequential:
      {name: inner, input: [null, null, 4], layers: [Conv2D: {filters: 2, kernel_size: 1}]}
  - GlobalAveragePooling2D
  - RepeatVector: {n: 7, name: steps}
  - Bidirectional: {layer: {LSTM: {units: 5}}, name: both}
  - RNN: {cell: [{GRUCell: {units: 3}}, {LSTMCell: {units: 4}}], name: cells, from: steps}
  - Concatenate: {from: [both, cells]}
  - Dense: {units: 6}
  - Dense: {units: 6, name: square}
  - {reuse: square, name: again}
  - Dense: {units: 6, name: twice}
  - Dropout: {rate: rate}
"""
CONV = "width, kernel_size: 3"

# a setting, what it replaces in the text, and by what
SAME: list[tuple[str, Any, str, str]] = [
    ("width", "12", "width: 8", "width: 12"),
    ("width", "2 * 6", "width: 8", "width: 12"),
    ("width", 12, "width: 8", "width: 12"),
    ("conv2d.filters", "7", "filters: width", "filters: 7"),
    ("conv2d.filters", "2 * width", "filters: width", "filters: 16"),
    ("conv2d.kernel_size", "[3, 5]", CONV, f"{CONV[:-1]}[3, 5]"),
    ("conv2d.kernel_size", (3, 5), CONV, f"{CONV[:-1]}[3, 5]"),
    ("conv2d.kernel_size", "[width - 5, 1]", CONV, f"{CONV[:-1]}[3, 1]"),
    ("conv2d.padding", "same", CONV, f"{CONV}, padding: same"),
    ("conv2d.use_bias", "false", CONV, f"{CONV}, use_bias: false"),
    ("conv2d.use_bias", False, CONV, f"{CONV}, use_bias: false"),
    ("body/conv.kernel_size", "5", "filters, kernel_size: 3", "filters, kernel_size: 5"),
    ("inner/conv2d.filters", "2 + 2", "filters: 2", "filters: 4"),
    ("inner.trainable", "false", "name: inner,", "name: inner, trainable: false,"),
    ("both.layer.units", "9", "units: 5", "units: 9"),
    ("both.merge_mode", "sum", "name: both", "name: both, merge_mode: sum"),
    ("both.layer", "{GRU: {units: 2}}", "{LSTM: {units: 5}}", "{GRU: {units: 2}}"),
    ("cells.cell.cells.0.units", "6", "units: 3", "units: 6"),
    (
        "cells.cell.cells.1",
        "{SimpleRNNCell: {units: 2}}",
        "{LSTMCell: {units: 4}}",
        "{SimpleRNNCell: {units: 2}}",
    ),
    ("twice.units", "7", "units: 6, name: twice", "units: 7, name: twice"),
    ("again.use_bias", "false", "name: square", "name: square, use_bias: false"),
    ("dropout.rate", "1/4", "rate: rate", "rate: 0.25"),
    ("input", "[16, 16, 2]", "[16, 16, 3]", "[16, 16, 2]"),
    ("input", [16, 16, 2], "[16, 16, 3]", "[16, 16, 2]"),
    ("input", "[2 * width, 16, 1 + 1]", "[16, 16, 3]", "[16, 16, 2]"),
    ("input.shape", "[16, 16, 2]", "[16, 16, 3]", "[16, 16, 2]"),
    ("input.dtype", "float16", "[16, 16, 3]", "{shape: [16, 16, 3], dtype: float16}"),
    ("input.batch_size", "4", "[16, 16, 3]", "{shape: [16, 16, 3], batch_size: 4}"),
]


def with_settings(text: str, settings: dict[str, Any]) -> Model:
    """The model that a text holds with these settings."""
    return variants_in(Source("m.yaml", text), None, "m", {}, "m.yaml").model(settings)


def layers_of(model: Model) -> list[LayerKind]:
    """The layers of a model."""
    return [node.layer for node in model.nodes]


def is_same(one: LayerKind, other: LayerKind) -> bool:
    """Whether two layers have the same arguments, those of layers inside too."""
    return written(one) == written(other)


def report(text: str) -> Report:
    """The report on a spec."""
    return trace(parse(Source("m.yaml", text), "m"))


@pytest.mark.parametrize(
    ("name", "value", "old", "new"), SAME, ids=[f"{name}={value}" for name, value, _, _ in SAME]
)
def test_a_setting_is_what_the_file_could_say(name: str, value: Any, old: str, new: str) -> None:
    assert old in SPEC
    edited = SPEC.replace(old, new, 1)
    model, wanted = with_settings(SPEC, {name: value}), parse(Source("m.yaml", edited), "m")
    assert trace(model) == trace(wanted)
    assert all(map(is_same, layers_of(model), layers_of(wanted)))
    assert not all(map(is_same, layers_of(model), layers_of(parse(Source("m.yaml", SPEC), "m"))))


def test_several_settings_at_once() -> None:
    found = trace(with_settings(SPEC, {"conv2d.filters": "width", "width": 3, "twice.units": 1}))
    edited = SPEC.replace("width: 8", "width: 3").replace("6, name: twice", "1, name: twice")
    assert found == report(edited)


def test_one_copy_of_a_block() -> None:
    rows = {row.name: row.params for row in report(SPEC).layers}
    found = trace(with_settings(SPEC, {"body_1/conv.kernel_size": 1}))
    changed = {row.name: row.params for row in found.layers if row.params != rows[row.name]}
    assert changed == {"body_1/conv": 4 * 4 + 4}


def test_all_calls_of_a_layer_are_one() -> None:
    one, other = (
        trace(with_settings(SPEC, {f"{name}.kernel_initializer": "zeros"}))
        for name in ("square", "again")
    )
    assert one == other
    model = with_settings(SPEC, {"again.kernel_initializer": "zeros"})
    layers = {node.name: node.layer for node in model.nodes}
    assert layers["square"] is layers["again"]


def test_an_argument_of_a_call_is_of_that_call() -> None:
    spec = """\
input: {shape: [9], dtype: int32}
layers:
  - ReversibleEmbedding: {name: words, input_dim: 20, output_dim: 4}
  - {reuse: words, name: again, reverse: true}
"""
    found = trace(with_settings(spec, {"again.reverse": False}))
    assert [row.output_shape for row in report(spec).layers[-2:]] == [(None, 9, 4), (None, 9, 20)]
    assert [row.output_shape for row in found.layers[-2:]] == [(None, 9, 4), (None, 9, 4, 4)]


OF_KERAS = [
    (name.replace("body/", "body_0."), value)
    for name, value, _, _ in SAME
    if not name.startswith(("width", "again")) and "width" not in str(value)
]


@pytest.mark.parametrize(("name", "value"), OF_KERAS, ids=map(str, OF_KERAS))
def test_keras_files_take_the_same(name: str, value: Any) -> None:
    text = to_keras(parse(Source("m.yaml", SPEC), "m"))
    ours = with_settings(SPEC, {name.replace("body_0.", "body_0/"): value})
    theirs = with_settings(text, {name: value})
    rows = [
        (row.type, row.output_shape, row.params, row.trainable_params) for row in trace(ours).layers
    ]
    assert trace(theirs).total_params == trace(ours).total_params
    assert {
        (row.type, row.output_shape, row.params, row.trainable_params)
        for row in trace(theirs).layers
    } <= set(rows)


# settings → how the complaint begins
COMPLAINTS: dict[str, tuple[dict[str, Any], str]] = {
    "a var that is not there": (
        {"widht": 3},
        "error: m.yaml has no var 'widht'; did you mean 'width'?",
    ),
    "a layer without its argument": (
        {"twice": 3},
        "error: 'twice' is a layer; say which argument of it: twice.ARGUMENT=VALUE",
    ),
    "a layer that is not there": (
        {"twise.units": 3},
        "error: m.yaml has no layer 'twise'; did you mean 'twice'?",
    ),
    "a layer of a block that is not there": (
        {"body/convv.filters": 3},
        "error: m.yaml has no layer 'body/convv'; did you mean 'body/conv'?",
    ),
    "a layer of a model inside that is not there": (
        {"inner/conv.filters": 3},
        "error: inner has no layer 'conv'; did you mean 'conv2d'?",
    ),
    "an argument that is not there": (
        {"twice.unit": 3},
        "error: Dense 'twice' has no argument 'unit'; did you mean 'units'?",
    ),
    "an argument of what is no layer": (
        {"twice.units.x": 3},
        "error: 'twice.units' is no layer, and has no 'x'",
    ),
    "an argument of a layer inside that is not there": (
        {"both.layer.unit": 3},
        "error: LSTM 'both.layer' has no argument 'unit'; did you mean 'units'?",
    ),
    "a cell that is not there": (
        {"cells.cell.cells.2.units": 3},
        "error: 'cells.cell.cells' is no layer, and has no '2'",
    ),
    "the name of a layer": (
        {"twice.name": "x"},
        "error: Dense 'twice' keeps its 'name': only arguments can be set",
    ),
    "a block": (
        {"body.repeat": 3},
        "error: 'body' is a block; let a var stand for its 'repeat', and set that",
    ),
    "the input of a layer": (
        {"twice.input_dim": 3},
        "error: Dense 'twice' reads what it is given; set the model's input=[...]",
    ),
    "a value of the wrong type": (
        {"twice.units": "[3]"},
        "--set twice.units:1:1: error: Dense's 'units' must be a positive integer, not a list of 1"
        "\n  1 | [3]\n      ^^^",
    ),
    "a value that is out of bounds": (
        {"twice.units": 0},
        "--set twice.units:1:1: error: Dense's 'units' must be a positive integer, not 0\n"
        "  1 | 0\n      ^",
    ),
    "a name that is no var": (
        {"conv2d.kernel_size": "[3, widht]"},
        "--set conv2d.kernel_size:1:5: error: Conv2D's 'kernel_size' must be a positive integer or "
        "a list of positive integers, but 'widht' is not a var; did you mean 'width'?\n"
        "  1 | [3, widht]\n          ^^^^^",
    ),
    "a word that Keras does not know": (
        {"conv2d.activation": "relv"},
        "--set conv2d.activation:1:1: error: Conv2D's 'activation' must be a name that Keras "
        "knows, not 'relv'; did you mean 'relu'?\n  1 | relv\n      ^^^^",
    ),
    "what is no YAML": (
        {"conv2d.kernel_size": "[3"},
        "--set conv2d.kernel_size:1:1: error: this is not YAML: did not find expected ',' or ']', "
        "while parsing a flow sequence\n  1 | [3\n      ^",
    ),
    "an input that is no shape": (
        {"input": 3},
        "--set input:1:1: error: InputLayer's 'shape' must be a list of at most 64 integers of at "
        "least 0, not 3\n  1 | 3\n      ^",
    ),
    "a number without end": (
        {"width": 2**64},
        "--set width:1:1: error: a number may be at most 9,223,372,036,854,775,807\n"
        "  1 | 18446744073709551616\n      ^^^^^^^^^^^^^^^^^^^^",
    ),
    "arguments that exclude each other": (
        {"twice.lora_rank": 2, "twice.kernel_constraint": "max_norm"},
        "m.yaml:22:5: error: Dense 'twice': lora_rank and kernel_constraint exclude each other; "
        "remove one\n",
    ),
    "what does not fit any more": (
        {"conv2d.kernel_size": 17},
        "m.yaml:10:43: error: Conv2D 'conv2d': kernel_size 17 × 17 does not fit into 16 × 16; "
        "make it smaller, or write 'padding: same'\n 10 |   - Conv2D: {filters: width, kern",
    ),
}


@pytest.mark.parametrize(("settings", "said"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_a_complaint(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DenseCalcError) as caught:
        trace(with_settings(SPEC, settings))
    assert str(caught.value).startswith(said)


def test_a_model_that_is_called_twice_changes_in_both_calls() -> None:
    spec = """\
type: Functional
input: [16, 16, 3]
layers:
  - Sequential: {name: m, input: [16, 16, 3], layers: [Conv2D: {filters: 3, kernel_size: 3}]}
  - {reuse: m, name: again, from: input}
  - Concatenate: {from: [m, again]}
  - Flatten
  - Dense: {units: 5}
"""
    for text in (spec, to_keras(parse(Source("m.yaml", spec), "m"))):
        found = trace(with_settings(text, {"m/conv2d.strides": 2}))
        assert (
            found.total_params
            == report(spec.replace("size: 3}", "size: 3, strides: 2}")).total_params
        )
        assert trace(with_settings(text, {"m/conv2d.use_bias": False}))


def test_the_vocabulary_of_an_embedding_is_its_own() -> None:
    spec = "input: {shape: [12], dtype: int32}\nlayers: [Embedding: {input_dim: 50, output_dim: 8}]"
    assert trace(with_settings(spec, {"embedding.input_dim": 70})).total_params == 70 * 8


def test_copies_in_copies_are_called_by_either_name() -> None:
    spec = """\
input: [4]
blocks:
  deep: [Dense: {units: 4, name: up}]
  outer: [deep: {repeat: 2}]
layers: [outer: {repeat: 3}]
"""
    for name, changed in (
        ("outer/deep/up", 6),
        ("outer_0/deep/up", 2),
        ("outer/deep_1/up", 3),
        ("outer_2/deep_0/up", 1),
    ):
        found = trace(with_settings(spec, {f"{name}.use_bias": False}))
        assert sum(row.params == 16 for row in found.layers) == changed


def test_no_setting_looks_at_every_layer() -> None:
    spec = "input: [4]\nblocks: {b: [Dense: {units: 4}]}\nlayers: [b: {repeat: TIMES}]"
    few, many = (
        Targets(parse(Source("m.yaml", spec.replace("TIMES", str(times))), "m"), "m.yaml")
        for times in (10, 10_000)
    )
    assert [len(each["b/dense.units"].places) for each in (few, many)] == [10, 10_000]
    name = "b_5/dense.units"
    assert work(lambda: few[name]) == work(lambda: many[name])


@pytest.mark.parametrize("piece", ["b.", "b/", "b/b.", "b/dense.", "dense."])
def test_a_long_setting_is_looked_at_once(piece: str) -> None:
    spec = "input: [4]\nblocks: {b: [Dense: {units: 4}]}\nlayers: [b: {repeat: 9}]"
    found = Targets(parse(Source("m.yaml", spec), "m"), "m.yaml")

    def look(times: int) -> None:
        with pytest.raises(SpecError):
            found[f"{piece * times}.units"]

    assert work(lambda: look(4000)) < 5 * work(lambda: look(1000))


def test_several_inputs_have_names() -> None:
    spec = "inputs: {a: [3], b: [4]}\nlayers: [Concatenate: {from: [a, b]}, Dense: {units: 2}]"
    assert trace(with_settings(spec, {"b": [9]})).total_params == 2 * (3 + 9 + 1)
    with pytest.raises(DenseCalcError, match=r"several inputs; set one: a=\[...\] and b=\[...\]"):
        with_settings(spec, {"input": [9]})


def test_a_var_comes_before_an_input_of_its_name() -> None:
    spec = "vars: {a: 2}\ninputs: {a: [3]}\nlayers: [Dense: {units: a}]"
    assert trace(with_settings(spec, {"a": 5})).total_params == 5 * (3 + 1)


def test_a_name_with_dots() -> None:
    spec = "input: [3]\nlayers: [Dense: {units: 2, name: a.b}, Dense: {units: 2, name: a}]"
    assert trace(with_settings(spec, {"a.b.units": 5})).total_params == 5 * 4 + 2 * 6


def test_keras_batch_shape_keeps_its_batch() -> None:
    text = to_keras(
        parse(Source("m", "input: {shape: [8], batch_size: 4}\nlayers: [Dense: {units: 2}]"), "m")
    )
    assert trace(with_settings(text, {"input": "[5]"})).inputs[0].shape == (4, 5)


OUTPUTS = {
    "summary": "968,690",
    "explain": "968,690",
    "check --max-params 900k": "968,690",
    "diff specs/mnist.yaml": "unchanged",
    "convert --to keras": '"units": 1234',
}


@pytest.mark.parametrize(("command", "told"), OUTPUTS.items(), ids=OUTPUTS)
def test_every_command_that_reads_a_model_takes_it(run: Run, command: str, told: str) -> None:
    result = run(*command.split(), "specs/mnist.yaml", "--set", "dense.units=1234")
    assert result.stderr == ""
    assert told in result.stdout


def test_before_and_after(run: Run) -> None:
    result = run("summary", "specs/lenet5.yaml", "--set", "width=12", "--compare")
    assert result.stderr == ""
    assert result.stdout.startswith("specs/lenet5.yaml → specs/lenet5.yaml --set width=12\n")
    assert "conv2d (Conv2D)      156    312    +156  filters: 6 → 12\n" in result.stdout
    assert "Total params: 61,706 → 64,262 (+2,556, +4.1 %)\n" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--compare"], "--compare needs --set, what is to be compared."),
        (["--compare", "--set", "width=3", "--depth", "1"], "leave out what is of a summary."),
        (["--compare", "--set", "width=3", "--columns", "name"], "leave out what is of a summary."),
        (["--compare", "--set", "width=3", "--format", "csv"], "--compare has no CSV; take json."),
        (["--compare", "--set", "widht=3"], "has no var 'widht'; did you mean 'width'?"),
    ],
)
def test_what_compare_does_not_go_with(run: Run, options: list[str], said: str) -> None:
    result = run("summary", "specs/lenet5.yaml", *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_before_and_after_of_standard_input(run: Run) -> None:
    result = run("summary", "-", "--set", "dense.units=3", "--compare", stdin=MNIST)
    assert (result.returncode, result.stderr) == (0, "")
    assert "7,850 → 2,355" in result.stdout


def test_before_and_after_as_json(run: Run) -> None:
    result = run(
        "summary", "specs/lenet5.yaml", "--set", "width=12", "--compare", "--format", "json"
    )
    found = json.loads(result.stdout)
    assert found["total_params"] == {"old": 61706, "new": 64262, "change": 2556}
    assert [layer["name"] for layer in found["layers"]] == ["conv2d_1", "conv2d"]
    assert (found["old"], found["new"]) == ("specs/lenet5.yaml", "specs/lenet5.yaml --set width=12")


def answer(whole: Variants, values: dict[str, Any]) -> dict[str, Any]:
    """The output shape and the weights of the model with these settings, or that it is refused."""
    try:
        found = trace(whole.model(values))
    except DenseCalcError:
        return REFUSED
    weights = [
        [weight.path, list(weight.shape), weight.trainable, weight.dtype]
        for row in found.layers
        for weight in row.weights
    ]
    return {"output": nest(found.outputs[0].shape), "weights": weights}


def without(fact: Case, argument: str) -> Case:
    """A case without an argument of the layer, or of its call."""
    parts = {part: {**fact.get(part, {})} for part in ("arguments", "call")}
    for given in parts.values():
        given.pop(argument, None)
    return {**fact, **parts}


FACTS = read_facts()
NEEDING_ALL = {"Pipeline"}  # which is nothing without its layers


@pytest.mark.parametrize("kind", list(dict.fromkeys(fact["kind"] for fact in FACTS)))
def test_a_layer_with_an_argument_set_is_the_one_that_keras_makes_with_it(kind: str) -> None:
    tried = 0
    for fact in (fact for fact in FACTS if fact["kind"] == kind):
        truth = REFUSED if "refused" in fact else {key: fact[key] for key in ("output", "weights")}
        for argument, value in {**fact["arguments"], **fact.get("call", {})}.items():
            text = json.dumps(spec_of(without(fact, argument)))
            whole = variants_in(Source("case", text), None, "case", {}, "case")
            if answer(whole, {}) == REFUSED or argument in ("name", "input_shape", "input_dim"):
                continue
            tried += 1
            is_text = isinstance(value, str) and value.startswith("[")  # and no list
            name = f"{whole.model().nodes[-1].name}.{argument}"
            found = answer(whole, {name: json.dumps(value) if is_text else value})
            assert found == truth, (fact, argument)
    assert tried or kind in NEEDING_ALL
