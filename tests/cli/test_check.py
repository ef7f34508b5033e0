"""`dense-calc check`: limits held against models, exit statuses, files, and what it prints."""

from __future__ import annotations

import fnmatch
import json
import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, work

from dense_calc.analysis import patterns
from dense_calc.analysis.budget import Check, checks
from dense_calc.analysis.patterns import A_MATCH, bounded
from dense_calc.cli.file_arguments import each_file
from dense_calc.errors import Source, SpecError
from dense_calc.render.checks import FORMATS
from dense_calc.spec_language import parse
from dense_calc.tracing.tracer import trace

# 8 → 16: 144; 16 → 4: 68; the normalization has 32 trained and 32 more.
MODEL = """\
input: [8]
layers:
  - Dense: {units: 16, name: body}
  - BatchNormalization: {name: norm}
  - Dense: {units: 4, name: head}
"""
WHOLE, TRAINED = 144 + 64 + 68, 144 + 32 + 68

# One block thrice, and a model inside.
NESTED = """\
input: [8]
blocks:
  part:
    - Dense: {units: 8, name: dense}
    - Dense: {units: 8, name: wide, use_bias: false}
layers:
  - part: {repeat: 3}
  - Sequential:
      name: inner
      input: [8]
      layers: [Dense: {units: 4, name: one}, Dense: {units: 2, name: two}]
  - Dense: {units: 5, name: head_a}
  - Dense: {units: 5, name: head_b}
"""
DENSE, WIDE, ONE, TWO, HEAD_A, HEAD_B = 72, 64, 36, 10, 15, 30


def checked(text: str) -> list[Check]:
    """The checks of a spec."""
    model = parse(Source("m.yaml", text), "m")
    return list(checks(trace(model), model.limits))


def test_each_limit_is_held_against_its_value() -> None:
    limits = "budget: {params: 300, trainable: 243, size: 1KiB, min_params: 277}\n"
    assert [(c.what, c.rule, c.limit, c.value, c.ok, c.slack) for c in checked(MODEL + limits)] == [
        ("params", "max", 300, WHOLE, True, 24),
        ("trainable", "max", 243, TRAINED, False, -1),
        ("size", "max", 1024, 4 * WHOLE, False, -80),
        ("params", "min", 277, WHOLE, False, -1),
    ]


@pytest.mark.parametrize(("limit", "ok"), [(WHOLE - 1, False), (WHOLE, True), (WHOLE + 1, True)])
def test_a_limit_itself_is_within(limit: int, ok: bool) -> None:
    assert checked(f"{MODEL}budget: {{params: {limit}}}")[0].ok is ok


@pytest.mark.parametrize(("limit", "ok"), [(WHOLE - 1, True), (WHOLE, True), (WHOLE + 1, False)])
def test_a_minimum_itself_is_enough(limit: int, ok: bool) -> None:
    assert checked(f"{MODEL}budget: {{min_params: {limit}}}")[0].ok is ok


def test_slack_is_in_per_cent_of_the_limit() -> None:
    assert checked(f"{MODEL}budget: {{params: 552}}")[0].percent == 50.0
    assert checked(f"{MODEL}budget: {{params: 138}}")[0].percent == -100.0
    assert checked(f"{MODEL}budget: {{params: 0}}")[0].percent is None
    assert checked(f"{MODEL}budget: {{min_params: 552}}")[0].percent == -50.0


def test_a_size_counts_each_weight_in_its_dtype() -> None:
    half = MODEL.replace("name: body", "name: body, dtype: float16")
    assert checked(f"{half}budget: {{size: 1k B}}".replace("1k B", "1kB"))[0].value == (
        2 * 144 + 4 * (64 + 68)
    )


def test_a_limit_may_be_an_expression_over_vars() -> None:
    check = checked(f"vars: {{width: 10}}\n{MODEL}budget: {{params: 2 * width ** 2}}")[0]
    assert (check.limit, check.given, check.ok) == (200, None, False)


def test_a_limit_knows_where_it_stands() -> None:
    text = f"{MODEL}budget:\n  params: 5M\n  layers:\n    head: {{size: 1}}\n"
    assert [(c.line, c.column, c.given) for c in checked(text)] == [(7, 11, "5M"), (9, 18, None)]


