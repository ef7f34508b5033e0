"""The command as a user runs it: exit statuses, streams, terminals and files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run
from support.terminal import terminal_output

import dense_calc

BROKEN = "input: [784]\nlayers:\n  - Dense: {unit: 10}\n"
SOUND = "input: [784]\nlayers:\n  - Dense: {units: 10}\n"


CRASHES = {
    "ZeroDivisionError": "ZeroDivisionError",  # a mistake of ours, with its traceback
    "MemoryError": "error: there is not enough memory",
    "RecursionError": "error: this is nested too deeply",
}


@pytest.mark.parametrize("mistake", CRASHES)
def test_a_crash_does_not_look_like_a_model_over_its_budget(mistake: str) -> None:
    program = f"""
import dense_calc.cli as cli
def crash(**options): raise {mistake}()
cli.command_line = crash
cli.main()
"""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 2
    *before, last = result.stderr.splitlines()
    assert (last, bool(before)) == (CRASHES[mistake], mistake == "ZeroDivisionError")


def test_a_pipe_gets_the_plain_text(run: Run) -> None:
    result = run("summary", "specs/mnist.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (ROOT / "tests/data/golden/mnist.text").read_text("utf-8")
    assert result.stdout.isascii()


def test_a_terminal_gets_the_table_in_colour() -> None:
    text = terminal_output("summary", "specs/mnist.yaml")
    assert "┏━" in text
    assert "\x1b[38;5;34m7,850" in text


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour_gets_none(environ: dict[str, str]) -> None:
    text = terminal_output("summary", "specs/mnist.yaml", **environ)
    assert "┏━" in text
    assert "\x1b" not in text


def test_colour_is_as_asked(run: Run) -> None:
    table = ("summary", "specs/mnist.yaml", "--format", "table")
    assert "\x1b[" in run(*table, "--color", "always", NO_COLOR="1").stdout
    assert "\x1b" not in run(*table).stdout
    assert "\x1b" not in terminal_output("summary", "specs/mnist.yaml", "--color", "never")


@pytest.mark.parametrize(
    "environ",
    [
        {"LANG": "C"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_no_box_that_the_encoding_cannot_carry(run: Run, environ: dict[str, str]) -> None:
    result = run("summary", "specs/mnist.yaml", "--format", "table", **environ)
    assert result.returncode == 0
    assert result.stdout.isascii()
    assert "7,850" in result.stdout


def test_a_name_beyond_the_encoding_is_escaped(run: Run) -> None:
    spec = "input: [3]\nlayers: [{Dense: {units: 2, name: 全}}]"
    assert "\\u5168" in run("summary", "-", stdin=spec, PYTHONIOENCODING="ascii").stdout
    assert "全" in run("summary", "-", stdin=spec).stdout


@pytest.mark.parametrize("width", ["40", "200"])
@pytest.mark.parametrize("format", ["text", "table"])
def test_the_width_is_obeyed(run: Run, width: str, format: str) -> None:
    arguments = ("summary", "specs/residual.yaml", "--format", format)
    asked = run(*arguments, "--width", width).stdout
    assert asked == run(*arguments, COLUMNS=width).stdout
    assert max(map(len, asked.splitlines())) <= int(width)
    assert "233,098" in asked


def test_standard_input_is_a_file(run: Run) -> None:
    result = run("summary", "-", "--format", "json", stdin=SOUND)
    assert json.loads(result.stdout)["total_params"] == 7850


def test_another_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(SOUND, "utf-8")
    assert 'Model: "own"' in run("summary", "own.yaml", cwd=tmp_path).stdout


def test_a_mistake_is_one_message_and_nothing_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(BROKEN, "utf-8")
    result = run("summary", "own.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "own.yaml:3:13: error: Dense has no argument 'unit'; did you mean 'units'?\n"
        "  3 |   - Dense: {unit: 10}\n"
        "                  ^^^^\n"
    )


def test_one_broken_file_of_several_stops_all(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN, "utf-8")
    (tmp_path / "sound.yaml").write_text(SOUND, "utf-8")
    result = run("summary", "sound.yaml", "broken.yaml", "missing.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "broken.yaml:3:13" in result.stderr
    assert "cannot read missing.yaml: No such file or directory" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "m.yaml:1:1: error: the file is empty; a model has 'input:' and 'layers:'\n"),
        (b"a: b\nc: \xff", "m.yaml:2:4: error: this is not UTF-8 text: byte 0xff\n"),
        (
            b"a: \x00",
            "m.yaml:1:4: error: this is not YAML: control characters are not allowed\n"
            "  1 | a: \\x00\n         ^^^^\n",
        ),
        (b"#" * (16 * 2**20 + 1), "error: cannot read m.yaml: it is larger than 16 MiB\n"),
    ],
)
def test_a_file_that_is_no_text(run: Run, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.yaml").write_bytes(content)
    result = run("summary", "m.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(run: Run, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "m.yaml").write_text(SOUND, encoding)
    assert "7,850" in run("summary", "m.yaml", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sumary"], "there is no command 'sumary'; did you mean 'summary'?"),
        (["specs"], "there is no command 'specs'; did you mean 'dense-calc summary specs'?"),
        (["no.yaml"], "no command 'no.yaml'; did you mean 'dense-calc summary no.yaml'?"),
        (["-"], "there is no command '-'; did you mean 'dense-calc summary -'?"),
        (["summary"], "Missing argument 'FILE...'"),
        (["completion"], ". Choose from: bash, zsh, fish\n"),
        (
            ["summary", "specs/mnist.yaml", "--columns", "nam"],
            "there is no column 'nam'; did you mean 'name'?",
        ),
        (
            ["summary", "specs/mnist.yaml", "--columns", "x"],
            "there is no column 'x'; there are layer, name,",
        ),
        (
            ["summary", "specs/mnist.yaml", "--columns", "name,params,Name"],
            "the column 'name' is listed twice",
        ),
        (
            ["summary", "specs/mnist.yaml", "-o", ""],
            "'' names no file; write - for standard output",
        ),
        (
            ["summary", "specs/mnist.yaml", "-o", "a.foo"],
            "-o a.foo: no format ends in '.foo'; end FILE in .json, .txt, .md or .csv, "
            "or use --format.",
        ),
        (
            ["convert", "specs/mnist.yaml", "-o", "a.foo"],
            "no format ends in '.foo'; end FILE in .json, .yaml or .yml, or use --to.",
        ),
        (["summary", "specs/mnist.yaml", "--set", "x"], "'x' is not NAME=VALUE"),
        (["summary", "specs/mnist.yaml", "--width", "0"], "0 is not in the range x>=1"),
        (["summary", "specs/mnist.yaml", "--format", "xml"], "'xml' is not one of"),
        (["summary", "tests/cli"], "no model in 'tests/cli'; a folder stands for the .yaml,"),
        (["summary", "specs/mnist.yaml", "--json"], "No such option '--json'. Use --format json."),
        (["sweep", "specs/lenet5.yaml", "--vary", "width=3"], "'--vary'. Use --set."),
        (
            ["summary", "lenet5"],
            "cannot read lenet5: No such file or directory; did you mean 'gallery:lenet5'?",
        ),
        (
            ["summary", "specs/lenet5.yaml", "width=3"],
            "cannot read width=3: No such file or directory; write a setting as --set width=3",
        ),
        (
            ["fit", "specs/lenet5.yaml"],
            "name what varies in specs/lenet5.yaml: --vary NAME; its vars: width",
        ),
        (
            ["growth", "specs/mnist.yaml"],
            "name what varies in specs/mnist.yaml: --vary NAME; it "
            "has no vars: use an argument, dense.units",
        ),
        (
            ["summary", "specs/mnist.yaml", "--format", "json", "--columns", "name"],
            "--columns cannot be used with JSON",
        ),
        (
            ["summary", "specs/lenet5.yaml", "--set", "widht=3"],
            "specs/lenet5.yaml has no var 'widht'; did you mean 'width'?",
        ),
        (
            ["summary", "specs/lenet5.yaml", "--set", "width=x"],
            "--set width:1:1: error: 'x' is not a var",
        ),
        (
            ["summary", "specs/mnist.yaml", "-o", "no/such/folder"],
            "cannot write no/such/folder: No such file",
        ),
    ],
)
def test_a_wrong_command_line(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_var_has_another_value(run: Run) -> None:
    arguments = ("summary", "specs/lenet5.yaml", "--format", "csv")
    assert 'conv2d,Conv2D,"(None, 28, 28, 12)",312' in run(*arguments, "--set", "width=12").stdout
    twice = run(*arguments, "--set", "width=3", "--set", "width = 2 * 6")
    assert "(None, 28, 28, 12)" in twice.stdout


@pytest.mark.parametrize("suffix", ["json", "csv", "md", "txt"])
def test_the_output_file_says_its_format(run: Run, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    result = run("summary", "specs/mnist.yaml", "-o", str(path))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    golden = {"md": "markdown", "txt": "text"}.get(suffix, suffix)
    assert path.read_text("utf-8") == (ROOT / f"tests/data/golden/mnist.{golden}").read_text(
        "utf-8"
    )


def test_several_files_are_summed_up_one_below_the_other(run: Run) -> None:
    text = run("summary", "specs/mnist.yaml", "specs/stacked.yaml").stdout
    assert text.index('Model: "mnist"') < text.index('Model: "stacked"')
    array = json.loads(
        run("summary", "specs/mnist.yaml", "specs/stacked.yaml", "--format", "json").stdout
    )
    assert [report["name"] for report in array] == ["mnist", "stacked"]


def test_a_folder_is_summed_up_as_its_models(run: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name in ("one", "two"):
        (tmp_path / "models" / f"{name}.yaml").write_text(SOUND, "utf-8")
    (tmp_path / "models" / "notes.txt").write_text("no model", "utf-8")
    array = json.loads(run("summary", "models", "--format", "json", cwd=tmp_path).stdout)
    assert [report["name"] for report in array] == ["one", "two"]


def test_an_interrupted_pipe_is_silent(tmp_path: Path) -> None:
    layers = "  - ReLU\n" * 20_000
    (tmp_path / "long.yaml").write_text(f"input: [3]\nlayers:\n{layers}", "utf-8")
    command = f"'{sys.executable}' -m dense_calc summary long.yaml | head -n 1"
    result = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert (result.stdout, result.stderr) == ('Model: "long"\n', "")


@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("summary specs/mnist.yaml >&-", "error: cannot write standard output: it is closed\n"),
        ("summary - <&-", "error: cannot read <stdin>: it is closed\n"),
    ],
)
def test_a_closed_stream_is_an_error(redirection: str, message: str) -> None:
    result = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m dense_calc {redirection}"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert (result.returncode, result.stderr) == (2, message)


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_loads_nothing_heavy(flag: str) -> None:
    program = (
        f"import sys\nfrom dense_calc.cli import main\nsys.argv = ['dense-calc', '{flag}']\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    version, modules = result.stdout.splitlines()
    assert version == f"dense-calc, version {dense_calc.__version__}"
    assert not {"yaml", "msgspec", "rich"} & set(modules.split())


def test_json_loads_no_rich() -> None:
    program = (
        "import sys\nfrom dense_calc.cli import main\n"
        "sys.argv = ['dense-calc', 'summary', 'specs/mnist.yaml', '--format', 'json']\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert "rich" not in result.stderr.split()


def test_what_a_spec_says_needs_no_assumption(run: Run) -> None:
    result = run("summary", "specs/mnist.yaml", "--assume", "Own=identity")
    assert result.returncode == 0
    assert result.stderr == (
        "warning: specs/mnist.yaml is a spec, in which each layer is one of Keras; "
        "--assume changes nothing there\n"
    )
