"""Explanations as text: a paragraph for each layer, a line for each fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from dense_calc.analysis.explanation import Count, Explanation
from dense_calc.analysis.formula import split
from dense_calc.errors import columns, printable
from dense_calc.layers.base import TIMES
from dense_calc.render import Style
from dense_calc.render.grid import inputs_text, shape_text, shown, title
from dense_calc.render.plain_text import wrapped
from dense_calc.report import Report, WeightRow

GAP = 2  # columns between a fact's name and the fact
NONE = "None is a size that only data settles: the batch, or what the input leaves open."


def render(report: Report, explanations: Sequence[Explanation], style: Style) -> str:
    """The paragraphs, below the model's name and its number of parameters."""
    blocks = [
        [f"{title(report)}: {report.total_params:,} params"],
        *(list(paragraph(each, style)) for each in explanations),
    ]
    if any("None" in line for block in blocks[1:] for line in block):
        blocks.append(wrapped(NONE, style.width or len(NONE)))
    return shown("\n".join("".join(f"{line}\n" for line in block) for block in blocks), style)


def paragraph(each: Explanation, style: Style) -> Iterator[str]:
    """The lines on one layer."""
    heading = f"{printable(each.name)} ({printable(each.type)})"
    yield f"{click.style(heading, bold=True) if style.color else heading}{share(each)}"
    facts = list(facts_on(each))
    room = max(columns(name) for name, _ in facts) + GAP
    width = max(1, (style.width or 10**6) - room - GAP)
    for name, fact in facts:
        margin = " " * GAP + (click.style(name, dim=True) if style.color else name)
        margin += " " * (room - columns(name))
        for line in wrapped(fact, width):
            yield margin + line
            margin = " " * (GAP + room)


def facts_on(each: Explanation) -> Iterator[tuple[str, str]]:
    """What there is to say of a layer: the name of each fact, and the fact."""
    inputs = inputs_text(each.input_shapes)
    if inputs:
        yield "input", inputs
    yield "output", shape_text(each.output_shape)
    if each.rule:
        yield "rule", each.rule
    for side in each.sides:
        yield side.axis, f"{side.arithmetic} = {side.size}"
    for weight in each.weights:
        yield printable(weight.path), weight_fact(weight)
    if each.shared_with:
        yield "params", f"shared with {printable(each.shared_with)}"
        return
    whole = Count(each.formula, each.arithmetic, each.params)
    yield "params", count_fact(whole)
    if each.non_trainable:
        yield (
            "not trained",
            "all" if each.non_trainable == whole else count_fact(each.non_trainable),
        )


def weight_fact(weight: WeightRow) -> str:
    """The axes of a weight with their sizes: `inputs 784 × units 10 = 7,840`."""
    axes = TIMES.join(
        f"{axis.replace(TIMES, '·')} {size}" if split(axis)[1] else str(size)
        for axis, size in zip(weight.axes, weight.shape, strict=True)
    )
    frozen = "" if weight.trainable else ", not trained"
    shared = f", shared with {printable(weight.shared_with)}" if weight.shared_with else ""
    return f"{axes or 1} = {weight.params:,}{frozen}{shared}"


def count_fact(count: Count) -> str:
    """`units × (inputs + 1) = 10 × (784 + 1) = 7,850`."""
    steps = dict.fromkeys((count.formula, count.arithmetic, f"{count.params:,}"))
    return " = ".join(steps)


def share(each: Explanation) -> str:
    """What a layer has of the model's parameters: `: 850 params, 1.4 %`."""
    return f": {each.params:,} params, {100 * each.share:.1f} %" if each.params else ""
