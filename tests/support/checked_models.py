"""Small models with known counts, and the checks of a spec."""

from __future__ import annotations

from dense_calc.analysis.budget import Check, check_limits
from dense_calc.errors import Source
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

# 8 → 16: 144; 16 → 4: 68; the normalization has 32 trained and 32 more.
MODEL = """\
input: [8]
layers:
  - Dense: {units: 16, name: body}
  - BatchNormalization: {name: norm}
  - Dense: {units: 4, name: head}
"""
WHOLE, TRAINED = 144 + 64 + 68, 144 + 32 + 68

# One block thrice, and a model inside.
NESTED = """\
input: [8]
blocks:
  part:
    - Dense: {units: 8, name: dense}
    - Dense: {units: 8, name: wide, use_bias: false}
layers:
  - part: {repeat: 3}
  - Sequential:
      name: inner
      input: [8]
      layers: [Dense: {units: 4, name: one}, Dense: {units: 2, name: two}]
  - Dense: {units: 5, name: head_a}
  - Dense: {units: 5, name: head_b}
"""
DENSE, WIDE, ONE, TWO, HEAD_A, HEAD_B = 72, 64, 36, 10, 15, 30


def checked(text: str) -> list[Check]:
    """The checks of a spec."""
    model = parse_spec(Source("m.yaml", text), "m")
    return list(check_limits(trace(model), model.limits))
