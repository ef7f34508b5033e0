"""What an unbuilt Sequential reads is told by the weights that its file stores.

The totals are those of the models that tf_keras 2.21 built on these inputs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest
from conftest import Run
from support.custom_files import Arrays, archive, hdf5_file, layer

import dense_calc
from dense_calc.errors import Source, SpecError
from dense_calc.keras_format.reader import from_keras
from dense_calc.model import Model
from dense_calc.tracing.tracer import trace

Json = dict[str, Any]


def chain(*layers: Json, **config: Any) -> Json:
    """A Sequential that does not say what it reads."""
    named = [each | {"config": {"name": f"l{at}", **each["config"]}}
             for at, each in enumerate(layers)]  # fmt: skip
    config = {"name": "m", "layers": named, **config}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def of(class_name: str, **config: Any) -> Json:
    written = layer(class_name, "", **config)
    del written["config"]["name"]
    return written


def built(model: Json, sizes: list[int | None]) -> Model:
    text = json.dumps(model | {"config": model["config"] | {"build_input_shape": [None, *sizes]}})
    return from_keras(json.loads(text), Source("m.json", text), "m", {"Mine": "identity"})


def arrays_of(model: Json, sizes: list[int | None]) -> Arrays:
    """What Keras stores of the model once it is built on an input."""
    rows = trace(built(model, sizes)).layers
    return {f"{row.name}/{weight.path}:0": weight.shape for row in rows for weight in row.weights}


DENSE = [of("Dense", units=32), of("Dense", units=1)]
SMALL = of("Dense", units=2)
POOLED = of("GlobalMaxPooling2D")
CONV = of("Conv2D", filters=4, kernel_size=3)
FIRST = {"data_format": "channels_first"}
# The layers, what Keras built them on, the input that their weights tell, and their parameters.
TOLD: dict[str, tuple[list[Json], list[int], list[int | None], int]] = {
    "dense": (DENSE, [784], [784], 25_153),
    "a model inside": ([chain(*DENSE), SMALL], [784], [784], 25_157),
    "sides": ([CONV, of("BatchNormalization"), POOLED, SMALL], [9, 9, 3], [None, None, 3], 138),
    "rank": ([of("BatchNormalization"), CONV, POOLED, SMALL], [12, 12, 6], [None, None, 6], 254),
    "channels first": ([of("Conv2D", filters=4, kernel_size=3, **FIRST), of(
        "GlobalMaxPooling2D", **FIRST)], [3, 9, 9], [3, None, None], 112),
    "groups": ([of("Conv2D", filters=9, kernel_size=3, groups=3), POOLED],
               [9, 9, 6], [None, None, 6], 171),
    "separable": ([of("SeparableConv2D", filters=4, kernel_size=3), POOLED],
                  [28, 28, 5], [None, None, 5], 69),
    "a product": ([of("Embedding", input_dim=50, output_dim=4), of("Flatten"), SMALL],
                  [12], [12], 298),
    "a window": ([of("Conv1D", filters=8, kernel_size=3), of("Flatten"), SMALL],
                 [20, 3], [20, 3], 370),
    "no size": ([of("Embedding", input_dim=50, output_dim=4), of("LSTM", units=4), SMALL],
                [12], [None], 354),
    "a wrapper": ([of("Bidirectional", layer=layer("LSTM", "lstm", units=4)), SMALL],
                  [12, 6], [None, 6], 370),
    "a series": ([of("TimeDistributed", layer=layer("Conv2D", "c", filters=4, kernel_size=3)),
                  of("TimeDistributed", layer=layer("GlobalMaxPooling2D", "p")),
                  of("GRU", units=3, reset_after=True), SMALL],
                 [4, 12, 12, 6], [None, None, None, 6], 309),
    "several axes": ([of("LayerNormalization", axis=[1, 2]), of("Flatten"), SMALL],
                     [7, 5], [7, 5], 142),
    "sides, too": ([CONV, of("BatchNormalization"), of("GlobalMaxPooling2D"),
                    of("PReLU")], [9, 9, 3], [None, None, 3], 132),
    "flat": ([of("Flatten"), SMALL], [28, 28], [784], 1570),
    "another shape": ([of("Dense", units=64), of("Reshape", target_shape=[4, 4, 4]),
                       of("Conv2DTranspose", filters=4, kernel_size=3), of("Flatten"),
                       of("Dense", units=3)], [100], [100], 7047),
    "a class of one's own": ([of("lab>Mine"), SMALL], [7], [7], 16),
}  # fmt: skip


@pytest.mark.parametrize("title", TOLD)
def test_stored_weights_tell_the_input(tmp_path: Path, title: str) -> None:
    layers, sizes, told, params = TOLD[title]
    model = chain(*layers)
    path = hdf5_file(tmp_path / "m.h5", model, arrays_of(model, [*sizes]))
    report = dense_calc.summarize(path, {"Mine": "identity"})
    assert report.total_params == params
    assert report.inputs[0].shape == (None, *told)


def test_every_kind_of_file_that_stores_weights(tmp_path: Path) -> None:
    model = chain(*DENSE)
    arrays = arrays_of(model, [784])
    groups = {"dense/vars/0": (784, 32), "dense/vars/1": (32,),
              "dense_1/vars/0": (32, 1), "dense_1/vars/1": (1,)}  # fmt: skip
    names = {"dense": "l0", "dense_1": "l1"}
    manifest = [{"weights": [{"name": name.removesuffix(":0"), "shape": shape, "dtype": "float32"}
                             for name, shape in arrays.items()]}]  # fmt: skip
    value = {"modelTopology": {"model_config": model}, "weightsManifest": manifest}
    (tmp_path / "model.json").write_text(json.dumps(value), "utf-8")
    for path in (
        hdf5_file(tmp_path / "m.h5", model, arrays),
        archive(tmp_path / "a.keras", model, groups, names),
        archive(tmp_path / "b.keras", model, groups, {}),
        tmp_path / "model.json",
    ):
        report = dense_calc.summarize(path)
        assert (report.inputs[0].shape, report.total_params) == ((None, 784), 25_153)
    old = {"l0/l0_W": (784, 32), "l0/l0_b": (32,), "l1/l1_W": (32, 1), "l1/l1_b": (1,)}
    path = hdf5_file(tmp_path / "old.h5", model, old)
    with h5py.File(path, "a") as file:
        file.attrs["keras_version"] = "1.2.2"
    assert dense_calc.summarize(path).total_params == 25_153


POOL = [of("Conv1D", filters=8, kernel_size=3), of("MaxPooling1D"), of("Flatten"), SMALL]
# Layers and arrays of which several inputs, or none, could be.
UNTOLD: dict[str, tuple[list[Json], Arrays]] = {
    "two lengths": (POOL, arrays_of(chain(*POOL), [20, 3])),
    "two sides": ([CONV, of("Flatten"), SMALL], arrays_of(
        chain(CONV, of("Flatten"), SMALL), [9, 9, 3])),
    "nothing": (DENSE, {}),
    "empty arrays": (DENSE, {"l0/kernel:0": (0, 0), "l1/kernel:0": ()}),
    "other units": (DENSE, {**arrays_of(chain(*DENSE), [784]), "l1/bias:0": (2,)}),
    "more": (DENSE, {**arrays_of(chain(*DENSE), [784]), "l2/bias:0": (2,)}),
    "vast": ([of("Conv2D", filters=9, kernel_size=3, groups=3), SMALL],
             {"l0/kernel:0": (3, 3, 7, 2**40)}),
}  # fmt: skip


@pytest.mark.parametrize("title", UNTOLD)
def test_what_does_not_tell_it_leaves_the_model_unbuilt(tmp_path: Path, title: str) -> None:
    layers, arrays = UNTOLD[title]
    path = hdf5_file(tmp_path / "m.h5", chain(*layers), arrays)
    with pytest.raises(SpecError, match="the model has no input shape"):
        dense_calc.summarize(path)


def test_a_note_says_what_the_input_is_taken_to_be(tmp_path: Path, run: Run) -> None:
    model = chain(*DENSE)
    hdf5_file(tmp_path / "m.h5", model, arrays_of(model, [784]))
    done = run("summary", "m.h5", "--verify-weights", cwd=tmp_path)
    said = (
        "note: the model has no input shape; it is taken to be [784], with which it has what the "
        "file stores of 'l0': kernel (784, 32); --set 'input=[...]' says another"
    )
    assert done.returncode == 0
    assert said in done.stderr
    told = run("summary", "m.h5", "--set", "input=[10]", cwd=tmp_path)
    assert (told.stderr, "Total params: 385 " in told.stdout) == ("", True)
    wider = run("summary", "m.h5", "--set", "l0.units=2", cwd=tmp_path)
    assert said in wider.stderr
    assert "Total params: 1,573 " in wider.stdout


def test_a_model_inside_is_built_on_what_the_outer_one_was_built_on() -> None:
    model = built(chain(chain(*DENSE, name="inner"), SMALL), [784])
    assert trace(model).total_params == 25_157
