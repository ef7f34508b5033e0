"""A file that is read once gives under any settings what reading it anew would give."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from support.single_rows import row_with

from dense_calc.errors import DenseCalcError, Source
from dense_calc.files.loader import parse_variants, read_variants
from dense_calc.report import Report
from dense_calc.settings.variants import ModelVariants
from dense_calc.tracing.tracer import trace

# Blocks that are alike only for some values, words, copies that differ, models and layers inside.
MANIFOLD = """\
vars: {a: 8, b: 8, c: 3, n: 2, k: 3}
input: [32, 32, 3]
blocks:
  conv:
    params: {filters: 4, size: k, act: relu}
    layers:
      - Conv2D: {filters: filters, kernel_size: size, padding: same, activation: act}
      - BatchNormalization
  pair:
    params: [f, g]
    layers:
      - conv: {filters: f}
      - conv: {filters: g, act: tanh}
  up:
    - Dense: {units: a + index}
    - Bidirectional: {layer: {LSTM: {units: b}}}
    - RepeatVector: {n: c}
  deep:
    - Dense: {units: 2 * b, name: deep}
layers:
  - conv: {filters: a}
  - conv: {filters: b}
  - pair: {f: a, g: b, repeat: n}
  - pair: {f: b, g: a}
  - Reshape: {target_shape: [-1, a]}
  - up: {repeat: n}
  - Functional:
      name: inner
      input: [c, 2 * b]
      blocks: {own: [Dense: {units: a}]}
      layers: [own: {repeat: n}, Dense: {units: b}]
  - TimeDistributed: {layer: {Dense: {units: b}}}
  - Dense: {units: 7}
  - Dense: {units: 7, name: shared}
  - {reuse: shared}
  - deep
budget: {params: a * 1000, layers: {deep: {params: 2k}, "up_*": {params: 10k, each: true}}}
"""
SPECS = {path.name: read_variants(path, {}) for path in sorted((ROOT / "specs").glob("*.yaml"))}
ALL = {**SPECS, "manifold": parse_variants(Source("m.yaml", MANIFOLD), None, "m", {}, "m.yaml")}
SMALL = [
    name for name in ALL if name not in ("llama2-7b.yaml", "llama3-8b.yaml", "mistral-7b.yaml")
]
SIZES = [0, 1, 2, 3, 7, 16]
VARIED = [name for name in SMALL if ALL[name].vars]


def anew(whole: ModelVariants, values: dict[str, Any]) -> Report | str:
    """The report on a file that is read for these settings alone, or the complaint."""
    make, given = whole.pickling_arguments
    return report(make(*given), values)


def report(whole: ModelVariants, values: dict[str, Any]) -> Report | str:
    """The report on a file's model with these settings, or the complaint."""
    try:
        return trace(whole.model_with(values))
    except DenseCalcError as error:
        return str(error)


@settings(max_examples=200)
@given(st.data())
def test_a_variant_is_what_reading_the_file_anew_would_give(data: st.DataObject) -> None:
    whole = ALL[data.draw(st.sampled_from(VARIED))]
    own = {name: whole.setting_value(name) for name in whole.vars}
    values = {
        name: data.draw(st.sampled_from([*SIZES, own[name], 2 * own[name], own[name] // 2]))
        for name in data.draw(st.lists(st.sampled_from(sorted(own)), unique=True))
    }
    wanted = anew(whole, values)
    assert report(whole, values) == wanted
    row = row_with(whole, values)
    if isinstance(wanted, str):
        assert f"error: {row['error']}" in wanted
    else:
        assert {
            key: getattr(wanted, key) for key in row.keys() & set(wanted.__struct_fields__)
        } == {
            key: row[key]
            for key in ("total_params", "trainable_params", "non_trainable_params", "total_bytes")
        }


def test_within_budget() -> None:
    whole = ALL["manifold"]
    assert {each: row_with(whole, dict(each))["within_budget"] for each in BUDGETS} == BUDGETS


BUDGETS = {
    (("a", 8), ("b", 2)): True,
    (("a", 8), ("b", 40)): False,  # deep
    (("a", 1), ("b", 8)): False,  # the whole
    (("a", 40), ("b", 20)): False,  # one of the copies of `up`
}


def test_a_budget_of_layers_that_are_not_there_is_not_known_to_be_kept() -> None:
    text = "vars: {n: 3}\ninput: [4]\nblocks: {b: [Dense: {units: 4}]}\nlayers: [b: {repeat: n}]\n"
    whole = parse_variants(
        Source("m", text + "budget: {layers: {b_2: {params: 9}}}"), None, "m", {}, "m"
    )
    assert [row_with(whole, {"n": n})["within_budget"] for n in (2, 3)] == [None, False]


def test_a_budget_of_layers_in_a_model_inside() -> None:
    text = """\
vars: {n: 4}
input: [4]
layers: [Sequential: {name: inner, input: [4], layers: [Dense: {units: n}]}]
budget: {layers: {inner/dense: {params: 20}}}
"""
    whole = parse_variants(Source("m", text), None, "m", {}, "m")
    assert [row_with(whole, {"n": n})["within_budget"] for n in (3, 4, 5)] == [True, True, False]


def test_the_change_is_against_the_file_as_it_stands() -> None:
    assert row_with(SPECS["lenet5.yaml"], {"width": 12})["change"] == 64262 - 61706
    text = "vars: {a: 0}\ninput: [1]\nlayers: [Dense: {units: a}]"
    broken = parse_variants(Source("m", text), None, "m", {}, "m")
    assert row_with(broken, {"a": 1}) == {
        "set": {"a": 1},
        "total_params": 2,
        "trainable_params": 2,
        "non_trainable_params": 0,
        "total_bytes": 8,
        "change": None,
    }


def test_values_of_the_file() -> None:
    whole = SPECS["gpt2.yaml"]
    values = ["width", "embedding.output_dim", "decoder/mlp.units", "tokens", "tokens.shape"]
    assert [whole.setting_value(name) for name in values] == [768, 768, 768, [1024], [1024]]
    assert ALL["manifold"].setting_value("up/dense.units") is None  # which copy?


def test_pickled_variants_read_no_file(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text((ROOT / "specs" / "lenet5.yaml").read_text("utf-8"), "utf-8")
    whole = read_variants(path, {})
    text = pickle.dumps(whole)
    path.unlink()
    assert row_with(pickle.loads(text), {"width": 12}) == row_with(whole, {"width": 12})  # noqa: S301


@pytest.mark.parametrize(("name", "var"), [("manifold", "a"), ("gpt2.yaml", "heads")])
def test_rows_leave_nothing_behind(name: str, var: str) -> None:
    whole = ALL[name]

    def objects(values: range) -> int:
        for value in values:
            row_with(whole, {var: value})
        gc.collect()
        return len(gc.get_objects())

    objects(range(-200, 200))  # what is remembered has its bounds
    assert objects(range(200, 900)) < objects(range(900, 1000)) + 2000
