"""The operation that reorders, splits and joins axes by a pattern of einops."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from msgspec import Meta, field

from dense_calc.errors import LayerError
from dense_calc.layers.operations.operation import Int64, Operation
from dense_calc.shapes import Shape, Shapes, computed_size, size_product

_AXIS_PATTERN = re.compile(r"\w+|\(.*?\)")  # a name, or several in brackets
_GROUP_PATTERN = re.compile(r"\(([\w\s]+)\)")
_MAX_PATTERN_LENGTH = 1000  # characters of a pattern: more axes than there can be


class Rearrange(Operation, frozen=True, kw_only=True):
    """Reorders, splits and joins axes: `"b (h w) c -> b h w c"` with `axes_lengths: {h: 7}`.

    Both are arguments of the call; Keras takes each length as a keyword. Source:
    keras/src/ops/einops.py, which refuses an unknown size in the output.
    """

    input_names: ClassVar[tuple[str, ...]] = ("tensor",)
    call_arguments = ("pattern", "axes_lengths")
    kwargs_argument = "axes_lengths"
    shape_rule = "(...) → pattern"

    pattern: Annotated[str, Meta(max_length=_MAX_PATTERN_LENGTH)]
    axes_lengths: dict[str, Int64] = field(default_factory=dict)

    def infer_shape(self, x: Shape, /) -> Shapes:
        sides = re.split(r"\s*->\s*", self.pattern)
        if len(sides) != 2:
            raise LayerError("pattern must look like 'b h w -> b (h w)'", "pattern")
        sizes = self._sizes_by_name(_AXIS_PATTERN.findall(sides[0]), x)
        groups = [_axis_names_in(axis) for axis in _AXIS_PATTERN.findall(sides[1])]
        for name in {name for group in groups for name in group}:
            if sizes.get(name) is None:
                reason = "unknown" if name in sizes else "not on the left of the pattern"
                raise LayerError(f"the size of '{name}' is {reason}", "pattern")
        return tuple(size_product(tuple(sizes[name] for name in group)) for group in groups)

    def _sizes_by_name(self, axes: list[str], shape: Shape) -> dict[str, int | None]:
        """The size of each name on the left side of the pattern."""
        lengths: dict[str, int | None] = dict(self.axes_lengths)
        sizes: dict[str, int | None] = {}
        for axis, size in zip(axes, shape, strict=False):
            group = _axis_names_in(axis)
            if not _GROUP_PATTERN.match(axis):
                sizes[axis] = size
                continue
            missing = [name for name in group if name not in lengths]
            if missing:
                known = size_product(tuple(lengths[name] for name in group if name in lengths))
                if size is None or not known:
                    raise LayerError(f"'{missing[0]}' cannot be told from {shape}", "pattern")
                lengths[missing[0]] = computed_size(size // known, f"{size} // {known}")
            if missing[1:]:
                raise LayerError(f"the size of '{missing[1]}' must be given", "pattern")
            sizes |= {name: lengths[name] for name in group}
        return sizes


def _axis_names_in(axis: str) -> list[str]:
    """The names of one axis of a pattern: several in brackets, or one."""
    group = _GROUP_PATTERN.match(axis)
    return group[1].split() if group else [axis]
