"""How much a small spec may come to: as much as is allowed, and not one more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dense_calc.analysis import explanation
from dense_calc.errors import LayerError, Source, SpecError
from dense_calc.keras_format.writer import to_keras
from dense_calc.model import Model
from dense_calc.spec_language import parse_spec, spec_size
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing import nested_model, report_size
from dense_calc.tracing.tracer import trace

# what is limited, how much of it the spec comes to, and the rest of the spec
EXTENTS = [
    ("layers", 5, "blocks: {b: [ReLU]}\nlayers: [b: {repeat: 5}]"),
    ("layers", 6, "layers: [{repeat: 3, layers: [ReLU, ReLU]}]"),
    ("connections", 10, "blocks: {b: [Add: {from: [input, input]}]}\nlayers: [b: {repeat: 5}]"),
    (
        "connections",
        6,
        "blocks: {b: {inputs: [m], layers: [Add: {from: [m, m]}]}}\n"
        "layers: [b: {from: {m: [input, input, input]}}]",
    ),
    ("values", 15, "layers: [{repeat: 5, layers: [Softmax: {axis: 1}]}]"),
    ("values", 42, "blocks: {b: [Softmax: {axis: 1}, ReLU]}\nlayers: [b: {repeat: 6.25 * 8 // 8}]"),
    # five times b_0/r, which reads b_0/input, as far as the block knows
    ("characters", 70, "blocks: {b: [ReLU: {name: r}]}\nlayers: [b: {repeat: 5}]"),
    # input, and re_lu reads input ... re_lu_4 reads re_lu_3
    ("characters", 69, "layers: [{repeat: 5, layers: [ReLU]}]"),
    ("copies", 5, "blocks: {b: [ReLU]}\nlayers: [b: {repeat: 5}]"),
    ("copies", 9, "blocks: {a: [ReLU], b: [a, a]}\nlayers: [b: {repeat: 3}]"),
]
# the same of what is worked out for each copy anew
WORKED = [
    (
        "values",
        32,
        "blocks: {b: {params: [n], layers: [Dense: {units: n}]}}\n"
        "layers: [b: {repeat: 2, n: index + 1}]",
    ),
    ("values", 27, "blocks: {b: [Dense: {units: index + 1}]}\nlayers: [b: {repeat: 3}]"),
    # 32 characters count as one more
    (
        "values",
        30,
        "blocks: {b: [Dense: {units: 1 + index * (100 + 100 + 100 + 1)}]}\n"
        "layers: [b: {repeat: 3}]",
    ),
    ("copies", 4, "blocks: {b: [Dense: {units: index + 1}]}\nlayers: [b: {repeat: 4}]"),
]


@pytest.mark.parametrize(
    ("table", "what", "amount", "layers"),
    [*(("EXTENT_LIMITS", *row) for row in EXTENTS), *(("PLANNING_LIMITS", *row) for row in WORKED)],
)
def test_a_spec_comes_to_as_much_as_it_may_and_not_to_one_more(
    table: str, what: str, amount: int, layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("m.yaml", f"input: [3]\n{layers}")
    limits = getattr(spec_size, table)
    words = limits[what][1]
    monkeypatch.setitem(limits, what, (amount, words))
    assert parse_spec(source, "m").nodes
    monkeypatch.setitem(limits, what, (amount - 1, words))
    with pytest.raises(SpecError, match=rf"{words}; at most {amount - 1} are allowed\n"):
        parse_spec(source, "m")


# how many values its shapes and weights take, and the rest of the spec, whose input is (None, 3)
REPORTS = [
    # a shape and its sizes: of the input, of what ReLU reads and gives, and of the output
    (3 + 6 + 3, "layers: [ReLU]"),
    (3 + 2 * (6 + 9 + 7) + 3, "layers: [Dense: {units: 2}, Dense: {units: 2}]"),
    # in a model inside once in its rows, and once more as its weights
    (3 + 6 + 28 + 9 + 7 + 3, "layers: [Sequential: {input: [3], layers: [Dense: {units: 2}]}]"),
]


@pytest.mark.parametrize(("amount", "layers"), REPORTS)
def test_a_report_holds_as_many_values_as_it_may_and_not_one_more(
    amount: int, layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = parse_spec(Source("m.yaml", f"input: [3]\n{layers}"), "m")
    monkeypatch.setattr(report_size, "MAX_REPORT_VALUES", amount)
    assert trace(model).layers
    monkeypatch.setattr(report_size, "MAX_REPORT_VALUES", amount - 1)
    with pytest.raises(LayerError, match=f"take more than {amount - 1} values"):
        trace(model)


@pytest.mark.parametrize("number", [1024, 1025])
def test_a_layer_gives_as_many_tensors_as_can_be_told_apart(number: int) -> None:
    split = f"ops.Split: {{indices_or_sections: {number}, axis: 1}}"
    model = parse_spec(Source("m.yaml", f"input: [{number}]\nlayers: [{split}]"), "m")
    if number <= report_size.MAX_OUTPUT_TENSORS:
        assert len(trace(model).outputs[0].shape) == number
        return
    with pytest.raises(LayerError, match="Split 'split': it gives more than 1,024 tensors"):
        trace(model)


@pytest.mark.parametrize("convert", [format_spec, to_keras])
@pytest.mark.parametrize(
    ("number", "layers"),
    [
        (3, "Flatten, Flatten"),
        # each layer that holds others counts, too
        (5, "Sequential: {input: [3], layers: [ReLU]}, Flatten"),
        (6, "Sequential: {name: m, input: [3], layers: [ReLU]}, reuse: m, Flatten"),
        (3, "TimeDistributed: {layer: {Dense: {units: 2}}}"),
    ],
)
def test_a_model_of_so_many_layers_can_be_converted(
    convert: Callable[[Model], str], number: int, layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = "[4, 3]" if "Time" in layers else "[3]"
    model = parse_spec(Source("m.yaml", f"input: {shape}\nlayers: [{layers}]"), "m")
    monkeypatch.setattr(nested_model, "MAX_CONVERTED_LAYERS", number)
    assert convert(model)
    monkeypatch.setattr(nested_model, "MAX_CONVERTED_LAYERS", number - 1)
    with pytest.raises(SpecError, match=f"these are {number} layers, and {number - 1} can be"):
        convert(model)


@pytest.mark.parametrize(
    ("name", "most", "layers"),
    [
        ("MAX_EXPLAINED_LAYERS", 3, ()),
        ("MAX_EXPLAINED_WEIGHTS", 4, ()),
        ("MAX_EXPLAINED_LAYERS", 1, ("dense",)),
    ],
)
def test_so_much_is_explained_at_a_time(
    name: str, most: int, layers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = "input: [3]\nlayers: [Dense: {units: 2}, Dense: {units: 2}, ReLU]"
    model = parse_spec(Source("m.yaml", spec), "m")
    monkeypatch.setattr(explanation, name, most)
    assert explanation.explain_layers(model, layers).layers
    monkeypatch.setattr(explanation, name, most - 1)
    with pytest.raises(SpecError, match=f"these are {most} .*, and {most - 1} can be explained"):
        explanation.explain_layers(model, layers)


def test_an_axis_that_is_named_again_and_again_is_short() -> None:
    text = f"input: [1]\nlayers: [LayerNormalization: {{axis: {[1] * 1000}}}]"
    (row,) = trace(parse_spec(Source("m.yaml", text), "m")).layers
    axes = row.weights[0].axes
    assert len(set(axes)) == 1000
    assert max(map(len, axes)) < 20
