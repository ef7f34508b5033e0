"""Compare counts of real Keras and dense-calc for random nested models that share layers.

    python tests/oracle/lending.py --models 300 --seed 1

An inner model calls layers of the models around it, and those call layers of inner models, also in
blocks and in wrappers. Needs the extra `oracle`. Exit status 1 if any rows, counts or totals of the
nested models differ, also in the spec that dense-calc writes of them and reads again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import keras
from models import counts

from dense_calc.errors import DenseCalcError, Source, SpecError
from dense_calc.model import Model
from dense_calc.report import LayerRow
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

SHAPE = [3, 4]  # of every tensor
MODELS = ("Functional", "Sequential")
DEPTH = 3  # models in models
COPIES = 2  # of each block
NUMBERS = count()

Spec = dict[str, Any]


def main() -> int:
    """Print each model where the answers differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"keras {keras.__version__}, {options.models} models, seed {options.seed}", flush=True)
    failed = refused = 0
    for _ in range(options.models):
        spec = random_spec(rng)
        ours, theirs = said(our_rows, spec), said(keras_rows, spec)
        if "needs a Functional" in str(ours):  # dense-calc rejects a chain that calls a layer twice
            theirs = [None]
        failed += (is_wrong := ours != theirs and not ours[:1] == theirs[:1] == [None])
        refused += theirs[:1] == [None]
        if is_wrong:
            print(f"{json.dumps(spec)}\n  {ours}\n  is in Keras\n  {theirs}", flush=True)
    print(f"{options.models - failed} passed, {failed} failed, {refused} are none in Keras")
    return 1 if failed else 0


def said(rows: Callable[[Spec], list[Any]], spec: Spec) -> list[Any]:
    """The rows of a model, or None and the reason."""
    try:
        return rows(spec)
    except (DenseCalcError, ValueError, KeyError, RecursionError) as error:
        return [None, str(error)]


def random_spec(rng: random.Random) -> Spec:
    """A random model with models inside."""
    block = Drawing(rng, {})
    block.layers(DEPTH - 1)
    whole = Drawing(rng, {"part": block})
    whole.layers(0)
    sections = {"type": "Functional", "input": SHAPE, "blocks": {"part": block.items}}
    return {**sections, "layers": whole.items, "outputs": whole.known[-1]}


class Drawing:
    """A list of layers while it is drawn, with the names that can be read and called again."""

    def __init__(
        self,
        rng: random.Random,
        blocks: Mapping[str, Drawing],
        around: Drawing | None = None,
        *,
        chain: bool = False,
    ) -> None:
        self.rng = rng
        self.blocks = blocks
        self.around = around
        self.chain = chain
        self.items: list[Any] = []
        self.known = ["input"]
        self.parts: dict[str, str] = {}  # the kind of each part that can be called again

    def layers(self, depth: int) -> list[Any]:
        """Random layers, and models up to DEPTH."""
        for number in range(self.rng.randint(2, 5)):
            name = f"{self.rng.choice('abc')}{number}"
            item = self.item(name, depth)
            self.items.append(item)
            self.known.append(item_of(item)[1]["name"])
        return self.items

    def item(self, name: str, depth: int) -> Spec:
        """A random item: a layer, a model, the use of a block, or a second call."""
        read = {} if self.chain else {"from": self.rng.choice(self.known[-2:])}
        sorts = ["Dense", "Dense", "norm", "ReLU", "reuse", "reuse", "each"]
        sorts += ["model"] * 3 * (depth < DEPTH) + ["part"] * bool(self.blocks)
        sort = self.rng.choice(sorts)
        found = dict(self.callable_parts())
        again = [part for part in found if not self.chain or part not in self.parts]
        if sort == "reuse" and again:
            return self.second_call(name, again) | read
        wrapped = [part for part, kind in found.items() if kind in ("Dense", "ReLU")]
        if sort == "each" and wrapped:
            inner = {"reuse": self.rng.choice(wrapped)}
            name = self.own_name()
            self.parts[name] = "TimeDistributed"
            return {"TimeDistributed": {"name": name, "layer": inner, **read}}
        if sort == "model":
            return self.model(self.own_name(), depth, read)
        if sort == "part":
            for number in range(COPIES):
                inner_parts = self.blocks["part"].parts
                self.parts |= {f"{name}_{number}/{each}": inner_parts[each] for each in inner_parts}
            return {"part": {"name": name, "repeat": COPIES, **read}}
        name = f"n{name}" if sort == "norm" else name  # of its own: it keeps to its rank
        more = {"trainable": False} if self.rng.random() < 0.2 else {}
        kind = {"norm": "BatchNormalization", "ReLU": "ReLU"}.get(sort, "Dense")
        self.parts[name] = kind
        units = {"units": SHAPE[-1]} if kind == "Dense" else {}
        return {kind: {"name": name, **units, **more, **read}}

    def model(self, name: str, depth: int, read: Spec) -> Spec:
        """An inner model, which may call the parts that can be called here."""
        kind = self.rng.choice(MODELS)
        inner = Drawing(self.rng, {}, self, chain=kind == "Sequential")
        own = {"name": name, "input": SHAPE, "layers": inner.layers(depth + 1)}
        if not inner.chain:
            own["outputs"] = inner.known[-1]
        self.parts |= {name: kind, **{f"{name}/{each}": inner.parts[each] for each in inner.parts}}
        return {kind: own | read}

    def second_call(self, name: str, parts: list[str]) -> Spec:
        """A call of one of these parts; a chain calls none twice."""
        part = self.rng.choice(parts)
        self.parts[name] = self.parts[part] if part in self.parts and not self.chain else "called"
        if self.chain:
            self.parts[part] = "called"
        return {"reuse": part, "name": name}

    def own_name(self) -> str:
        """A name that no part around has, for an item that may call a layer around."""
        return f"m{next(NUMBERS)}"

    def callable_parts(self) -> Iterator[tuple[str, str]]:
        """The parts above that can be called again, with their kinds."""
        outer = dict(self.around.callable_parts()) if self.around else {}
        yield from (outer | self.parts).items()


