"""What to do where a layer reads too many axes, or too few: who gives them, and what would fit."""

from __future__ import annotations

from dense_calc.model import Node
from dense_calc.shapes import Shape, Shapes, is_shape

_IMAGE_RANK = 4  # of the inputs of 2D layers


def rank_hint(source: Node, reads: tuple[Shapes | None, ...], gives: Shapes, rank: int) -> str:
    """The end of a complaint about what `source` gives, where `rank` axes are wanted.

    `reads` are the shapes that `source` reads itself.
    """
    if not is_shape(gives):
        return ""
    if not source.inputs and _has_batch_axis(gives, rank):
        return f"; '{source.name}' is without the batch axis: write {_format_sizes(gives[2:])}"
    who = f", from {type(source.layer).__name__} '{source.name}'"
    (read,) = reads if len(reads) == 1 else (None,)
    if read is not None and is_shape(read) and len(read) == rank:
        return f"{who}; before that layer it would fit, on {read}"
    if len(gives) > rank == 2:
        return f"{who}; put Flatten before it"
    if len(gives) > rank == 3 and gives[-1] is not None:
        return f"{who}; put Reshape: {{target_shape: [-1, {gives[-1]}]}} before it"
    if len(gives) >= rank or not gives:
        return who
    example = f", such as {_format_sizes((*gives[1:], 1))}" if len(gives) == rank - 1 else ""
    sizes = f"{rank - 1} size{'s' * (rank > 2)}{example}"
    if source.inputs:
        return f"{who}; put Reshape before it, to {sizes}"
    return f"; '{source.name}' must have {sizes}"


def _has_batch_axis(shape: Shape, rank: int) -> bool:
    """Whether the input of a model seems to state the batch as well."""
    return len(shape) == rank + 1 and (shape[1] is None or rank >= _IMAGE_RANK)


def _format_sizes(shape: Shape) -> str:
    """Sizes as they are written in a spec."""
    return f"[{', '.join('null' if size is None else str(size) for size in shape)}]"
