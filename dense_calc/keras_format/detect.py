"""Tell by its content whether a file is a Keras model or something else, and what to do then.

Only the content counts, never the name. No code in a file is run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from dense_calc.errors import FileError

DETECTION_BYTES = 512  # enough of a file's start to tell what it is
DETECTION_CHARACTERS = 4096  # enough of a text to tell whether Keras wrote it
MANIFEST_KEY = "weightsManifest"  # where a model.json of TensorFlow.js lists its weights
_CLASS_NAME_KEY = "class_name"  # every Keras model has it, hardly any spec
JSON_START = r'\s*[\[{"]'
# A model's class and its config in JSON. Quotes are escaped where the JSON is inside a string.
_KERAS_JSON_PATTERNS = (
    rf'\b{_CLASS_NAME_KEY}\\*"\s*:\s*\\*"(?!(?:FeatureSpace|Graph|Tokenizer)\b)',
    r'\b(config|layers|model_config)\\*"\s*:\s*\\*["\[{]',
)
# A model's class in the YAML of Keras 0.
_KERAS_0_YAML_PATTERN = r"(?m)^name: (Sequential|Graph)\s*$"
SAVE_HINT = "save the model itself, model.save('model.keras')"
_RESAVE_HINT = "load it with the TensorFlow that wrote it, and " + SAVE_HINT
WRITE_HINT = "write its layers down as a spec, of the kinds that 'dense-calc layers' lists"


class _ForeignFile(Struct, frozen=True):
    """A kind of file that holds no Keras model, what to do instead, and the signs of it.

    One sign is enough. `head` is a pattern of the first bytes, `member` of a name in a zip archive
    or a folder. Each of `keys` is a condition on the value of a JSON text: `a.b` must exist,
    `a=text` must be that text, `!a` must not exist; with spaces between them, all must hold.
    """

    description: str
    remedy: str
    head: bytes = b""
    member: str = ""
    keys: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The complaint about such a file, without its name."""
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
    _ForeignFile("a FeatureSpace, which prepares data and is not a model",
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
    _ForeignFile("a file of PyTorch's, which holds tensors and code but no layers of Keras'",
            WRITE_HINT, member=r"(.*/)?data\.pkl",
            head=rb"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"),
    _ForeignFile("a pickle of Python's, which is code, and no code is run", SAVE_HINT,
            head=rb"\x80[\x02-\x05]"),
    _ForeignFile("a file of arrays of NumPy's, which holds no layers", SAVE_HINT,
            head=rb"\x93NUMPY", member=r".*\.npy"),
    _ForeignFile("a file of safetensors, which holds weights and no layers",
            "name the model that they belong to", head=rb'(?s).{6}\x00\x00\{"'),
    _ForeignFile("a GGUF file, which holds weights and no layers of Keras'", WRITE_HINT,
            head=rb"GGUF"),
    _ForeignFile("packed with gzip", "unpack it first", head=rb"\x1f\x8b"),
    _ForeignFile("a Git LFS pointer to a file that is stored elsewhere",
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
    """Whether a text is JSON or names classes, as every Keras model does."""
    return re.match(JSON_START, text) is not None or has_class_names(text)


def has_class_names(text: str) -> bool:
    """Whether a text, perhaps in YAML, names classes as Keras does."""
    return _CLASS_NAME_KEY in text or re.search(_KERAS_0_YAML_PATTERN, text) is not None


def looks_like_keras(text: str) -> bool:
    """Whether a text begins like the JSON of a Keras model."""
    start = text[:DETECTION_CHARACTERS]
    return re.match(JSON_START, text) is not None and all(
        re.search(pattern, start) for pattern in _KERAS_JSON_PATTERNS
    )


def demand_model_bytes(head: bytes, name: str) -> None:
    """Raise FileError if a file's first bytes are those of something other than a Keras model."""
    for foreign in FOREIGN_FILES:
        if foreign.head and re.match(foreign.head, head):
            raise FileError(f"cannot read {name}: {foreign.message}")


def foreign_names_message(names: Iterable[str]) -> str:
    """The complaint about an archive or a folder that holds files of these names; '' if none."""
    members = list(names)
    for foreign in FOREIGN_FILES:
        if foreign.member and any(re.fullmatch(foreign.member, name) for name in members):
            return foreign.message
    return ""


def foreign_folder_message(path: str) -> str:
    """The complaint about a folder in place of a file."""
    with os.scandir(path) as entries:
        message = foreign_names_message(entry.name for entry in entries)
    return message or "it is a folder; name a file in it"


def foreign_value_message(value: Any) -> str:
    """The complaint about the value of a JSON text that is no model; '' if it may be one."""
    for foreign in FOREIGN_FILES:
        if any(_meets_conditions(value, keys) for keys in foreign.keys):
            return foreign.message
    return ""


def _meets_conditions(value: Any, keys: str) -> bool:
    """Whether a value meets all conditions of one entry of `_ForeignFile.keys`."""
    return all(
        _has_key_path(value, key.removeprefix("!")) != key.startswith("!") for key in keys.split()
    )


def _has_key_path(value: Any, key: str) -> bool:
    """Whether a value has something at the path `a.b`, or the text that `a.b=text` asks for."""
    path, _, text = key.partition("=")
    for step in path.split("."):
        if isinstance(value, list) and value and step == "0":
            value = value[0]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return False
    return not text or value == text
