"""Explanations as text: a paragraph for each layer, a line for each fact."""

from __future__ import annotations

from collections.abc import Iterator

import click

from dense_calc.analysis.explanation import Explanation, LayerExplanation, ParamCount
from dense_calc.analysis.formula import split_axis
from dense_calc.errors import display_width, escape_unprintable
from dense_calc.layers.base import PRODUCT_SIGN
from dense_calc.render import Style
from dense_calc.render.grid import group_digits, inputs_text, model_title, shape_text
from dense_calc.render.plain_text import bold_text, join_paragraphs, wrap_text
from dense_calc.report import WeightRow

_FACT_GAP = 2  # columns between a fact's name and the fact
_NONE_NOTE = "None is a size that depends on the data, such as the batch or an unknown input size."


def render_explanation(explanation: Explanation, style: Style) -> str:
    """The explanation as text, below the model's name and its number of parameters."""
    blocks = [
        [f"{model_title(explanation.name)}: {explanation.total_params:,} params"],
        *(list(_explanation_lines(each, style)) for each in explanation.layers),
    ]
    if any("None" in line for block in blocks[1:] for line in block):
        blocks.append(wrap_text(_NONE_NOTE, style.width or len(_NONE_NOTE)))
    if explanation.symbolic_where:
        held = escape_unprintable(group_digits(", ".join(explanation.symbolic_where)))
        told = f"What is said in vars holds where {held}."
        blocks.append(list(wrap_text(told, style.width or len(told))))
    return join_paragraphs(blocks, style)


def _explanation_lines(each: LayerExplanation, style: Style) -> Iterator[str]:
    """The lines about one layer."""
    repeat = f" × {each.repeat:,}" if each.repeat > 1 else ""
    heading = f"{escape_unprintable(each.name)}{repeat} ({escape_unprintable(each.type)})"
    yield f"{bold_text(heading, style)}{_share_text(each)}"
    facts = list(_layer_facts(each))
    room = max(display_width(name) for name, _ in facts) + _FACT_GAP
    width = max(1, (style.width or 10**6) - room - _FACT_GAP)
    for name, fact in facts:
        margin = " " * _FACT_GAP + (click.style(name, dim=True) if style.color else name)
        margin += " " * (room - display_width(name))
        for line in wrap_text(fact, width):
            yield margin + line
            margin = " " * (_FACT_GAP + room)


def _layer_facts(each: LayerExplanation) -> Iterator[tuple[str, str]]:
    """The facts about a layer, each with its name."""
    inputs = inputs_text(each.input_shapes)
    if inputs:
        yield "input", inputs
    yield "output", shape_text(each.output_shape)
    if each.rule:
        yield "rule", each.rule
    for side in each.sides:
        yield side.axis, f"{group_digits(side.arithmetic)} = {side.size:,}"
    for weight in each.weights:
        yield escape_unprintable(weight.path), _weight_fact(weight)
    if each.shared_with:
        yield "params", f"shared with {escape_unprintable(each.shared_with)}"
        return
    total = ParamCount(each.formula, each.arithmetic, each.params)
    yield "params", _count_fact(total)
    for what, expression in (each.symbolic or {}).items():
        yield "in vars", f"{what} = {escape_unprintable(group_digits(expression))}"
    frozen = each.non_trainable
    if frozen:
        yield "not trained", "all" if frozen == total else _count_fact(frozen)


def _weight_fact(weight: WeightRow) -> str:
    """The axes of a weight with their sizes: `inputs 784 × units 10 = 7,840`."""
    axes = PRODUCT_SIGN.join(
        f"{axis.replace(PRODUCT_SIGN, '·')} {size:,}" if split_axis(axis)[1] else f"{size:,}"
        for axis, size in zip(weight.axes, weight.shape, strict=True)
    )
    frozen = "" if weight.trainable else ", not trained"
    shared = f", shared with {escape_unprintable(weight.shared_with)}" if weight.shared_with else ""
    return f"{axes or 1} = {weight.params:,}{frozen}{shared}"


def _count_fact(count: ParamCount) -> str:
    """A count and its arithmetic: `units × (inputs + 1) = 10 × (784 + 1) = 7,850`."""
    steps = dict.fromkeys((count.formula, group_digits(count.arithmetic), f"{count.params:,}"))
    return " = ".join(steps)


def _share_text(each: LayerExplanation) -> str:
    """The share of a layer in the model's parameters: `: 850 params, 1.4%`."""
    if not each.params:
        return ""
    of_each = " each" if each.repeat > 1 else ""
    return f": {each.params:,} params, {100 * each.share:.1f}%{of_each}"
