"""What differs between two models: layers, graphs, outputs and arguments."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Run
from graphs import random_spec
from support.differences import OLD, compared, edited, told

from dense_calc.analysis.difference import compare_models, fold_copies
from dense_calc.api import load
from dense_calc.keras_format.writer import to_keras

NORM = "  - BatchNormalization: {name: norm}\n"

# what is done → the new spec, and the changes, the largest first
DIFFS: dict[str, tuple[str, list[str]]] = {
    "nothing": (OLD, []),
    "more units": (
        edited(("units: 4", "units: 5")),
        ["changed head +17 units=4>5"],
    ),
    "fewer units, which what follows feels": (
        edited(("units: 16", "units: 8")),
        ["changed body -72 units=16>8", "changed norm -32", "changed head -32"],
    ),
    "a layer more": (
        edited((NORM, NORM + "  - Dense: {units: 16, name: more}\n")),
        ["added more +272"],
    ),
    "a layer less": (edited((NORM, "")), ["removed norm -64"]),
    "a layer in place of another": (
        edited((NORM, "  - LayerNormalization: {name: norm}\n")),
        ["changed norm -32 type=BatchNormalization>LayerNormalization"],
    ),
    "another name": (edited(("name: head", "name: tail")), ["changed tail +0 <head"]),
    "another name, and a change above": (
        edited(("name: head", "name: tail"), ("units: 16", "units: 15")),
        ["changed body -9 units=16>15", "changed norm -4", "changed tail -4 <head"],
    ),
    "another name and other arguments: no longer the same": (
        edited(("units: 4, name: head", "units: 5, name: tail")),
        ["added tail +85", "removed head -68"],
    ),
    "an argument that weighs nothing": (
        edited(("units: 4,", "units: 4, activation: relu,")),
        ["changed head +0 activation=linear>relu"],
    ),
    "an argument that means the same": (
        edited(("units: 4,", "units: 4, activation: linear, kernel_initializer: GlorotUniform,")),
        [],
    ),
    "no bias": (
        edited(("units: 4,", "units: 4, use_bias: false,")),
        ["changed head -4 use_bias=True>False"],
    ),
    "what is trained": (
        edited(("units: 4,", "units: 4, trainable: false,")),
        ["changed head +0 trainable=True>False"],
    ),
    "another dtype": (
        edited(("units: 4,", "units: 4, dtype: float16,")),
        ["changed head +0 dtype=float32>float16"],
    ),
    "another input": (
        edited(("[8]", "[9]")),
        ["changed body +16", "changed input +0 shape=[8]>[9]"],
    ),
    "another order": (
        "input: [8]\nlayers:\n"
        "  - BatchNormalization: {name: norm}\n"
        "  - Dense: {units: 16, name: body}\n"
        "  - Dense: {units: 4, name: head}\n",
        [
            "changed norm -32 from=('body',)>('input',)",
            "changed body +0 from=('input',)>('norm',)",
            "changed head +0 from=('norm',)>('body',)",
        ],
    ),
}


@pytest.mark.parametrize("case", DIFFS)
def test_what_differs(case: str) -> None:
    new, changes = DIFFS[case]
    found = compared(OLD, new)
    assert list(map(told, found.layers)) == changes
    assert sum(change.change for change in found.layers) == found.total_params.change


INSIDE = (
    "input: [8]\nlayers: [Sequential: {{name: {}, input: [8], layers: [Dense: {{units: {}}}]}}]"
)

# the same for other models: what is done → old, new, changes
GRAPHS: dict[str, tuple[str, str, list[str]]] = {
    "a layer inside a layer": (
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {LSTM: {units: 3}}, name: two}]",
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {LSTM: {units: 4}}, name: two}]",
        ["changed two +128 layer.units=3>4"],
    ),
    "another layer inside a layer": (
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {LSTM: {units: 3}}, name: two}]",
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {SimpleRNN: {units: 3}}, name: two}]",
        ["changed two -216 layer.type=LSTM>SimpleRNN"],
    ),
    "another source": (
        "inputs: {a: [8], b: [8]}\nlayers: [Dense: {units: 3, name: c, from: a}]\n",
        "inputs: {a: [8], b: [8]}\nlayers: [Dense: {units: 3, name: c, from: b}]\n",
        ["changed c +0 from=('a',)>('b',)"],
    ),
    "another output of what is read": (
        "input: [5, 8]\nlayers:\n  - LSTM: {units: 3, return_state: true, name: l}\n"
        "  - Dense: {units: 2, name: d, from: 'l[0]'}",
        "input: [5, 8]\nlayers:\n  - LSTM: {units: 3, return_state: true, name: l}\n"
        "  - Dense: {units: 2, name: d, from: 'l[1]'}",
        ["changed d +0 from=('l[0]',)>('l[1]',)"],
    ),
    "a source less": (
        "inputs: {a: [8], b: [8]}\nlayers: [Add: {name: c, from: [a, b]}]\n",
        "input: [8]\nlayers: [Dense: {units: 8, name: d}, Add: {name: c, from: [input, d]}]\n",
        ["added d +72", "changed input +0 <a", "removed b +0"],
    ),
    "weights that are shared no more": (
        "inputs: {a: [8], b: [8]}\nlayers:\n  - Dense: {units: 3, name: c, from: a}\n"
        "  - {reuse: c, name: d, from: b}\n  - Add: {name: e, from: [c, d]}",
        "inputs: {a: [8], b: [8]}\nlayers:\n  - Dense: {units: 3, name: c, from: a}\n"
        "  - Dense: {units: 3, name: d, from: b}\n  - Add: {name: e, from: [c, d]}",
        ["changed d +27 reuse=c>None"],
    ),
    "a block oftener": (
        "input: [8]\nblocks: {b: [Dense: {units: 8}]}\nlayers: [b: {repeat: 2}]",
        "input: [8]\nblocks: {b: [Dense: {units: 8}]}\nlayers: [b: {repeat: 4}]",
        ["added b_2/dense +72", "added b_3/dense +72"],
    ),
    "a block by another name": (
        "input: [8]\nblocks: {b: [Dense: {units: 8}, ReLU]}\nlayers: [b: {repeat: 2}]",
        "input: [8]\nblocks: {c: [Dense: {units: 8}, ReLU]}\nlayers: [c: {repeat: 2}]",
        [
            "changed c_0/dense +0 <b_0/dense",
            "changed c_0/re_lu +0 <b_0/re_lu",
            "changed c_1/dense +0 <b_1/dense",
            "changed c_1/re_lu +0 <b_1/re_lu",
        ],
    ),
    "of two that could each be the one, the first is": (
        "input: [8]\nlayers: [Dense: {units: 8, name: a}]",
        "input: [8]\nlayers:\n  - Dense: {units: 8, name: b, from: input}\n"
        "  - Dense: {units: 8, name: c, from: input}",
        ["added c +72", "changed b +0 <a"],
    ),
    "two that changed places are two that changed": (
        "input: [8]\nlayers: [Dense: {units: 8, name: a}, Dense: {units: 4, name: b}]",
        "input: [8]\nlayers: [Dense: {units: 4, name: a}, Dense: {units: 8, name: b}]",
        ["changed a -36 units=8>4", "changed b +4 units=4>8"],
    ),
    "another order of outputs": (
        "input: [8]\nlayers: [ReLU: {name: a}, ReLU: {name: b}]\noutputs: [a, b]",
        "input: [8]\nlayers: [ReLU: {name: a}, ReLU: {name: b}]\noutputs: [b, a]",
        [],
    ),
    "all is other but class and arguments": (
        "input: [100]\nlayers: [Dense: {units: 8, name: a}, Dense: {units: 4, name: b}]",
        "input: [100]\nlayers: [Dense: {units: 4, name: b}, Dense: {units: 8, name: z}]",
        ["removed a -808", "changed b +368", "added z +40"],
    ),
    "an input by another way to say its shape": (
        "inputs: {a: [8]}\nlayers: [ReLU]",
        "inputs: {a: {batch_shape: [null, 8]}}\nlayers: [ReLU]",
        [],
    ),
    "an input without axes": (
        "inputs: {a: {batch_shape: []}, b: [3]}\nlayers: [ReLU: {from: b}]",
        "inputs: {a: [], b: [3]}\nlayers: [ReLU: {from: b}]",
        ["changed a +0 batch_shape=[]>None shape=None>[]"],
    ),
    "a model inside": (
        INSIDE.format("s", 3),
        INSIDE.format("s", 4),
        ["changed s/dense +9 units=3>4"],
    ),
    "a model inside by another name": (
        INSIDE.format("s", 3),
        INSIDE.format("t", 3),
        ["changed t +0 <s", "changed t/dense +0 <s/dense"],
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_what_differs_in_a_graph(case: str) -> None:
    old, new, changes = GRAPHS[case]
    found = compared(old, new)
    assert list(map(told, found.layers)) == changes
    assert sum(change.change for change in found.layers) == found.total_params.change


def test_outputs_that_differ_are_told() -> None:
    old, new, _ = GRAPHS["another order of outputs"]
    found = compared(old, new).outputs
    assert found
    assert [port.name for port in found.old] == ["a", "b"]
    assert [port.name for port in found.new] == ["b", "a"]
    assert compared(old, old).outputs is None
    assert compared(OLD, edited(("head", "tail"))).outputs is None


@pytest.mark.parametrize("seed", range(60))
def test_the_changes_make_the_difference_and_back_they_are_its_mirror(seed: int) -> None:
    rng = random.Random(seed)
    old, new = (yaml.safe_dump(random_spec(rng), sort_keys=False) for _ in range(2))
    there, back = compared(old, new), compared(new, old)
    assert sum(change.change for change in there.layers) == there.total_params.change
    assert there.total_params.change == -back.total_params.change
    assert sorted(change.change for change in there.layers) == sorted(
        -change.change for change in back.layers
    )
    mirror = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((mirror[c.status], c.renamed_from or c.name) for c in there.layers) == sorted(
        (c.status, c.name) for c in back.layers
    )
    names = [change.name for change in there.layers if change.status != "removed"]
    assert len(names) == len(set(names))
    assert compared(old, old).layers == ()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_model_does_not_differ_from_itself_nor_from_its_keras_file(
    path: Path, tmp_path: Path
) -> None:
    model = load(path)
    assert compare_models(model, model, "", "").layers == ()
    (tmp_path / "keras.json").write_text(to_keras(model), "utf-8")
    found = compare_models(model, load(tmp_path / "keras.json"), "", "")
    assert found.total_params.change == 0
    assert [told(each) for each in found.layers if each.change or each.arguments] == []
    assert {each.status for each in found.layers} <= {"changed"}


def test_what_changed_alike_in_all_copies_of_a_block_is_one_row() -> None:
    text = "input: [8]\nblocks: {{b: [Dense: {{units: {}}}, Dense: {{units: 8}}]}}\n"
    text += "layers: [b: {{repeat: {}}}]"
    whole = compared(text.format(8, 2), text.format(9, 3))
    rows = fold_copies(whole).layers
    assert [(c.name, c.repeat, c.status, c.change, c.params.old, c.params.new) for c in rows] == [
        ("b_2/dense", 1, "added", 81, None, 81),
        ("b_2/dense_1", 1, "added", 80, None, 80),
        ("b/dense", 2, "changed", 18, 144, 162),
        ("b/dense_1", 2, "changed", 16, 144, 160),
    ]
    assert sum(change.change for change in rows) == whole.total_params.change


def test_what_json_has_no_number_for_is_a_word(tmp_path: Path, run: Run) -> None:
    for name, value in ("a.yaml", "[.inf, 1]"), ("b.yaml", "[.nan, 1]"):
        spec = f"input: [4, 2]\nlayers: [Masking: {{mask_value: {value}}}]\n"
        (tmp_path / name).write_text(spec, "utf-8")
    told = run("diff", "a.yaml", "b.yaml", cwd=tmp_path)
    assert "mask_value: [.inf, 1.0] → [.nan, 1.0]" in told.stdout
    (change,) = json.loads(
        run("diff", "a.yaml", "b.yaml", "--format", "json", cwd=tmp_path).stdout
    )["layers"]
    assert change["arguments"][0]["old"] == [".inf", 1.0]
    assert run("diff", "b.yaml", "b.yaml", cwd=tmp_path).stdout.count("mask_value") == 0
