"""What a file of Keras' holds → a Model, whichever version wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, said
from dense_calc.gaps import Gap
from dense_calc.keras_format.archives import Beside
from dense_calc.keras_format.assume import assumption
from dense_calc.keras_format.custom_objects import File
from dense_calc.keras_format.find_architecture import Architecture, architecture_in, content
from dense_calc.keras_format.json_locations import Spot, start_of, too_deep
from dense_calc.keras_format.layer_objects import INPUT_SHAPE, model_type
from dense_calc.keras_format.models import inside, model_of_config
from dense_calc.model import Model

CURRENT = 3
NOTHING_BESIDE = Beside()


def from_keras(
    value: Any,
    source: Source,
    name: str,
    assume: Mapping[str, str],
    beside: Beside = NOTHING_BESIDE,
    weights: str = "",
) -> Model:
    """The model that a file of Keras' holds: what its text is decoded to, and the text itself.

    `name` is the model's name if it has none; `assume` says what stands in for classes by name;
    `beside` is what stands elsewhere in the file; `weights` is its path if it may store any.

    Raises:
        SpecError: something in it is not known, or does not fit.
    """
    start = start_of(source)
    found = architecture_in(value, source.name)
    if found is None:
        raise SpecError(f"a model has a class_name and a config; this is {said(value)}", start)
    if model_type(found.class_name, found.config) is None:
        raise SpecError(
            f"the model is of a class of its own, {said(found.class_name)}, and the file does not "
            "tell its layers; a Sequential or a Functional can be read",
            start,
        )
    assumed = {each: assumption(each, text) for each, text in assume.items()}
    try:
        keras_version = major(beside.keras, found)
        config = plain(found.config) if keras_version < CURRENT else found.config
        file = File(keras_version, ordering_of(config, keras_version), assumed, inside)
        if weights:
            from dense_calc.keras_format.custom_weights import store_in  # few files store any

            file.stored = store_in(weights, lambda: owners_in(found.config))
        spot = start.at(*found.path)
        model = model_of_config(found.class_name, config, spot, file, name)
        if weights and model.is_unbuilt:
            from dense_calc.keras_format.input_search import with_stored_input

            model = with_stored_input(model, weights)
    except RecursionError:
        raise too_deep(source) from None
    gaps = tuple(sorted(file.gaps, key=order_in_file))
    is_trained = not is_frozen(config, model)
    return replace(
        model,
        trainable=is_trained,
        optimizer=optimizer_in(value, beside.training),
        gaps=gaps,
        remarks=(*file.remarks, *model.remarks),
    )


def optimizer_in(value: Any, training: str) -> Any:
    """The optimizer that a file says its model is compiled with, as it is written; None if none.

    `training` is the text of its `training_config`, which TensorFlow.js has in the value.
    """
    match value:
        case {"compile_config": {"optimizer": written}}:
            return written
        case {"trainingConfig": found} | {"modelTopology": {"training_config": found}}:
            training = found
    with suppress(SpecError):  # only --optimizer needs it
        match content(training, "training_config"):
            case {"optimizer_config": written}:
                return written
    return None


def order_in_file(gap: Gap) -> list[int]:
    """What sorts gaps as they stand in a file."""
    assert isinstance(gap.place, Spot)
    return [step for step in gap.place.path if isinstance(step, int)]


def plain(config: Any) -> Any:
    """What an older version has written, without what TensorFlow wraps lists in."""
    from dense_calc.keras_format.legacy.values import unwrapped  # few files are so old

    return unwrapped(config)


def is_frozen(config: Any, model: Model) -> bool:
    """Whether Keras trains nothing of the model that it loads: it asks no Sequential."""
    is_graph = model.type == "Functional" and isinstance(config, dict)
    return is_graph and config.get("trainable") is False


def major(version: str, found: Architecture) -> int:
    """The major version of Keras that wrote a model: as the file says, or as it looks."""
    told = re.match(r"\d{1,4}(?!\d)", version or found.version)
    if told:
        return int(told[0])
    if found.tells_modules:
        return 2 if has_input_shape(found.config) else CURRENT
    from dense_calc.keras_format.legacy.layer_configs import (
        is_of_keras_1,  # few files tell no version
    )

    return 1 if any(is_of_keras_1(*layer) for layer in classes_in(found.config)) else 2


def has_input_shape(config: Any) -> bool:
    """Whether a layer of a model tells its input's shape in a word that Keras 3 does not write."""
    layers = config.get("layers") if isinstance(config, dict) else config
    for layer in layers if isinstance(layers, list) else ():
        match layer:
            case {"config": dict(own)} if INPUT_SHAPE in own:
                return True
    return False


def classes_in(written: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The class and the config of everything that has both, at every depth."""
    match written:
        case {"class_name": str(name), "config": dict(config)}:
            yield name, config
    inner = written.values() if isinstance(written, dict) else written
    for each in inner if isinstance(written, dict | list) else ():
        yield from classes_in(each)


def owners_in(config: Any) -> dict[str, str]:
    """The layers of a model by their names, and by those of layers inside them."""
    from dense_calc.keras_format.tfjs_manifest import owners_among  # few files have one

    written = config.get("layers") if isinstance(config, dict) else config
    names = [
        [name for _, own in classes_in(layer) if isinstance(name := own.get("name"), str)]
        for layer in (written if isinstance(written, list) else ())
    ]
    return owners_among((own[0], own[1:]) for own in names if own)


def ordering_of(config: Any, keras: int) -> str:
    """Where the channels are in a file of Keras 1, by the first layer that says it."""
    told = re.search(r"'dim_ordering': '(th|tf)'", repr(config)) if keras == 1 else None
    return told[1] if told else ""
