"""Ask real Keras for every model of `keras.applications`, and small ones, and read their JSON.

    python tests/oracle/applications.py            # compare
    python tests/oracle/applications.py --write    # tests/data/applications.jsonl.xz anew

Needs the extra `oracle`. No weight is ever filled. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
from keras_files import difference, fact_of_json, keras_fact
from small_models import MODELS

FACTS = Path(__file__).parents[1] / "data" / "applications.jsonl.xz"

# Other shapes, tops and widths than the default ones.
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("ResNet50", {"include_top": False}),
    ("ResNet50", {"input_shape": [160, 96, 3], "classes": 10}),
    ("ResNet50V2", {"include_top": False, "pooling": "avg", "input_shape": [None, None, 3]}),
    ("VGG16", {"include_top": False, "input_shape": [64, 64, 1]}),
    ("VGG19", {"include_top": False, "pooling": "max"}),
    ("MobileNet", {"alpha": 0.25, "input_shape": [128, 128, 3]}),
    ("MobileNet", {"alpha": 0.75, "depth_multiplier": 2, "dropout": 0.5}),
    ("MobileNetV2", {"alpha": 1.4}),
    ("MobileNetV2", {"alpha": 0.35, "include_top": False, "input_shape": [96, 96, 3]}),
    ("MobileNetV3Large", {"minimalistic": True}),
    ("MobileNetV3Small", {"alpha": 0.75, "include_top": False, "input_shape": [128, 160, 3]}),
    ("EfficientNetB0", {"include_top": False, "input_shape": [200, 300, 3]}),
    ("EfficientNetV2B1", {"classes": 7, "classifier_activation": None}),
    ("ConvNeXtTiny", {"include_top": False, "pooling": "avg", "include_preprocessing": False}),
    ("DenseNet121", {"input_shape": [64, 64, 3], "classes": 2}),
    ("InceptionV3", {"include_top": False, "input_shape": [150, 150, 3]}),
    ("InceptionResNetV2", {"include_top": False, "pooling": "max"}),
    ("NASNetMobile", {"include_top": False, "input_shape": [96, 96, 3]}),
    ("Xception", {"include_top": False, "input_shape": [None, None, 3]}),
]


def main() -> int:
    """Compare, and print what differs; or write the facts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {FACTS.name}")
    options = parser.parse_args()
    failed = number = 0
    lines = []
    for title, model in models():
        number += 1
        text, fact = model.to_json(), keras_fact(model)
        wrong = difference(fact_of_json(text), fact)
        failed += bool(wrong)
        print(f"{title}: {wrong or 'the same'}", flush=True)
        lines.append(json.dumps({"title": title, "json": text, **fact}) + "\n")
    if options.write:
        FACTS.write_bytes(lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{number - failed} passed, {failed} failed")
    return 1 if failed else 0


def models() -> Iterator[tuple[str, Any]]:
    """Every application, some with other arguments, and the small models, each with its title."""
    builders = {name: each for name, each in vars(keras.applications).items() if name[0].isupper()}
    for name, arguments in [*((name, {}) for name in sorted(builders)), *OTHERS]:
        keras.backend.clear_session(free_memory=False)
        given = {
            key: tuple(value) if key == "input_shape" else value for key, value in arguments.items()
        }
        with keras.StatelessScope(initialize_variables=False):
            yield f"{name} {arguments or ''}".strip(), builders[name](weights=None, **given)
    for build in MODELS:
        keras.backend.clear_session(free_memory=False)
        yield build.__name__, build()


if __name__ == "__main__":
    sys.exit(main())