# a name or a pattern → the parameters of all that it means
MEANT = {
    "head_a": HEAD_A,
    "head*": HEAD_A + HEAD_B,
    "head_?": HEAD_A + HEAD_B,
    "head_[b]": HEAD_B,
    "part": 3 * (DENSE + WIDE),
    "part/dense": 3 * DENSE,
    "part_1": DENSE + WIDE,
    "part_*": 3 * (DENSE + WIDE),
    "part_1/dense": DENSE,
    "part_*/dense": 3 * DENSE,
    "*/wide": 3 * WIDE,
    "inner": ONE + TWO,
    "inner/two": TWO,
    "inner/*": ONE + TWO,
    "*": 3 * (DENSE + WIDE) + ONE + TWO + HEAD_A + HEAD_B,
}


@pytest.mark.parametrize("pattern", MEANT)
def test_a_limit_on_layers_is_on_all_together(pattern: str) -> None:
    (check,) = checked(f"{NESTED}budget: {{layers: {{'{pattern}': {{params: 1}}}}}}")
    assert (check.value, check.layers, check.ok) == (MEANT[pattern], pattern, False)


@pytest.mark.parametrize("name", ["one", "again", "*n*"])
def test_a_layer_that_is_called_again_counts_once_by_either_name(name: str) -> None:
    text = (
        "inputs: {a: [8], b: [8]}\nlayers:\n  - Dense: {units: 8, name: deep, from: b}\n"
        "  - {reuse: one, name: again, from: deep}\n  - Dense: {units: 4, name: one, from: a}\n"
        "  - Add: {name: sum, from: [again, one]}\n"
    )
    (check,) = checked(f"{text}budget: {{layers: {{'{name}': {{params: 1}}}}}}")
    assert check.value == 36


def test_a_limit_with_each_is_on_each_layer_or_copy() -> None:
    text = (
        "budget: {layers: {'head*': {params: 20, each: true}, 'part_*': {params: 1, each: true}}}"
    )
    assert [(c.layers, c.value, c.ok) for c in checked(NESTED + text)] == [
        ("head_a", HEAD_A, True),
        ("head_b", HEAD_B, False),
        *((f"part_{index}", DENSE + WIDE, False) for index in range(3)),
    ]


def test_the_largest_layers_are_told_of_what_is_over_alone() -> None:
    over, within, least = checked(f"{NESTED}budget: {{params: 99, size: 1MB, min_params: 1M}}")
    parts = [(part.name, part.type, part.value, part.repeat) for part in over.largest]
    assert parts == [
        ("part/dense", "Dense", 3 * DENSE, 3),
        ("part/wide", "Dense", 3 * WIDE, 3),
        ("inner", "Sequential", ONE + TWO, 1),
        ("head_b", "Dense", HEAD_B, 1),
        ("head_a", "Dense", HEAD_A, 1),
    ]
    assert sum(part.percent for part in over.largest) == pytest.approx(100)
    assert within.largest == least.largest == ()


def test_a_layer_of_one_copy_is_told_by_its_own_name() -> None:
    (check,) = checked(f"{NESTED}budget: {{layers: {{part_1: {{params: 1}}}}}}")
    assert [part.name for part in check.largest] == ["part_1/dense", "part_1/wide"]


EXPECTED = {
    f"params: {WHOLE}": True,
    f"params: {WHOLE + 1}": False,
    f"params: {WHOLE - 1}": False,
    f"trainable: {TRAINED}": True,
    f"trainable: {WHOLE}": False,
    "output_shape: [null, 4]": True,
    "output_shape: [null, 5]": False,
    "output_shape: [[null, 4]]": False,
    "output_shape: [4]": False,
}


