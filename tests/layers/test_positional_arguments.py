"""The arguments that Keras takes by position; `tests/oracle/signatures.py` compares their order."""

from __future__ import annotations

from dense_calc.layers import KIND_MODULES, find_kind
from dense_calc.layers.positional_arguments import positional_arguments


def test_what_keras_takes_by_position_is_an_argument_of_the_kind() -> None:
    for name in KIND_MODULES:
        assert set(positional_arguments(name)) <= set(find_kind(name).__struct_encode_fields__)


def test_an_alias_has_the_arguments_of_its_kind() -> None:
    assert positional_arguments("MaxPool2D") == positional_arguments("MaxPooling2D")
    assert positional_arguments("Nothing") == []
