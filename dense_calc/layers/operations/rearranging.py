"""The operation that reorders, splits and joins axes as a pattern of einops says."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from msgspec import Meta, field

from dense_calc.errors import LayerError
from dense_calc.layers.operations.operation import Int, Operation
from dense_calc.shapes import Shape, Shapes, product, worked

AXES = re.compile(r"\w+|\(.*?\)")  # a name, or several in brackets
GROUP = re.compile(r"\(([\w\s]+)\)")
TEXT = 1000  # characters of a pattern: more axes than there can be


class Rearrange(Operation, frozen=True, kw_only=True):
    """Reorders, splits and joins axes: `"b (h w) c -> b h w c"` with `axes_lengths: {h: 7}`.

    Both belong to the call; in Keras the lengths are keywords of their own. Source:
    keras/src/ops/einops.py, which refuses an unknown size wherever the output would have it.
    """

    inputs: ClassVar[tuple[str, ...]] = ("tensor",)
    of_call = ("pattern", "axes_lengths")
    further: ClassVar[str] = "axes_lengths"
    rule: ClassVar[str] = "(...) → pattern"

    pattern: Annotated[str, Meta(max_length=TEXT)]
    axes_lengths: dict[str, Int] = field(default_factory=dict)

    def result(self, x: Shape, /) -> Shapes:
        sides = re.split(r"\s*->\s*", self.pattern)
        if len(sides) != 2:
            raise LayerError("pattern must look like 'b h w -> b (h w)'", "pattern")
        sizes = self.sizes(AXES.findall(sides[0]), x)
        groups = [names_in(axis) for axis in AXES.findall(sides[1])]
        for name in {name for group in groups for name in group}:
            if sizes.get(name) is None:
                what = "unknown" if name in sizes else "not on the left of the pattern"
                raise LayerError(f"the size of '{name}' is {what}", "pattern")
        return tuple(product(tuple(sizes[name] for name in group)) for group in groups)

    def sizes(self, axes: list[str], shape: Shape) -> dict[str, int | None]:
        """The size of each name on the left."""
        lengths: dict[str, int | None] = dict(self.axes_lengths)
        sizes: dict[str, int | None] = {}
        for axis, size in zip(axes, shape, strict=False):
            group = names_in(axis)
            if not GROUP.match(axis):
                sizes[axis] = size
                continue
            missing = [name for name in group if name not in lengths]
            if missing:
                known = product(tuple(lengths[name] for name in group if name in lengths))
                if size is None or not known:
                    raise LayerError(f"'{missing[0]}' cannot be told from {shape}", "pattern")
                lengths[missing[0]] = worked(size // known, f"{size} // {known}")
            if missing[1:]:
                raise LayerError(f"the size of '{missing[1]}' must be given", "pattern")
            sizes |= {name: lengths[name] for name in group}
        return sizes


def names_in(axis: str) -> list[str]:
    """The names of an axis: several in brackets, or one."""
    group = GROUP.match(axis)
    return group[1].split() if group else [axis]
