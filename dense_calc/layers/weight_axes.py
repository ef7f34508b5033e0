"""The named axes of weights: joined, packed and grouped."""

from __future__ import annotations

from collections.abc import Container, Mapping
from math import prod

from dense_calc.layers.base import PRODUCT_SIGN

WeightAxes = Mapping[str, int]  # names and sizes, in order


def distinct_axis_name(name: str, axes: Container[str]) -> str:
    """`name`, with `1 × ` in front as often as it takes to differ from the names in `axes`."""
    while name in axes:
        name = f"1{PRODUCT_SIGN}{name}"
    return name


def flatten_axes(axes: Mapping[str, int]) -> dict[str, int]:
    """All axes of a weight in one, their product; an axis of size 1 where there are none."""
    return {PRODUCT_SIGN.join(axes) or "1": prod(axes.values())}


def pack_axis(axes: WeightAxes) -> WeightAxes:
    """An axis of 4-bit numbers as it is stored: two in a byte."""
    return {
        f"packed {name.replace(PRODUCT_SIGN, '·')}": (size + 1) // 2 for name, size in axes.items()
    }


def group_axis(axes: WeightAxes, group: int) -> WeightAxes:
    """The groups of weights along an axis that share a scale: one if `group` is -1."""
    (size,) = axes.values()
    return {"groups": 1 if group == -1 else -(-size // group)}
