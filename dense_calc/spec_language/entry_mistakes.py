"""Items of `layers:` that are no layers, and inputs that are no shapes → errors with the mending.

Only a mistake needs this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dense_calc.errors import SpecError, describe_value, did_you_mean, find_closest, quote_form
from dense_calc.layers import KIND_ALIASES, KIND_MODULES, OPERATION_PREFIX, find_kind, is_kind_name
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.operations import OPERATION_MODULES
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.spec_language.colons import describe_missing_colon
from dense_calc.spec_language.commas import describe_commas
from dense_calc.spec_language.written_layers import (
    describe_call,
    form_of_positional,
    format_layer,
    suggest_layer,
)
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS as MODELS


def no_class_error(item: YamlNode, word: YamlNode, under: Any, blocks: Iterable[str]) -> SpecError:
    """The error for a value under a word that is no class, but may be meant as one."""
    is_like_class = word.value.rpartition(".")[2][:1].isupper()
    if is_like_class or (len(item.value) == 1 and suggest_layer(word.value, under)):
        return unknown_kind_error(word, blocks, under)
    if "layers" in item.value:
        return SpecError("write repeated layers as '{repeat: 3, layers: [...]}'", word)
    arguments = item.plain_value()
    for name, value in arguments.items():
        if isinstance(value, str) and (is_kind_name(value) or value in blocks):
            del arguments[name]
            config = arguments.pop("config", None)  # where Keras' files have the arguments
            form = format_layer(value, arguments | (config if isinstance(config, dict) else {}))
            message = f"a layer begins with its class; write {quote_form(form)}"
            return SpecError(message, item.value[name][0])
    form = "this layer has no class; write '- Dense: {units: 3}'"
    return SpecError(f"{form}, with '{word.value}' among the arguments", word)


def stray_argument_error(item: YamlNode, word: YamlNode, stray: YamlNode) -> SpecError:
    """The error for an argument beside its class, which may have the first one: `Dense: 64`."""
    is_layer = is_kind_name(stray.value)
    mending = "begin a new layer with '- '" if is_layer else "indent it further"
    values = item.plain_value()
    first = values.pop(word.value)
    names = positional_arguments(word.value)
    if names and first is not None and not isinstance(first, dict) and not is_layer:
        form = format_layer(word.value, {names[0]: first, **values})
        mending = f"write {quote_form(form)}"
    return SpecError(f"'{stray.value}' is beside '{word.value}', not under it; {mending}", stray)


def suggest_arguments(name: str, values: Any, *, is_block: bool) -> str:
    """The hint for a value in place of arguments: the layers to read, or the first arguments."""
    form = _form_of_arguments(name, values, is_block)
    return f"; write {quote_form(form)}" if form else ""


def _form_of_arguments(name: str, values: Any, is_block: bool) -> str | None:
    """A layer or block with this value in place of arguments as a spec has it; None if unclear."""
    if is_block and type(values) is int:
        return format_layer(name, {"repeat": values})
    if is_block or not isinstance(values, list) or name in MODELS:
        return None
    reads_several = find_kind(name).arity.stop > TWO_INPUTS.start
    if reads_several and all(isinstance(each, str) for each in values):
        return format_layer(name, {"from": values})
    are_named = all(isinstance(each, dict) for each in values)  # with a dash before each
    merged = {key: value for each in values for key, value in each.items()} if are_named else {}
    return format_layer(name, merged) if merged else form_of_positional(name, values)


def unknown_kind_error(word: YamlNode, blocks: Iterable[str], under: Any = None) -> SpecError:
    """The error for a word that names no kind; `under` is the value under it."""
    if "(" in word.value:
        advice = describe_call(word)
        if advice:
            return SpecError(f"this is a call in Python{advice}", word)
    hint = describe_missing_colon(word) or suggest_layer(word.value, under)
    hint = hint or _suggest_kind(word.value, blocks)
    return SpecError(f"there is no layer kind '{word.value}'{hint}", word)


def _suggest_kind(name: str, blocks: Iterable[str]) -> str:
    """The hint for a word that names no kind: the name most like it, or where all are listed."""
    if name.startswith(OPERATION_PREFIX):
        close = find_closest(name.removeprefix(OPERATION_PREFIX), OPERATION_MODULES)
        listed = "; 'dense-calc layers --ops' lists them"
        return f"; did you mean '{OPERATION_PREFIX}{close}'?" if close else listed
    close = did_you_mean(name, (*blocks, *KIND_MODULES, *KIND_ALIASES, *MODELS))
    return close or "; 'dense-calc layers' lists them"


def bad_input_error(value: YamlNode) -> SpecError:
    """The error for an input that is no list: a number, or a tuple of Python."""
    hint = describe_commas(value.value) if isinstance(value.value, str) else ""
    if type(value.value) is int:
        hint = f"; write '[{value.value}]'"
    problem = f"an input is a list of sizes, [28, 28, 1], not {describe_value(value.value)}"
    return SpecError(problem + hint, value)
