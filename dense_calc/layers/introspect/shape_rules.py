"""Shape rules of kinds, and the names that they give to axes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dense_calc.layers.base import LayerKind
from dense_calc.shapes import Shape, Shapes, Size, leaf_shapes

_RULE_ARROW = " → "
_SHAPE_PATTERN = r"\(([^()]*)\)"
_AXIS_SEPARATOR = ", "
_MULTI_AXIS_PREFIXES = ("...", "*")  # start names for any number of axes


def expanded_shape_rule(kind: type[LayerKind] | LayerKind) -> str:
    """The shape rule with the spatial axes of the kind, in the layer's `data_format`."""
    rule = kind.shape_rule
    sides = getattr(kind if isinstance(kind, type) else type(kind), "spatial_axes", None)
    if not isinstance(sides, tuple):
        return rule
    if getattr(kind, "data_format", None) == "channels_first":
        rule = re.sub(r"(\*sides'?), (\w+'?)", r"\2, \1", rule)
    rule = rule.replace("*sides'", _AXIS_SEPARATOR.join(f"{side}'" for side in sides))
    return rule.replace("*sides", _AXIS_SEPARATOR.join(sides))


def matching_shape_rule(
    layer: LayerKind, inputs: tuple[Shapes | None, ...], output: Shapes
) -> str | None:
    """The shape rule, None if it does not hold for these inputs and this output."""
    rule = expanded_shape_rule(layer)
    before, after = (re.findall(_SHAPE_PATTERN, side) for side in rule.split(_RULE_ARROW))
    shapes = [shape for each in inputs if each is not None for shape in leaf_shapes(each)]
    if len(before) > len(shapes):
        before = []
    shapes = shapes[: len(before)]  # further inputs are masks, or like the last one
    bound: dict[str, Size | Shape] = {}
    try:
        pairs = zip([*before, *after], [*shapes, *leaf_shapes(output)], strict=True)
        holds = all(
            _is_consistent_size(layer, name, size, bound.setdefault(name, size))
            for pattern, shape in pairs
            for name, size in _match_axis_names(pattern, shape)
        )
    except ValueError:
        return None
    return rule if holds else None


def _is_consistent_size(
    layer: LayerKind, name: str, size: Size | Shape, first: Size | Shape
) -> bool:
    """Whether a size equals its name: a number, an argument, or the `first` size of that name."""
    if name.startswith("*") or name.endswith("'") or size is None:
        return True
    stated = int(name) if name.isdigit() else getattr(layer, name, None)
    return size == (stated if isinstance(stated, int) else first) or first is None


def _match_axis_names(pattern: str, shape: Shape) -> list[tuple[str, Size | Shape]]:
    """The names in a pattern such as `batch, ..., units` with their sizes in a shape.

    Raises:
        ValueError: the shape has more or fewer axes.
    """
    names = pattern.split(_AXIS_SEPARATOR)
    place = next(
        (place for place, name in enumerate(names) if name.startswith(_MULTI_AXIS_PREFIXES)), None
    )
    if place is None:
        return list(zip(names, shape, strict=True))
    end = len(shape) - (len(names) - place - 1)
    if end < place:
        raise ValueError(f"{pattern} has more axes than {shape}")
    return [
        *zip(names[:place], shape[:place], strict=True),
        (names[place], shape[place:end]),
        *zip(names[place + 1 :], shape[end:], strict=True),
    ]


def axis_names(rule: str | None, shape: Shape) -> Iterator[str]:
    """The name of each axis of an output, from its shape rule; without one, from its number."""
    number = 0
    pattern = re.findall(_SHAPE_PATTERN, rule)[-1] if rule else "..."
    for name, size in _match_axis_names(pattern, shape):
        if isinstance(size, tuple):
            yield from (f"axis {number + further}" for further in range(len(size)))
            number += len(size)
        else:
            yield name
            number += 1
