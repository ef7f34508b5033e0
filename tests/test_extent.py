"""How much a small spec may come to: as much as is allowed, and not one more."""

from __future__ import annotations

import pytest

from dense_calc import volume
from dense_calc.errors import LayerError, Source, SpecError
from dense_calc.spec import extent, parse
from dense_calc.tracing import trace

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
    (
        "values",
        32,
        "blocks: {b: {params: [n], layers: [Dense: {units: n}]}}\n"
        "layers: [b: {repeat: 2, n: index + 1}]",
    ),
    # five times b_0/r, which reads b_0/input, as far as the block knows
    ("characters", 70, "blocks: {b: [ReLU: {name: r}]}\nlayers: [b: {repeat: 5}]"),
    # input, and re_lu reads input ... re_lu_4 reads re_lu_3
    ("characters", 69, "layers: [{repeat: 5, layers: [ReLU]}]"),
]


@pytest.mark.parametrize(("what", "amount", "layers"), EXTENTS)
def test_a_spec_comes_to_as_much_as_it_may_and_not_to_one_more(
    what: str, amount: int, layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("m.yaml", f"input: [3]\n{layers}")
    words = extent.MOST[what][1]
    monkeypatch.setitem(extent.MOST, what, (amount, words))
    assert parse(source, "m").nodes
    monkeypatch.setitem(extent.MOST, what, (amount - 1, words))
    with pytest.raises(SpecError, match=rf"{words}; blocks may make {amount - 1}\n"):
        parse(source, "m")


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
    model = parse(Source("m.yaml", f"input: [3]\n{layers}"), "m")
    monkeypatch.setattr(volume, "MAX_VALUES", amount)
    assert trace(model).layers
    monkeypatch.setattr(volume, "MAX_VALUES", amount - 1)
    with pytest.raises(LayerError, match=f"take more than {amount - 1} values"):
        trace(model)
