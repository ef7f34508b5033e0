"""Build the Model of a Keras file, whichever version wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, describe_value
from dense_calc.gaps import Gap
from dense_calc.keras_format.archives import FileMetadata
from dense_calc.keras_format.assumptions import parse_assumption
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
    """The model in a Keras file: `value` is its decoded text, `source` the text itself.

    `name` is for a model without a name; `assume` has an assumption for each class name; `beside`
    is the file's metadata; `weights` is the path of the file if it may store weights.

    Raises:
        SpecError: something in the file is unknown, or does not fit.
    """
    architecture = _demand_architecture(value, source)
    assumptions = {each: parse_assumption(each, text) for each, text in assume.items()}
    try:
        keras_version = _keras_major_version(beside.keras_version, architecture)
        if keras_version < _CURRENT_KERAS_VERSION:
            architecture.config = _unwrap_config(architecture.config)
        config = architecture.config
        dim_ordering = _find_dim_ordering(config, keras_version)
        file = FileContext(keras_version, dim_ordering, assumptions, read_nested_model)
        spot = file_start(source).inner_place(*architecture.config_path)
        model = _build_top_model(architecture, spot, file, name, weights)
    except RecursionError:
        raise nesting_error(source) from None
    return replace(
        model,
        trainable=not _is_frozen_model(config, model),
        optimizer=_compiled_optimizer(value, beside.training_config),
        gaps=tuple(sorted(file.gaps, key=_gap_position)),
        remarks=(*file.remarks, *model.remarks),
    )


def _demand_architecture(value: Any, source: Source) -> Architecture:
    """The architecture in a file; SpecError if it has none whose layers can be read."""
    start = file_start(source)
    architecture = architecture_in(value, source.name)
    if architecture is None:
        raise SpecError(
            f"a model has a class_name and a config; this is {describe_value(value)}", start
        )
    if model_type(architecture.class_name, architecture.config) is None:
        raise SpecError(
            f"the model has a custom class, {describe_value(architecture.class_name)}, "
            "and the file does not tell its layers; a Sequential or a Functional can be read",
            start,
        )
    return architecture


def _build_top_model(
    architecture: Architecture, spot: JsonPlace, file: FileContext, name: str, weights: str
) -> Model:
    """The model of a file; stored weights, where the file has any, tell what its text does not."""
    class_name, config = architecture.class_name, architecture.config
    if not weights:
        return build_model_from_config(class_name, config, spot, file, name)
    from dense_calc.keras_format.custom_weights import open_weight_store  # few files store any

    file.weight_store = open_weight_store(weights, lambda: _layer_owners(config))
    model = build_model_from_config(class_name, config, spot, file, name)
    if not model.is_unbuilt:
        return model
    from dense_calc.keras_format.input_search import infer_stored_input

    return infer_stored_input(model, weights)


def _compiled_optimizer(value: Any, training: str) -> Any:
    """The optimizer with which the model is compiled, as the file writes it; None if none.

    `training` is the text of the file's `training_config`; TensorFlow.js has it in the value.
    """
    match value:
        case {"compile_config": {"optimizer": written}}:
            return written
        case {"trainingConfig": config} | {"modelTopology": {"training_config": config}}:
            training = config
    with suppress(SpecError):  # only --optimizer needs it
        match decode_embedded_json(training, "training_config"):
            case {"optimizer_config": written}:
                return written
    return None


def _gap_position(gap: Gap) -> list[int]:
    """The indices on the path to a gap, which sort gaps in the order of the file."""
    assert isinstance(gap.place, JsonPlace)
    return [step for step in gap.place.path if isinstance(step, int)]


def _unwrap_config(config: Any) -> Any:
    """A config of an older version, without TensorFlow's wrappers of lists and mappings."""
    from dense_calc.keras_format.legacy.legacy_values import (
        unwrap_containers,  # few files are so old
    )

    return unwrap_containers(config)


def _is_frozen_model(config: Any, model: Model) -> bool:
    """Whether Keras loads the model frozen; it ignores `trainable` of a Sequential."""
    is_graph = model.type == "Functional" and isinstance(config, dict)
    return is_graph and config.get("trainable") is False


def _keras_major_version(version: str, architecture: Architecture) -> int:
    """The major version of Keras that wrote a model: as the file says it, or by its words."""
    number = re.match(r"\d{1,4}(?!\d)", version or architecture.keras_version)
    if number:
        return int(number[0])
    config = architecture.config
    if architecture.has_modules:
        return 2 if _has_batch_input_shape(config) else _CURRENT_KERAS_VERSION
    from dense_calc.keras_format.legacy.keras_1_configs import is_keras_1_layer  # rarely needed

    return 1 if any(is_keras_1_layer(*layer) for layer in _class_configs(config)) else 2


def _layer_list(config: Any) -> list[Any]:
    """The layers in the config of a model, which early versions write as a list; [] if none."""
    layers = config.get("layers") if isinstance(config, dict) else config
    return layers if isinstance(layers, list) else []


def _has_batch_input_shape(config: Any) -> bool:
    """Whether a layer of a model has `batch_input_shape`, which Keras 3 does not write."""
    for layer in _layer_list(config):
        match layer:
            case {"config": dict(layer_config)} if INPUT_SHAPE_KEY in layer_config:
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
    """The names of a model's layers, by those names and by the names of the layers inside."""
    from dense_calc.keras_format.tfjs_manifest import owners_by_name  # few files have one

    names = [
        [name for _, inner in _class_configs(layer) if isinstance(name := inner.get("name"), str)]
        for layer in _layer_list(config)
    ]
    return owners_by_name((layer[0], layer[1:]) for layer in names if layer)


def _find_dim_ordering(config: Any, keras: int) -> str:
    """The `dim_ordering` of the first layer of Keras 1 that has one; '' if none has."""
    match = re.search(r"'dim_ordering': '(th|tf)'", repr(config)) if keras == 1 else None
    return match[1] if match else ""
