"""Compare the weights in files that real Keras saves with our reports.

    python tests/oracle/weights.py                     # 600 random layers, and models of several
    python tests/oracle/weights.py --cases 100 --seed 1 Dense LSTM

Needs the extras `oracle` and `h5`. Every model is saved as a `.keras` archive and as HDF5. Its
architecture and its arrays must agree, and a change to either must be noticed. Exit status 1
otherwise.
"""

from __future__ import annotations

import argparse
import io
import logging
import math
import random
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import compare  # chooses Keras' backend
import h5py
import keras
from cases import Case, draw
from msgspec.structs import replace
from ours import REFUSED, answer_of

from dense_calc.api import summarize
from dense_calc.errors import DenseCalcError
from dense_calc.keras_format.compare_weights import weight_differences
from dense_calc.layers import KIND_MODULES
from dense_calc.report import Report

SUFFIXES = (".keras", ".h5")
MAX_PARAMS = 10**6  # of a model whose weights are filled and saved
WEIGHTS = "model.weights.h5"
layers = keras.layers


def main() -> int:
    """Save models, and print the differences between their files and our reports."""
    options = command_line()
    warnings.simplefilter("ignore")
    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns that HDF5 is old
    print(f"keras {keras.__version__}, {options.cases} cases, seed {options.seed}", flush=True)
    failed = number = 0
    with tempfile.TemporaryDirectory() as folder:
        for title, model in models(random.Random(options.seed), options.cases, options.kinds):
            for suffix in SUFFIXES:
                path = Path(folder, f"model{suffix}")
                if not is_saved(model, path):
                    continue
                wrong = complaint(path)
                if wrong and not loads(path):
                    continue  # for AWQ Keras requires `kernel_zero` but does not save it
                number += 1
                failed += bool(wrong)
                print(f"{title} in {suffix}: {wrong}\n" if wrong else "", end="", flush=True)
    print(f"{number - failed} passed, {failed} failed")
    return 1 if failed else 0


