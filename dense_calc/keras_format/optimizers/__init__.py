"""Count the variables that an optimizer keeps, as Keras does for a compiled model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import json
from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, describe_value, did_you_mean
from dense_calc.keras_format.optimizers.legacy_optimizers import upgrade_optimizer
from dense_calc.keras_format.optimizers.optimizer_kinds import OPTIMIZERS, Optimizer, Variable
from dense_calc.report import LayerRow, Report
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.layer_arguments import decode_arguments
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.yaml_tree import YamlNode, parse_yaml

_OPTIMIZER_EXAMPLE = "adam, or {SGD: {momentum: 0.9}}"


def with_optimizer(report: Report, optimizer: Optimizer) -> Report:
    """The report with the size of an optimizer's variables; unchanged if the model is unbuilt."""
    if report.state == "unbuilt":
        return report
    weights = list(_trained_weights(report.layers))
    variables = [*optimizer.state_variables(weights), *optimizer.attribute_variables(weights)]
    return replace(
        report,
        optimizer_params=sum(each.params for each in variables),
        optimizer_bytes=sum(each.bytes for each in variables),
    )


def _trained_weights(rows: Iterable[LayerRow]) -> Iterator[Variable]:
    """The trained weights of these rows, and of the rows of nested models."""
    for row in rows:
        if row.layers:
            yield from _trained_weights(row.layers)
            continue
        for weight in row.counted_weights:
            if weight.trainable:
                yield Variable(weight.shape, weight.dtype, f"{row.name}/{weight.path}")


def parse_optimizer(text: str) -> Optimizer:
    """The optimizer of the command line: a name, or a mapping from a name to its arguments.

    Raises:
        SpecError: Keras has no such optimizer, or the optimizer no such argument.
    """
    return _optimizer_from_node(parse_yaml(Source("--optimizer", text)))


def optimizer_from_file(compiled: Any, file: str) -> Optimizer:
    """The optimizer with which the model of a file is compiled, from the file's value for it.

    Raises:
        SpecError: the file has none, or an unknown one.
    """
    if compiled is None:
        raise SpecError(f"{file} tells no optimizer; name one: --optimizer adam")
    try:
        text = json.encode(upgrade_optimizer(compiled)).decode()
    except RecursionError:
        raise SpecError(f"the optimizer in {file} is nested without end") from None
    return _optimizer_from_node(parse_yaml(Source(f"{file}: optimizer", text)))


def _optimizer_from_node(written: YamlNode) -> Optimizer:
    """The optimizer in a node: a name, `{Adam: {...}}`, or an object as Keras writes it.

    Raises:
        SpecError: the node is no optimizer.
    """
    match written.value:
        case str():
            return _build_optimizer(written, {})
        case {"class_name": (_, name), "config": (_, YamlNode(value=dict(arguments)))}:
            return _build_optimizer(name, arguments)
        case dict(pairs) if len(pairs) == 1:
            ((name, arguments),) = pairs.values()
            return _build_optimizer(name, arguments.value or {})
    raise SpecError(
        f"an optimizer is {_OPTIMIZER_EXAMPLE}, not {describe_value(written.value)}", written
    )


def _build_optimizer(name: YamlNode, arguments: Any) -> Optimizer:
    """The optimizer of this name, in any case, with these arguments."""
    kinds = {each.lower(): kind for each, kind in OPTIMIZERS.items()}
    kind = kinds.get(str(name.value).lower())
    if kind is None:
        hint = did_you_mean(str(name.value), OPTIMIZERS)
        raise SpecError(f"Keras has no optimizer {describe_value(name.value)}{hint}", name)
    if not isinstance(arguments, dict):
        raise SpecError(
            f"an optimizer is {_OPTIMIZER_EXAMPLE}, not {describe_value(arguments)}", name
        )
    values = {key: value.plain_value() for key, (_, value) in arguments.items()}
    if "inner_optimizer" in arguments:
        values["inner_optimizer"] = _optimizer_from_node(arguments["inner_optimizer"][1])
    entry = SpecEntry(*name.coordinates, kind, arguments, kind.__name__)
    optimizer: Optimizer = decode_arguments(entry, values, Scope({}))
    return optimizer
