"""Hostile texts in every place that holds one, in every command and format: shown, never obeyed."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

import dense_calc
from dense_calc.cli import command_line, failure_message
from dense_calc.cli.streams import write_stderr

TO_TERMINALS = [*"\a\b\t\n\v\f\r\0\x1b\x7f\x85\x9b\xad\u061c\u200b\u200e\u2028\u2029\u202e\ufeff"]
TO_TERMINALS += [
    "\x1b[31m",
    "\x1b]0;title\a",
    "\x1b]8;;http://x\x1b\\",
    "\u2066a\u2069",
    "\U000e0041",
]
TO_READERS = [
    *("[bold]", "[/]", "|", "`", "```", "<script>", "![](x)", "[a](b)", "**a**", "_a_", "~~a~~"),
    *("::error::", "##[error]", "]]>", "&#10;", "&amp;", "<!--", "-->", "<![CDATA[", "%0A", "%s"),
    *("{0}", "${{ a }}", "'", '"', "\\", "\\n", "# a", ": a", " - ", "@a", "#1", "=1+1", ",", ";"),
    *("日本", "é", "e\u0301", "😀", "\ue000", "\uffff"),
]
LONE = ["\ud800", "\udcff"]  # what no text in UTF-8 holds, but JSON may spell
PIECES = [*TO_TERMINALS, *TO_READERS]
ALL = "".join(PIECES)

SPEC_PLACES = [
    *("model", "var", "input", "block", "inner", "use", "layer", "activation", "initializer"),
    *("label", "pattern", "source", "kind", "argument", "dtype"),
]
KERAS_PLACES = ["model", "class_name", "layer", "initializer", "package", "module", "argument"]
TEXT, FILE, KERAS, OTHER, NAMED = "{text}", "{file}", "{keras}", "{other}", "{named}"
EVERY = "layer,name,type,output_shape,params,connected_to,feeds,weights"
SWEPT = ("sweep", FILE, "--set", "head.units=1,2", "--set")
COMMANDS = [
    *(
        ("summary", FILE, KERAS, "--assume", "*=identity", "--format", format, *more)
        for format in ("table", "text", "markdown", "json", "csv")
        for more in ((), ("--ascii",), ("--width", "30"))
    ),
    *(("summary", FILE, "--columns", EVERY, "--format", each) for each in ("table", "csv")),
    ("summary", FILE, "--depth", "1"),
    ("summary", FILE, "--optimizer", TEXT),
    ("summary", FILE, "--columns", TEXT),
    ("summary", FILE, "--set", "width=9", "--compare"),
    ("summary", FILE, "--set", "head.activation={text}"),
    ("summary", FILE, "--set", "{text}=1"),
    ("summary", FILE, "--set", TEXT),
    ("summary", KERAS),
    ("summary", KERAS, "--partial"),
    ("summary", KERAS, "--assume", "{text}=identity"),
    ("summary", KERAS, "--assume", "*={text}"),
    ("summary", KERAS, "--assume", "*={{weights: {{{yaml}: [3]}}, output_shape: [3]}}"),
    ("summary", KERAS, "--assume", "*=identity", "--verify-weights"),
    ("summary", TEXT),
    ("summary", NAMED, NAMED),
    ("summary", NAMED, NAMED, "--format", "csv"),
    ("explain", FILE),
    ("explain", FILE, TEXT),
    ("explain", KERAS, "--assume", "*=identity"),
    ("explain", KERAS, "--assume", "*={{weights: {{{yaml}: [3]}}, output_shape: [3]}}"),
    ("explain", KERAS, "--assume", "*=identity", "--format", "json"),
    *(
        ("check", FILE, KERAS, NAMED, "{broken}", "--format", format, *more)
        for format in ("text", "json", "github", "junit", "sarif", "markdown")
        for more in ((), ("--max-params", "1"))
    ),
    ("check", FILE, "--max-params", TEXT),
    ("check", FILE, "--base", TEXT, "--max-increase", "1%"),
    ("check", FILE, "--base", TEXT, "--max-increase", "1%", "--allow-missing-base"),
    ("check", TEXT),
    *(("diff", FILE, OTHER, "--format", each) for each in ("table", "text", "markdown", "json")),
    ("diff", FILE, "--base", TEXT),
    ("diff", NAMED, KERAS),
    *(
        (*SWEPT, "head.activation={yaml},relu", "--format", format)
        for format in ("table", "text", "markdown", "json", "csv", "chart")
    ),
    (*SWEPT, "{text}=1"),
    (*SWEPT, "width=1,2", "--where", TEXT),
    (*SWEPT, "width=1,2", "--where", "width={text}"),
    (*SWEPT, "width=1,2", "--sort", TEXT),
    (*SWEPT, "width=1,2", "--plot", TEXT),
    ("fit", FILE, "--vary", "width", "--max-params", "1k"),
    ("fit", FILE, "--vary", "width", "--max-params", "1k", "--format", "json"),
    ("fit", FILE, "--vary", TEXT),
    ("fit", FILE, "--vary", "width", "--max", TEXT),
    ("growth", FILE, "--vary", "width"),
    ("growth", FILE, "--vary", "width", "--format", "json"),
    ("growth", FILE, "--vary", TEXT),
    ("growth", FILE, "--vary", "{block_unit}"),
    *(("convert", FILE, "--to", form) for form in ("keras", "yaml")),
    *(("convert", KERAS, "--to", form, "--assume", "*=identity") for form in ("keras", "yaml")),
    ("convert", FILE, "--to", TEXT),
    ("convert", FILE, "-o", "{folder}/none/{text}.yaml"),
    ("layers", TEXT),
    (TEXT,),
    ("summary", f"--{TEXT}"),
]


def spec(held: dict[str, str]) -> dict[str, Any]:
    """A spec that holds these texts in its places."""
    block, layer = held.get("block", "part"), held.get("layer", "head")
    own: dict[str, Any] = {"units": 3, held.get("argument", "use_bias"): True}
    for place in ("activation", "dtype"):
        own |= {place: held[place]} if place in held else {}
    own["kernel_initializer"] = held.get("initializer", "zeros")
    source = held.get("input", "x")
    return {
        "name": held.get("model", "m"),
        "vars": {held.get("var", "width"): 8},
        "inputs": {source: {"shape": [8]}},
        "blocks": {block: [{"Dense": {"name": held.get("inner", "mlp"), "units": 8}}]},
        "layers": [
            {block: {"name": held.get("use", "parts"), "repeat": 2, "from": source}},
            {held.get("kind", "Dense"): {"name": "wide", "units": "width"}},
            {"Dense": {"name": layer, **own}},
        ],
        "outputs": {held.get("label", "y"): layer},
        "budget": {"params": 1, "layers": {held.get("pattern", "p*"): {"params": 1}}},
        "expect": {"params": 7, "source": held.get("source", "paper")},
    }


def keras_file(held: dict[str, str]) -> dict[str, Any]:
    """A file of Keras' that holds these texts."""

    def layer(class_name: str, **config: Any) -> dict[str, Any]:
        return {"class_name": class_name, "config": config, "module": "keras.layers"}

    own: dict[str, Any] = {held.get("argument", "units"): 3}
    own["kernel_initializer"] = held.get("initializer", "zeros")
    squash = layer(held.get("class_name", "Squash"), name=held.get("layer", "squash"))
    squash |= {"module": held.get("module", "lab"), "registered_name": held.get("package", "a>b")}
    layers = [layer("InputLayer", batch_shape=[None, 8], name="x"), squash]
    layers.append(layer("Dense", name="head", **own))
    config = {"name": held.get("model", "m"), "layers": layers}
    return {"class_name": "Sequential", "module": "keras", "config": config}