def command_line() -> argparse.Namespace:
    """The options; the seed is random by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "kinds", nargs="*", default=list(KIND_MODULES), help="layer kinds; all by default"
    )
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    return parser.parse_args()


def models(rng: random.Random, cases: int, kinds: list[str]) -> Iterator[tuple[str, Any]]:
    """Models of several layers, then random models of one layer, each with its title."""
    for build in (
        several,
        shared,
        nested,
        adapted,
        compiled,
        quantized,
        stateful,
        augmented,
        texts,
    ):
        keras.backend.clear_session(free_memory=False)
        yield build.__name__, build()
    for number in range(cases):
        case = draw(rng, kinds[number % len(kinds)])
        model = built(case)
        if model is not None:
            yield f"{case}", model


def built(case: Case) -> Any:
    """The Keras model of a case; None if it is too large or refused by Keras or dense-calc."""
    answer, _ = answer_of(case)
    if answer == REFUSED:
        return None
    if sum(math.prod(shape) for _, shape, *_ in answer["weights"]) > MAX_PARAMS:
        return None
    try:
        return compare.keras_model(case)
    except Exception:  # any error means that Keras refuses it
        return None


def several() -> Any:
    """Layers of the same classes, in another order than their names."""
    image = keras.Input((16, 16, 3), name="image")
    left = layers.Conv2D(4, 3, name="z")(image)
    right = layers.Conv2D(4, 3, name="conv2d_7")(image)
    out = layers.BatchNormalization()(layers.Add()([left, right])) * 2.0
    out = layers.Dropout(0.1)(layers.Conv2D(5, 3, name="a")(out))
    out = layers.Dense(2, name="conv2d")(layers.GlobalAveragePooling2D()(out))
    return keras.Model(image, layers.Dense(1)(out))


def shared() -> Any:
    """A layer that is called twice, and a model that is called twice."""
    inputs = [keras.Input((8,)), keras.Input((8,))]
    dense = layers.Dense(8)
    tower = keras.Sequential([keras.Input((8,)), layers.Dense(3), layers.Dense(4)], name="tower")
    return keras.Model(inputs, layers.Concatenate()([tower(dense(each)) for each in inputs]))


def nested() -> Any:
    """Models nested three deep, beside layers with layers inside."""
    x = keras.Input((6, 8))
    y = layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x)
    y = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(y)
    cells = [layers.GRUCell(3), layers.LSTMCell(4, dropout=0.1)]
    y = layers.RNN(cells, return_sequences=True)(y)
    y = layers.SpectralNormalization(layers.Dense(4))(y)
    inner = keras.Model(x, y, name="inner")
    middle = keras.Sequential([keras.Input((6, 8)), inner, layers.Dense(4)], name="middle")
    return keras.Sequential([keras.Input((6, 8)), layers.Dense(8), middle, layers.Flatten()])


def adapted() -> Any:
    """Layers with LoRA."""
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(5)]
    )
    model.layers[0].enable_lora(2)
    model.layers[2].enable_lora(3)
    return model


def compiled() -> Any:
    """A model with an optimizer and metrics, which store arrays too."""
    model = keras.Sequential([keras.Input((8,)), layers.Dense(5), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae", "accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def quantized() -> Any:
    """Layers in int8, some with LoRA."""
    model = keras.Sequential(
        [keras.Input((4,)), layers.Embedding(10, 8), layers.Dense(6), layers.Dense(2)]
    )
    model.quantize("int8")
    model.layers[0].enable_lora(2)
    model.layers[2].enable_lora(2)
    return model


def stateful() -> Any:
    """Stateful layers, whose states are variables but not weights."""
    x = keras.Input(batch_shape=(2, 3, 4))
    y = layers.LSTM(5, stateful=True, return_sequences=True)(x)
    y = layers.Bidirectional(layers.GRU(3, stateful=True, return_sequences=True))(y)
    return keras.Model(x, layers.RNN([layers.LSTMCell(3)], stateful=True)(y))


def augmented() -> Any:
    """Layers with layers and seeds inside."""
    x = keras.Input((8, 8, 3))
    y = layers.RandomFlip()(layers.AugMix()(layers.RandAugment()(x)))
    return keras.Model(x, layers.Conv2D(2, 3)(y))


def texts() -> Any:
    """Layers that have learned a vocabulary with frequencies, or a mean."""
    text, words = keras.Input((1,), dtype="string"), keras.Input((4,), dtype="string")
    vectors = layers.TextVectorization(output_mode="tf_idf", max_tokens=20)
    vectors.adapt(["a b c", "b c d e"])
    lookup = layers.StringLookup(output_mode="tf_idf", max_tokens=20)
    lookup.adapt([["a", "b", "c"], ["b", "c", "d"]])
    scaled = layers.Normalization()
    scaled.adapt(keras.ops.array([[1.0], [2.0]]))
    y = layers.Concatenate()([layers.Flatten()(vectors(text)), lookup(words)])
    return keras.Model([text, words], scaled(layers.Dense(1)(y)))


def is_saved(model: Any, path: Path) -> bool:
    """Whether Keras can save a model to a file of this kind that dense-calc can read."""
    try:
        model.save(path)
        summarize(path)
    except DenseCalcError as error:
        print(f"dense-calc does not read it: {error}")
        return False
    except Exception:  # any error means that Keras cannot
        return False
    return True


def loads(path: Path) -> bool:
    """Whether Keras itself can load the file."""
    try:
        keras.models.load_model(path)
    except Exception:  # any error means that Keras cannot
        return False
    return True


def complaint(path: Path) -> str:
    """What our comparison of a file gets wrong, '' if nothing."""
    report = summarize(path)
    said = weight_differences(report, str(path))
    if said:
        return "; ".join(said)
    for changed in others(report):
        if not weight_differences(changed, str(path)):
            return f"nothing is said of {changed.layers}"
    if report.total_params and not weight_differences(report, with_other_array(path)):
        return "nothing is said of another array"
    return ""


def others(report: Report) -> Iterator[Report]:
    """Wrong reports: without a weight, with a larger size, and without a layer."""
    rows = report.layers
    for number, row in enumerate(rows):
        if not row.weights or row.weights[0].name.startswith("lora_"):
            continue
        first, *rest = row.weights
        if row.type == "SpectralNormalization" and first.shape in [each.shape for each in rest]:
            continue  # may be the same array again
        larger = replace(first, shape=(*first.shape, 3))
        for change in (
            (),
            (replace(row, weights=tuple(rest)),),
            (replace(row, weights=(larger, *rest)),),
        ):
            yield replace(report, layers=(*rows[:number], *change, *rows[number + 1 :]))


def with_other_array(path: Path) -> str:
    """A copy of a file in which one array has another shape."""
    copy = path.with_name(f"changed{path.suffix}")
    copy.write_bytes(path.read_bytes())
    if path.suffix != ".keras":
        with h5py.File(copy, "r+") as file:
            reshape_one(file["model_weights"])
        return str(copy)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            data = io.BytesIO(old.read(name))
            if name == WEIGHTS:
                with h5py.File(data, "r+") as file:
                    reshape_one(file["layers"])
            new.writestr(name, data.getvalue())
    return str(copy)


def reshape_one(group: Any) -> None:
    """Give the first weight in a group another axis."""
    names: list[str] = []
    group.visit(names.append)
    for name in names:
        if isinstance(group[name], h5py.Dataset) and "generator" not in name:
            shape = group[name].shape
            del group[name]
            group.create_dataset(name, (*shape, 2))
            return


if __name__ == "__main__":
    sys.exit(main())
