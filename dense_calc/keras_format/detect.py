"""The signs that a file holds a model of Keras', or something else: what it is, and what to do.

Only what a file holds counts, never its name. Nothing in it is run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from dense_calc.errors import FileError

HEAD = 512  # bytes at the start of a file that tell what it is
BEGINNING = 4096  # characters of a text that tell whether Keras wrote it
MANIFEST = "weightsManifest"  # in which a model.json of TensorFlow.js tells its weights
CLASS_NAME = "class_name"  # what every model of Keras' has, and hardly a spec
JSON = r'\s*[\[{"]'  # how it starts
# The class and the config of a model in JSON, perhaps kept in a text, so that quotes are escaped.
KERAS_SIGNS = (
    rf'\b{CLASS_NAME}\\*"\s*:\s*\\*"(?!(?:FeatureSpace|Graph|Tokenizer)\b)',
    r'\b(config|layers|model_config)\\*"\s*:\s*\\*["\[{]',
)
# How the YAML of Keras 0 names a model, by its class.
KERAS_0 = r"(?m)^name: (Sequential|Graph)\s*$"
SAVE = "save the model itself, model.save('model.keras')"
AGAIN = "load it with the TensorFlow that wrote it, and " + SAVE
WRITE = "write its layers down as a spec, of the kinds that 'dense-calc layers' lists"


class Foreign(Struct, frozen=True):
    """What a file may be, what to do instead, and the signs of it, of which one is enough.

    `head` matches its first bytes, `member` a name in a zip archive or in a folder. `keys` are the
    ways to values in a text, `a.b`, or `a=text` where that has to stand there; of several in one,
    `a !b`, all must be there but those with a mark.
    """

    what: str
    remedy: str
    head: bytes = b""
    member: str = ""
    keys: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What to say of such a file."""
        return f"it is {self.what}; {self.remedy}"


# fmt: off
FOREIGN = (
    Foreign("a SavedModel of TensorFlow, which holds operations and no layers", AGAIN,
            head=rb"\x08\x01\x12[\x80-\xff]*[\x00-\x7f]\n|\n[\x80-\xff]*[\x00-\x7f]\x12\x04root",
            member=r"(.*/)?(saved_model|keras_metadata)\.pb"),
    Foreign("a frozen graph of TensorFlow, which holds operations and no layers", AGAIN,
            head=rb"\n[\x80-\xff]*[\x00-\x7f]\n[\x01-\x7f][\w./-]+\x12"),
    Foreign("a checkpoint of TensorFlow, which holds weights and no layers", AGAIN,
            head=rb"model_checkpoint_path:", member=r".*\.ckpt(-\d+)?\.index"),
    Foreign("a graph-model of TensorFlow.js, which holds operations and no layers",
            "convert the Keras model with --output_format=tfjs_layers_model, or " + SAVE,
            keys=("format=graph-model", "modelTopology.node")),
    Foreign("a model of Keras 0.3 or older, in a form that no later version has", WRITE,
            keys=("name=Sequential layers.0.name !layers.0.type", "name=Graph node_config")),
    Foreign("a Graph, which Keras has had no more since 1.0",
            "build it as a Model, or " + WRITE, keys=("class_name=Graph config.node_config",)),
    Foreign("a FeatureSpace, which prepares data and is no model",
            "save keras.Model(space.get_inputs(), space.get_encoded_features()), which is one",
            keys=("class_name=FeatureSpace",)),
    Foreign("a list of weights of TensorFlow.js", "name the model.json beside it",
            keys=("0.weights",)),
    Foreign("a model.json of TensorFlow.js that was made of weights alone and tells no layers",
            "convert the model itself, of " + SAVE,
            keys=("weightsManifest modelTopology !modelTopology.class_name",)),
    Foreign("a TensorFlow Lite model, which holds operations and no layers",
            "name the model that it was converted from, or " + WRITE, head=rb"(?s).{4}TFL3"),
    Foreign("an ONNX model, which holds operations and no layers of Keras'",
            "name the model that it was exported from, or " + WRITE,
            head=rb'\x08[\x02-\x1f]["*2:B\x12\x1a]'),
    Foreign("a file of PyTorch's, which holds tensors and code but no layers of Keras'", WRITE,
            head=rb"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", member=r"(.*/)?data\.pkl"),
    Foreign("a pickle of Python's, which is code, and no code is run", SAVE,
            head=rb"\x80[\x02-\x05]"),
    Foreign("a file of arrays of NumPy's, which holds no layers", SAVE,
            head=rb"\x93NUMPY", member=r".*\.npy"),
    Foreign("a file of safetensors, which holds weights and no layers",
            "name the model that they belong to", head=rb'(?s).{6}\x00\x00\{"'),
    Foreign("a GGUF file, which holds weights and no layers of Keras'", WRITE, head=rb"GGUF"),
    Foreign("packed with gzip", "unpack it first", head=rb"\x1f\x8b"),
    Foreign("a pointer of Git LFS, which stands for a file kept elsewhere",
            "fetch that with 'git lfs pull'", head=rb"version https://git-lfs"),
    Foreign("an HTML page, perhaps saved in place of a file",
            "download the file itself; on GitHub that is 'Raw'",
            head=rb"(?i)(\xef\xbb\xbf)?\s*(<!--.*-->\s*)?<(!doctype\s+html|html|head|body)\b"),
    Foreign("a program in Python, and no code is run", "run it, and in it " + SAVE,
            head=rb"#!.*python|([ \t]*(#[^\n]*)?\r?\n)*(import|from) \w"),
    Foreign("a notebook of Jupyter's, and no code is run", "run it, and in it " + SAVE,
            keys=("nbformat",)),
    Foreign("a Tokenizer of Keras', which holds words and no layers", SAVE,
            keys=("class_name=Tokenizer",)),
    Foreign("a config of Hugging Face's transformers, and no file of Keras'", WRITE,
            keys=("model_type", "architectures", "transformers_version")),
    Foreign("the metadata.json of a .keras archive", "name the archive, or its config.json",
            keys=("date_saved",)),
    Foreign("the settings file of Keras", SAVE, keys=("floatx backend",)),
    Foreign("a folder with the parts of a .keras archive", "name the config.json in it",
            member=r"config\.json"),
)
# fmt: on