def our_rows(spec: Spec) -> list[Any]:
    """The rows in dense-calc, which must be the same for the spec that it writes."""
    model = parse_spec(Source("random", json.dumps(spec)), "random")
    rows = traced_rows(model)
    try:
        text = format_spec(model)
    except SpecError as error:
        if "a spec cannot call" in error.message:  # another layer of the same name hides it
            return rows
        raise
    again = traced_rows(parse_spec(Source("written", text), "random"))
    return rows if rows == again else ["written and read", *again]


def traced_rows(model: Model) -> list[Any]:
    """The rows of the report on a model, and its totals."""
    report = trace(model)
    return [*map(our_row, report.layers), (report.total_params, report.trainable_params)]


def our_row(row: LayerRow) -> list[Any]:
    """A row and the rows inside it."""
    inner = [our_row(each) for each in row.layers if each.type != "InputLayer"]
    return [row.type, row.params, row.trainable_params, inner]


def keras_rows(spec: Spec) -> list[Any]:
    """The rows in Keras."""
    keras.backend.clear_session(free_memory=False)
    with keras.StatelessScope(initialize_variables=False):
        built = Scope(spec["layers"], spec["blocks"]).model("outer")
    rows = [keras_row(layer) for layer in built.layers]
    return [*rows, counts(built)]


def keras_row(layer: Any) -> list[Any]:
    """A layer and the layers inside it."""
    held = layer.layers if isinstance(layer, keras.Model) else []
    inner = [keras_row(each) for each in held if not isinstance(each, keras.layers.InputLayer)]
    return [type(layer).__name__, *counts(layer), inner]


class Scope:
    """The Keras layers of a list by their names, each built when it is first asked for."""

    def __init__(self, items: list[Any], blocks: Spec, around: Scope | None = None) -> None:
        self.items = items
        self.blocks = blocks
        self.around = around
        self.layers: dict[str, Any] = {}
        self.scopes: dict[str, Scope] = {}  # of models and of copies of blocks

    def model(self, name: str, kind: str = "Functional") -> Any:
        """The Keras model of the list."""
        tensor = keras.Input(SHAPE)
        name = unlike(name)
        if kind == "Sequential":
            layers = [self.made(item) for item in self.items]
            return keras.Sequential([tensor, *layers], name=name)
        return keras.Model(tensor, self.called(tensor), name=name)

    def called(self, given: Any) -> Any:
        """The output of the last layer after all are called in order."""
        tensors = {"input": given}
        for item in self.items:
            kind, own = item_of(item)
            tensor = tensors[own["from"]]
            if kind == "part":
                for number in range(COPIES):
                    scope = Scope(self.blocks["part"], {}, self)
                    self.scopes[f"{own['name']}_{number}"] = scope
                    tensor = scope.called(tensor)
                tensors[own["name"]] = tensor
            else:
                tensors[own["name"]] = self.made(item)(tensor)
            last = tensors[own["name"]]
        return last

    def made(self, item: Any) -> Any:
        """The layer that an item calls."""
        kind, own = item_of(item)
        name = own["name"]
        if name in self.layers:
            return self.layers[name]
        if kind == "reuse":
            where = self.around if own["reuse"] == name and self.around else self
            layer = where.named(own["reuse"])
        elif kind in MODELS:
            self.scopes[name] = Scope(own["layers"], {}, self)
            layer = self.scopes[name].model(name, kind)
        elif kind == "TimeDistributed":
            held = self.named(own["layer"]["reuse"])
            layer = keras.layers.TimeDistributed(held, name=unlike(name))
        else:
            arguments = {key: each for key, each in own.items() if key != "from"}
            layer = getattr(keras.layers, kind)(**arguments | {"name": unlike(name)})
        self.layers[name] = layer
        return layer

    def named(self, name: str) -> Any:
        """The layer of this name, in this list or in one around it."""
        found = self.found(name)
        if found is not None:
            return found
        if self.around is None:
            raise KeyError(f"there is no layer {name}")
        return self.around.named(name)

    def found(self, name: str) -> Any:
        """The layer of this name in this list, None if there is none."""
        head, _, rest = name.partition("/")
        for item in self.items:  # names may be used before they are defined
            kind, own = item_of(item)
            is_made = head in self.layers or (rest and head in self.scopes)
            if own["name"] == head and kind != "part" and not is_made:
                self.made(item)
        if rest and head in self.scopes:
            return self.scopes[head].found(rest)
        return self.layers.get(name)


def unlike(name: str) -> str:
    """A name that no other layer has, as Keras demands."""
    return f"{name}_{next(NUMBERS)}"


def item_of(item: Spec) -> tuple[str, Spec]:
    """The kind of an item of a list of layers, and its arguments."""
    if "reuse" in item:
        return "reuse", {"from": "input", **item}
    ((kind, own),) = item.items()
    return kind, {"from": "input", **own}


if __name__ == "__main__":
    sys.exit(main())
