"""The calls of a model as a spec that is written has them, and what is called there again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dense_calc.errors import SpecError
from dense_calc.model import Model, Node, dotted
from dense_calc.tracing.lent_layers import OUTSIDE, Path, lender_of, lent_below


def written_calls(model: Model, is_whole: bool) -> list[Node]:
    """The nodes but for inputs, the calls of one layer in the order in which they were made.

    A `whole` model has those that no output needs as well.
    """
    nodes = {node.name: node for node in model.nodes if node.inputs}
    turns = {}
    for names in model.calls.values():
        turns.update(dict.fromkeys(names, iter(names)))
    ordered = [nodes[next(turns[name])] if name in turns else nodes[name] for name in nodes]
    return [*ordered, *(model.unused if is_whole else ())]


def first_calls(nodes: Sequence[Node]) -> dict[str, Node]:
    """What writes a layer down, by the names of all its calls and that which it is known by."""
    firsts: dict[str, Node] = {}
    for node in nodes:
        firsts.setdefault(node.holder, node)
    return firsts | {node.name: firsts[node.holder] for node in nodes}


def lent_names(
    node: Node, calls: Mapping[str, Node], around: Mapping[Path, str]
) -> dict[Path, str]:
    """What is lent to a node, by the ways there, as it is called in the spec.

    `around` has the same of what models around this one lend, by the ways from this.
    """
    own = {
        loan.path: lender_told(loan.holder, calls)
        for loan in node.loans
        if not loan.holder.startswith(OUTSIDE)
    }
    return own | lent_below(around, (node.holder,))


def lender_told(holder: str, calls: Mapping[str, Node]) -> str:
    """What a layer is called that is lent: `dense`, or `inner/dense` in a model."""
    name, inner = lender_of(holder, calls)
    if not name:
        return dotted(holder)
    node = calls[name]
    if not inner:
        return dotted(node.name)
    return f"{dotted(node.name)}/{lender_told(inner, calls_inside(node.layer.model))}"


def calls_inside(model: Model) -> dict[str, Node]:
    """What writes down the layers of a model inside, by their names."""
    return first_calls(written_calls(model, is_whole=True))


def demand_callable(lent: Mapping[Path, str], model: Model, *, is_whole: bool) -> None:
    """Raise SpecError where what a model is lent has a name that something in it has."""
    if not lent:
        return
    for node in model.all_nodes if is_whole else model.nodes:
        for name in lent.values():
            if dotted(node.name) == name.partition("/")[0] != lent.get((node.name,)):
                told = f"a spec cannot call '{name}' in '{model.name}', where that is another layer"
                raise SpecError(told, node.place)
