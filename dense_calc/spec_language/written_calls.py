"""The calls of a model in the order of a written spec, and the names of their layers there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dense_calc.errors import SpecError
from dense_calc.model import Model, Node, dotted_name
from dense_calc.tracing.layer_paths import LayerPath
from dense_calc.tracing.lent_layers import OUTER_PREFIX, find_lender, lent_under_path


def calls_to_write(model: Model, is_whole: bool) -> list[Node]:
    """The nodes without the inputs; the calls of one layer stand in the order of Keras.

    With `is_whole`, the nodes that no output needs follow.
    """
    nodes = {node.name: node for node in model.nodes if node.inputs}
    turns = {}
    for names in model.calls.values():
        turns.update(dict.fromkeys(names, iter(names)))
    ordered = [nodes[next(turns[name])] if name in turns else nodes[name] for name in nodes]
    return [*ordered, *(model.unused if is_whole else ())]


def first_calls_by_name(nodes: Sequence[Node]) -> dict[str, Node]:
    """The call under which a spec writes a layer, by the names of all calls of that layer."""
    firsts: dict[str, Node] = {}
    for node in nodes:
        firsts.setdefault(node.holder, node)
    return firsts | {node.name: firsts[node.holder] for node in nodes}


def lent_layer_names(
    node: Node, calls: Mapping[str, Node], around: Mapping[LayerPath, str]
) -> dict[LayerPath, str]:
    """The spec's names of the layers that others lend to a node, by their paths in its layer.

    `around` has the names of those that models around this one lend to it, by paths in this model.
    """
    names = {
        loan.path: _lender_name(loan.holder, calls)
        for loan in node.lent_layers
        if not loan.holder.startswith(OUTER_PREFIX)
    }
    return names | lent_under_path(around, (node.holder,))


def _lender_name(holder: str, calls: Mapping[str, Node]) -> str:
    """The spec's name of a lent layer: `dense`, or `inner/dense` in a nested model."""
    name, inner = find_lender(holder, calls)
    if not name:
        return dotted_name(holder)
    node = calls[name]
    if not inner:
        return dotted_name(node.name)
    return f"{dotted_name(node.name)}/{_lender_name(inner, _first_calls_inside(node.layer.model))}"


def _first_calls_inside(model: Model) -> dict[str, Node]:
    """The written calls of the layers of a nested model, by the names of all their calls."""
    return first_calls_by_name(calls_to_write(model, is_whole=True))


def demand_callable_lenders(lent: Mapping[LayerPath, str], model: Model, *, is_whole: bool) -> None:
    """Raise SpecError where a layer in a model has the name of a layer lent to that model."""
    if not lent:
        return
    for node in model.all_nodes if is_whole else model.nodes:
        for name in lent.values():
            if dotted_name(node.name) == name.partition("/")[0] != lent.get((node.name,)):
                message = (
                    f"a spec cannot call '{name}' in '{model.name}', where that is another layer"
                )
                raise SpecError(message, node.place)
