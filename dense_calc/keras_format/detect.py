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

DETECTION_BYTES = 512  # bytes at the start of a file that tell what it is
DETECTION_CHARACTERS = 4096  # characters of a text that tell whether Keras wrote it
MANIFEST_KEY = "weightsManifest"  # in which a model.json of TensorFlow.js tells its weights
_CLASS_NAME_KEY = "class_name"  # what every model of Keras' has, and hardly a spec
JSON_START = r'\s*[\[{"]'  # how it starts
# The class and the config of a model in JSON, perhaps kept in a text, so that quotes are escaped.
_KERAS_JSON_PATTERNS = (
    rf'\b{_CLASS_NAME_KEY}\\*"\s*:\s*\\*"(?!(?:FeatureSpace|Graph|Tokenizer)\b)',
    r'\b(config|layers|model_config)\\*"\s*:\s*\\*["\[{]',
)
# How the YAML of Keras 0 names a model, by its class.
_KERAS_0_YAML_PATTERN = r"(?m)^name: (Sequential|Graph)\s*$"
SAVE_HINT = "save the model itself, model.save('model.keras')"
_RESAVE_HINT = "load it with the TensorFlow that wrote it, and " + SAVE_HINT
WRITE_HINT = "write its layers down as a spec, of the kinds that 'dense-calc layers' lists"


class _ForeignFile(Struct, frozen=True):
    """What a file may be, what to do instead, and the signs of it, of which one is enough.

    `head` matches its first bytes, `member` a name in a zip archive or in a folder. `keys` are the
    ways to values in a text, `a.b`, or `a=text` where that has to stand there; of several in one,
    `a !b`, all must be there but those with a mark.
    """

    description: str
    remedy: str
    head: bytes = b""
    member: str = ""
    keys: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """What to say of such a file."""
        return f"it is {self.description}; {self.remedy}"


# fmt: off
FOREIGN_FILES = (
    _ForeignFile("a SavedModel of TensorFlow, which holds operations and no layers", _RESAVE_HINT,
            head=rb"\x08\x01\x12[\x80-\xff]*[\x00-\x7f]\n|\n[\x80-\xff]*[\x00-\x7f]\x12\x04root",
            member=r"(.*/)?(saved_model|keras_metadata)\.pb"),
    _ForeignFile("a frozen graph of TensorFlow, which holds operations and no layers", _RESAVE_HINT,
            head=rb"\n[\x80-\xff]*[\x00-\x7f]\n[\x01-\x7f][\w./-]+\x12"),
    _ForeignFile("a checkpoint of TensorFlow, which holds weights and no layers", _RESAVE_HINT,
            head=rb"model_checkpoint_path:", member=r".*\.ckpt(-\d+)?\.index"),
    _ForeignFile("a graph-model of TensorFlow.js, which holds operations and no layers",
            "convert the Keras model with --output_format=tfjs_layers_model, or " + SAVE_HINT,
            keys=("format=graph-model", "modelTopology.node")),
    _ForeignFile("a model of Keras 0.3 or older, in a form that no later version has", WRITE_HINT,
            keys=("name=Sequential layers.0.name !layers.0.type", "name=Graph node_config")),
    _ForeignFile("a Graph, which Keras has had no more since 1.0",
            "build it as a Model, or " + WRITE_HINT, keys=("class_name=Graph config.node_config",)),
    _ForeignFile("a FeatureSpace, which prepares data and is no model",
            "save keras.Model(space.get_inputs(), space.get_encoded_features()), which is one",
            keys=("class_name=FeatureSpace",)),
    _ForeignFile("a list of weights of TensorFlow.js", "name the model.json beside it",
            keys=("0.weights",)),
    _ForeignFile("a model.json of TensorFlow.js that was made of weights alone and tells no layers",
            "convert the model itself, of " + SAVE_HINT,
            keys=("weightsManifest modelTopology !modelTopology.class_name",)),
    _ForeignFile("a TensorFlow Lite model, which holds operations and no layers",
            "name the model that it was converted from, or " + WRITE_HINT, head=rb"(?s).{4}TFL3"),
    _ForeignFile("an ONNX model, which holds operations and no layers of Keras'",
            "name the model that it was exported from, or " + WRITE_HINT,
            head=rb'\x08[\x02-\x1f]["*2:B\x12\x1a]'),
    _ForeignFile("a file of PyTorch's, which holds tensors and code but no layers of Keras'", WRITE_HINT,
            head=rb"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", member=r"(.*/)?data\.pkl"),
    _ForeignFile("a pickle of Python's, which is code, and no code is run", SAVE_HINT,
            head=rb"\x80[\x02-\x05]"),
    _ForeignFile("a file of arrays of NumPy's, which holds no layers", SAVE_HINT,
            head=rb"\x93NUMPY", member=r".*\.npy"),
    _ForeignFile("a file of safetensors, which holds weights and no layers",
            "name the model that they belong to", head=rb'(?s).{6}\x00\x00\{"'),
    _ForeignFile("a GGUF file, which holds weights and no layers of Keras'", WRITE_HINT, head=rb"GGUF"),
    _ForeignFile("packed with gzip", "unpack it first", head=rb"\x1f\x8b"),
    _ForeignFile("a pointer of Git LFS, which stands for a file kept elsewhere",
            "fetch that with 'git lfs pull'", head=rb"version https://git-lfs"),
    _ForeignFile("an HTML page, perhaps saved in place of a file",
            "download the file itself; on GitHub that is 'Raw'",
            head=rb"(?i)(\xef\xbb\xbf)?\s*(<!--.*-->\s*)?<(!doctype\s+html|html|head|body)\b"),
    _ForeignFile("a program in Python, and no code is run", "run it, and in it " + SAVE_HINT,
            head=rb"#!.*python|([ \t]*(#[^\n]*)?\r?\n)*(import|from) \w"),
    _ForeignFile("a notebook of Jupyter's, and no code is run", "run it, and in it " + SAVE_HINT,
            keys=("nbformat",)),
    _ForeignFile("a Tokenizer of Keras', which holds words and no layers", SAVE_HINT,
            keys=("class_name=Tokenizer",)),
    _ForeignFile("a config of Hugging Face's transformers, and no file of Keras'", WRITE_HINT,
            keys=("model_type", "architectures", "transformers_version")),
    _ForeignFile("the metadata.json of a .keras archive", "name the archive, or its config.json",
            keys=("date_saved",)),
    _ForeignFile("the settings file of Keras", SAVE_HINT, keys=("floatx backend",)),
    _ForeignFile("a folder with the parts of a .keras archive", "name the config.json in it",
            member=r"config\.json"),
)
# fmt: on


