"""What `trainable: false` freezes, with numbers of real Keras 3.15.1, and what is noted of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

from dense_calc.analysis.freezing import idle_freeze_notes
from dense_calc.errors import Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import to_keras
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

STEPS = "input: [5, 8]\nlayers:\n"
INSIDE = "Dense: {units: 3}"
FROZEN = "Dense: {units: 3, trainable: false}"

# A layer of a spec, the parameters that Keras' summary calls trainable, and the arguments in which
# those stand that the layer does not freeze; "" where no argument can.
LAYERS = [
    ("LSTM: {units: 3, trainable: false}", 0, None),
    ("GRU: {units: 3, trainable: false}", 0, None),
    ("SimpleRNN: {units: 3, trainable: false}", 0, None),
    (
        "MultiHeadAttention: {num_heads: 2, key_dim: 3, trainable: false, from: [input, input]}",
        218,
        "",
    ),
    (
        "GroupedQueryAttention: {head_dim: 3, num_query_heads: 2, num_key_value_heads: 1,"
        " trainable: false, from: [input, input]}",
        164,
        "",
    ),
    ("RNN: {cell: {LSTMCell: {units: 3}}, trainable: false}", 144, "'cell'"),
    ("RNN: {cell: {LSTMCell: {units: 3, trainable: false}}}", 0, None),
    ("RNN: {cell: {LSTMCell: {units: 3, trainable: false}}, trainable: false}", 0, None),
    (
        "RNN: {cell: {StackedRNNCells: {cells: [{LSTMCell: {units: 3}}], trainable: false}}}",
        144,
        "'cells'",
    ),
    (
        "RNN: {cell: [{LSTMCell: {units: 3, trainable: false}}, {GRUCell: {units: 2}}],"
        " trainable: false}",
        42,
        "'cell'",
    ),
    ("Bidirectional: {layer: {LSTM: {units: 3}}, trainable: false}", 288, "'layer'"),
    ("Bidirectional: {layer: {LSTM: {units: 3, trainable: false}}}", 0, None),
    (
        "Bidirectional: {layer: {LSTM: {units: 3}}, trainable: false,"
        " backward_layer: {LSTM: {units: 3, go_backwards: true, trainable: false}}}",
        144,
        "'layer'",
    ),
    (
        "Bidirectional: {layer: {LSTM: {units: 3}}, trainable: false,"
        " backward_layer: {LSTM: {units: 3, go_backwards: true}}}",
        288,
        "'layer' and 'backward_layer'",
    ),
    (f"TimeDistributed: {{layer: {{{INSIDE}}}, trainable: false}}", 27, "'layer'"),
    (f"TimeDistributed: {{layer: {{{FROZEN}}}, trainable: false}}", 0, None),
    ("TimeDistributed: {layer: Flatten, trainable: false}", 0, None),
    (
        f"TimeDistributed: {{layer: {{SpectralNormalization: {{layer: {{{INSIDE}}},"
        " trainable: false}}}",
        27,
        "'layer'",
    ),
    (f"SpectralNormalization: {{layer: {{{INSIDE}}}, trainable: false}}", 27, "'layer'"),
    (f"SpectralNormalization: {{layer: {{{FROZEN}}}}}", 0, None),
    (
        f"Sequential: {{input: [5, 8], layers: [{{{INSIDE}}}], trainable: false}}",
        27,
        "'layers'",
    ),
    (f"Functional: {{input: [5, 8], layers: [{{{FROZEN}}}], trainable: false}}", 0, None),
    (
        f"Functional: {{input: [5, 8], layers: [{{{INSIDE}}}], trainable: false}}",
        27,
        "'layers'",
    ),
    (
        "Bidirectional: {layer: {ConvLSTM1D: {filters: 3, kernel_size: 2, trainable: false}},"
        " from: images}",
        264,
        "",
    ),
]


def spec_of(layer: str) -> str:
    """A spec with one layer, which reads steps, or sequences of images."""
    word, _, arguments = layer.partition(": ")
    more = ""
    if "from: images" in arguments:
        more = "  - Reshape: {target_shape: [5, 4, 2], name: images}\n"
    return f"{STEPS}{more}  - {word}: {arguments}\n"


@pytest.mark.parametrize(("layer", "trained", "arguments"), LAYERS)
def test_a_layer_freezes_its_own_weights(layer: str, trained: int, arguments: str | None) -> None:
    model = parse_spec(Source("m.yaml", spec_of(layer)), "m")
    report = trace(model)
    weights = [weight for row in report.layers for weight in row.weights]
    assert report.trainable_params == trained
    assert report.layers[-1].trainable_params == trained
    assert report.trainable_bytes == trained * 4
    assert sum(weight.params for weight in weights if weight.trainable) == trained
    notes = [note.message for note in idle_freeze_notes(model)]
    if arguments is None:
        assert not notes
    else:
        mended = f"write 'trainable: false' in its {arguments}" if arguments else "only Python can"
        assert [mended in note for note in notes] == [True]


@pytest.mark.parametrize(("layer", "trained", "arguments"), LAYERS)
def test_files_of_keras_say_the_same(layer: str, trained: int, arguments: str | None) -> None:
    text = to_keras(parse_spec(Source("m.yaml", spec_of(layer)), "m"))
    model = from_keras(json.loads(text), Source("m.json", text), "m", {})
    again = parse_spec(Source("m.yaml", format_spec(model)), "m")
    assert trace(model).trainable_params == trace(again).trainable_params == trained
    notes = list(idle_freeze_notes(model))
    assert len(notes) == (arguments is not None)
    assert all(note.place.resolve().line > 1 for note in notes)


WHOLE = f"trainable: false\n{STEPS}  - {LAYERS[3][0].replace('trainable: false, ', '')}\n"


def test_a_frozen_model_trains_nothing() -> None:
    model = parse_spec(Source("m.yaml", WHOLE), "m")
    text = to_keras(model)
    read = from_keras(json.loads(text), Source("m.json", text), "m", {})
    spec = format_spec(read)
    for each in (model, read, parse_spec(Source("m.yaml", spec), "m")):
        report = trace(each)
        assert (report.total_params, report.trainable_params) == (218, 0)
        assert [row.non_trainable_params for row in report.layers] == [0, 218]
        assert not any(weight.trainable for row in report.layers for weight in row.weights)
        assert not list(idle_freeze_notes(each))


def test_a_frozen_chain_is_written_as_what_keras_loads_frozen() -> None:
    spec = "trainable: false\ninput: [8]\nlayers:\n  - Dense: {units: 3}\n"
    written = json.loads(to_keras(parse_spec(Source("m.yaml", spec), "m")))
    assert written["class_name"] == "Functional"
    assert written["config"]["trainable"] is False


@pytest.mark.parametrize("name", ["Functional", "Sequential"])
def test_a_frozen_model_in_another_is_trained(name: str) -> None:
    """Keras freezes what it loads as a whole, and asks no Sequential; inside it asks neither."""
    spec = f"input: [8]\nlayers:\n  - {name}: {{input: [8], layers: [{{{INSIDE}}}]}}\n"
    written = json.loads(to_keras(parse_spec(Source("m.yaml", spec), "m")))
    inner = written["config"]["layers"][-1]["config"]
    inner["trainable"] = False
    for value, trained in ((written, 27), (written["config"]["layers"][-1], 0)):
        text = json.dumps(value)
        model = from_keras(value, Source("m.json", text), "m", {})
        expected = 27 if name == "Sequential" else trained
        assert trace(model).trainable_params == expected


COMMANDS = [
    ("summary", "m.yaml"),
    ("explain", "m.yaml"),
    ("check", "m.yaml", "--max-trainable", "27"),
    ("convert", "m.yaml", "--to", "keras"),
    ("sweep", "m.yaml", "--set", "width=2,3"),
    ("fit", "m.yaml", "--vary", "width", "--max-trainable", "27"),
    ("growth", "m.yaml", "--vary", "width"),
    ("diff", "m.yaml", "other.yaml"),
]
SPEC = """vars: {width: 3}
input: [5, 8]
blocks:
  steps:
    - TimeDistributed: {layer: {Dense: {units: width}}, trainable: false}
