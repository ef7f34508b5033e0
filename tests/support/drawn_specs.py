"""Random specs whose numbers are vars and expressions in vars, and points to draw for the vars."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from dense_calc.errors import Source
from dense_calc.files.loader import parse_variants
from dense_calc.settings.variants import ModelVariants

Spec = dict[str, Any]

_TEMPLATES = (
    "{x} + {n}", "{x} * {n}", "{x} // {n} + 1", "{x} % {n} + 1", "min({x}, {y})", "max({x}, {y})",
    "round({x} / {n}) + 1", "int(sqrt({x})) + 1", "ceil({x} * 0.3)", "{x} ** 2", "{x} * {y}",
    "abs({x} - {y}) + 1", "floor(log2({x})) + 1", "{x} // {y} + 1", "{x} / {n} + 0.5 * {n}",
    "{n} * {x} - {y}", "2 ** ({x} % 4)", "{x} * 1.5", "-{x} + {y} + 9", "round({x} / 3, 1) * 10",
)  # fmt: skip
_START: Mapping[str, list[Any]] = {
    "image": [("side", 16), ("side", 16), 3],
    "sequence": [("length", 12), 6],
    "vector": [8],
}


def variants_of(spec: Spec) -> ModelVariants:
    """The variants of a spec; JSON is YAML."""
    return parse_variants(Source("drawn", json.dumps(spec)), None, "drawn", {}, "drawn")


def drawn_spec(seed: int) -> Spec:
    """A random spec: most are models as they stand, and become none at some points."""
    return _Drawing(random.Random(seed)).spec()


def drawn_points(
    rng: random.Random, own: Mapping[str, Any], count: int, odd: float = 0.25
) -> list[tuple[Any, ...]]:
    """Points near each other and far apart, `odd` ones among them."""
    return [tuple(drawn_value(rng, value, odd) for value in own.values()) for _ in range(count)]


def drawn_value(rng: random.Random, own: Any, odd: float = 0.25) -> Any:
    """A value for a setting: as it is, near that, or any."""
    if isinstance(own, float):
        return rng.choice([own, own / 2, own * 2, own + 0.1, 0.5, 1.0, 0.0, -own, 1e300, 2])
    own = own if type(own) is int else 2
    if rng.random() >= odd:
        return rng.choice([own, own, own + 1, own - 1, 2 * own, own // 2, rng.randint(1, 64)])
    return rng.choice([0, -1, 1, own + 0.5, 2.0, 10**6, 2**31, 2**63 - 1, 2**63, -(2**63)])


class _Drawing:
    """A spec while it is drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.vars: dict[str, Any] = {name: rng.randint(2, 12) for name in "abc"}
        self.vars |= {"side": rng.randint(8, 24), "length": rng.randint(6, 20), "n": 2}
        self.vars |= {"d": self.expression("abc"), "e": self.expression("abcd")}
        self.names = ["a", "b", "c", "d", "e"]
        self.blocks: dict[str, Any] = {}
        self.count = 0

    def spec(self) -> Spec:
        """The whole."""
        kind = self.rng.choice(list(_START))
        sizes = [self.pick(each) for each in _START[kind]]
        layers = self.layers(kind, self.rng.randint(2, 7), depth=0)
        spec: Spec = {"vars": self.vars, "input": sizes, "blocks": self.blocks, "layers": layers}
        if self.rng.random() < 0.4:
            spec["budget"] = {"params": self.rng.choice(["a * 1000", 5000, "100 * b + c", "d * e"])}
        return spec

    def pick(self, size: Any) -> Any:
        """A size of the input: its var, its number, or the number itself."""
        if isinstance(size, tuple):
            return self.rng.choice(size)
        return self.rng.choice([size, "a"])

    def expression(self, names: str) -> str:
        """An expression in some vars."""
        template = self.rng.choice(_TEMPLATES)
        x, y = self.rng.choice(names), self.rng.choice(names)
        if self.rng.random() < 0.3:
            x = f"({self.rng.choice(_TEMPLATES).format(x=x, y=y, n=self.rng.randint(1, 6))})"
        return template.format(x=x, y=y, n=self.rng.randint(1, 6))

    def number(self, most: int = 12) -> Any:
        """A positive number, mostly a var or an expression."""
        choice = self.rng.random()
        if choice < 0.3:
            return self.rng.randint(1, most)
        return self.rng.choice(self.names) if choice < 0.8 else self.expression("abcde")

    def layers(self, kind: str, count: int, depth: int) -> list[Any]:
        """A chain of layers on an input of a kind."""
        items: list[Any] = []
        for _ in range(count):
            item, kind = self.item(kind, depth)
            items += item if isinstance(item, list) else [item]
        return items

    def item(self, kind: str, depth: int) -> tuple[Any, str]:
        """One layer, or a block or a model of some, and the kind of what it gives."""
        choice = self.rng.random()
        if depth < 2 and choice < 0.12:
            self.count += 1
            name = f"block{self.count}"
            number = self.rng.choice(["p", "p + index", "a", "index + b", "a // (index + 1) + 1"])
            inner = self.rng.choice(_SAME_KIND[kind])(self, number)
            body = [inner, *([{"Dense": {"units": "p"}}] if self.rng.random() < 0.5 else [])]
            self.blocks[name] = {"params": {"p": 3}, "layers": body}
            use = {"repeat": self.rng.choice([2, 3, "n"])} if self.rng.random() < 0.7 else {}
            return {name: {"p": self.number(), **use}}, kind
        if depth < 2 and choice < 0.2:
            self.count += 1
            sizes = {"image": [None, None, None], "sequence": [None, None], "vector": [None]}[kind]
            inner = self.rng.choice(_SAME_KIND[kind])(self, self.number())
            sort = self.rng.choice(["Sequential", "Functional"])
            sizes = [*sizes[:-1], self.number()]
            match = {"Dense": {"units": sizes[-1]}}
            return [
                match,
                {sort: {"name": f"m{self.count}", "input": sizes, "layers": [inner]}},
            ], kind
        if choice < 0.3:
            return self.merged(kind), kind
        if choice < 0.36:
            self.count += 1
            name, units = f"again{self.count}", self.number()
            dense = {"Dense": {"name": name, "units": units}}
            return [{"Dense": {"units": units}}, dense, {"reuse": name}], kind
        if choice < 0.5 and kind != "vector":
            return self.rng.choice(_TO_VECTOR[kind])(self, self.number()), "vector"
        if choice < 0.58:
            return self.changed(kind)
        return self.rng.choice(_SAME_KIND[kind])(self, self.number()), kind

    def merged(self, kind: str) -> list[Any]:
        """Two branches that are merged."""
        self.count += 1
        names = [f"{way}{self.count}" for way in ("left", "right")]
        units = self.number()
        second = units if self.rng.random() < 0.6 else self.number()
        word = self.rng.choice(["Add", "Multiply", "Concatenate", "Average", "MultiHeadAttention"])
        heads = {"num_heads": _SMALL(self), "key_dim": self.number()}
        return [
            {"Dense": {"name": names[0], "units": units}},
            {"Dense": {"name": names[1], "units": second}},
            {word: {**(heads if word == "MultiHeadAttention" else {}), "from": names}},
        ]

    def changed(self, kind: str) -> tuple[Any, str]:
        """Layers that make something of another kind, of as many numbers."""
        if kind == "image":
            channels = self.number()
            return [
                {"Dense": {"units": channels}},
                {"Reshape": {"target_shape": [-1, channels]}},
            ], "sequence"
        if kind == "sequence":
            return [{"Flatten": {}}, {"Reshape": {"target_shape": [-1]}}], "vector"
        steps, units = self.number(), self.number()
        sizes = [steps, units]
        return [
            {"Dense": {"units": f"({steps}) * ({units})"}},
            {"Reshape": {"target_shape": sizes}},
        ], "sequence"


