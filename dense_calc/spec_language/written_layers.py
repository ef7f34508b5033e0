"""Layers as programs and other habits write them → as a spec writes them: `Dense: {units: 64}`.

Only a mistake needs this module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dense_calc.errors import SpecError, quote_form
from dense_calc.layers.base import LayerKind
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.layers.pytorch_names import PADDING_LAYERS, PYTORCH_ARGUMENTS, PYTORCH_OTHER_WAYS
from dense_calc.spec_language.expressions import EXPRESSION_FUNCTIONS, parse_expression
from dense_calc.spec_language.spec_numbers import ExpressionError
from dense_calc.spec_language.translated_layers import (
    TO_FILL_IN,
    keras_argument,
    kinds_of_any_rank,
    padding_word,
    padding_words,
    required_arguments,
    translate_layer,
)
from dense_calc.spec_language.yaml_text import format_flow
from dense_calc.spec_language.yaml_tree import YamlNode

_ASSIGNMENT_PATTERN = r"^[\w.]+\s*=(?!=)\s*"  # `self.conv1 = `


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
    return _format_item({word: arguments})


def fill_in_required(kind: str, arguments: Mapping[str, Any]) -> str:
    """A layer on one line, with dots for the arguments that it still needs."""
    lacking = dict.fromkeys(required_arguments(kind), TO_FILL_IN)
    return format_layer(kind, lacking | dict(arguments))


def _format_item(item: Mapping[str, Any]) -> str:
    """An item of a list of layers on one line; dots stand for what is not known."""
    if item.keys() == {"repeat", "layers"}:
        text = format_flow(item)
    else:
        ((word, arguments),) = item.items()
        text = f"{word}: {format_flow(arguments)}" if arguments else word
    return text.replace(f"'{TO_FILL_IN}'", TO_FILL_IN)


def _advise_to_write(items: Iterable[Mapping[str, Any]]) -> str:
    """The hint to write these layers."""
    return f"; write {' and '.join(quote_form(_format_item(each)) for each in items)}"


def describe_call(written: YamlNode) -> str | None:
    """The hint to write the layers that a Python expression at a place makes, None if it has none.

    The commas of `[Dense(64, "relu")]` divide its text, so the line in the source counts, too.

    Raises:
        SpecError: they have a number that no spec holds.
    """
    lines = written.source.text.splitlines()[written.line - 1 : written.line]
    rest = lines[0][written.column - 1 :] if lines else ""
    ends = [place + 1 for place, char in enumerate(rest) if char == ")"]
    for text in (str(written.value), *(rest[:end] for end in ends)):
        try:
            made = re.sub(_ASSIGNMENT_PATTERN, "", text)
            items = _items_of_expression(parse_expression(made))
            return _advise_to_write(items) if items else None
        except (ExpressionError, RecursionError):
            continue
        except SpecError as error:
            raise SpecError(error.message, written) from None
    return None


def suggest_from_call(kind: str, text: str) -> str:
    """The hint for a layer with arguments as in a call, `32, 3, activation="relu"`; else ''."""
    try:
        call = parse_expression(f"{kind}({text})")
        is_call = isinstance(call, ast.Call) and len(call.args) + len(call.keywords) > 1
        items = _items_of_expression(call) if is_call else []
    except (ExpressionError, RecursionError, SpecError):
        return ""
    return _advise_to_write(items) if items else ""


def _items_of_expression(expression: ast.expr) -> list[Any]:
    """The items of a spec for the outermost layer that an expression makes."""
    for node in ast.walk(expression):
        items = _items_of_call(node) if isinstance(node, ast.Call) else []
        if items:
            return items
    return []


def _items_of_call(call: ast.Call) -> list[Any]:
    """The items of a spec for the layers that a call makes, [] if it makes none."""
    name = _dotted_name(call.func)
    values = [_plain_value(each) for each in call.args if not isinstance(each, ast.Starred)]
    if name.rpartition(".")[2] == "Sequential":
        layers = values[0] if values and isinstance(values[0], list) else values
        return [each for each in layers if isinstance(each, dict)]
    if "." in name and name.rpartition(".")[2].islower():  # a method, as `model.add`
        return []
    named = {each.arg: _plain_value(each.value) for each in call.keywords if each.arg}
    return translate_layer(name, values, named)


def _dotted_name(node: ast.expr) -> str:
    """The name `keras.layers.Dense`, '' of anything else."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _plain_value(node: ast.expr) -> Any:
    """The value of an argument as a spec holds it."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_plain_value(item) for item in items]
        case ast.Call(func=ast.Name(id=name)) if name in EXPRESSION_FUNCTIONS:
            return ast.unparse(node)
        case ast.Call(func=function):
            items = _items_of_call(node)
            return items[-1] if items else _dotted_name(function).rpartition(".")[2]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return _dotted_name(node).rpartition(".")[2] or ast.unparse(node)


def suggest_layer(name: str, under: Any) -> str:
    """The hint for a name that PyTorch has, or that differs in its letters' case; else ''.

    `under` is what stands under it: a mapping of arguments, the first ones, or None.
    """
    named = under if isinstance(under, dict) else {}
    values = under if isinstance(under, list) else [under]
    items = translate_layer(name, [] if named or under in (None, {}) else values, named)
    if items:
        return _advise_to_write(items)
    kinds = kinds_of_any_rank(name)
    return f"; use {', '.join(kinds)}" if kinds else ""


def suggest_argument(kind: type[LayerKind], name: str) -> str:
    """The hint for an argument of PyTorch, or of an older version of Keras; else ''."""
    if name in PYTORCH_OTHER_WAYS:
        return f"; {PYTORCH_OTHER_WAYS[name] or 'remove it: Keras has no such option'}"
    if name not in PYTORCH_ARGUMENTS:
        return ""
    own = keras_argument(name, kind.__struct_encode_fields__)
    if not own:
        return "; remove it: the input determines it"
    whose = ", of one head" if own == "key_dim" else ""
    return f"; in Keras it is '{own}'{whose}" if own != name else ""


def suggest_padding(kind: type[LayerKind], arguments: Mapping[str, Any]) -> str:
    """The hint for a padding by numbers, as PyTorch has it, where Keras has words; else ''."""
    name, padding = kind.__name__, arguments["padding"]
    if padding is None or not padding_words(name):
        return ""
    word = padding_word(name, arguments)
    if word:
        return f"; write 'padding: {word}'"
    layer = PADDING_LAYERS.get(name)
    form = layer and format_layer(layer, {"padding": padding})
    return f"; leave it out, and put {quote_form(form)} before this layer" if form else ""
