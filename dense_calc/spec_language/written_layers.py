"""Layers as programs and other habits write them → as a spec writes them: `Dense: {units: 64}`.

Only a mistake needs this module.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from dense_calc.layers import KIND_ALIASES, KIND_MODULES, find_kind, is_kind_name
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.type_phrases import allowed_words, argument_type
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.layers.pytorch_names import ACTIVATION_LAYER, PYTORCH_ARGUMENTS, PYTORCH_KINDS
from dense_calc.spec_language.expressions import parse_expression
from dense_calc.spec_language.spec_numbers import ExpressionError
from dense_calc.spec_language.yaml_text import format_flow
from dense_calc.spec_language.yaml_tree import YamlNode


def form_of_positional(kind: str, values: Sequence[Any]) -> str | None:
    """A layer with these values for its first arguments: `Conv2D: {filters: 8, kernel_size: 3}`.

    None if it has not so many.
    """
    names = positional_arguments(kind)
    if len(names) < len(values):
        return None
    return format_layer(kind, dict(zip(names, values, strict=False)))


def format_layer(word: str, arguments: Mapping[str, Any]) -> str:
    """A layer on one line of a spec."""
    return f"{word}: {format_flow(arguments)}" if arguments else word


def form_of_call(written: YamlNode) -> str | None:
    """The first layer that a Python expression at a place makes, None if there is none.

    The commas of `[Dense(64, "relu")]` divide its text, so the line in the source counts, too.
    """
    lines = written.source.text.splitlines()[written.line - 1 : written.line]
    rest = lines[0][written.column - 1 :] if lines else ""
    ends = [place + 1 for place, char in enumerate(rest) if char == ")"]
    for text in (str(written.value), *(rest[:end] for end in ends)):
        try:
            return _form_of_expression(parse_expression(text))
        except (ExpressionError, RecursionError):
            continue
    return None


def _form_of_expression(expression: ast.expr) -> str | None:
    """The outermost layer that an expression makes."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call):
            made = _layer_of_call(node)
            if made:
                return format_layer(*next(iter(made.items())))
    return None


def _layer_of_call(call: ast.Call) -> dict[str, dict[str, Any]] | None:
    """The layer that a call makes: its class over its arguments; None if it makes none."""
    name = _last_name(call.func)
    if not is_kind_name(name):
        return None
    names = positional_arguments(name)
    values = [_plain_value(each) for each in call.args if not isinstance(each, ast.Starred)]
    arguments = dict(zip(names, values, strict=False))
    named = {each.arg: _plain_value(each.value) for each in call.keywords if each.arg}
    return {name: arguments | named}


def _last_name(node: ast.expr) -> str:
    """The last name of `keras.layers.Dense`, '' of anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _plain_value(node: ast.expr) -> Any:
    """The value of an argument as a spec holds it."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_plain_value(item) for item in items]
        case ast.Call():
            return _layer_of_call(node) or _last_name(node.func)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return _last_name(node) or ast.unparse(node)


def suggest_layer(name: str, arguments: Mapping[str, Any]) -> str:
    """The hint for a name that PyTorch has, or that differs in its letters' case; else ''."""
    key = _plain_name(name.rpartition(".")[2])
    names = {_plain_name(each): each for each in (*KIND_MODULES, *KIND_ALIASES)}
    kind = names.get(key) or PYTORCH_KINDS.get(key)
    if kind:
        return f"; write '{format_layer(kind, _rename_arguments(kind, arguments))}'"
    words = {_plain_name(each): each for each in _activation_names()}
    if key in words:
        layer, argument = ACTIVATION_LAYER
        return f"; write '{format_layer(layer, {argument: words[key]})}'"
    ranks = [
        KIND_ALIASES.get(names[key + rank], names[key + rank])
        for rank in ("1d", "2d", "3d")
        if key + rank in names
    ]
    return f"; there is {', '.join(ranks)}" if ranks else ""


def _plain_name(name: str) -> str:
    """A name in small letters, without underscores."""
    return name.lower().replace("_", "")


def _activation_names() -> list[str]:
    """The names of Keras' activations."""
    layer, argument = ACTIVATION_LAYER
    return list(allowed_words(argument_type(find_kind(layer), argument)))


def _rename_arguments(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the names that Keras gives them, without those that it finds in the input."""
    known = find_kind(kind).__struct_encode_fields__
    named = {
        name if name in known else PYTORCH_ARGUMENTS.get(name, name): value
        for name, value in arguments.items()
    }
    return {name: value for name, value in named.items() if name}


def suggest_argument(kind: type[LayerKind], name: str) -> str:
    """The hint for an argument of PyTorch, or of an older version of Keras; else ''."""
    if name not in PYTORCH_ARGUMENTS:
        return ""
    own = PYTORCH_ARGUMENTS[name]
    if not own:
        return "; leave it out, the input tells it"
    return f"; in Keras it is '{own}'" if own in kind.__struct_encode_fields__ else ""
