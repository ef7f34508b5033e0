"""A symbolic number of copies: two are traced, and all that tells copies apart is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from support.formula_proof import ProvenFormulas

from dense_calc.errors import Source
from dense_calc.files.loader import parse_variants
from dense_calc.settings.variants import ModelVariants
from dense_calc.whatif.pieces import ModelFormulas

HEAD = "vars: {depth: 3, width: 8, more: 2}\ninput: [4, 6]\n"
PLAIN = """\
blocks: {step: [Dense: {units: width}, LayerNormalization]}
layers: [step: {repeat: depth}, Dense: {units: 2}]
"""
RUN = "layers: [{repeat: depth, layers: [Dense: {units: width}, ReLU]}, Dense: {units: 2}]\n"
# Specs whose copies can be told apart in some way → whether their number is symbolic all the same.
SPECS: dict[str, tuple[str, bool]] = {
    "copies that are alike from the second on": (PLAIN, True),
    "blocks in blocks": (
        "blocks:\n  inner: [Dense: {units: width}]\n"
        "  outer: [inner: {repeat: more}, LayerNormalization]\n"
        "layers: [outer: {repeat: depth}, Dense: {units: 2}]\n",
        True,
    ),
    "a number of copies that is computed": (
        PLAIN.replace("repeat: depth", "repeat: 2 * depth - more"),
        True,
    ),
    "two uses": (
        PLAIN.replace("layers: [", "layers: [step: {name: a, repeat: more}, "),
        True,
    ),
    "two uses whose numbers go on": (
        PLAIN.replace("layers: [", "layers: [step: {repeat: more}, "),
        False,
    ),
    "a block that is called again": (
        PLAIN.replace("layers: [", "layers: [Dense: {units: width}, ").replace(
            ", Dense: {units: 2}]", ", {reuse: step}, Dense: {units: 2}]"
        ),
        False,
    ),
    "a layer outside that all copies call": (
        "blocks: {step: [{reuse: same}, ReLU]}\n"
        "layers: [Dense: {units: 6, name: same}, step: {repeat: depth}]\n",
        True,
    ),
    "a frozen model": ("trainable: false\n" + PLAIN, True),
    "copies by their index": (PLAIN.replace("units: width", "units: width + index"), False),
    "an index that is passed on": (
        "blocks: {step: {params: [n], layers: [Dense: {units: n}]}}\n"
        "layers: [step: {repeat: depth, n: width + index}]\n",
        False,
    ),
    "a shape that goes on changing": (
        "blocks: {step: [Conv1D: {filters: width, kernel_size: 2, padding: same}, "
        "ZeroPadding1D: {padding: 1}]}\n"
        "layers: [step: {repeat: depth}, Flatten, Dense: {units: 2}]\n",
        False,
    ),
    "a layer that reads one copy": (
        PLAIN.replace("Dense: {units: 2}", "Dense: {units: 2, from: step_1/dense}"),
        False,
    ),
    "an output that is one copy": (PLAIN + "outputs: [step_0, dense]\n", False),
    "a layer called as a copy is": (
        PLAIN.replace("Dense: {units: 2}", "Dense: {units: 2, name: step_7}"),
        False,
    ),
    "a budget of one copy": (PLAIN + "budget: {layers: {step_2: {params: 1k}}}\n", False),
    "a budget of some copies": (PLAIN + "budget: {layers: {'step_?': {params: 1k}}}\n", False),
    "a budget of each copy": (
        PLAIN + "budget: {layers: {'step_*': {params: 100, each: true}, step: {params: 1k}}}\n",
        True,
    ),
    "copies in a model inside": (
        "layers:\n  - Sequential:\n      name: inner\n      input: [4, 6]\n"
        "      blocks: {step: [Dense: {units: width}]}\n      layers: [step: {repeat: depth}]\n",
        False,
    ),
    "copies that do not fit each other": (
        "blocks: {step: [Dense: {units: width}, Reshape: {target_shape: [4, 8]}]}\n"
        "layers: [step: {repeat: depth}]\n",
        True,
    ),
    "copies that become too small": (
        "blocks: {step: [MaxPooling1D: {pool_size: 2}]}\nlayers: [step: {repeat: depth}]\n",
        False,
    ),
    "copies that are refused, and a layer beside them": (
        "blocks: {step: [GRU: {units: width}]}\n"
        "layers: [step: {repeat: depth}, RepeatVector: {n: 2, from: input}]\n",
        False,
    ),
    "copies that do not read each other": (
        "blocks: {step: {inputs: [x, y], layers: [Dense: {units: width, from: y}]}}\n"
        "layers: [step: {repeat: depth, from: [input, input]}]\n",
        True,
    ),
    "a circle through copies": (
        "blocks: {step: [Dense: {units: width}]}\n"
        "layers: [step: {repeat: depth, from: last}, ReLU: {name: last}]\n",
        False,
    ),
    "copies that no output needs": (
        "blocks: {step: {inputs: [x, y], layers: [Dense: {units: width, from: y}]}}\n"
        "layers: [step: {repeat: depth, from: [input, input]}]\noutputs: [step]\n",
        False,
    ),
    "a layer of several inputs": (
        "blocks: {step: {inputs: [x, y], layers: [Add: {from: [x, y]}, Dense: {units: width}]}}\n"
        "layers: [Dense: {units: width, name: a}, step: {repeat: depth, from: [a, a]}]\n",
        True,
    ),
    "a run": (RUN, True),
    "a run in a block": (
        "blocks: {step: [{repeat: depth, layers: [Dense: {units: width}, ReLU]}]}\n"
        "layers: [step: {repeat: more}, Dense: {units: 2}]\n",
        True,
    ),
    "a run in a run": (
        "layers:\n  - repeat: more\n    layers: "
        "[{repeat: depth, layers: [Dense: {units: width}]}]\n",
        True,
    ),
    "a run of a run": (
        "layers:\n  - repeat: depth\n    layers: "
        "[{repeat: more, layers: [Dense: {units: width}]}]\n",
        False,
    ),
    "a run by its index": (RUN.replace("units: width", "units: width + index"), False),
    "a run of which a layer is read": (RUN.replace("2}]", "2, from: dense_1}]"), False),
    "a run with a layer after it that is read": (
        RUN.replace("2}]", "2}, ReLU]\noutputs: dense"),
        False,
    ),
    "a run that reads by name": (RUN.replace("ReLU", "Concatenate: {from: [input, input]}"), False),
    "a run with a budget of a layer": (RUN + "budget: {layers: {dense_1: {params: 1k}}}\n", False),
}


def variants_of(text: str) -> ModelVariants:
    """The variants of a spec."""
    return parse_variants(Source("m.yaml", HEAD + text), None, "m", {}, "m.yaml")


@pytest.mark.parametrize("case", SPECS)
def test_every_number_of_copies_is_what_a_plain_trace_says(case: str) -> None:
    text, is_symbolic = SPECS[case]
    proof = ProvenFormulas(variants_of(text), ["depth", "width"])
    for depth in (3, 1, 2, 4, 7, 12, 0, -1, 5):
        for width in (8, 1, 3):
            proof.demand_equal((depth, width))
    piece = proof.formulas.trace_numbers((6, 8))
    assert piece.log.has_symbolic_repeats == (is_symbolic and piece.report is not None)


@pytest.mark.parametrize("case", SPECS)
def test_verdicts_are_those_of_each_number_of_copies(case: str) -> None:
    whole = variants_of(SPECS[case][0])
    points = [(depth, width) for depth in (2, 1, 3, 9) for width in (8, 3)]
    together = list(ModelFormulas(whole, ["depth", "width"]).rows(points))
    for row, (depth, width) in zip(together, points, strict=True):
        alone = ModelFormulas(whole, [], {"depth": depth, "width": width})
        assert [row] == list(alone.rows([()]))


@pytest.mark.parametrize(
    ("setting", "is_symbolic"), [("step/dense.units", True), ("step_1/dense.units", False)]
)
def test_a_setting_of_one_copy_or_of_all(setting: str, is_symbolic: bool) -> None:
    proof = ProvenFormulas(variants_of(PLAIN), ["depth", setting])
    for point in ((3, 5), (2, 4), (6, 5), (4, 9), (1, 5)):
        proof.demand_equal(point)
    piece = proof.formulas.trace_numbers((3, 5))
    assert piece.log.has_symbolic_repeats == is_symbolic


def test_a_fixed_setting_of_one_copy() -> None:
    whole = variants_of(PLAIN)
    fixed = {"step_1/dense.units": 5}
    rows = list(ModelFormulas(whole, ["depth"], fixed).rows((depth,) for depth in (2, 3, 6, 1)))
    for row in rows:
        alone = ModelFormulas(whole, [], {**fixed, "depth": row["set"]["depth"]})
        assert [row] == list(alone.rows([()]))


def test_a_thousand_depths_are_few_pieces() -> None:
    formulas = ModelFormulas(variants_of(PLAIN), ["depth"])
    rows: list[dict[str, Any]] = list(formulas.rows((depth,) for depth in range(1, 1001)))
    assert formulas.piece_count == 2
    assert rows[999]["total_params"] == rows[1]["total_params"] + 998 * (8 * 8 + 8 + 16)


# refused for whatever number of copies: where the layer is, the spec
REFUSED = {
    "in the first copy": PLAIN.replace("Dense: {units: width}", "Reshape: {target_shape: [99]}"),
    "in the second copy": PLAIN.replace(
        "Dense: {units: width}", "Dense: {units: width}, Reshape: {target_shape: [24, 2]}"
    ).replace("width: 8", "width: 12"),
    "after all copies": PLAIN.replace("Dense: {units: 2}", "Reshape: {target_shape: [99]}"),
}


@pytest.mark.parametrize("where", REFUSED)
def test_what_is_refused_for_any_number_of_copies_is_one_piece(where: str) -> None:
    whole = variants_of(REFUSED[where])
    formulas = ModelFormulas(whole, ["depth"], {"width": 12})
    rows = list(formulas.rows((depth,) for depth in range(2, 500)))
    assert formulas.piece_count == 1
    alone = ModelFormulas(whole, [], {"width": 12, "depth": 400})
    assert rows[398]["error"] == next(alone.rows([()]))["error"]


def test_too_many_copies_are_one_piece() -> None:
    formulas = ModelFormulas(variants_of(PLAIN), ["depth"])
    rows = list(formulas.rows((depth,) for depth in range(50_001, 60_000)))
    assert formulas.piece_count == 1
    assert rows[0]["error"].startswith("this would make 100,002 layers;")


def test_too_many_copies_are_refused_as_without_formulas() -> None:
    proof = ProvenFormulas(variants_of(PLAIN), ["depth"])
    for depth in (3, 40_000, 50_001, 10**9):
        rows = list(proof.formulas.rows([(depth,)]))
        alone = ModelFormulas(proof.whole, [], {"depth": depth})
        assert rows == list(alone.rows([()]))