_Make = Callable[[_Drawing, Any], Any]


def _one_of(*choices: Any) -> Callable[[_Drawing], Any]:
    """A choice of some values."""
    return lambda drawing: drawing.rng.choice(choices)


def _layer(name: str, **arguments: Any) -> _Make:
    """A maker of a layer; "N" stands for its number, a function is asked, all else is as it is."""

    def make(drawing: _Drawing, number: Any) -> Any:
        values = {
            word: number if each == "N" else each(drawing) if callable(each) else each
            for word, each in arguments.items()
        }
        return {name: values}

    return make


_SMALL = _one_of(1, 2, 3, "n", "a % 3 + 1", "min(b, 3)", "n + 1")
_PADDING = _one_of("valid", "same")
_DENSE = _layer("Dense", units="N", use_bias=_one_of(True, False))
_GRU_CELL = {"GRUCell": {"units": "a"}}
_COMMON = (
    _DENSE, _DENSE, _layer("BatchNormalization"), _layer("LayerNormalization"),
    _layer("GroupNormalization", groups=_SMALL), _layer("PReLU"),
    _layer("Dropout", rate=_one_of(0.5, "1 / (a + 1)")), _layer("Softmax"),
    _layer("Dense", units="N", lora_rank=_SMALL),
    _layer("EinsumDense", equation="...c,cd->...d", output_shape="N", bias_axes="d"),
)  # fmt: skip
_SAME_KIND: Mapping[str, tuple[_Make, ...]] = {
    "vector": _COMMON,
    "sequence": (
        *_COMMON,
        _layer("LSTM", units="N", return_sequences=True),
        _layer("GRU", units="N", return_sequences=True, reset_after=_one_of(True, False)),
        _layer("Conv1D", filters="N", kernel_size=_SMALL, strides=_SMALL, padding=_PADDING),
        _layer("Conv1D", filters="N", kernel_size=_SMALL, padding="causal", dilation_rate=_SMALL),
        _layer("SeparableConv1D", filters="N", kernel_size=_SMALL),
        _layer("MaxPooling1D", pool_size=_SMALL, padding=_PADDING),
        _layer("UpSampling1D", size=_SMALL),
        _layer("ZeroPadding1D", padding=_SMALL),
        _layer("Cropping1D", cropping=_SMALL),
        _layer("Bidirectional", layer={"GRU": {"units": "b", "return_sequences": True}}),
        _layer("TimeDistributed", layer={"Dense": {"units": "a + b"}}),
        _layer("RNN", cell=[{"LSTMCell": {"units": "c"}}, _GRU_CELL], return_sequences=True),
        _layer("Conv1DTranspose", filters="N", kernel_size=_SMALL, strides=_SMALL),
    ),
    "image": (
        *_COMMON,
        _layer("Conv2D", filters="N", kernel_size=_SMALL, strides=_SMALL, padding=_PADDING),
        _layer("Conv2D", filters="N", kernel_size=_SMALL, dilation_rate=_SMALL),
        _layer("Conv2D", filters="N", kernel_size=1, groups=_SMALL),
        _layer("DepthwiseConv2D", kernel_size=_SMALL, depth_multiplier=_SMALL),
        _layer("SeparableConv2D", filters="N", kernel_size=_SMALL, padding=_PADDING),
        _layer("Conv2DTranspose", filters="N", kernel_size=_SMALL, strides=_SMALL),
        _layer("AveragePooling2D", pool_size=_SMALL, strides=_SMALL, padding=_PADDING),
        _layer("AdaptiveAveragePooling2D", output_size=_SMALL),
        _layer("UpSampling2D", size=_SMALL),
        _layer("ZeroPadding2D", padding=_SMALL),
        _layer("Cropping2D", cropping=_SMALL),
        _layer("Resizing", height=_SMALL, width="N"),
        _layer("CenterCrop", height=_SMALL, width=_SMALL),
        _layer("Permute", dims=_one_of([2, 1, 3], [3, 1, 2])),
    ),
}  # fmt: skip
_TO_VECTOR: Mapping[str, tuple[_Make, ...]] = {
    "sequence": (
        _layer("Flatten"), _layer("GlobalMaxPooling1D"), _layer("LSTM", units="N"),
        _layer("Bidirectional", layer={"LSTM": {"units": "c"}}), _layer("SimpleRNN", units="N"),
    ),
    "image": (_layer("Flatten"), _layer("GlobalAveragePooling2D"), _layer("GlobalMaxPooling2D")),
}  # fmt: skip