@pytest.mark.parametrize("fact", EXPECTED)
def test_an_expectation_is_exact(fact: str) -> None:
    (check,) = checked(f"{MODEL}expect: {{{fact}, source: here}}")
    assert (check.rule, check.ok) == ("exact", EXPECTED[fact])
    assert bool(check.largest) is (fact == f"params: {WHOLE - 1}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Models of every sort, in a folder."""
    files = {
        "within.yaml": f"{MODEL}budget: {{params: 300}}\n",
        "over.yaml": f"{MODEL}budget: {{params: 100}}\n",
        "broken.yaml": f"{MODEL}budget: {{params: 5X}}\n",
        "unshaped.yaml": MODEL.replace(
            "BatchNormalization: {", "Conv1D: {filters: 1, kernel_size: 2, "
        ),
        "plain.yaml": MODEL,
        "below/more.yml": f"{MODEL}budget: {{params: 300}}\n",
        "below/.hidden.yaml": "nothing",
        ".git/config.yaml": "nothing",
        "below/notes.json": '{"params": 3}',
        "below/README.md": "nothing",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


STATUSES: list[tuple[str, int]] = [
    ("within.yaml", 0),
    ("plain.yaml", 0),
    ("over.yaml", 1),
    ("broken.yaml", 2),
    ("unshaped.yaml", 2),
    ("missing.yaml", 2),
    ("missing*.yaml", 2),
    ("within.yaml over.yaml", 1),
    ("over.yaml within.yaml", 1),
    ("over.yaml broken.yaml", 2),
    ("broken.yaml over.yaml", 2),
    ("broken.yaml within.yaml", 2),
    ("over.yaml missing.yaml", 2),
    ("plain.yaml --max-params 276", 0),
    ("plain.yaml --max-params 275", 1),
    ("plain.yaml --max-trainable 244", 0),
    ("plain.yaml --max-trainable 243", 1),
    ("plain.yaml --max-size 1104", 0),
    ("plain.yaml --max-size 1103B", 1),
    ("plain.yaml --min-params 276", 0),
    ("plain.yaml --min-params 277", 1),
    ("plain.yaml --min-params 1 --max-params 1k --max-size 1KiB", 1),
    ("over.yaml --max-params 5M", 1),
    ("within.yaml --max-params 5", 1),
    ("broken.yaml --max-params 5", 2),
    ("plain.yaml --max-params five", 2),
    ("plain.yaml --max-params -5", 2),
    ("plain.yaml --max-params nan", 2),
    ("plain.yaml --max-size 5M", 2),
    ("plain.yaml --max-increase 5%", 2),
    ("plain.yaml --base HEAD", 2),
    ("plain.yaml --allow-missing-base", 2),
    ("--max-params 5", 2),
]


@pytest.mark.parametrize(("arguments", "status"), STATUSES)
def test_the_exit_status(arguments: str, status: int, folder: Path, run: Run) -> None:
    result = run("check", *arguments.split(), cwd=folder)
    assert result.returncode == status, result
    assert "Traceback" not in result.stderr


def asked(run: Run, folder: Path, *arguments: str) -> dict[str, Any]:
    """What `check --format json` says."""
    found: dict[str, Any] = json.loads(
        run("check", *arguments, "--format", "json", cwd=folder).stdout
    )
    return found


def test_every_file_is_checked_whatever_is_wrong_with_the_others(folder: Path, run: Run) -> None:
    found = asked(run, folder, "broken.yaml", "over.yaml", "gone*", "within.yaml", "unshaped.yaml")
    assert found["ok"] is False
    assert [(each["file"], each["ok"], "error" in each) for each in found["files"]] == [
        ("broken.yaml", False, True),
        ("over.yaml", False, False),
        ("gone*", False, True),
        ("within.yaml", True, False),
        ("unshaped.yaml", False, True),
    ]
    assert found["files"][0]["line"] == 6
    assert found["files"][2]["error"] == "no file matches 'gone*'"
    assert found["files"][4]["line"] == 4


def test_a_broken_limit_does_not_hide_one_that_is_over(folder: Path, run: Run) -> None:
    limits = "budget: {params: 100, layers: {tail: {params: 1}}}"
    (folder / "both.yaml").write_text(f"{MODEL}{limits}\n", "utf-8")
    (file,) = asked(run, folder, "both.yaml")["files"]
    assert file["error"] == "the model has no layer 'tail'; there is body, norm, head"
    assert [(check["limit"], check["ok"]) for check in file["checks"]] == [(100, False)]
    for format in FORMATS:
        result = run("check", "both.yaml", "--format", format, cwd=folder)
        assert result.returncode == 2
        assert "has no layer 'tail'" in result.stdout + result.stderr
        assert "276" in result.stdout


def test_what_set_gets_wrong_is_no_place_in_the_file(folder: Path, run: Run) -> None:
    (folder / "vars.yaml").write_text(f"vars: {{width: 3}}\n{MODEL}", "utf-8")
    (file,) = asked(run, folder, "vars.yaml", "--set", "width=1)")["files"]
    assert "neither a number nor an expression" in file["error"]
    assert "line" not in file


def test_the_json_is_the_contract(folder: Path, run: Run) -> None:
    found = asked(run, folder, "over.yaml")
    assert (found["ok"], found["files"][0]["file"], found["files"][0]["ok"]) == (
        False,
        "over.yaml",
        False,
    )
    (check,) = found["files"][0]["checks"]
    told = {"what": "params", "limit": 100, "value": 276, "ok": False, "slack": -176}
    assert told.items() <= check.items()
    assert asked(run, folder, "within.yaml", "plain.yaml")["ok"] is True


def test_a_folder_stands_for_the_models_in_it(folder: Path, run: Run) -> None:
    (folder / "below" / "keras.json").write_text(
        '{"class_name": "Sequential", "config": {}}', "utf-8"
    )
    files = [each["file"] for each in asked(run, folder, "below")["files"]]
    assert files == [str(Path("below", "keras.json")), str(Path("below", "more.yml"))]
    assert asked(run, folder, "below", "below/more.yml", "./below/*.yml")["files"][2:] == []
    (folder / "empty").mkdir()
    result = run("check", "empty", cwd=folder)
    assert result.returncode == 2
    assert result.stderr == (
        "error: there is no model in 'empty'; a folder stands for the .yaml, .yml and .keras files "
        "and Keras' JSON in it\n"
    )


def test_a_pattern_may_go_into_folders(folder: Path, run: Run) -> None:
    files = [each["file"] for each in asked(run, folder, "**/*.yml", "w*.yaml")["files"]]
    assert files == [str(Path("below", "more.yml")), "within.yaml"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_pattern_goes_into_each_folder_once_at_each_step(folder: Path) -> None:
    ring = [folder / "ring" / name for name in "abc"]
    for each in ring:
        each.mkdir(parents=True)
        (each / "m.yaml").write_text(MODEL, "utf-8")
    for each, other in product(ring, ring):
        (each / f"to_{other.name}").symlink_to(other)

    def look(steps: int) -> None:
        found = dict(each_file([str(folder.joinpath("ring", *"*" * steps, "m.yaml"))]))
        assert {Path(file).resolve().parent for file in found} == set(ring)

    assert work(lambda: look(40)) < 15 * work(lambda: look(4))


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes there")
def test_a_pattern_waits_for_no_pipe(folder: Path, run: Run) -> None:
    os.mkfifo(folder / "within.pipe.yaml")
    assert [each["file"] for each in asked(run, folder, "within*")["files"]] == ["within.yaml"]


def test_a_flood_of_checks_is_an_error() -> None:
    layers = "".join("  - ReLU\n" for _ in range(1001))
    limits = "".join(
        f"    '{'*' * (index + 1)}': {{params: 1, each: true}}\n" for index in range(100)
    )
    with pytest.raises(SpecError, match="more than 50,000 checks; limit fewer layers each"):
        checked(f"input: [8]\nlayers:\n{layers}budget:\n  layers:\n{limits}")


def test_standard_input_is_a_file(run: Run) -> None:
    result = run("check", "-", "--max-params", "100", stdin=MODEL)
    assert result.returncode == 1
    assert result.stdout.startswith("<stdin>: over budget\n")


def test_what_is_wrong_has_a_name(folder: Path, run: Run) -> None:
    for limits, said in (
        ("budget: {min_params: 300}", "below its minimum"),
        ("expect: {params: 3}", "not as expected"),
        ("budget: {params: 3, min_params: 300}", "over budget"),
    ):
        (folder / "wrong.yaml").write_text(f"{MODEL}{limits}\n", "utf-8")
        assert run("check", "wrong.yaml", cwd=folder).stdout.startswith(f"wrong.yaml: {said}\n")


def test_what_people_read(folder: Path, run: Run) -> None:
    result = run("check", "within.yaml", "over.yaml", "broken.yaml", "plain.yaml", cwd=folder)
    assert result.stdout == (
        "within.yaml: within budget\n"
        "  ok    params  276  at most 300  24 left (8.0 %)\n"
        "over.yaml: over budget\n"
        "  over  params  276  at most 100  176 over (176.0 %)\n"
        "        144  52.2 %  body (Dense)\n"
        "         68  24.6 %  head (Dense)\n"
        "         64  23.2 %  norm (BatchNormalization)\n"
        "broken.yaml: broken\n"
        "plain.yaml: no limits\n"
        "4 files: 1 broken, 1 over budget, 1 within budget, 1 no limits\n"
    )
    assert result.stderr.startswith("broken.yaml:6:18: error: a limit is a number such as 100k")


@pytest.mark.parametrize("width", [1, 10, 20, 30, 40, 60])
def test_nothing_is_cut_where_it_is_narrow(width: int, folder: Path, run: Run) -> None:
    result = run("check", "over.yaml", "--width", str(width), cwd=folder)
    whole = "over params 276 at most 100 176 over (176.0 %) 144 52.2 % body (Dense) 68 24.6 %"
    assert whole in " ".join(result.stdout.split())
    if width >= 40:
        assert all(len(line) <= width for line in result.stdout.splitlines())


def test_the_format_is_as_the_output_ends(folder: Path, run: Run) -> None:
    assert run("check", "over.yaml", "-o", "out.json", cwd=folder).returncode == 1
    assert json.loads((folder / "out.json").read_text("utf-8"))["ok"] is False


def test_vars_are_set_as_for_a_summary(folder: Path, run: Run) -> None:
    text = f"vars: {{width: 16}}\n{MODEL}".replace("units: 16", "units: width")
    (folder / "vars.yaml").write_text(text, "utf-8")
    arguments = ("check", "vars.yaml", "--max-params", "276")
    assert run(*arguments, cwd=folder).returncode == 0
    assert run(*arguments, "--set", "width=17", cwd=folder).returncode == 1


@pytest.mark.parametrize("name", ["a\x1b[31mb.yaml", "a\nb.yaml", "[red]x.yaml", "ü ü.yaml"])
def test_the_name_of_a_file_does_not_speak_to_the_terminal(
    name: str, tmp_path: Path, run: Run
) -> None:
    (tmp_path / name).write_text(f"{MODEL}budget: {{params: 100}}\n", "utf-8")
    for format in ("text", "json"):
        result = run("check", ".", "--format", format, cwd=tmp_path)
        assert result.returncode == 1
        assert "\x1b" not in result.stdout
        assert "a\nb" not in result.stdout


# what is limited, how much of it a model and its budget come to, the complaint, and the limits
TOO_MUCH = [
    ("MAX_ROWS", 14, "a budget may limit 13 layers", "part: {params: 1}, '*a*': {size: 1}"),
    ("MAX_CHARACTERS", 12, "names of layers in models are too long", "part: {params: 1}"),
    ("MAX_COMPARED", 3 * 145 + 17 * A_MATCH, "17 names of layers are too", "'*a*': {size: 1}"),
]


@pytest.mark.parametrize(("limit", "most", "told", "limits"), TOO_MUCH)
def test_limits_on_layers_look_at_so_much(
    limit: str, most: int, told: str, limits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{NESTED}budget: {{layers: {{{limits}}}}}"
    monkeypatch.setattr(patterns, limit, most)
    assert checked(text)
    monkeypatch.setattr(patterns, limit, most - 1)
    with pytest.raises(SpecError, match=told):
        checked(text)


@pytest.mark.parametrize("pattern", ["[", "[[", "a[", "[a][", "[]a[", "[!]", "*[[]*", "[]", "][]["])
def test_a_bracket_that_nothing_closes_is_a_sign(pattern: str) -> None:
    names = ["".join(signs) for signs in product(("", *"[]a!"), repeat=4)]
    assert fnmatch.filter(names, bounded(pattern)) == fnmatch.filter(names, pattern)


def test_brackets_are_closed_once() -> None:
    def translate(times: int) -> int:
        return work(lambda: fnmatch.translate(bounded("[" * times)))

    assert translate(4000) < 5 * translate(1000)
