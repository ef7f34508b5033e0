"""The gallery and the first spec: models to start from, from any folder."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml
from conftest import ROOT, SPECS, Run

import dense_calc
from dense_calc.cli import command_line
from dense_calc.files.gallery_files import gallery_names

NAMES = sorted(path.stem for path in SPECS.glob("*.yaml"))
MODEL = "input: [3]\nlayers: [Dense: {units: 4}]\n"  # 16 parameters
UNKNOWN = "the gallery has no 'gpt3'; did you mean 'gpt2'?"


def help_examples() -> list[tuple[str, str]]:
    """The example in the help of the command line itself, and of each of its commands."""
    context = click.Context(command_line)
    commands = {"": command_line} | {
        name: command_line.get_command(context, name)
        for name in command_line.list_commands(context)
    }
    found = []
    for name, command in commands.items():
        assert command is not None
        example = re.search(r"^ *Example: dense-calc (.*)$", command.help or "", re.MULTILINE)
        found.append((name, example[1] if example else ""))
    return found


@pytest.mark.parametrize(("name", "example"), help_examples())
def test_the_example_in_a_help_runs_in_an_empty_folder(
    name: str, example: str, run: Run, tmp_path: Path
) -> None:
    assert example.startswith(name)
    result = run(*shlex.split(example), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_list_has_every_spec_with_its_count_and_its_source(run: Run, tmp_path: Path) -> None:
    rows = json.loads(run("gallery", "--format", "json", cwd=tmp_path).stdout)
    assert [row["name"] for row in rows] == NAMES == gallery_names()
    assert all(row["description"] and row["source"] for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert by_name["llama3.2-1b"] == {
        "name": "llama3.2-1b",
        "total_params": 1_235_814_400,
        "description": "Llama 3.2, 1B: the matrix that embeds the tokens also makes the scores",
        "source": "Llama-3.2-1B as published",
    }
    assert by_name["gpt2"]["description"] == "GPT-2 (small)"
    table = run("gallery", cwd=tmp_path).stdout
    assert all(f"{row['total_params']:,}  {row['description']}" in table for row in rows)


@pytest.mark.parametrize("name", ["lenet5", "dcgan"])
def test_a_model_is_printed_as_its_file_is(name: str, run: Run, tmp_path: Path) -> None:
    text = (SPECS / f"{name}.yaml").read_bytes()
    assert run("gallery", name, cwd=tmp_path).stdout.encode() == text
    assert run("gallery", name, "-o", "my.yaml", cwd=tmp_path, LC_ALL="C").stdout == ""
    assert (tmp_path / "my.yaml").read_bytes() == text


@pytest.mark.parametrize(
    "command",
    [
        "gallery lenet5 -o model.dense-calc.yaml",
        "gallery --format json -o model.dense-calc.yaml",
        "init",
        "init model.dense-calc.yaml",
    ],
)
def test_a_file_is_kept_unless_force_is_given(command: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model.dense-calc.yaml"
    path.write_text("mine", "utf-8")
    result = run(*command.split(), cwd=tmp_path)
    message = f"error: cannot write {path.name}: it exists; --force replaces it\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)
    assert path.read_text("utf-8") == "mine"
    assert run(*command.split(), "--force", cwd=tmp_path).returncode == 0
    assert path.read_text("utf-8") != "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gallery", "gpt3"), UNKNOWN),
        (("summary", "gallery:gpt3"), UNKNOWN),
        (("check", "gallery:gpt3"), UNKNOWN),
        (("summary", "gallery:gpt2.yaml"), "has no 'gpt2.yaml'; did you mean 'gpt2'?"),
        (("summary", "gallery:../specs/gpt2"), "has no '../specs/gpt2'"),
        (("summary", "gallery:\x1b[31m"), r"has no '\x1b[31m'"),
        (("summary", "gallery:"), "has no ''"),
        (("gallery", "gpt2", "--format", "json"), "--format is for the list"),
        (("init", ""), "'' names no file"),
        (("summary", "gallery:mnist", "--verify-weights"), "mnist.yaml"),
        (
            ("diff", "--base", "HEAD", "gallery:mnist"),
            "cannot read HEAD:gallery:mnist: the gallery has no revisions",
        ),
    ],
)
def test_a_mistake_is_told(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path
) -> None:
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        "summary gallery:lenet5",
        "summary gallery:lenet5 --set width=12 --compare",
        "explain gallery:lenet5 dense",
        "check gallery:lenet5",
        "diff gallery:lenet5 gallery:mnist",
        "sweep gallery:lenet5 --set width=6,12",
        "fit gallery:lenet5 --vary width",
        "growth gallery:lenet5 --vary width",
        "convert gallery:lenet5 --to keras",
    ],
)
def test_a_command_reads_the_gallery_as_a_file(command: str, run: Run, tmp_path: Path) -> None:
    """Whatever hostile file of that name stands in the folder."""
    for name in ("gallery:lenet5", "gallery:mnist"):
        (tmp_path / name).write_text("a trap", "utf-8")
    result = run(*command.split(), cwd=tmp_path)
    files = run(
        *(
            word.replace("gallery:", f"{SPECS}/") + ".yaml" * word.startswith("gallery:")
            for word in command.split()
        )
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.replace("gallery:", "") == re.sub(
        rf"{re.escape(str(SPECS))}/(\w+)\.yaml", r"\1", files.stdout
    )


@pytest.mark.skipif(os.name == "nt", reason="no file is called so there")
def test_a_file_named_like_a_model_of_the_gallery_is_read_by_its_path(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "gallery:gpt2").write_text(MODEL, "utf-8")
    (tmp_path / "-").write_text(MODEL, "utf-8")
    one = run("summary", "./gallery:gpt2", "--format", "json", cwd=tmp_path)
    assert json.loads(one.stdout)["total_params"] == 16
    (tmp_path / "gallery:mine").mkdir()
    (tmp_path / "gallery:mine" / "m.yaml").write_text(MODEL, "utf-8")
    every = run("check", "*", "--max-params", "15", "--format", "json", cwd=tmp_path)
    files = [each["file"] for each in json.loads(every.stdout)["files"]]
    assert files == ["./-", "./gallery:gpt2", "./gallery:mine/m.yaml"]
    apart = run("check", "gallery:gpt2", "./gallery:gpt2", "--format", "json", cwd=tmp_path)
    assert len(json.loads(apart.stdout)["files"]) == 2


def test_the_functions_of_the_library_read_the_gallery() -> None:
    assert dense_calc.load("gallery:lenet5").name == "lenet5"
    assert dense_calc.summarize(Path("gallery:lenet5"), width=12).total_params == 64_262
    assert dense_calc.sweep("gallery:lenet5", {"width": [12]})[0]["total_params"] == 64_262
    assert dense_calc.fit("gallery:lenet5", "width")[0]["set"] == {"width": 95}


def test_the_hook_takes_what_init_writes_and_no_other_yaml(run: Run, tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    run("init", cwd=tmp_path)
    (written,) = (path.name for path in tmp_path.iterdir())
    models = (written, f"models/{written}", "net.dense-calc.yml", "saved/net.keras")
    assert all(re.search(hook["files"], name) for name in models)
    others = ("models/deployment.yaml", "specs/api.yaml", "dense-calc.yaml", "net.keras.yaml")
    assert not any(re.search(hook["files"], name) for name in others)


@pytest.mark.parametrize(
    ("file", "word"), [(None, "model.dense-calc.yaml"), ("a b.yml", "'a b.yml'")]
)
def test_what_init_says_to_run_next_runs(
    file: str | None, word: str, run: Run, tmp_path: Path
) -> None:
    result = run("init", *([file] if file else []), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    commands = re.findall("^  dense-calc (.*)$", result.stdout, re.MULTILINE)
    assert [command.partition(" ")[0] for command in commands] == ["summary", "check", "fit"]
    for command in commands:
        assert word in command
        done = run(*shlex.split(command), cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_first_spec_is_short_and_printed_by_a_dash(run: Run, tmp_path: Path) -> None:
    text = run("init", "-", cwd=tmp_path).stdout
    assert not list(tmp_path.iterdir())
    assert text.count("\n") <= 20
    commands = re.findall("dense-calc (summary|sweep|gallery|layers|check)( [^ `]+)?", text)
    assert len(commands) == 5
