"""Read config keys and constructor arguments of layers from the sources of old versions.

    python tests/oracle/config_keys.py KERAS_CLONE WHEEL... > tests/data/legacy/config_keys.jsonl

KERAS_CLONE is a clone of keras-team/keras with its tags, each WHEEL one of tensorflow's. No code of
them runs: the keys that `get_config` writes and the arguments of `__init__` are read from the
syntax tree, base classes included. tests/keras_format/test_legacy_layers.py compares our tables
with them.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TAGS = (
    *("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", "1.0.6", "1.0.7", "1.0.8"),
    *("1.1.0", "1.1.1", "1.1.2", "1.2.0", "1.2.1", "1.2.2"),
    *("2.0.0", "2.0.3", "2.0.6", "2.0.9", "2.1.1", "2.1.3", "2.1.6", "2.2.0", "2.2.4", "2.2.5"),
    *("2.3.0", "2.3.1", "v2.6.0", "v2.7.0", "v2.8.0", "v2.9.0", "v2.10.0", "v2.11.0", "v2.12.0"),
    *("v2.13.1", "v2.14.0", "v2.15.0"),
)
MODULES = r"keras/(src/)?(legacy/layers|layers|engine)"
NOT_KERAS = (
    r"legacy_rnn|legacy_cells|legacy_tf_layers|test"  # cells and layers of tf.compat.v1, and tests
)
# Base classes of layers, models, and containers of layers that are no layers of a model.
# fmt: off
ABSTRACT = {
    "AbstractRNNCell", "BaseDenseAttention", "BaseImageAugmentationLayer", "BaseRandomLayer",
    "BatchNormalizationBase", "CombinerPreprocessingLayer", "Container", "Conv", "ConvLSTM",
    "ConvRNN", "ConvRNN2D", "ConvRecurrent2D", "DepthwiseConv", "Functional",
    "FunctionalPreprocessingStage", "GlobalPooling1D", "GlobalPooling2D", "GlobalPooling3D",
    "IndexLookup", "Layer", "Model", "Network", "Pooling1D", "Pooling2D", "Pooling3D",
    "PreprocessingLayer", "PreprocessingStage", "Recurrent", "SeparableConv", "Sequential",
    "Wrapper",
}
# fmt: on

Class = tuple[str, ast.ClassDef]
Classes = dict[str, ast.ClassDef]


def main() -> None:
    """Print a line for each class and each set of its keys, with the versions that had them."""
    clone, *wheels = sys.argv[1:]
    found: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for version, texts in (*in_clone(clone), *map(in_wheel, wheels)):
        known = classes(texts)
        for name in sorted(known):
            if is_layer(name, known):
                keys, arguments = keys_of(name, known), arguments_of(name, known)
                found[name, tuple(sorted(keys)), tuple(sorted(arguments - keys))].append(version)
    for (name, written, more), versions in sorted(found.items()):
        line = {"class_name": name, "versions": versions, "keys": written, "arguments": more}
        print(json.dumps(line))


def in_clone(clone: str) -> Iterator[tuple[str, list[str]]]:
    """Each version and its sources, from git."""
    for tag in TAGS:
        paths = git(clone, "ls-tree", "-r", "--name-only", tag).split()
        kept = [path for path in paths if is_source(path)]
        yield tag.removeprefix("v"), [git(clone, "show", f"{tag}:{path}") for path in kept]


def in_wheel(path: str) -> tuple[str, list[str]]:
    """The version of TensorFlow in a wheel, and the sources of its Keras."""
    version = re.search(r"-(\d+\.\d+\.\d+)", Path(path).name)
    assert version
    with zipfile.ZipFile(path) as wheel:
        kept = [name for name in wheel.namelist() if is_source(name)]
        return f"tf {version[1]}", [wheel.read(name).decode() for name in kept]


def git(clone: str, *arguments: str) -> str:
    """The output of a git command."""
    return subprocess.run(
        ["git", "-C", clone, *arguments], capture_output=True, text=True, check=True
    ).stdout


def is_source(path: str) -> bool:
    """Whether a file may hold layers of Keras."""
    return bool(
        path.endswith(".py")
        and re.search(rf"(^|python/){MODULES}", path)
        and not re.search(NOT_KERAS, path)
    )


def classes(texts: list[str]) -> Classes:
    """The classes in these sources, by name."""
    nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def bases(name: str, known: Classes) -> list[str]:
    """The names of the base classes whose sources are known."""
    names = [ast.unparse(base).rpartition(".")[2] for base in known[name].bases]
    return [base for base in names if base in known and base != name]


def is_layer(name: str, known: Classes) -> bool:
    """Whether a file could hold a layer of this class."""

    def descends(each: str) -> bool:
        return each == "Layer" or any(map(descends, bases(each, known)))

    return not name.startswith("_") and name not in ABSTRACT and descends(name)


def method(name: str, which: str, known: Classes) -> ast.FunctionDef | None:
    """A method that the class itself defines, None if it does not."""
    own = (node for node in known[name].body if isinstance(node, ast.FunctionDef))
    return next((node for node in own if node.name == which), None)


def arguments_of(name: str, known: Classes) -> set[str]:
    """The arguments of a class's constructor, or of the first of its bases that has one."""
    init = method(name, "__init__", known)
    if init:
        return {each.arg for each in (*init.args.args, *init.args.kwonlyargs)} - {"self"}
    return next((arguments_of(base, known) for base in bases(name, known)), set())


