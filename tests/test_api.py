"""The functions of the library: what they take, and what their results show."""

from __future__ import annotations

import doctest
import io
import json
import pickle
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner
from support.archives import archive

import dense_calc
from dense_calc import DenseCalcError, api
from dense_calc.cli import command_line
from dense_calc.result import JsonResult, Result

SPEC = "input: [8]\nlayers:\n  - Dense: {units: 3}\n"
MAPPING = {"input": (8,), "layers": [{"Dense": {"units": 3}}]}
LENET5 = "gallery:lenet5"

# Each result beside the command that prints it.
RESULTS: dict[str, tuple[Callable[[], Result], list[str]]] = {
    "summarize": (lambda: dense_calc.summarize(LENET5), ["summary", LENET5]),
    "long summary": (lambda: dense_calc.summarize("gallery:gpt2"), ["summary", "gallery:gpt2"]),
    "explain": (
        lambda: dense_calc.explain("gallery:gpt2", "decoder", symbolic=True),
        ["explain", "gallery:gpt2", "decoder", "--symbolic"],
    ),
    "check": (
        lambda: dense_calc.check(LENET5, max_params="60k", settings={"width": 8}),
        ["check", LENET5, "--max-params", "60k", "--set", "width=8"],
    ),
    "diff": (
        lambda: dense_calc.diff("gallery:mnist", LENET5),
        ["diff", "gallery:mnist", LENET5],
    ),
    "sweep": (
        lambda: dense_calc.sweep(LENET5, {"width": "4:12:4"}),
        ["sweep", LENET5, "--set", "width=4:12:4"],
    ),
    "fit": (
        lambda: dense_calc.fit(LENET5, "width", max_params="100k"),
        ["fit", LENET5, "--vary", "width", "--max-params", "100k"],
    ),
    "frontier": (
        lambda: dense_calc.fit("gallery:gpt2", "width,depth", max_params="50M", multiple_of=192),
        [
            *[
                "fit",
                "gallery:gpt2",
                "--vary",
                "width,depth",
                "--max-params",
                "50M",
                "--multiple-of",
                "192",
            ]
        ],
    ),
    "growth": (
        lambda: dense_calc.growth(LENET5, ["width"], by="layer"),
        ["growth", LENET5, "--vary", "width", "--by", "layer"],
    ),
}


def printed(*command: str) -> str:
    """What a command prints on standard output."""
    return CliRunner().invoke(command_line, command).stdout


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_prints_as_its_command_does(name: str) -> None:
    make, command = RESULTS[name]
    table = [] if command[0] in ("explain", "check", "growth") else ["--format", "table"]
    lines = str(make()).splitlines()
    assert lines == printed(*command, *table).splitlines()[: len(lines)]
    assert len(lines) > 3


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_one_line_in_the_console(name: str) -> None:
    result = RESULTS[name][0]()
    assert repr(result).startswith(f"<{type(result).__name__} '")
    assert "\n" not in repr(result)


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "sweep"])
def test_a_result_has_the_data_of_the_json(name: str) -> None:
    make, command = RESULTS[name]
    result = make()
    assert isinstance(result, JsonResult)
    assert result.to_dict() == json.loads(printed(*command, "--format", "json"))


_TAGS = {"table", "caption", "strong", "thead", "tbody", "tr", "th", "td", "div", "pre"}


