"""`dense-calc schema`: what an independent validator says is what dense-calc says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cases import Case, read_facts
from click.testing import CliRunner
from conftest import SPECS
from jsonschema import Draft202012Validator
from ours import model_of, spec_of

from dense_calc.analysis.catalog import kind_examples
from dense_calc.cli import command_line
from dense_calc.errors import DenseCalcError
from dense_calc.layers import KIND_ALIASES, KIND_MODULES, find_kind
from dense_calc.schema import build_spec_schema
from dense_calc.spec_language.sections import SECTION_TYPES

WHOLE = build_spec_schema()
VALIDATOR = Draft202012Validator(WHOLE)


def is_valid(text: str) -> bool:
    """Whether a spec fits the schema."""
    return bool(VALIDATOR.is_valid(yaml.safe_load(text)))


def test_the_command_prints_the_schema() -> None:
    result = CliRunner().invoke(command_line, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(WHOLE))  # lists for tuples


def test_it_is_a_schema_of_2020_12() -> None:
    assert WHOLE["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(WHOLE)


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(WHOLE)
    referred = {part.partition('"')[0].partition("/")[0] for part in text.split('"#/$defs/')[1:]}
    assert referred <= set(WHOLE["$defs"])
    assert set(KIND_MODULES) <= referred


def test_it_knows_every_section() -> None:
    assert list(WHOLE["properties"]) == list(SECTION_TYPES)


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_in_specs_fits(path: Path) -> None:
    assert is_valid(path.read_text("utf-8"))


@pytest.mark.parametrize("name", KIND_MODULES)
def test_the_example_of_a_kind_fits(name: str) -> None:
    assert is_valid(kind_examples()[name])


@pytest.mark.parametrize("name", KIND_MODULES)
def test_an_editor_is_told_every_argument(name: str) -> None:
    kind = find_kind(name)
    for definition in WHOLE["$defs"][name], WHOLE["$defs"][f"block.{name}"]:
        beside = {"type", "from"} if kind.arity.stop > 1 else {"type"}
        assert set(definition["properties"]) == {
            *kind.__struct_encode_fields__,
            *kind.argument_aliases,
            *beside,
        }


def test_an_editor_is_told_every_layer() -> None:
    one_key = WHOLE["$defs"]["layer"]["else"]["else"]["else"]
    assert set(one_key["properties"]) == {*KIND_MODULES, *KIND_ALIASES, "type", "reuse"}


def test_what_dense_calc_takes_fits() -> None:
    refused = [fact for fact in read_facts() if is_taken(fact) and not fits(fact)]
    assert not refused


def is_taken(fact: Case) -> bool:
    """Whether dense-calc takes a fact as a text, whatever it then says of the shapes."""
    try:
        model_of(fact)
    except DenseCalcError:
        return False
    return True


def fits(fact: Case) -> bool:
    """Whether a fact fits the schema."""
    return bool(VALIDATOR.is_valid(spec_of(fact)))


def test_most_mistakes_in_arguments_do_not_fit() -> None:
    mistaken = [fact for fact in read_facts() if not is_taken(fact)]
    assert len(mistaken) > 100
    assert sum(map(fits, mistaken)) < len(mistaken) / 3  # two arguments that exclude each other


SOUND = {
    "only an input": "input: [8]\nlayers: []",
    "a bare word": "layers: [Flatten]",
    "an alias": "layers: [MaxPool2D]",
    "nothing under a word": "layers: [Flatten: ]",
    "a first argument": "layers: [Dense: 3, Dropout: 0.5, Activation: relu, Dense: 2 * w]",
    "a first argument that is a list": "layers: [Reshape: [7, w], MaxPool2D: [2, 2]]",
    "a first argument that is a layer": "layers: [TimeDistributed: Flatten]",
    "a first argument that is a parameter": "blocks: {b: {params: [a], layers: [Activation: a]}}\n"
    "layers: [b: {a: relu}]",
    "a flat mapping": "layers: [{type: Dense, units: 3}]",
    "an expression": "vars: {w: 3, v: w * 2}\nlayers: [Dense: {units: 'min(w, 4) // 2'}]",
    "an expression in a list": "layers: [Reshape: {target_shape: [w, -1, 2 * w]}]",
    "an expression in a layer in a layer": "layers: "
    "[TimeDistributed: {layer: {Dense: {units: w}}}]",
    "a word in another case": "layers: [Conv2D: {filters: 1, kernel_size: 1, padding: SAME}]",
    "a layer inside that is called elsewhere": "layers: [TimeDistributed: {layer: {reuse: dense}}]",
    "a second call": "layers: [Dense: {units: 3}, {reuse: dense, from: input, name: again}]",
    "a call's own argument": "layers: [{reuse: e, reverse: true}]",
    "a nest of inputs": "layers: [LSTM: {units: 3, from: [x, [h, c]]}]",
    "named inputs": "layers: "
    "[MultiHeadAttention: {num_heads: 1, key_dim: 2, from: {query: a, value: b}}]",
    "inputs": "inputs: {a: [3, null], b: {shape: [w], dtype: int32}}\nlayers: [ReLU]",
    "outputs": "layers: [ReLU]\noutputs: re_lu",
    "outputs by other names": "layers: [ReLU]\noutputs: {scores: re_lu}",
    "an expectation": "layers: [ReLU]\n"
    "expect: {params: 0, output_shape: [[null, 3], [null]], source: x}",
    "a budget": "layers: [ReLU]\n"
    "budget: {params: 5M, size: 1.5, layers: {'a*': {min_params: 1k, each: true}}}",
    "a block": "blocks: {b: [ReLU]}\nlayers: [b, b: {repeat: w, name: c, from: input}]",
    "a block in a block": "blocks: {b: [ReLU], c: [b: {repeat: 2}]}\nlayers: [{type: c}]",
    "a run": "layers: [{repeat: 2 * w, layers: [ReLU, {repeat: 3, layers: [Flatten]}]}]",
    "a run in a block": "blocks: {b: [{repeat: 2, layers: [ReLU]}]}\nlayers: [b]",
    "a block's parameters": "blocks: {b: {params: {act: relu, bias: true, n: }, inputs: [x, y], "
    "layers: [Dense: {units: n, activation: act, use_bias: bias}]}}\n"
    "layers: [b: {n: 2 * w, act: gelu}]",
    "a list of parameters": "blocks: {b: {params: [n], layers: [Dense: {units: n}]}}\n"
    "layers: [b: {n: 3}]",
}
WRONG = {
    "no layers": "input: [3]",
    "an unknown section": "layer: [ReLU]\nlayers: [ReLU]",
    "a model that is a list": "[ReLU]",
    "layers that are a mapping": "layers: {ReLU: }",
    "no layer": "layers: []",
    "an unknown layer": "layers: [Dens: {units: 3}]",
    "an unknown bare layer": "layers: [Flaten]",
    "a layer in small letters": "layers: [dense: {units: 3}]",
    "an unknown layer beside blocks": "blocks: {b: [ReLU]}\nlayers: [Dens: {units: 3}]",
    "an unknown argument": "layers: [Dense: {unit: 3}]",
    "an unknown argument in a flat mapping": "layers: [{type: Dense, unit: 3}]",
    "a first argument of a wrong type": "layers: [Dense: [3, 4]]",
    "a first argument that is not enough": "layers: [Conv2D: 3]",
    "a layer where its argument should stand": "layers: [TimeDistributed: {Dense: {units: 3}}]",
    "a missing argument": "layers: [Dense: {use_bias: false}]",
    "a bare word that lacks arguments": "layers: [Dense]",
    "nothing under a word that needs arguments": "layers: [Dense: ]",
    "two layers in one item": "layers: [{ReLU: , Flatten: }]",
    "a size of nothing": "layers: [Dense: {units: 0}]",
    "a size that is no integer": "layers: [Dense: {units: 2.5}]",
    "a size that is a list": "layers: [Dense: {units: [3]}]",
    "a truth that is a number": "layers: [Dense: {units: 3, use_bias: 1}]",
    "a wrong word": "layers: [Conv2D: {filters: 1, kernel_size: 1, padding: smae}]",
    "a call in an expression": "layers: [Dense: {units: '[w]'}]",
    "a mistake in a layer in a layer": "layers: [TimeDistributed: {layer: {Dense: {unit: 3}}}]",
    "a mistake in a block": "blocks: {b: [Dense: {unit: 3}]}\nlayers: [b]",
    "an empty block": "blocks: {b: []}\nlayers: [b]",
    "an unknown part of a block": "blocks: {b: {param: [n], layers: [ReLU]}}\nlayers: [b]",
    "a block without layers": "blocks: {b: {params: [n]}}\nlayers: [b]",
    "repeat of nothing": "blocks: {b: [ReLU]}\nlayers: [b: {repeat: 0}]",
    "a run of nothing": "layers: [{repeat: 2, layers: []}]",
    "a run with a name": "layers: [{repeat: 2, layers: [ReLU], name: a}]",
    "a wrong name for a parameter": "blocks: {b: {params: [3], layers: [ReLU]}}\nlayers: [b]",
    "a second call with other arguments": "layers: [{reuse: dense, units: 3}]",
    "from a number": "layers: [ReLU: {from: 3}]",
    "from nothing": "layers: [ReLU: {from: []}]",
    "an input that is a number": "input: 3\nlayers: [ReLU]",
    "an input with a negative size": "input: [-3]\nlayers: [ReLU]",
    "an input with a wrong key": "input: {shap: [3]}\nlayers: [ReLU]",
    "input and inputs": "input: [3]\ninputs: {a: [3]}\nlayers: [ReLU]",
    "a var that is a list": "vars: {w: [3]}\nlayers: [ReLU]",
    "a var with a name that is none": "vars: {'a b': 3}\nlayers: [ReLU]",
    "outputs that are numbers": "layers: [ReLU]\noutputs: {a: 3}",
    "an unknown expectation": "layers: [ReLU]\nexpect: {param: 3}",
    "a wrong expectation": "layers: [ReLU]\nexpect: {params: -3}",
    "an unknown limit": "layers: [ReLU]\nbudget: {param: 3}",
    "a negative limit": "layers: [ReLU]\nbudget: {params: -3}",
    "a limit that is a list": "layers: [ReLU]\nbudget: {params: [3]}",
    "an unknown limit of layers": "layers: [ReLU]\nbudget: {layers: {a: {all: 3}}}",
    "a layer without a limit": "layers: [ReLU]\nbudget: {layers: {a: {}}}",
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_what_is_sound_fits(text: str) -> None:
    assert is_valid(text)


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_wrong_does_not_fit(text: str) -> None:
    assert not is_valid(text)
