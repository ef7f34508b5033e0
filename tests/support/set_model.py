"""A spec with something of everything to set, and what becomes of it."""

from __future__ import annotations

from typing import Any

from dense_calc.errors import Source
from dense_calc.files.loader import parse_variants
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

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


def with_settings(text: str, settings: dict[str, Any]) -> Model:
    """The model that a text holds with these settings."""
    return parse_variants(Source("m.yaml", text), None, "m", {}, "m.yaml").model_with(settings)


def report(text: str) -> Report:
    """The report on a spec."""
    return trace(parse_spec(Source("m.yaml", text), "m"))