def may_be_keras(text: str) -> bool:
    """Whether a text is JSON, or names classes; only then it may be a model of Keras'."""
    return re.match(JSON, text) is not None or names_classes(text)


def names_classes(text: str) -> bool:
    """Whether a text, perhaps in YAML, names classes as Keras does."""
    return CLASS_NAME in text or re.search(KERAS_0, text) is not None


def looks_like_keras(text: str) -> bool:
    """Whether a text begins as the JSON of a model of Keras' does."""
    signs = re.match(JSON, text), *(re.search(sign, text[:BEGINNING]) for sign in KERAS_SIGNS)
    return all(signs)


def demand_model_bytes(head: bytes, name: str) -> None:
    """Raise FileError if the first bytes of a file tell that it holds no model of Keras'."""
    for foreign in FOREIGN:
        if foreign.head and re.match(foreign.head, head):
            raise FileError(f"cannot read {name}: {foreign.sentence}")


def foreign_names(names: Iterable[str]) -> str:
    """What to say of an archive, or a folder, that holds files of these names; '' if nothing."""
    held = list(names)
    for foreign in FOREIGN:
        if foreign.member and any(re.fullmatch(foreign.member, name) for name in held):
            return foreign.sentence
    return ""


def foreign_folder(path: str) -> str:
    """What to say of a folder that is named in place of a file."""
    with os.scandir(path) as entries:
        told = foreign_names(entry.name for entry in entries)
    return told or "it is a folder; name a file in it"


def foreign_value(value: Any) -> str:
    """What to say of what a JSON text holds; '' if it may be a model."""
    for foreign in FOREIGN:
        if any(has_all(value, keys) for keys in foreign.keys):
            return foreign.sentence
    return ""


def has_all(value: Any, keys: str) -> bool:
    """Whether all of these ways lead to something in a value, and those with a mark to nothing."""
    return all(has(value, key.removeprefix("!")) != key.startswith("!") for key in keys.split())


def has(value: Any, key: str) -> bool:
    """Whether a way leads to something in a value, or to the text that it asks for."""
    way, _, text = key.partition("=")
    for step in way.split("."):
        if isinstance(value, list) and value and step == "0":
            value = value[0]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return False
    return not text or value == text
