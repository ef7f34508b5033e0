"""A spec, its edits, and what differs in short."""

from __future__ import annotations

from dense_calc.analysis.difference import LayerChange, ModelComparison, compare_models
from dense_calc.errors import Source
from dense_calc.model import Model
from dense_calc.spec_language import parse_spec

OLD = """\
input: [8]
layers:
  - Dense: {units: 16, name: body}
  - BatchNormalization: {name: norm}
  - Dense: {units: 4, name: head}
"""


def model_of(text: str) -> Model:
    """The model that a spec describes."""
    return parse_spec(Source("m.yaml", text), "m")


def compared(old: str, new: str) -> ModelComparison:
    """What differs between two specs."""
    return compare_models(model_of(old), model_of(new), "old", "new")


def told(change: LayerChange) -> str:
    """A change in short: `changed head +4 units=4>5`, `changed b 0 <a`."""
    was = f" <{change.renamed_from}" if change.renamed_from else ""
    values = "".join(f" {each.name}={each.old}>{each.new}" for each in change.arguments)
    return f"{change.status} {change.name} {change.change:+}{was}{values}"


def edited(*edits: tuple[str, str], text: str = OLD) -> str:
    """A spec with some of its text replaced."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text
