"""`dense-calc growth`: what is printed, that its JSON gives the counts, and the complaints."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import SPECS

import dense_calc
from dense_calc.cli import command_line
from dense_calc.errors import DenseCalcError


def text_of(*arguments: str) -> list[str]:
    """The lines that the command prints of a model in specs/."""
    spec, *rest = arguments
    result = CliRunner().invoke(command_line, ["growth", str(SPECS / spec), *rest])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def json_of(*arguments: str) -> Any:
    """What the command gives as JSON on a model in specs/."""
    return json.loads("\n".join(text_of(*arguments, "--format", "json")))


def test_a_polynomial_as_text() -> None:
    assert text_of("lenet5.yaml", "--vary", "width") == [
        "params = 426·width + 59,150",
        "",
        "width 6 → 7: +426 params",
        "",
        "Exact on all 64 points: width from 1 to 64.",
    ]


def test_a_size_of_the_input_may_vary() -> None:
    told = json_of("lenet5.yaml", "--vary", "input[0],width")
    assert told["pieces"][0] == {
        "where": "input_0_ % 4 == 0",
        "polynomial": "2400*input_0_ + 426*width - 8050",
    }
    assert told["number_of_pieces"] == 4
    assert told["valid"] == "12 <= input_0_ <= 128"


def test_pieces_as_text() -> None:
    assert text_of("gpt2.yaml", "--vary", "width,depth") == [
        "No polynomial over the whole range, but one on each of 12 parts:",
        "where width % 12 == 0:",
        "  params = 12·depth·width² + 13·depth·width + 51,283·width",
        "where width % 12 == 1:",
        "  params = 12·depth·width² + 9·depth·width + 51,283·width - 3·depth",
        "where width % 12 == 2:",
        "  params = 12·depth·width² + 5·depth·width + 51,283·width - 6·depth",
        "where width % 12 == 3:",
        "  params = 12·depth·width² + depth·width + 51,283·width - 9·depth",
        "and 8 more, with --format json",
        "",
        "width 768 → 769: +235,819 params",
        "depth 12 → 13: +7,087,872 params",
        "",
        "Exact on all 262,144 points: width from 1 to 4,096, depth from 1 to 64.",
        "There is a model where 12 <= width <= 4,096.",
    ]


def test_a_narrow_output_in_ascii_is_broken_between_terms() -> None:
    lines = text_of("gpt2.yaml", "--vary", "width,depth", "--ascii", "--width", "36")
    assert lines[:7] == [
        "No polynomial over the whole range,",
        "but one on each of 12 parts:",
        "where width % 12 == 0:",
        "  params = 12*depth*width^2",
        "           + 13*depth*width",
        "           + 51,283*width",
        "where width % 12 == 1:",
    ]
    assert "width 768 -> 769: +235,819 params" in lines


def test_what_changes_nothing() -> None:
    assert text_of("convnet.yaml", "--vary", "conv2d.strides,dense.units", "--max", "9") == [
        "params = 129·dense.units + 93,248",
        "",
        "conv2d.strides 1 → 2: no change",
        "dense.units 10 → 11: +129 params",
        "",
        "The count does not depend on conv2d.strides.",
        "Exact on all 81 points: conv2d.strides from 1 to 9, dense.units from 1 to 9.",
    ]


def test_sizes_that_do_not_fit_an_image() -> None:
    assert text_of("lenet5.yaml", "--vary", "conv2d_1.kernel_size")[1:5] == [
        "where conv2d_1.kernel_size % 2 == 1:",
        "  params = 576·conv2d_1.kernel_size² - 14,400·conv2d_1.kernel_size + 119,306",
        "where conv2d_1.kernel_size % 2 == 0:",
        "  params = 576·conv2d_1.kernel_size² - 13,440·conv2d_1.kernel_size + 105,386",
    ]
    lines = text_of("lenet5.yaml", "--vary", "average_pooling2d.pool_size")
    assert [line.split() for line in lines[2:6]] == [
        ["1", "290,186"],
        ["2", "61,706"],
        ["3", "21,386"],
        ["4", "15,626"],
    ]


def test_a_table_where_there_is_no_polynomial() -> None:
    lines = text_of("gpt2.yaml", "--vary", "heads", "--max", "16")
    assert lines[:4] == [
        "No polynomial over the range:",
        "  heads       params",
        "      1  124,439,808",
        "      2  124,439,808",
    ]


@cache
def counted(spec: str, **vars: int) -> int:
    """The parameters of a model in specs/."""
    return dense_calc.summarize(SPECS / spec, **vars).total_params


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("gpt2.yaml", ["width", "depth"]),
        ("gpt2.yaml", ["depth", "vocab", "context"]),
        ("mlp.yaml", ["bins"]),
        ("encoder.yaml", ["width"]),
        ("lstm-tagger.yaml", ["words", "tags", "width"]),
        ("llama2-7b.yaml", ["inner", "depth", "width"]),
        ("lenet5.yaml", ["width"]),
    ],
)
def test_the_json_evaluates_to_the_counts_of_models(spec: str, names: list[str]) -> None:
    data = json_of(spec, "--vary", ",".join(names))
    expressions = data.get("pieces") or [{"where": "True", "polynomial": data["polynomial"]}]
    assert (data["polynomial"] is None) == (len(expressions) > 1)
    own = {name: data["next"][name]["from"] for name in names}
    assert counted(spec, **own) == data["total_params"]
    assert eval(expressions[0]["where"], dict(own))
    for times in (1, 3):
        for plus in range(4):
            values = {name: times * at + plus for name, at in own.items()}
            count = counted(spec, **values)
            told = [
                eval(each["polynomial"], values)
                for each in expressions
                if eval(each["where"], values)
            ]
            assert told in ([count], [] if len(expressions) == 16 else [count])
    for name, step in data["next"].items():
        more = counted(spec, **{**own, name: step["to"]})
        assert step["change"] == more - data["total_params"]


def test_the_json_of_a_layers_argument() -> None:
    assert json_of("mnist.yaml", "--vary", "dense.units") == {
        "name": str(SPECS / "mnist.yaml"),
        "total_params": 7850,
        "polynomial": "785*dense_units",
        "variables": {"dense_units": "dense.units"},
        "range": {"dense.units": {"min": 1, "max": 64}},
        "verified": 64,
        "looked_at": 64,
        "complete": True,
        "invalid": 0,
        "next": {"dense.units": {"from": 10, "to": 11, "change": 785}},
    }


def test_other_settings_stay_as_they_are_set() -> None:
    arguments = ("gpt2.yaml", "--vary", "depth", "--set", "width=12", "--set", "heads=1")
    assert text_of(*arguments)[0] == "params = 1,884·depth + 615,396"


COMPLAINTS = [
    (["--vary", ","], "--vary NAME; its vars: width"),
    (
        ["--vary", ",".join(f"v{number}" for number in range(6000))],
        "6,000 variables are too many to vary at once; name at most 16, or let one var stand for",
    ),
    (["--vary", "wdith"], "did you mean 'width'?"),
    (
        ["--vary", "width", "--min", "9", "--max", "3"],
        "'width' has no value: its min, 9, is above its max, 3; see --min and",
    ),
    (["--vary", "width", "--max", "0"], "'width' has no value: its min, 1, is above its max, 0"),
    (["--vary", "width", "--set", "width=3"], "'width' cannot vary while --set gives it a value"),
    (["--vary", "width", "--max", "depth=3"], "'depth' has a bound, but does not vary; add --vary"),
    (["--vary", "conv2d.padding"], "'conv2d.padding' is 'same'; only whole numbers can"),
    (
        ["--vary", "width", "--min", "-9", "--max", "-5"],
        "no values from --min to --max make a model; width = -9: Conv2D",
    ),
]


@pytest.mark.parametrize(("arguments", "complaint"), COMPLAINTS)
def test_a_complaint_says_how_to_mend_it(arguments: list[str], complaint: str) -> None:
    result = CliRunner().invoke(command_line, ["growth", str(SPECS / "lenet5.yaml"), *arguments])
    assert isinstance(result.exception, DenseCalcError)
    assert complaint in result.exception.message


@pytest.mark.parametrize("size", ["", "[0]"])
def test_of_several_inputs_one_is_named(size: str) -> None:
    command = ["growth", str(SPECS / "gpt2.yaml"), "--vary", f"input{size}"]
    error = CliRunner().invoke(command_line, command).exception
    assert f"name one: --vary tokens{size} or --vary positions{size}" in str(error)


@pytest.mark.parametrize("bound", ["x", "1__0", "width=", "9" * 5000, "9" * 30])
def test_a_bound_is_a_whole_number(bound: str) -> None:
    arguments = ["growth", str(SPECS / "lenet5.yaml"), "--vary", "width", "--max", bound]
    result = CliRunner().invoke(command_line, arguments)
    assert result.exit_code == 2
    assert "Invalid value for '--max'" in result.stderr