class Tags(HTMLParser):
    """The open elements and the texts of a page, which must be well formed."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {
            *["table", "caption", "strong", "thead", "tbody", "tr", "th", "td", "div", "pre"]
        }
        self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


@pytest.mark.parametrize("name", RESULTS)
def test_a_notebook_shows_a_result(name: str) -> None:
    result = RESULTS[name][0]()
    page = Tags()
    page.feed(result._repr_html_())
    assert not page.stack
    words = "".join("".join(page.cells).split())
    for line in str(result).splitlines()[:2]:
        assert "".join(line.split()) in words or set(line) <= set("┏━┳┓")


def test_a_notebook_shows_the_names_in_a_file_as_they_are() -> None:
    report = dense_calc.summarize(
        {"name": "<b>&", "input": [1], "layers": [{"Dense": {"units": 1, "name": "<script>"}}]}
    )
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt; (Dense)" in report._repr_html_()
    assert "&lt;b&gt;&amp;" in report._repr_html_()


def test_a_notebook_shows_the_first_rows_of_a_long_sweep() -> None:
    sweep = dense_calc.sweep(LENET5, {"width": range(1, 1001)})
    page = sweep._repr_html_()
    assert page.count("<tr>") == 1 + 100
    assert "Shown: 100 of 1,000 combinations" in page


def sources(folder: Path) -> dict[str, Any]:
    """One model as everything that a model is read from."""
    path = folder / "m.yaml"
    path.write_text(SPEC, "utf-8")
    return {
        "str": str(path),
        "path": path,
        "text": SPEC,
        "bytes": SPEC.encode(),
        "wide bytes": SPEC.encode("utf-16"),
        "JSON": json.dumps(MAPPING),
        "mapping": MAPPING,
        "any mapping": MappingProxyType(MAPPING),
        "text file": io.StringIO(SPEC),
        "binary file": io.BytesIO(SPEC.encode()),
        "Keras' JSON": dense_calc.convert(SPEC, "keras"),
        "Keras' config": json.loads(dense_calc.convert(SPEC, "keras")),
    }


def test_a_model_is_read_from_each_of_them(tmp_path: Path) -> None:
    for kind, source in sources(tmp_path).items():
        report = dense_calc.summarize(source)
        assert report.total_params == 27, kind
        assert [row.name for row in report.layers] == ["dense"], kind


def test_an_open_file_stays_open_and_names_the_model(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC, "utf-8")
    with path.open("rb") as file, path.open(encoding="utf-8") as text:
        assert dense_calc.summarize(file).name == "tiny"
        assert dense_calc.summarize(text).name == "tiny"
        assert not file.closed


def test_an_archive_is_read_from_bytes_and_from_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(archive(("config.json", dense_calc.convert(SPEC, "keras").encode())))
    with path.open("rb") as file:
        assert dense_calc.summarize(file).total_params == 27
    assert dense_calc.summarize(path.read_bytes()).total_params == 27


def test_a_whole_number_of_any_class_is_one() -> None:
    class Whole:
        def __index__(self) -> int:
            return 3

    assert dense_calc.summarize({"input": [Whole()], "layers": ["Flatten"]}).layers[0].output_shape
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.load({"input": [{1}], "layers": []})
    told = "the mapping cannot be written as JSON: 'set' is not a number, text, list or mapping"
    assert str(caught.value) == f"error: {told}"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ({"input": [8], "layers": [{"Dense": {"unit": 3}}]}, "<mapping>:8:9"),
        (SPEC.replace("units", "unit"), "<text>:3:13"),
        (io.StringIO(SPEC.replace("units", "unit")), "<text>:3:13"),
    ],
)
def test_a_complaint_says_where(source: Any, place: str) -> None:
    with pytest.raises(DenseCalcError, match=f"^{place}: error: Dense has no argument 'unit'; did"):
        dense_calc.load(source)


@pytest.mark.parametrize("source", [None, 3, ["input"], object()])
def test_what_is_no_source_of_a_model(source: Any) -> None:
    told = f"a path, a text, a mapping or an open file, not from {type(source).__name__}$"
    with pytest.raises(TypeError, match=told):
        dense_calc.load(source)


@pytest.mark.parametrize("source", ["absent.yaml", "", "\ud800\n\n", "\0", "x\n" * 9_000_000])
def test_what_cannot_be_read_is_told(source: Any) -> None:
    with pytest.raises(DenseCalcError):
        dense_calc.load(source)


def test_a_closed_file_and_a_circle_are_told(tmp_path: Path) -> None:
    file = io.StringIO(SPEC)
    file.close()
    circle: dict[str, Any] = {}
    circle["layers"] = circle
    for source, told in ((file, "closed file"), (circle, "Circular reference")):
        with pytest.raises(DenseCalcError, match=told):
            dense_calc.load(source)


def test_what_convert_writes_is_read_again() -> None:
    for form in ("yaml", "keras"):
        text = dense_calc.convert("gallery:residual", form, settings={"reduce.filters": 32})
        assert dense_calc.diff(text, "gallery:residual").total_params.change != 0
        assert dense_calc.convert(text, form) == text
    with pytest.raises(DenseCalcError, match="to 'keras' or 'yaml', not to 'onnx'"):
        dense_calc.convert("gallery:mnist", "onnx")  # type: ignore[arg-type]


def test_results_can_be_pickled() -> None:
    for make, _ in RESULTS.values():
        result = make()
        again = pickle.loads(pickle.dumps(result))  # noqa: S301
        assert str(again) == str(result)


def test_the_examples_of_the_documentation_run() -> None:
    for module in (dense_calc, api):
        result = doctest.testmod(module)
        assert result.attempted
        assert not result.failed


def test_assumptions_about_a_spec_change_nothing_and_are_told() -> None:
    told = "gallery:mnist is a spec, in which each layer is one of Keras; assume changes nothing"
    with pytest.warns(UserWarning, match=told) as caught:
        dense_calc.explain("gallery:mnist", assume={"Squash": "identity"})
    assert caught[0].filename == __file__


def test_a_limit_that_is_not_there_is_told() -> None:
    with pytest.raises(TypeError, match=r"check\(\) has no argument 'max_parms'; did you mean"):
        dense_calc.check(LENET5, max_parms=1)