def keys_of(name: str, known: Classes) -> set[str]:
    """The keys that a class's `get_config` writes, including those of its base classes."""
    own = method(name, "get_config", known)
    if own is None:
        return next(filter(None, (keys_of(base, known) for base in bases(name, known))), set())
    keys, without = set[str](), set[str]()
    for node in ast.walk(own):
        keys |= written_at(node)
        without |= removed_at(node)
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="get_config")):
                keys = keys.union(*(keys_of(base, known) for base in parents(value, name, known)))
    return keys - without


def written_at(node: ast.AST) -> set[str]:
    """The keys that a statement of `get_config` adds."""
    match node:
        case ast.Assign(targets=[ast.Name(id="config" | "base_config")], value=value):
            return keys_in(value)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(), slice=ast.Constant(str(key)))]):
            return {key}
        case ast.Return(value=ast.expr() as value):
            return keys_in(value)
        case ast.Call(func=ast.Attribute(attr="update"), args=[value]):
            return keys_in(value)
    return set()


def removed_at(node: ast.AST) -> set[str]:
    """The keys that a statement of `get_config` removes."""
    match node:
        case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(str(key)), *_]):
            return {key}
        case ast.Delete(targets=[ast.Subscript(slice=ast.Constant(str(key)))]):
            return {key}
    return set()


def parents(value: ast.expr, name: str, known: Classes) -> list[str]:
    """The base classes that an expression names: `super()`, `super(RNN, self)` or a class."""
    match value:
        case ast.Call(func=ast.Name("super"), args=[ast.Name(other), _]) if other in known:
            return bases(other, known)
        case ast.Call(func=ast.Name("super")):
            return bases(name, known)
        case ast.Name(other) if other in known:
            return [other]
    return []


def keys_in(value: ast.expr) -> set[str]:
    """The keys of a literal mapping, `{...}` or `dict(...)`."""
    match value:
        case ast.Dict(keys=keys, values=values):
            named = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
            inner = [each for key, each in zip(keys, values, strict=True) if key is None]
            return named.union(*map(keys_in, inner))
        case ast.Call(func=ast.Name("dict"), args=parts, keywords=keywords):
            named = {each.arg for each in keywords if each.arg}
            return named.union(*map(keys_in, parts))
    return set()


if __name__ == "__main__":
    main()