def may_be_keras(text: str) -> bool:
    """Whether a text is JSON, or names classes; only then it may be a model of Keras'."""
    return re.match(JSON_START, text) is not None or has_class_names(text)


def has_class_names(text: str) -> bool:
    """Whether a text, perhaps in YAML, names classes as Keras does."""
    return _CLASS_NAME_KEY in text or re.search(_KERAS_0_YAML_PATTERN, text) is not None


def looks_like_keras(text: str) -> bool:
    """Whether a text begins as the JSON of a model of Keras' does."""
    signs = (
        re.match(JSON_START, text),
        *(re.search(sign, text[:DETECTION_CHARACTERS]) for sign in _KERAS_JSON_PATTERNS),
    )
    return all(signs)


def demand_model_bytes(head: bytes, name: str) -> None:
    """Raise FileError if the first bytes of a file tell that it holds no model of Keras'."""
    for foreign in FOREIGN_FILES:
        if foreign.head and re.match(foreign.head, head):
            raise FileError(f"cannot read {name}: {foreign.message}")


def foreign_names_message(names: Iterable[str]) -> str:
    """What to say of an archive, or a folder, that holds files of these names; '' if nothing."""
    held = list(names)
    for foreign in FOREIGN_FILES:
        if foreign.member and any(re.fullmatch(foreign.member, name) for name in held):
            return foreign.message
    return ""


def foreign_folder_message(path: str) -> str:
    """What to say of a folder that is named in place of a file."""
    with os.scandir(path) as entries:
        told = foreign_names_message(entry.name for entry in entries)
    return told or "it is a folder; name a file in it"


def foreign_value_message(value: Any) -> str:
    """What to say of what a JSON text holds; '' if it may be a model."""
    for foreign in FOREIGN_FILES:
        if any(_has_key_paths(value, keys) for keys in foreign.keys):
            return foreign.message
    return ""


def _has_key_paths(value: Any, keys: str) -> bool:
    """Whether all of these ways lead to something in a value, and those with a mark to nothing."""
    return all(
        _has_key_path(value, key.removeprefix("!")) != key.startswith("!") for key in keys.split()
    )


def _has_key_path(value: Any, key: str) -> bool:
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
