"""Sections that a spec has not, or of which the value is of another type → hints.

Only a mistake needs this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dense_calc.errors import did_you_mean
from dense_calc.spec_language.colons import describe_missing_colon
from dense_calc.spec_language.yaml_text import format_flow
from dense_calc.spec_language.yaml_tree import YamlNode

_TRAINING_KEYS = ("optimizer", "loss", "metrics", "epochs", "callbacks", "compile", "fit")
# Arguments of Keras that say what the input is.
_INPUT_ARGUMENTS = ("input_shape", "input_dim", "shape", "batch_input_shape", "batch_shape")


def suggest_form(name: str, value: YamlNode) -> str:
    """The hint how a section is written, of which the value is of another type; else ''."""
    match name, value.plain_value():
        case "layers", dict():
            return "; begin each item with '- '"
        case "budget" | "expect", str() | int() | float() as count:
            return f"; write '{name}: {{params: {count}}}'"
        case "blocks", [*items] if _are_mappings(items):
            return "; remove the '- ' before each name"
        case "vars" | "budget" | "expect", [*items] if _are_mappings(items):
            together = {key: each for item in items for key, each in item.items()}
            return f"; write '{name}: {format_flow(together)}'"
        case "inputs", [*items]:
            return f"; write '{_form_of_inputs(items)}'"
    return describe_missing_colon(value)


def _are_mappings(items: Sequence[Any]) -> bool:
    """Whether these are mappings, as a list has where each key has a dash before it."""
    return bool(items) and all(isinstance(each, dict) for each in items)


def _form_of_inputs(items: Sequence[Any]) -> str:
    """A list in place of inputs as a spec has it: one shape, several, or inputs with names."""
    if not any(isinstance(each, list | dict) for each in items):
        return f"input: {format_flow(items)}"
    inputs = {}
    for letter, item in zip("abcdefghij", items, strict=False):
        arguments = dict(item) if isinstance(item, dict) else {"shape": item}
        name = arguments.pop("name", letter)
        is_shape = arguments.keys() == {"shape"}
        inputs[str(name)] = arguments["shape"] if is_shape else arguments
    return f"inputs: {format_flow(inputs)}"


def suggest_section(key: YamlNode, value: YamlNode, known: Iterable[str]) -> str:
    """The hint for a key that is no section; Keras' arguments of shapes are the input."""
    if key.value in _INPUT_ARGUMENTS:
        plain = value.plain_value()
        sizes = plain if isinstance(plain, list) else [plain]
        return f"; write 'input: {format_flow(sizes[key.value.startswith('batch') :])}'"
    if key.value in _TRAINING_KEYS:
        return "; a spec describes layers, not their training; remove it"
    hint = describe_missing_colon(key) or did_you_mean(key.value, known)
    holds_model = isinstance(value.value, list | dict) and len(value.value) > 0
    return hint or "; put 'input:' and 'layers:' at the top" * holds_model
