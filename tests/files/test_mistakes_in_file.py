"""All mistakes of a file in one run: exact texts in `tests/data/mistakes`, and laws."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import DATA, SPECS
from hypothesis import given
from hypothesis import strategies as st
from support.text_cases import case_params, demand_up_to_date

from dense_calc.errors import DenseCalcError, Source
from dense_calc.files.mistakes_in_file import describe_mistakes, find_mistakes
from dense_calc.layers import KIND_MODULES
from dense_calc.mistakes import MAX_PLACES
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

FILES = sorted((DATA / "mistakes").glob("*.txt"))
TEXTS = [path.read_text("utf-8") for path in sorted(SPECS.glob("*.yaml"))]
LAYER_LINE = re.compile(r" *- (\w+): \{.*\}$")


def first_error(spec: str) -> DenseCalcError | None:
    """The first mistake of a spec, None if there is none."""
    try:
        trace(parse_spec(Source("m.yaml", spec), "m"))
    except DenseCalcError as error:
        return error
    return None


def mistakes_of(spec: str) -> str:
    """What dense-calc says of a spec with mistakes."""
    error = first_error(spec)
    assert error
    return describe_mistakes(error) + "\n"


@pytest.mark.parametrize(("spec", "said"), case_params(FILES))
def test_one_run_tells_all_mistakes(spec: str, said: str) -> None:
    assert mistakes_of(spec) == said


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_mistakes_is_up_to_date(path: Path, update: bool) -> None:
    demand_up_to_date(path, mistakes_of, update)


@given(st.data())
def test_each_argument_that_a_layer_does_not_have_is_told(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(TEXTS)).split("\n")
    places = [
        number
        for number, line in enumerate(lines)
        if (match := LAYER_LINE.match(line)) and match[1] in KIND_MODULES
    ]
    if not places:
        return
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    for number in chosen:
        lines[number] = lines[number][:-1] + ", nothing: 1}"
    error = first_error("\n".join(lines))
    assert error
    told = [each.place.line - 1 for each in find_mistakes(error) if each.place]
    assert told == sorted(chosen)


@given(st.data())
def test_the_first_mistake_is_told_whatever_the_others(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:place] + data.draw(st.sampled_from(["", "x", "0", ":", "-"])) + text[place + 1 :]
        )
    error = first_error(text)
    if error:
        assert any(each is error for each in find_mistakes(error))


def test_a_mistake_in_a_setting_is_the_only_one() -> None:
    spec = Source("m.yaml", "input: [8]\nlayers: [{Dense: {units: 0}}]\n")
    error = DenseCalcError("there is no such setting")
    assert find_mistakes(error) == [error]
    with pytest.raises(DenseCalcError) as caught:
        parse_spec(spec, "m")
    caught.value.message = "another"
    assert find_mistakes(caught.value) == [caught.value]


@pytest.mark.parametrize(
    "layer",
    [
        "Dense: {unit: 3}",
        "Dense: {units: 3 - index}",
        "Dense: {units: 3, from: nowhere}",
        "mlp: {from: nowhere}",
        "mlp: {unit: 3}",
        "reuse: nowhere",
    ],
)
def test_a_mistake_in_many_copies_is_told_once_and_soon(layer: str) -> None:
    """Where each copy is looked at, this takes minutes."""
    spec = (
        f"input: [3]\nblocks: {{mlp: [Dense: 3]}}\nlayers: [{{repeat: 40000, layers: [{layer}]}}]"
    )
    assert mistakes_of(spec).count("error:") == 1


def test_reading_ends_after_many_mistakes() -> None:
    layers = [f"  - Dense: {{unit: {number}}}" for number in range(10_000)]
    told = mistakes_of("\n".join(["input: [3]", "layers:", *layers])).splitlines()
    assert told[-1] == f"and at least {MAX_PLACES - 19} more mistakes"
    assert sum("error:" in line for line in told) == 20
