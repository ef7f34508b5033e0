"""`dense-calc check`: exit statuses, files, folders and patterns, and what it prints."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, work
from support.checked_models import MODEL

from dense_calc.cli.file_arguments import expand_file_arguments
from dense_calc.render.checks import VERDICT_FORMATS


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
    assert file["error"] == "the model has no layer 'tail'; use body, norm, head"
    assert [(check["limit"], check["ok"]) for check in file["checks"]] == [(100, False)]
    for format in VERDICT_FORMATS:
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
        found = dict(expand_file_arguments([str(folder.joinpath("ring", *"*" * steps, "m.yaml"))]))
        assert {Path(file).resolve().parent for file in found} == set(ring)

    assert work(lambda: look(40)) < 15 * work(lambda: look(4))


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes there")
def test_a_pattern_waits_for_no_pipe(folder: Path, run: Run) -> None:
    os.mkfifo(folder / "within.pipe.yaml")
    assert [each["file"] for each in asked(run, folder, "within*")["files"]] == ["within.yaml"]


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
        "  ok    params  276  at most 300  24 left (8.0%)\n"
        "over.yaml: over budget\n"
        "  over  params  276  at most 100  176 over (176.0%)\n"
        "        144  52.2%  body (Dense)\n"
        "         68  24.6%  head (Dense)\n"
        "         64  23.2%  norm (BatchNormalization)\n"
        "broken.yaml: broken\n"
        "plain.yaml: no limits\n"
        "4 files: 1 broken, 1 over budget, 1 within budget, 1 no limits\n"
    )
    assert result.stderr.startswith(
        "broken.yaml:6:18: error: a limit must be a number such as 100k"
    )


@pytest.mark.parametrize("width", [1, 10, 20, 30, 40, 60])
def test_nothing_is_cut_where_it_is_narrow(width: int, folder: Path, run: Run) -> None:
    result = run("check", "over.yaml", "--width", str(width), cwd=folder)
    whole = "over params 276 at most 100 176 over (176.0%) 144 52.2% body (Dense) 68 24.6%"
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
