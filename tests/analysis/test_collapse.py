"""Blocks folded into rows: by `--depth`, and by default where a table would be too long to read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from conftest import ROOT, Run
from support.reports import report_of
from support.terminal import terminal_output

import dense_calc
from dense_calc.analysis.collapse import (
    MAX_READABLE_ROWS,
    collapse_repeats,
    collapse_to_depth,
)
from dense_calc.render import REPORT_FORMATS, Style, render_reports
from dense_calc.report import Report

GPT2 = "specs/gpt2.yaml"
RESNET = ROOT / "specs/resnet50.yaml"


def rows(report: Report) -> list[tuple[str, int, int]]:
    """The name, the number of copies and the count of each row."""
    return [(row.name, row.repeat, row.params) for row in report.layers]


def test_a_block_is_one_row_with_its_totals() -> None:
    report = collapse_to_depth(dense_calc.summarize(ROOT / GPT2), 1)
    assert rows(report) == [
        ("tokens", 1, 0),
        ("positions", 1, 0),
        ("embedding", 1, 38_597_376),
        ("places", 1, 786_432),
        ("add", 1, 0),
        ("decoder", 12, 85_054_464),
        ("layer_normalization", 1, 1536),
        ("embedding_1", 1, 0),
    ]
    decoder = report.layers[5]
    assert decoder.type == "decoder"
    assert decoder.output_shape == (None, 1024, 768)
    assert decoder.trainable_params == decoder.params
    assert (decoder.connected_to, decoder.feeds) == (("add",), ("layer_normalization",))
    assert report.layers[4].feeds == ("decoder",)
    assert report.layers[6].connected_to == ("decoder",)
    assert report.total_params == 124_439_808


NESTED = """
    input: [4]
    blocks:
      inner: [Dense: {units: 4}]
      outer: [inner: {repeat: 2}, inner: {name: last}, Add: {from: [last, input]}]
    layers:
      - outer: {repeat: 3}
      - Dense: {units: 2, from: [outer_1/last]}
