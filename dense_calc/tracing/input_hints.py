"""What to do where a layer cannot use what it reads: who gives that, and what would fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dense_calc.errors import LayerError, MisfitError, RankError, UnknownSizeError
from dense_calc.model import ModelBlock, Node, enclosing_names
from dense_calc.shapes import Shape, Shapes, is_shape
from dense_calc.tracing.shared_layers import TracedCall

_IMAGE_RANK = 4  # of the inputs of 2D layers


def input_hint(
    error: LayerError,
    node: Node,
    nodes: Mapping[str, Node],
    calls: Mapping[str, TracedCall],
    shapes: Mapping[str, Shapes],
) -> str:
    """The end of a complaint about what a node with one input reads."""
    source = nodes[node.inputs[0]]
    reads = calls[source.name].inputs
    match error:
        case MisfitError(mending=mending):
            return f", from {_describe_node(source)}{mending}"
        case RankError(rank=rank) if rank:
            return _rank_hint(source, reads, shapes[source.name], rank)
        case UnknownSizeError():
            while len(source.inputs) == 1 and reads == (shapes[source.name],):
                source = nodes[source.inputs[0]]
                reads = calls[source.name].inputs
            return _unknown_size_hint(source, reads, shapes[source.name])
    return ""


def more_inputs_hint(node: Node) -> str:
    """The end of a complaint about a node with one input that needs several."""
    layer = node.layer
    if len(node.inputs) != 1 or layer.arity.start == 1:
        return ""
    names = layer.input_names[: layer.arity.start]
    named = ", ".join(f"{name}: {node.inputs[0]}" for name in names)
    form = f"{{{named}}}" if named else f"[{node.inputs[0]}, ...]"
    return f"; name each: 'from: {form}'"


def name_last_copies(hint: str, node: Node, blocks: Iterable[ModelBlock]) -> str:
    """A hint about a node in which the last copies of blocks have the numbers that they will have.

    `blocks` are those with a symbolic number of copies, inner ones first: their last copy stands
    for all but the first, and a node after it reads the very last.
    """
    for block in blocks:
        if block.copies[-1] not in enclosing_names(node.name):
            number = len(block.copies) - 2 + block.last_copy_count
            hint = hint.replace(f"'{block.copies[-1]}/", f"'{block.name}_{number}/")
    return hint


def _describe_node(node: Node) -> str:
    """The class and the name of a node."""
    return f"{type(node.layer).__name__} '{node.name}'"


def _unknown_size_hint(source: Node, reads: tuple[Shapes | None, ...], gives: Shapes) -> str:
    """The end of a complaint about what `source` gives, where a size is not known."""
    if not source.inputs:
        return f"; '{source.name}' is {_format_sizes(gives[1:])}" if is_shape(gives) else ""
    instead = source.layer.suggested_replacement(*reads)
    where = f", or put {instead} in place of" if instead else "; it comes from"
    return f"{where} {_describe_node(source)}, which reads {' and '.join(map(str, reads))}"


def _rank_hint(source: Node, reads: tuple[Shapes | None, ...], gives: Shapes, rank: int) -> str:
    """The end of a complaint about what `source` gives, where `rank` axes are wanted.

    `reads` are the shapes that `source` reads itself.
    """
    if not is_shape(gives):
        return ""
    if not source.inputs and _has_batch_axis(gives, rank):
        return f"; '{source.name}' is without the batch axis: write {_format_sizes(gives[2:])}"
    who = f", from {_describe_node(source)}"
    (read,) = reads if len(reads) == 1 else (None,)
    if getattr(source.layer, "return_sequences", True) is False and len(gives) == rank - 1:
        return f"{who}; give that layer 'return_sequences: true'"
    if read is not None and is_shape(read) and len(read) == rank:
        return f"{who}; put this layer before that one, which reads {read}"
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
