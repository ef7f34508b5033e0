"""The printed summary: golden files for each format, and nothing cut at any width."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from conftest import DATA, SPECS
from hypothesis import given
from hypothesis import strategies as st

import dense_calc
from dense_calc.errors import Source, display_width
from dense_calc.render import REPORT_FORMATS, Style, render_grids, render_reports
from dense_calc.render.grid import REPORT_COLUMNS, Column, Grid, size_text
from dense_calc.render.json import OPTIONAL_REPORT_KEYS
from dense_calc.report import LayerRow, Port, Report, WeightRow
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

GOLDEN = DATA / "golden"
ALL = tuple(REPORT_COLUMNS)

STYLES: dict[str, Style] = {
    "": Style(),
    ".40": Style(width=40),
    ".200": Style(width=200),
    ".ascii": Style(ascii=True),
    ".color": Style(color=True),
    ".columns": Style(columns=ALL),
}
CASES = [
    (model, format, style)
    for model in ("mnist", "residual")
    for format in REPORT_FORMATS
    for style in STYLES
    if style in ("", ".columns")
    or format == "table"
    or (format == "text" and style in (".40", ".200"))
    if (format, style) != ("json", ".columns")
]


@pytest.mark.parametrize(("model", "format", "style"), CASES)
def test_a_summary_is_the_golden_one(model: str, format: str, style: str, update: bool) -> None:
    path = GOLDEN / f"{model}{style}.{format}"
    report = dense_calc.summarize(SPECS / f"{model}.yaml")
    text = render_reports([report], format, STYLES[style])
    if update:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_the_golden_files_are_all_used() -> None:
    names = {f"{model}{style}.{format}" for model, format, style in CASES}
    assert {path.name for path in GOLDEN.iterdir()} == names


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
SIZES = st.one_of(st.none(), st.integers(0, 10**12))


@st.composite
def reports(draw: Any) -> Report:
    """A report of a few layers with long names and large numbers."""
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        params = draw(st.integers(0, 10**15))
        weight = WeightRow("kernel", (params,), True, "float32", ("units",), params, "kernel")
        shape = (None, *draw(st.lists(SIZES, max_size=5)))
        sources = tuple(draw(st.lists(NAMES, max_size=3)))
        row = LayerRow(
            draw(NAMES), "Dense", shape, "float32", params, params, 0, sources, (), (weight,), ()
        )
        rows.append(row)
    port = Port("input", (None, 3), "float32")
    return Report(draw(NAMES), 7, 7, 0, 28, 28, 0, (port,), (port,), tuple(rows))


@given(reports(), st.integers(1, 120), st.sampled_from(["text", "table"]))
def test_no_name_shape_or_number_is_cut_at_any_width(
    report: Report, width: int, format: str
) -> None:
    text = render_reports(
        [report], format, Style(columns=("name", "output_shape", "params"), width=width)
    )
    cells = [
        re.split(r"[│┃|]" if format == "table" else r"\s{2,}", line) for line in text.split("\n")
    ]
    for row in report.layers:
        assert any(f"{row.params:,}" in cell for line in cells for cell in line)
    squeezed = re.sub(r"[^!-~]", "", text)
    for row in report.layers:
        for char in set(row.name):
            assert squeezed.count(char) >= row.name.count(char)


@given(reports(), st.integers(40, 120), st.sampled_from(["text", "table"]))
def test_no_line_is_wider_than_asked(report: Report, width: int, format: str) -> None:
    columns = ("name", "output_shape", "params")
    for line in render_reports([report], format, Style(columns=columns, width=width)).splitlines():
        assert len(line) <= width


@given(st.text("全結合a層 ", min_size=1, max_size=30), st.integers(1, 60))
def test_wide_characters_are_wrapped_by_what_they_take(name: str, width: int) -> None:
    row = LayerRow(name, "Dense", (None,), "float32", 7, 7, 0, (), (), (), ())
    report = Report("m", 7, 7, 0, 28, 28, 0, (), (), (row,))
    text = render_reports([report], "text", Style(columns=("name", "params"), width=width))
    for char in set(name) - {" "}:
        assert text.count(char) >= name.count(char)
    if width > 20:
        body = text.split("=\n")[1]
        assert max(map(display_width, body.splitlines())) <= width


@given(reports())
def test_csv_and_json_are_read_back_as_they_were(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(render_reports([report], "csv", Style()))))
    assert [(row["name"], int(row["params"])) for row in rows] == [
        (row.name, row.params) for row in report.layers
    ]
    data = json.loads(render_reports([report], "json", Style()))
    assert [layer["name"] for layer in data["layers"]] == [row.name for row in report.layers]
    assert data["total_params"] == report.total_params


def test_json_keeps_its_contract() -> None:
    report = dense_calc.summarize(SPECS / "mnist.yaml")
    data = json.loads(render_reports([report], "json", Style()))
    assert data["layers"][1] == {
        "name": "dense",
        "type": "Dense",
        "output_shape": [None, 10],
        "output_dtype": "float32",
        "params": 7850,
        "trainable_params": 7850,
        "non_trainable_params": 0,
        "connected_to": ["flatten"],
        "feeds": ["activation"],
        "weights": [
            {
                "name": "kernel",
                "shape": [784, 10],
                "trainable": True,
                "dtype": "float32",
                "axes": ["inputs", "units"],
                "params": 7840,
                "path": "kernel",
            },
            {
                "name": "bias",
                "shape": [10],
                "trainable": True,
                "dtype": "float32",
                "axes": ["units"],
                "params": 10,
                "path": "bias",
            },
        ],
        "input_shapes": [[None, 784]],
    }
    assert data["inputs"] == [{"name": "input", "shape": [None, 1, 28, 28], "dtype": "float32"}]
    assert data["outputs"] == [{"name": "activation", "shape": [None, 10], "dtype": "float32"}]
    assert data["total_bytes"] == 31_400
    assert set(data) == set(report.__struct_fields__) - set(OPTIONAL_REPORT_KEYS)


@pytest.mark.parametrize("format", REPORT_FORMATS)
def test_a_model_that_is_only_an_input_has_no_rows(format: str) -> None:
    report = Report("m", 0, 0, 0, 0, 0, 0, (), (), ())
    text = render_reports([report], format, Style(width=60))
    if format == "json":
        assert json.loads(text)["layers"] == []
    elif format == "csv":
        assert text.count("\n") == 1
    else:
        assert "Layer (type)" in text
        assert "Total params: 0 (0.00 B)" in text


def test_several_reports_are_a_json_array_and_one_csv() -> None:
    both = [dense_calc.summarize(SPECS / f"{name}.yaml") for name in ("mnist", "stacked")]
    assert [data["name"] for data in json.loads(render_reports(both, "json", Style()))] == [
        "mnist",
        "stacked",
    ]
    rows = list(csv.DictReader(io.StringIO(render_reports(both, "csv", Style()))))
    assert [row["model"] for row in rows] == ["mnist"] * 3 + ["stacked"] * 2


HOSTILE = "a\x1b[31m\x9b|`[red]*\u202e"


@pytest.mark.parametrize("format", REPORT_FORMATS)
def test_a_name_cannot_speak_to_the_terminal(format: str) -> None:
    row = LayerRow(HOSTILE, "Dense", (None, 3), "float32", 7, 7, 0, (HOSTILE,), (HOSTILE,), (), ())
    port = Port(HOSTILE, (None, 3), "float32")
    report = Report(HOSTILE, 7, 7, 0, 28, 28, 0, (port,), (port,), (row,))
    text = render_reports([report], format, Style(columns=None if format == "json" else ALL))
    assert all(line.isprintable() for line in text.splitlines())
    assert all(
        line.isprintable() for line in render_reports([report] * 2, format, Style()).splitlines()
    )
    if format == "json":
        assert json.loads(text)["layers"][0]["name"] == HOSTILE


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.00 B"),
        (1023, "1023.00 B"),
        (31_400, "30.66 KB"),
        (2**20, "1.00 MB"),
        (5 * 2**60, "5120.00 PB"),
    ],
)
def test_sizes_are_worded_as_in_keras(size: int, text: str) -> None:
    assert size_text(size) == text


def test_several_outputs_stand_one_after_the_other_as_in_keras() -> None:
    spec = "input: [5, 3]\nlayers:\n  - LSTM: {units: 8, return_state: true}\n"
    report = trace(parse_spec(Source("m.yaml", spec), "m"))
    text = render_reports([report], "csv", Style(columns=("output_shape",)))
    assert text.splitlines()[1] == '"[(None, 8), (None, 8), (None, 8)]"'
    (row,) = json.loads(render_reports([report], "json", Style()))["layers"]
    assert row["output_shape"] == [[None, 8], [None, 8], [None, 8]]


def test_a_long_name_widens_few_rows_and_is_wrapped_among_many() -> None:
    few, many = (
        render_grids(
            [Grid("m", [Column("Name", str)], [["n" * 1000], *[["n"]] * rows], [])], "text", Style()
        )
        for rows in (9, 100_000)
    )
    assert max(map(len, few.splitlines())) == 1000
    assert max(map(len, many.splitlines())) == 2**25 // 100_002
    assert many.replace("\n", "").count("n") == 101_000


@pytest.mark.parametrize("format", ["table", "text"])
def test_a_table_longer_than_the_screen_has_no_rules_between_rows(format: str) -> None:
    report = dense_calc.summarize(SPECS / "lenet5.yaml")
    ruled = render_reports([report], format, Style())
    compact = render_reports([report], format, Style(compact=True))
    length = ruled.count("\n")
    assert length - compact.count("\n") == len(report.layers) - 1
    assert render_reports([report], format, Style(height=length + 1)) == ruled
    assert render_reports([report], format, Style(height=length)) == compact


@pytest.mark.parametrize(("width", "format"), [(54, "table"), (40, "table"), (40, "text")])
def test_a_table_of_numbers_wraps_within_its_columns(width: int, format: str) -> None:
    titles = ("conv2d_1.filters", "Trainable", "Size")
    columns = [Column(title, str, is_number=True) for title in titles]
    grid = Grid("sizes", columns, [["1,600", "1,234,567", "4.71 MB"]], [])
    text = render_grids([grid], format, Style(width=width))
    assert max(map(display_width, text.splitlines())) <= width
    assert all(number in text for number in ("1,600", "1,234,567", "4.71 MB"))


@given(st.integers(1, 40))
def test_what_is_painted_is_painted_whole_at_any_width(width: int) -> None:
    report = dense_calc.summarize(SPECS / "gpt2.yaml")
    plain = render_reports([report], "table", Style(width=width))
    painted = render_reports([report], "table", Style(width=width, color=True))
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain
    left = re.sub(r"\x1b\[[\d;]+m[^\x1b]*\x1b\[0m", "", painted.partition("╇")[2].partition("└")[0])
    for cells in re.findall(r"│(.*?)│(.*?)│", left):
        assert not re.search("[Noe0-9]", cells[1])