"""


def test_depth_opens_one_level_after_the_other() -> None:
    report = report_of(NESTED)
    assert rows(collapse_to_depth(report, 1)) == [
        ("input", 1, 0),
        ("outer", 3, 180),
        ("dense", 1, 10),
    ]
    assert collapse_to_depth(report, 1).layers[2].connected_to == ("outer",)
    assert rows(collapse_to_depth(report, 2)) == [
        ("input", 1, 0),
        *(
            row
            for number in range(3)
            for row in [
                (f"outer_{number}/inner", 2, 40),
                (f"outer_{number}/last", 1, 20),
                (f"outer_{number}/add", 1, 0),
            ]
        ),
        ("dense", 1, 10),
    ]
    assert collapse_to_depth(report, 3) == report


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_folding_keeps_the_totals(path: Path, depth: int) -> None:
    report = dense_calc.summarize(path)
    for folded in collapse_to_depth(report, depth), collapse_repeats(report):
        assert sum(row.params for row in folded.layers) == report.total_params
        assert sum(row.trainable_params for row in folded.layers) == report.trainable_params
        known = {row.name for row in folded.layers} | {port.name for port in report.inputs}
        for row in folded.layers:
            assert {*row.connected_to, *row.feeds} <= known
            assert row.shared_with is None or row.shared_with in known
            assert row.name not in row.connected_to


def test_repeats_that_are_alike_are_folded() -> None:
    report = collapse_repeats(dense_calc.summarize(RESNET))
    assert [(row.name, row.repeat) for row in report.layers if row.repeat > 1] == [
        ("stage/identity", 2),
        ("stage_1/identity", 3),
        ("stage_2/identity", 5),
        ("stage_3/identity", 2),
    ]


def test_repeats_that_differ_are_not_folded() -> None:
    report = report_of(
        """
        input: [4]
        blocks: {b: {params: [n], layers: [Dense: {units: n}]}}
        layers: [b: {repeat: 2, n: 4}, b: {repeat: 2, n: 5 + index}, b: {repeat: 2, n: 6}]
        """
    )
    assert [(row.name, row.repeat) for row in collapse_repeats(report).layers] == [
        ("b", 2),
        ("b_2/dense", 1),
        ("b_3/dense", 1),
        ("b_4", 2),
    ]


def test_a_block_that_is_called_again_says_shared() -> None:
    report = report_of(
        """
        inputs: {a: [3], b: [3]}
        blocks: {tower: [Dense: {units: 2}, ReLU]}
        layers: [tower: {from: a}, {reuse: tower, from: b}, Add: {from: [tower, tower_1]}]
        """
    )
    text = render_reports([collapse_to_depth(report, 1)], "text", Style())
    assert "tower (tower)               (None, 2)           8  a" in text
    assert "tower_1 (tower)             (None, 2)      shared  b" in text


def test_a_block_does_not_share_with_itself() -> None:
    report = report_of(
        """
        input: [3]
        blocks: {twice: [ReLU, {reuse: re_lu}]}
        layers: [twice]
        """
    )
    assert rows(collapse_to_depth(report, 1)) == [("input", 1, 0), ("twice", 1, 0)]
    assert collapse_to_depth(report, 1).layers[1].shared_with is None


@pytest.mark.parametrize("format", REPORT_FORMATS)
def test_every_format_tells_a_folded_block(format: str) -> None:
    text = render_reports(
        [collapse_to_depth(dense_calc.summarize(ROOT / GPT2), 1)], format, Style()
    )
    if format == "json":
        row = json.loads(text)["layers"][5]
        assert (row["name"], row["type"], row["repeat"], row["params"]) == (
            "decoder",
            "decoder",
            12,
            85_054_464,
        )
        assert json.loads(text)["layers"][7]["shared_with"] == "embedding"
    elif format == "csv":
        found = list(csv.DictReader(io.StringIO(text)))
        assert (found[5]["name"], found[5]["params"]) == ("decoder × 12", "85054464")
        assert found[7]["params"] == "0"
    else:
        assert "decoder × 12 (decoder)" in text
        assert "shared" in text
        ascii = render_reports(
            [collapse_to_depth(dense_calc.summarize(ROOT / GPT2), 1)], format, Style(ascii=True)
        )
        assert "decoder x 12 (decoder)" in ascii
        assert ascii.isascii()


def test_a_pipe_gets_every_row_unless_asked(run: Run) -> None:
    whole = run("summary", GPT2).stdout
    assert whole.count("MultiHeadAttention") == 12
    assert run("summary", GPT2, "--expand").stdout == whole
    assert "decoder × 12 (decoder)" in run("summary", GPT2, "--depth", "1").stdout
    assert (
        run("summary", GPT2, "--depth", "0").stdout == run("summary", GPT2, "--depth", "1").stdout
    )
    assert run("summary", GPT2, "--depth", "9").stdout == whole


def test_a_terminal_gets_what_can_be_read(run: Run) -> None:
    brief = terminal_output("summary", GPT2, NO_COLOR="1", COLUMNS="120")
    assert "decoder × 12 (decoder)" in brief
    assert brief.endswith(" 83 rows are folded into their blocks; --expand shows all 91\r\n")
    assert "MultiHeadAttention" not in brief
    whole = terminal_output("summary", GPT2, "--expand", NO_COLOR="1", COLUMNS="120")
    assert whole.count("MultiHeadAttention") == 12
    assert "--expand" not in whole
    text = terminal_output("summary", GPT2, "--format", "text", COLUMNS="120")
    assert "decoder × 12 (decoder)" in text
    assert "--expand shows all 91" in run("summary", GPT2, "--format", "table").stdout


@pytest.mark.parametrize("format", ["json", "csv", "markdown"])
def test_what_programs_read_is_never_folded_unasked(format: str) -> None:
    text = terminal_output("summary", GPT2, "--format", format)
    assert text.count("MultiHeadAttention") == 12


def test_a_short_table_is_shown_as_it_is() -> None:
    text = terminal_output("summary", GPT2, "--set", "depth=6", "--set", "width=12", NO_COLOR="1")
    assert MAX_READABLE_ROWS > 6 * 7 + 7
    assert text.count("MultiHeadAttention") == 6


def test_depth_and_expand_exclude_each_other(run: Run) -> None:
    result = run("summary", GPT2, "--depth", "1", "--expand")
    assert result.returncode == 2
    assert "--expand shows every level; leave out --depth." in result.stderr


def test_what_is_left_out_is_reported(run: Run, tmp_path: Path) -> None:
    layers = "".join(
        f"  - Dense: {{units: 2, name: d{number}, from: input}}\n" for number in range(20)
    )
    path = tmp_path / "m.yaml"
    path.write_text(f"input: [3]\nlayers:\n{layers}outputs: d0\n", "utf-8")
    result = run("summary", "m.yaml", cwd=tmp_path)
    assert result.returncode == 0
    assert "d1" not in result.stdout
    assert result.stderr.startswith(
        "m.yaml:4:5: warning: no output needs 'd1'; it is left out\n"
        "  4 |   - Dense: {units: 2, name: d1, from: input}\n"
        "          ^^^^^\n"
    )
    assert result.stderr.endswith("warning: and 11 more\n")
    assert json.loads(run("summary", "m.yaml", "--format", "json", cwd=tmp_path).stdout)[
        "unused"
    ] == [f"d{number}" for number in range(1, 20)]
