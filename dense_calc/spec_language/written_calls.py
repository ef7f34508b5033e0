"""The calls of a model as a spec that is written has them, and what is called there again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dense_calc.errors import SpecError
from dense_calc.model import Model, Node, dotted_name
from dense_calc.tracing.layer_paths import LayerPath
from dense_calc.tracing.lent_layers import OUTER_PREFIX, find_lender, lent_under_path


def calls_to_write(model: Model, is_whole: bool) -> list[Node]:
    """The nodes but for inputs, the calls of one layer in the order in which they were made.

    A `whole` model has those that no output needs as well.
    """
    nodes = {node.name: node for node in model.nodes if node.inputs}
    turns = {}
    for names in model.calls.values():
        turns.update(dict.fromkeys(names, iter(names)))
    ordered = [nodes[next(turns[name])] if name in turns else nodes[name] for name in nodes]
    return [*ordered, *(model.unused if is_whole else ())]


def first_calls_by_name(nodes: Sequence[Node]) -> dict[str, Node]:
    """What writes a layer down, by the names of all its calls and that which it is known by."""
    firsts: dict[str, Node] = {}
    for node in nodes:
        firsts.setdefault(node.holder, node)
    return firsts | {node.name: firsts[node.holder] for node in nodes}


def lent_layer_names(
    node: Node, calls: Mapping[str, Node], around: Mapping[LayerPath, str]
) -> dict[LayerPath, str]:
    """What is lent to a node, by the ways there, as it is called in the spec.

    `around` has the same of what models around this one lend, by the ways from this.
    """
    own = {
        loan.path: _lender_name(loan.holder, calls)
        for loan in node.lent_layers
        if not loan.holder.startswith(OUTER_PREFIX)
    }
    return own | lent_under_path(around, (node.holder,))


def _lender_name(holder: str, calls: Mapping[str, Node]) -> str:
    """What a layer is called that is lent: `dense`, or `inner/dense` in a model."""
    name, inner = find_lender(holder, calls)
    if not name:
        return dotted_name(holder)
    node = calls[name]
    if not inner:
        return dotted_name(node.name)
    return f"{dotted_name(node.name)}/{_lender_name(inner, _first_calls_inside(node.layer.model))}"


def _first_calls_inside(model: Model) -> dict[str, Node]:
    """What writes down the layers of a model inside, by their names."""
    return first_calls_by_name(calls_to_write(model, is_whole=True))


def demand_callable_lenders(lent: Mapping[LayerPath, str], model: Model, *, is_whole: bool) -> None:
    """Raise SpecError where what a model is lent has a name that something in it has."""
    if not lent:
        return
    for node in model.all_nodes if is_whole else model.nodes:
        for name in lent.values():
            if dotted_name(node.name) == name.partition("/")[0] != lent.get((node.name,)):
                told = f"a spec cannot call '{name}' in '{model.name}', where that is another layer"
                raise SpecError(told, node.place)
