"""What an optimizer keeps beside a model's weights, as Keras counts it in a compiled model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import json
from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, did_you_mean, said
from dense_calc.keras_format.optimizers.legacy_optimizers import of_today
from dense_calc.keras_format.optimizers.optimizer_kinds import OPTIMIZERS, Optimizer, Variable
from dense_calc.report import Report, Row
from dense_calc.spec_language.entries import Entry
from dense_calc.spec_language.layer_arguments import decoded
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.yaml_tree import Marked, document

EXAMPLE = "adam, or {SGD: {momentum: 0.9}}"


def with_optimizer(report: Report, optimizer: Optimizer) -> Report:
    """A report that also tells what an optimizer keeps; not of a model that nobody has built."""
    if report.state == "unbuilt":
        return report
    weights = list(trained_weights(report.layers))
    kept = [*optimizer.kept(weights), *optimizer.attributes(weights)]
    return replace(
        report,
        optimizer_params=sum(each.params for each in kept),
        optimizer_bytes=sum(each.bytes for each in kept),
    )


def trained_weights(rows: Iterable[Row]) -> Iterator[Variable]:
    """The weights that are trained, of models inside by their own layers."""
    for row in rows:
        if row.layers:
            yield from trained_weights(row.layers)
            continue
        for weight in row.counted:
            if weight.trainable:
                yield Variable(weight.shape, weight.dtype, f"{row.name}/{weight.path}")


def optimizer_named(text: str) -> Optimizer:
    """The optimizer that a text of the command line means: a name, or one over its arguments.

    Raises:
        SpecError: Keras has no such optimizer, or it has no such argument.
    """
    return optimizer_in(document(Source("--optimizer", text)))


def optimizer_of_file(compiled: Any, file: str) -> Optimizer:
    """The optimizer that a file says its model is compiled with.

    Raises:
        SpecError: it says none, or one that is not known.
    """
    if compiled is None:
        raise SpecError(f"{file} tells no optimizer; name one: --optimizer adam")
    try:
        text = json.encode(of_today(compiled)).decode()
    except RecursionError:
        raise SpecError(f"the optimizer in {file} is nested without end") from None
    return optimizer_in(document(Source(f"{file}: optimizer", text)))


def optimizer_in(written: Marked) -> Optimizer:
    """The optimizer that is written: its name, `{Adam: {...}}`, or as Keras writes it.

    Raises:
        SpecError: it is none.
    """
    match written.value:
        case str():
            return made(written, {})
        case {"class_name": (_, name), "config": (_, Marked(value=dict(arguments)))}:
            return made(name, arguments)
        case dict(pairs) if len(pairs) == 1:
            ((name, arguments),) = pairs.values()
            return made(name, arguments.value or {})
    raise SpecError(f"an optimizer is {EXAMPLE}, not {said(written.value)}", written)


def made(name: Marked, arguments: Any) -> Optimizer:
    """The optimizer of this name with these arguments; capitals do not matter, as in Keras."""
    by_name = {known.lower(): kind for known, kind in OPTIMIZERS.items()}
    kind = by_name.get(str(name.value).lower())
    if kind is None:
        hint = did_you_mean(str(name.value), OPTIMIZERS)
        raise SpecError(f"Keras has no optimizer {said(name.value)}{hint}", name)
    if not isinstance(arguments, dict):
        raise SpecError(f"an optimizer is {EXAMPLE}, not {said(arguments)}", name)
    values = {key: value.plain() for key, (_, value) in arguments.items()}
    if "inner_optimizer" in arguments:
        values["inner_optimizer"] = optimizer_in(arguments["inner_optimizer"][1])
    entry = Entry(*name.where, kind, arguments, kind.__name__)
    found: Optimizer = decoded(entry, values, Scope({}))
    return found
