"""Layers as PyTorch or old habits name them → the layers of Keras, with the arguments of Keras.

Only a mistake needs this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import fields

from dense_calc.layers import KIND_ALIASES, KIND_MODULES, find_kind, is_kind_name
from dense_calc.layers.introspect.type_phrases import allowed_words, argument_type
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.layers.pytorch_names import (
    ACTIVATION_LAYER,
    BOTH_WAYS_LAYER,
    PADDING_LAYERS,
    PYTORCH_ARGUMENTS,
    PYTORCH_KINDS,
    PYTORCH_OTHER_WAYS,
    PYTORCH_POSITIONS,
)

TO_FILL_IN = "..."  # in the place of a value that is not known
_RANKS = ("1d", "2d", "3d")


def translate_layer(name: str, values: Sequence[Any], arguments: Mapping[str, Any]) -> list[Any]:
    """The items of a spec for a layer with values by position and others by name; [] if none."""
    kind = _keras_kind(name)
    if kind:
        return _keras_items(kind, _name_values(name, kind, values) | dict(arguments))
    layer, argument = ACTIVATION_LAYER
    words = {_plain_name(each): each for each in _activation_names()}
    word = words.get(_last_name(name))
    return [{layer: {argument: word}}] if word else []


def kinds_of_any_rank(name: str) -> list[str]:
    """The Keras classes that a name means which lacks the number of axes."""
    names = _spellings()
    kinds = [names[_last_name(name) + rank] for rank in _RANKS if _last_name(name) + rank in names]
    return [KIND_ALIASES.get(kind, kind) for kind in kinds]


def _keras_kind(name: str) -> str | None:
    """The Keras class that a name means: it is spelled in another way, or PyTorch's."""
    key = _last_name(name)
    names = _spellings()
    if _is_in_pytorch(name):
        return PYTORCH_KINDS.get(key) or names.get(key)
    return names.get(key) or PYTORCH_KINDS.get(key)


def _is_in_pytorch(name: str) -> bool:
    """Whether this is PyTorch's class and not Keras', of which many have the same names."""
    *module, last = name.split(".")
    return "nn" in module or not is_kind_name(last)


def _spellings() -> dict[str, str]:
    """The Keras classes by their plain names."""
    return {_plain_name(each): each for each in (*KIND_MODULES, *KIND_ALIASES)}


def _plain_name(name: str) -> str:
    """A name in small letters, without underscores."""
    return name.lower().replace("_", "")


def _last_name(name: str) -> str:
    """The plain name of a class without its module; PyTorch's lazy classes are like the others."""
    return _plain_name(name.rpartition(".")[2]).removeprefix("lazy")


def _activation_names() -> list[str]:
    """The names of Keras' activations."""
    layer, argument = ACTIVATION_LAYER
    return list(allowed_words(argument_type(find_kind(layer), argument)))


def _name_values(name: str, kind: str, values: Sequence[Any]) -> dict[str, Any]:
    """Values by position under their names in PyTorch or Keras.

    A single value is none that Keras finds in the input: `Linear: 3` means three units.
    """
    key = _last_name(name)
    base = key[:-2] if key.endswith(_RANKS) else key
    names = PYTORCH_POSITIONS.get(base, "").split() if _is_in_pytorch(name) else []
    is_lazy = len(values) == 1 or "lazy" in name.lower()
    if is_lazy and names and not PYTORCH_ARGUMENTS.get(names[0], names[0]):
        needs_value = set(positional_arguments(kind)) & set(required_arguments(kind))
        names = names[1:] if needs_value else names
    return dict(zip(names or positional_arguments(kind), values, strict=False))


def required_arguments(kind: str) -> list[str]:
    """The arguments without which Keras makes no layer of a class."""
    needed = [field.encode_name for field in fields(find_kind(kind)) if field.required]
    return sorted(needed, key=[*positional_arguments(kind), *needed].index)


def keras_argument(name: str, known: Sequence[str]) -> str:
    """The name of an argument among those of a class, '' where Keras finds it in the input.

    The name itself where there is no such name.
    """
    if name in known or name not in PYTORCH_ARGUMENTS:
        return name
    choices = PYTORCH_ARGUMENTS[name].split()
    return next((each for each in choices if each in known), name) if choices else ""


def _keras_items(kind: str, arguments: Mapping[str, Any]) -> list[Any]:
    """The items of a spec for a layer with the arguments of PyTorch or Keras."""
    known = find_kind(kind).__struct_encode_fields__
    own = {
        keras_argument(name, known): value
        for name, value in arguments.items()
        if name in known or PYTORCH_OTHER_WAYS.get(name, name)
    }
    own.pop("", None)
    if "key_dim" in own.keys() - arguments:
        own["key_dim"] = _divide(own["key_dim"], own.get("num_heads", "num_heads"))
    own = dict.fromkeys(required_arguments(kind), TO_FILL_IN) | own
    before = _replace_padding(kind, own, arguments.get("output_padding", 0))
    times, is_bidirectional = own.pop("num_layers", 1), own.pop("bidirectional", False)
    if times != 1:
        own["return_sequences"] = True
    item: dict[str, Any] = {kind: own}
    if is_bidirectional:
        layer, argument = BOTH_WAYS_LAYER
        item = {layer: {argument: item}}
    return [*before, item if times == 1 else {"repeat": times, "layers": [item]}]


def _divide(width: Any, heads: Any) -> Any:
    """The width of one head: PyTorch wants that of all together."""
    if isinstance(width, int) and isinstance(heads, int) and heads and width % heads == 0:
        return width // heads
    return f"{width} // {heads}"


def _replace_padding(kind: str, arguments: dict[str, Any], output_padding: Any) -> list[Any]:
    """Put Keras' word in the place of a number of padding; the items of a spec needed before."""
    padding = arguments.get("padding")
    words = padding_words(kind)
    if not words or padding is None or str(padding).lower() in words:
        return []
    word = padding_word(kind, arguments, output_padding)
    if word == "same":
        arguments["padding"] = word
        return []
    del arguments["padding"]
    layer = PADDING_LAYERS.get(KIND_ALIASES.get(kind, kind)) if word is None else None
    return [{layer: {"padding": padding}}] if layer else []


def padding_words(kind: str) -> list[str]:
    """The words that the padding of a class may be: `same` or `valid`; [] for other classes."""
    if "padding" not in find_kind(kind).__struct_encode_fields__:
        return []
    return list(allowed_words(argument_type(find_kind(kind), "padding")))


def padding_word(kind: str, arguments: Mapping[str, Any], output_padding: Any = 0) -> str | None:
    """Keras' word for a padding by numbers that gives the same sizes; None if there is none."""
    window = arguments.get("kernel_size", arguments.get("pool_size"))
    dilation, strides = arguments.get("dilation_rate", 1), arguments.get("strides", 1)
    values = (arguments.get("padding"), window, dilation, strides, output_padding)
    count = max((len(value) for value in values if isinstance(value, list)), default=1)
    lists = (value if isinstance(value, list) else [value] * count for value in values)
    axes = list(zip(*lists, strict=False))
    if not any(pads for pads, *_ in axes):
        return "valid"
    if not all(isinstance(each, int) for axis in axes for each in axis):
        return None
    if "output_padding" in find_kind(kind).__struct_encode_fields__:  # it makes its input larger
        fits = [2 * pads == size + more - stride for pads, size, _, stride, more in axes]
    else:
        fits = [2 * pads == rate * (size - 1) for pads, size, rate, *_ in axes]
    return "same" if all(fits) else None