layers:
  - steps
"""
NOTE = """m.yaml:5:68: note: this does not freeze the layers inside TimeDistributed, which Keras \
goes on training; write 'trainable: false' in its 'layer'
  5 |     - TimeDistributed: {layer: {Dense: {units: width}}, trainable: false}
                                                                         ^^^^^
"""


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: str(arguments[0]))
def test_every_command_notes_it(arguments: tuple[str, ...], tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.yaml").write_text(SPEC, "utf-8")
    (tmp_path / "other.yaml").write_text(SPEC.replace(", trainable: false", ""), "utf-8")
    result = run(*arguments, cwd=tmp_path)
    assert result.stderr == NOTE
    assert result.returncode == 0


def test_a_layer_is_noted_once_and_many_are_counted(tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.yaml").write_text(SPEC.replace("- steps", "- steps: {repeat: 9}"), "utf-8")
    assert run("summary", "m.yaml", cwd=tmp_path).stderr == NOTE
    layer = "  - TimeDistributed: {layer: {Dense: {units: 3}}, trainable: false}\n"
    (tmp_path / "m.yaml").write_text(STEPS + layer * 10, "utf-8")
    notes = run("summary", "m.yaml", cwd=tmp_path).stderr
    assert notes.count("note: this does not freeze") == 8
    assert notes.endswith("note: and 2 more\n")


@pytest.mark.parametrize(("inmost", "notes"), [(INSIDE, 1), ("Dropout: {rate: 0.5}", 0)])
def test_a_model_inside_is_followed_once_however_often_it_is_called(
    inmost: str, notes: int
) -> None:
    """Models in each other, each called ten times: the inmost layer is called 10¹⁵ times."""
    layers = f"{{{inmost}}}"
    calls = "".join(f", {{reuse: m, name: m_{number}}}" for number in range(9))
    for _ in range(15):
        inner = f"{{Functional: {{name: m, input: [3], layers: [{layers}]}}}}"
        layers = inner + calls
    frozen = f"{{Functional: {{trainable: false, input: [3], layers: [{layers}]}}}}"
    model = parse_spec(Source("m.yaml", f"input: [3]\nlayers: [{frozen}]"), "m")
    assert len(list(idle_freeze_notes(model))) == notes