def yaml_of(value: Any) -> str:
    """A value as YAML on one line, in ASCII; JSON would tear a sign in two to escape it."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub("[^ -~]", lambda found: f"\\U{ord(found[0]):08x}", text)


def file_name(text: str) -> str:
    """What of a text can be the name of a file."""
    kept = (char for char in text if char not in "/\0" and not "\ud800" <= char <= "\udc7f")
    return "".join(kept)[:40].strip() or "a"


@contextmanager
def streams() -> Iterator[tuple[BytesIO, BytesIO]]:
    """Standard output and error, as a process has them."""
    before, held = (sys.stdout, sys.stderr), (BytesIO(), BytesIO())
    errors = ("strict", "backslashreplace")
    sys.stdout, sys.stderr = (
        TextIOWrapper(each, "utf-8", errors=how, newline="", write_through=True)
        for each, how in zip(held, errors, strict=True)
    )
    try:
        yield held
    finally:
        sys.stdout.detach()
        sys.stderr.detach()
        sys.stdout, sys.stderr = before


def run_here(*arguments: str) -> tuple[int, str, str]:
    """The exit status of a command line, its output, and what it says on standard error."""
    with streams() as (out, err):
        try:
            command_line.main(arguments, "dense-calc", standalone_mode=False)
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        except Exception as error:
            status = 2
            write_stderr(failure_message(error))
    return status, out.getvalue().decode(), err.getvalue().decode()


def write_files(folder: Path, text: str, places: set[str]) -> dict[str, str]:
    """Files that hold a text in some of the places, and what stands for them in COMMANDS."""
    held = dict.fromkeys(places, text)
    files = {
        "file": ("m.yaml", yaml_of(spec(held))),
        "other": ("n.yaml", yaml_of(spec({}))),
        "keras": ("k.json", json.dumps(keras_file(held))),
        "broken": (f"{file_name(text)}.yml", f"layers: [{yaml_of(text)}]"),
        "named": (f"{file_name(text)}.yaml", yaml_of(spec({}))),
    }
    for name, content in files.values():
        (folder / name).write_text(content, "utf-8")
    said = {"text": text, "yaml": yaml_of(text), "folder": str(folder)}
    said["block_unit"] = f"{held.get('use', 'parts')}_0/{held.get('inner', 'mlp')}.units"
    return said | {key: str(folder / name) for key, (name, _) in files.items()}


def demand_lawful(arguments: tuple[str, ...], out: str, err: str) -> None:
    """Fail where something in the output or in a message could be obeyed."""
    for stream in (out, err):
        unseen = [char for char in stream if not char.isprintable() and char != "\n"]
        assert not unseen, (arguments, unseen)
    assert "Traceback" not in err, err
    format = arguments[arguments.index("--format") + 1] if "--format" in arguments else ""
    assert not re.search(r"(?m)^\s*::", err if format == "github" else f"{out}\n{err}")
    if not out:
        return
    if arguments[0] == "sweep" and format == "json":
        assert all(map(json.loads, out.splitlines()))
    elif format in ("json", "sarif") or (arguments[0] == "convert" and "keras" in arguments):
        assert json.loads(out)
    elif format == "junit":
        assert len(JUnitXml.fromstring(out.encode()))
    elif format == "csv":
        assert len({len(row) for row in csv.reader(StringIO(out))}) == 1
    elif format == "markdown":
        demand_inert(out)
    elif format == "github":
        *commands, _ = out.splitlines()
        assert all(re.match(r"::(error|notice) [^:]*::", line) for line in commands), out


def demand_inert(markdown: str) -> None:
    """Fail where a page in Markdown holds more than bold words, tables and lists of ours."""
    left = re.sub(r"\\[\\`*_<>\[\]|~]", "", markdown)
    assert not re.findall(r"[`<>\[\]~]|&(?!amp;|#8203;)|(?<!&)#(?=\d)", left)
    for line in left.splitlines():
        assert re.match(r"\*\*[^*]*\*\*(: .*)?$|\| .* \|$|- |### |$", line), line
    tables = re.findall(r"(?m)(?:^\|.*\n)+", left)
    assert all(len({row.count("|") for row in table.splitlines()}) == 1 for table in tables)


def demand_shown(arguments: tuple[str, ...], folder: Path, text: str, places: set[str]) -> None:
    """Fail where a command obeys a text."""
    values = write_files(folder, text, places)
    line = tuple(each.format_map(values) for each in arguments)
    status, out, err = run_here(*line)
    assert status in (0, 1, 2)
    assert out or err
    demand_lawful(arguments, out, err)
    if status == 0 and arguments[0] == "convert":
        demand_same(folder, line, out)


def demand_same(folder: Path, arguments: tuple[str, ...], text: str) -> None:
    """Fail where what is written is not read as the same model."""
    path = folder / f"again.{'json' if 'keras' in arguments else 'yaml'}"
    path.write_text(text, "utf-8")
    assumed = {"*": "identity"} if "--assume" in arguments else {}
    old = dense_calc.summarize(arguments[1], assumed)
    new = dense_calc.summarize(path, assumed)
    assert new.total_params == old.total_params
    if path.suffix == ".yaml":
        assert [row.name for row in new.layers] == [
            row.name.replace("/", ".") for row in old.layers
        ]
        assert new.name == old.name


@pytest.mark.parametrize("place", sorted({*SPEC_PLACES, *KERAS_PLACES}))
@pytest.mark.parametrize("text", [ALL.replace("\0", ""), LONE[0]], ids=["all", "lone"])
def test_all_that_is_hostile_in_one_place_is_shown(tmp_path: Path, place: str, text: str) -> None:
    for arguments in COMMANDS:
        demand_shown(arguments, tmp_path, text, {place})


TEXTS = st.lists(st.sampled_from([*PIECES, *LONE, "a", "b", " "]), min_size=1, max_size=5)


@settings(max_examples=300)
@given(
    st.sampled_from(COMMANDS),
    TEXTS.map("".join),
    st.sets(st.sampled_from([*SPEC_PLACES, *KERAS_PLACES]), max_size=3),
)
def test_no_text_is_obeyed(
    tmp_path_factory: pytest.TempPathFactory,
    arguments: tuple[str, ...],
    text: str,
    places: set[str],
) -> None:
    demand_shown(arguments, tmp_path_factory.mktemp("m"), text, places)


@pytest.mark.parametrize("format", ["text", "table", "csv", "markdown", "json"])
def test_a_process_prints_what_is_hostile_as_well(tmp_path: Path, run: Run, format: str) -> None:
    values = write_files(tmp_path, ALL.replace("\0", ""), {"model", "layer", "class_name"})
    arguments = ("summary", values["keras"], values["named"], "--assume", "*=identity")
    done = run(*arguments, "--format", format)
    assert done.returncode == 0
    assert done.stderr.rstrip("\n").isprintable()
    assert done.stderr.startswith("warning: ")  # nothing is to be assumed of a spec
    demand_lawful((*arguments, "--format", format), done.stdout, "")


@pytest.mark.parametrize("place", [*SPEC_PLACES, *KERAS_PLACES])
def test_no_name_is_a_command_to_github(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in COMMANDS:
        demand_shown(arguments, Path(), "::stop-commands::x", {place})


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", '"=1"', "a,b"])
def test_csv_holds_names_as_they_are(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(yaml_of(spec({"layer": name})), "utf-8")
    _, out, _ = run_here("summary", str(path), "--format", "csv")
    assert [row["name"] for row in csv.DictReader(StringIO(out))][-1] == name
