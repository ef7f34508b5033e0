"""A number that a layer refuses: the others may be what they like, as long as they are allowed."""

from __future__ import annotations

from itertools import product

import pytest
from support.formula_proof import prove_text

# What may be refused in 100 combinations of two vars → how many pieces there are at most.
LAYERS = {
    "MultiHeadAttention: {num_heads: a, key_dim: b, from: [input, input]}": 20,
    "Conv1D: {filters: a, kernel_size: b // 2, padding: same}": 20,
    "Conv1D: {kernel_size: b, filters: a, wrong: 1}": 100,
    "Dropout: {rate: a / 4}": 100,
    "Conv2D: {filters: a, kernel_size: [b, 0]}": 100,
}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_refused_number_is_told_whatever_the_others_are(layer: str) -> None:
    text = f"vars: {{a: 1, b: 1}}\ninput: [8, 6]\nlayers: [{layer}]\n"
    proof = prove_text(text, ["a", "b"])
    for point in product(range(-2, 8), range(-2, 8)):
        proof.demand_equal(point)
    assert proof.formulas.piece_count <= LAYERS[layer]
