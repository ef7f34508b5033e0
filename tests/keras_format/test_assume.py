"""`--assume`: what a class of one's own is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from support.functional import model_of

from dense_calc.tracing.tracer import trace

CUSTOM = json.dumps(
    {
        "class_name": "Sequential",
        "module": "keras",
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "module": "keras.layers",
                    "config": {"batch_shape": [None, 8], "name": "i"},
                },
                {
                    "class_name": "Scale",
                    "module": "lab.layers",
                    "registered_name": "lab>Scale",
                    "config": {"name": "scale", "dim": 5, "trainable": True},
                },
                {
                    "class_name": "Dense",
                    "module": "keras.layers",
                    "config": {
                        "name": "d",
                        "units": 2,
                        "activation": {
                            "module": "builtins",
                            "class_name": "function",
                            "config": "squash",
                            "registered_name": "function",
                        },
                    },
                },
            ],
        },
    },
    indent=1,
)


@pytest.mark.parametrize(
    ("assume", "params"),
    [
        ({"Scale": "identity"}, 0),
        ({"lab>Scale": "identity"}, 0),
        ({"scale": "Identity"}, 0),
        ({"Scale": "{weights: {gamma: [dim, 2 * dim], moving: [3]}, frozen: [moving]}"}, 53),
    ],
)
def test_what_a_class_is_may_be_assumed(assume: dict[str, str], params: int) -> None:
    report = trace(model_of(CUSTOM, squash="identity", **assume))
    row = report.layers[0]
    assert (row.name, row.type, row.output_shape, row.params) == (
        "scale",
        "Scale",
        (None, 8),
        params,
    )
    assert row.non_trainable_params == (3 if params else 0)
    assert report.total_params == params + 8 * 2 + 2


def test_an_assumed_output_shape_holds_for_what_follows() -> None:
    report = trace(model_of(CUSTOM, squash="identity", Scale="{output_shape: [dim + 1]}"))
    assert [row.output_shape for row in report.layers] == [(None, 6), (None, 2)]


def test_assumptions_on_the_command_line(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "m.json"
    path.write_text(CUSTOM, "utf-8")
    refused = run("summary", "m.json", "--assume", "squash=identity", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == (
        "m.json:19:19: error: 'Scale' (lab>Scale) is unknown, and no code is run; state what it "
        "does: --assume Scale=identity, or --assume 'Scale={output_shape: [64], weights: "
        "{kernel: [10, 64]}}'\n"
        ' 19 |     "class_name": "Scale",\n'
        "                        ^^^^^^^\n"
    )
    refused = run("summary", "m.json", "--assume", "Scale=identity", cwd=tmp_path)
    assert refused.stderr.startswith(
        "m.json:34:20: error: 'squash' is unknown, and no code is run; if it does not change the "
        "shape: --assume squash=identity\n"
    )
    done = run(
        "summary",
        "m.json",
        "--assume",
        "Scale=identity",
        "--assume",
        "squash=identity",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "scale (Scale)" in done.stdout
    refused = run("summary", "m.json", "--assume", "Scale=7", cwd=tmp_path)
    assert refused.stderr.splitlines()[0] == (
        "--assume Scale:1:1: error: assume 'identity', or {output_shape: [...], weights: {...}}, "
        "not 7"
    )
    refused = run("convert", "m.json", "--to", "keras", "--assume", "Scale=identity",
                  "--assume", "squash=identity", cwd=tmp_path)  # fmt: skip
    assert "error: Keras has no class Scale, so it has no JSON of it" in refused.stderr
