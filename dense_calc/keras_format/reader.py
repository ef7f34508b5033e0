"""What a file of Keras' holds → a Model, whichever version wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, describe_value
from dense_calc.gaps import Gap
from dense_calc.keras_format.archives import FileMetadata
from dense_calc.keras_format.assume import parse_assumption
from dense_calc.keras_format.custom_objects import FileContext
from dense_calc.keras_format.find_architecture import (
    Architecture,
    architecture_in,
    decode_embedded_json,
)
from dense_calc.keras_format.json_locations import JsonPlace, file_start, nesting_error
from dense_calc.keras_format.layer_objects import INPUT_SHAPE_KEY, model_type
from dense_calc.keras_format.models import build_model_from_config, read_nested_model
from dense_calc.model import Model

_CURRENT_KERAS_VERSION = 3
_EMPTY_METADATA = FileMetadata()


def from_keras(
    value: Any,
    source: Source,
    name: str,
    assume: Mapping[str, str],
    beside: FileMetadata = _EMPTY_METADATA,
    weights: str = "",
) -> Model:
    """The model that a file of Keras' holds: what its text is decoded to, and the text itself.

    `name` is the model's name if it has none; `assume` says what stands in for classes by name;
    `beside` is what stands elsewhere in the file; `weights` is its path if it may store any.

    Raises:
        SpecError: something in it is not known, or does not fit.
    """
    start = file_start(source)
    found = architecture_in(value, source.name)
    if found is None:
        raise SpecError(
            f"a model has a class_name and a config; this is {describe_value(value)}", start
        )
    if model_type(found.class_name, found.config) is None:
        raise SpecError(
            f"the model is of a class of its own, {describe_value(found.class_name)}, and the file does not "
            "tell its layers; a Sequential or a Functional can be read",
            start,
        )
    assumed = {each: parse_assumption(each, text) for each, text in assume.items()}
    try:
        keras_version = _keras_major_version(beside.keras_version, found)
        config = (
            _unwrap_config(found.config) if keras_version < _CURRENT_KERAS_VERSION else found.config
        )
        file = FileContext(
            keras_version, _find_dim_ordering(config, keras_version), assumed, read_nested_model
        )
        if weights:
            from dense_calc.keras_format.custom_weights import (
                open_weight_store,  # few files store any
            )

            file.weight_store = open_weight_store(weights, lambda: _layer_owners(found.config))
        spot = start.inner_place(*found.config_path)
        model = build_model_from_config(found.class_name, config, spot, file, name)
        if weights and model.is_unbuilt:
            from dense_calc.keras_format.input_search import infer_stored_input

            model = infer_stored_input(model, weights)
    except RecursionError:
        raise nesting_error(source) from None
    gaps = tuple(sorted(file.gaps, key=_gap_position))
    is_trained = not _is_frozen_model(config, model)
    return replace(
        model,
        trainable=is_trained,
        optimizer=_compiled_optimizer(value, beside.training_config),
        gaps=gaps,
        remarks=(*file.remarks, *model.remarks),
    )


def _compiled_optimizer(value: Any, training: str) -> Any:
    """The optimizer that a file says its model is compiled with, as it is written; None if none.

    `training` is the text of its `training_config`, which TensorFlow.js has in the value.
    """
    match value:
        case {"compile_config": {"optimizer": written}}:
            return written
        case {"trainingConfig": found} | {"modelTopology": {"training_config": found}}:
            training = found
    with suppress(SpecError):  # only --optimizer needs it
        match decode_embedded_json(training, "training_config"):
            case {"optimizer_config": written}:
                return written
    return None


def _gap_position(gap: Gap) -> list[int]:
    """What sorts gaps as they stand in a file."""
    assert isinstance(gap.place, JsonPlace)
    return [step for step in gap.place.path if isinstance(step, int)]


def _unwrap_config(config: Any) -> Any:
    """What an older version has written, without what TensorFlow wraps lists in."""
    from dense_calc.keras_format.legacy.values import unwrap_containers  # few files are so old

    return unwrap_containers(config)


def _is_frozen_model(config: Any, model: Model) -> bool:
    """Whether Keras trains nothing of the model that it loads: it asks no Sequential."""
    is_graph = model.type == "Functional" and isinstance(config, dict)
    return is_graph and config.get("trainable") is False


def _keras_major_version(version: str, found: Architecture) -> int:
    """The major version of Keras that wrote a model: as the file says, or as it looks."""
    told = re.match(r"\d{1,4}(?!\d)", version or found.keras_version)
    if told:
        return int(told[0])
    if found.has_modules:
        return 2 if _has_batch_input_shape(found.config) else _CURRENT_KERAS_VERSION
    from dense_calc.keras_format.legacy.layer_configs import (
        is_keras_1_layer,  # few files tell no version
    )

    return 1 if any(is_keras_1_layer(*layer) for layer in _class_configs(found.config)) else 2


def _has_batch_input_shape(config: Any) -> bool:
    """Whether a layer of a model tells its input's shape in a word that Keras 3 does not write."""
    layers = config.get("layers") if isinstance(config, dict) else config
    for layer in layers if isinstance(layers, list) else ():
        match layer:
            case {"config": dict(own)} if INPUT_SHAPE_KEY in own:
                return True
    return False


def _class_configs(written: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The class and the config of everything that has both, at every depth."""
    match written:
        case {"class_name": str(name), "config": dict(config)}:
            yield name, config
    inner = written.values() if isinstance(written, dict) else written
    for each in inner if isinstance(written, dict | list) else ():
        yield from _class_configs(each)


def _layer_owners(config: Any) -> dict[str, str]:
    """The layers of a model by their names, and by those of layers inside them."""
    from dense_calc.keras_format.tfjs_manifest import owners_by_name  # few files have one

    written = config.get("layers") if isinstance(config, dict) else config
    names = [
        [name for _, own in _class_configs(layer) if isinstance(name := own.get("name"), str)]
        for layer in (written if isinstance(written, list) else ())
    ]
    return owners_by_name((own[0], own[1:]) for own in names if own)


def _find_dim_ordering(config: Any, keras: int) -> str:
    """Where the channels are in a file of Keras 1, by the first layer that says it."""
    told = re.search(r"'dim_ordering': '(th|tf)'", repr(config)) if keras == 1 else None
    return told[1] if told else ""
