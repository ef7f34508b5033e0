"""Names and values of the command line that are no text, or would speak to the terminal."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from conftest import Run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such names")

SPEC = """\
vars: {width: 4}
input: [8]
layers: [Dense: {units: width}, Dense: {units: 2, name: head}]
"""
NAMES = {"bytes": "\udcff\udc80.yaml", "marks": "a\x1b[31m\n\r\u202eb.yaml"}
# a command on a file FILE, in every format
READING = [
    *(f"summary FILE --format {each}" for each in ("table", "text", "json", "csv", "markdown")),
    *(f"summary FILE --set width=9 --compare --format {each}" for each in ("text", "json")),
    *(f"explain FILE --format {each}" for each in ("text", "json")),
    *(
        f"check FILE --max-params 1 --format {each}"
        for each in ("text", "json", "github", "junit", "sarif", "markdown")
    ),
    *(f"diff FILE FILE --format {each}" for each in ("text", "json", "markdown")),
    *(f"sweep FILE --set width=3:5 --format {each}" for each in ("text", "json", "csv", "chart")),
    *(f"fit FILE --vary width --max-params 100 --format {each}" for each in ("text", "json")),
    *(f"growth FILE --vary width --format {each}" for each in ("text", "json")),
    *(f"convert FILE --to {each}" for each in ("keras", "yaml")),
]
# a command with a word WORD, which fits nowhere
WORDS = [
    *("WORD", "--WORD", "layers WORD", "schema WORD", "explain FILE WORD", "check *WORD*"),
    *("summary WORD", "diff FILE WORD", "fit WORD --vary width", "growth WORD --vary width"),
    *(
        f"summary FILE {each}"
        for each in (
            *("--set WORD", "--set width=WORD", "--set WORD=3", "--set input=WORD"),
            *("--set head.WORD=3", "--set head.units=WORD", "--set head.activation=WORD"),
            *("--assume WORD", "--columns WORD", "--width WORD", "--format WORD", "--depth WORD"),
            *("-o none/WORD", "--WORD", "--ascii=WORD"),
        )
    ),
    *("check FILE --max-params WORD", "check FILE --max-increase WORD --base HEAD"),
    *("diff FILE --base WORD", "sweep FILE --set width=WORD", "sweep FILE --set WORD=1,2"),
    *(
        f"sweep FILE --set width=1,2 {each}"
        for each in (
            "--where WORD",
            "--where WORD<3",
            "--sort WORD",
            "--plot WORD",
            "--jobs WORD",
        )
    ),
    *("fit FILE --vary WORD", "fit FILE --vary width --min WORD", "growth FILE --vary WORD"),
    *("growth FILE --vary width --max WORD=5", "convert FILE --to WORD", "convert FILE -o WORD"),
]


def arguments(command: str, **words: str) -> list[str]:
    """The arguments of a command, with words for those that stand for some."""
    return [re.sub("FILE|WORD", lambda found: words[found[0]], each) for each in command.split()]


def is_quiet(text: str) -> bool:
    """Whether a text can be printed anywhere without speaking to what shows it."""
    return all(char.isprintable() for line in text.split("\n") for char in line)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", READING)
def test_the_name_of_a_file_is_shown_escaped(
    command: str, name: str, tmp_path: Path, run: Run
) -> None:
    (tmp_path / name).write_text(SPEC, "utf-8")
    result = run(*arguments(command, FILE=name), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (int("--max-params 1 " in command), "")
    assert is_quiet(result.stdout)
    if "json" in command and not command.startswith("sweep"):
        json.loads(result.stdout)


@pytest.mark.parametrize("word", ["\udcff\udc80", "\x1b[31m\n\r\u202e"], ids=["bytes", "marks"])
@pytest.mark.parametrize("command", WORDS)
def test_a_word_that_fits_nowhere_is_told_escaped(
    command: str, word: str, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "m.yaml").write_text(SPEC, "utf-8")
    result = run(*arguments(command, FILE="m.yaml", WORD=word), cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, result.stdout * command.startswith("check"))
    assert is_quiet(result.stdout + result.stderr)
    assert re.search("(?i)^(.*: )?error: ", result.stderr, re.MULTILINE)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("environ", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii:strict"}])
def test_an_encoding_without_a_name_shows_it_escaped(
    environ: dict[str, str], tmp_path: Path, run: Run
) -> None:
    (tmp_path / "größe.yaml").write_text(SPEC, "utf-8")
    result = run("check", "größe.yaml", "maße.yaml", cwd=tmp_path, **environ)
    assert "gr" in result.stdout
    assert result.stderr.startswith("error: cannot read ma")
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)


@pytest.mark.parametrize("size", ["1" + "0" * 20, "1" + "0" * 5000])
@pytest.mark.parametrize(
    "command",
    [
        *("sweep m.yaml --set width=1,2 --jobs", "sweep m.yaml --set width=1,2 --top"),
        *("summary m.yaml --depth", "summary m.yaml --width", "check m.yaml --max-params"),
        *("fit m.yaml --vary width --max-params 100 --max", "growth m.yaml --vary width --max"),
    ],
)
def test_no_size_is_too_large(command: str, size: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.yaml").write_text(SPEC, "utf-8")
    result = run(*command.split(), size, cwd=tmp_path)
    assert result.returncode == (2 if result.stderr else 0)
    assert "Traceback" not in result.stderr
