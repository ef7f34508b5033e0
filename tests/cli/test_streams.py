"""Streams that are full or closed, and files that are written: all arrives, or one message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such devices")

SPEC = """\
vars: {width: 4}
input: [8]
layers: [Dense: {units: width}, Dense: {units: 2, name: head}]
budget: {params: 100k}
"""
COMMANDS = [
    "summary m.yaml",
    "summary m.yaml --format table",
    "summary m.yaml --format json",
    "summary long.yaml --format table",
    "summary m.yaml --set width=5 --compare",
    "explain m.yaml",
    "check m.yaml",
    "check m.yaml --format sarif",
    "diff m.yaml m.yaml",
    "sweep m.yaml --set width=2:4",
    "sweep m.yaml --set width=2:4 --format csv",
    "sweep m.yaml --set width=2:4 --format chart",
    "sweep m.yaml --set width=2:4 --jobs 2",
    "fit m.yaml --vary width",
    "growth m.yaml --vary width",
    "convert m.yaml --to yaml",
    "layers",
    "schema",
    "completion zsh",
    "--help",
    "fit --help",
    "--version",
]
WRONG = ["summary none.yaml", "check none.yaml", "summary --none", ""]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two models, of which one has more rows than a page."""
    (tmp_path / "m.yaml").write_text(SPEC, "utf-8")
    block = "input: [8]\nblocks: {b: [ReLU, Dense: {units: 8}]}\nlayers: [b: {repeat: 40}]\n"
    (tmp_path / "long.yaml").write_text(block, "utf-8")
    return tmp_path


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What comes of a line of the shell in which `dense-calc` is the command, buffered as ever."""
    environ = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-c", f'dense-calc() {{ "{sys.executable}" -m dense_calc "$@"; }}; {line}'],
        cwd=cwd,
        env=environ | {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("command", "stream"),
    [*((each, "/dev/full") for each in COMMANDS), *((each, "&-") for each in COMMANDS[::4])],
)
def test_what_cannot_be_printed_is_one_message(command: str, stream: str, folder: Path) -> None:
    reason = "it is closed" if stream == "&-" else "No space left on device"
    result = shell(f"dense-calc {command} >{stream}", folder)
    *others, last = result.stderr.splitlines()
    assert last == f"error: cannot write standard output: {reason}"
    assert not others or command.startswith("convert")  # which also warns
    assert result.returncode == 2


@pytest.mark.parametrize("command", ["{}", "summary --{}", "summary m.yaml --format {}"])
def test_a_wrong_command_line_repeats_little_of_what_is_long(command: str, folder: Path) -> None:
    result = shell(f"dense-calc {command.format('x' * 20_000)}", folder)
    assert result.returncode == 2
    assert "xxxx..." in result.stderr
    assert len(result.stderr) < 500


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-", "2>&- <&-"])
@pytest.mark.parametrize("command", ["convert m.yaml --to yaml", WRONG[0], WRONG[2]])
def test_a_message_that_cannot_be_told_changes_nothing_else(
    command: str, stream: str, folder: Path
) -> None:
    told = shell(f"dense-calc {command} 2>/dev/null", folder)
    untold = shell(f"dense-calc {command} {stream}", folder)
    assert (untold.stdout, untold.stderr) == (told.stdout, "")
    assert untold.returncode == told.returncode == (2 if command in WRONG else 0)


@pytest.mark.parametrize("command", ["summary m.yaml", "--help", "none"])
@pytest.mark.parametrize("streams", [">/dev/full 2>&1", ">&- 2>&-", "<&- >&- 2>&-"])
def test_the_exit_status_tells_where_nothing_else_can(
    command: str, streams: str, folder: Path
) -> None:
    assert shell(f"dense-calc {command} {streams}", folder).returncode == 2


@pytest.mark.parametrize("command", ["summary m.yaml", "schema", "layers", "--help", "--version"])
def test_a_pipe_that_is_closed_is_silent(command: str, folder: Path) -> None:
    result = shell(f"dense-calc {command} | true; echo ${{PIPESTATUS[0]}}", folder)
    assert (result.stdout.strip() in ("0", "141"), result.stderr) == (True, "")


WRITING = [
    "summary m.yaml --format text -o",
    "explain m.yaml --format text -o",
    "check m.yaml --format text -o",
    "diff m.yaml m.yaml --format text -o",
    "sweep m.yaml --set width=2:4 --format text -o",
    "sweep m.yaml --set width=2:4 --format csv -o",
    "sweep m.yaml --set width=2:4 --plot",
    "fit m.yaml --vary width --format text -o",
    "growth m.yaml --vary width --format text -o",
    "convert m.yaml --to keras -o",
    "layers --format text -o",
    "schema -o",
]
READING = WRITING[:-2]  # those that read a file


@pytest.fixture
def paths(folder: Path) -> Path:
    """A folder in which names lead to things that are no plain files, and to others that are."""
    (folder / "folder.svg").mkdir()
    links = {"circle": "circle.svg", "full": "/dev/full", "own": "m.yaml", "new": "target.svg"}
    for name, target in links.items():
        (folder / f"{name}.svg").symlink_to(target)
    (folder / "hard.svg").hardlink_to(folder / "m.yaml")
    (folder / "old.svg").write_text("old", "utf-8")
    (folder / "old.svg").chmod(0o640)
    return folder


UNWRITABLE = {
    "no/such.svg": "No such file or directory",
    "folder.svg": "Is a directory",
    "circle.svg": "Too many levels of symbolic links",
    "full.svg": "No space left on device",
    "own.svg": "it is a file that was read",
    "folder.svg/../hard.svg": "it is a file that was read",
}


@pytest.mark.parametrize("path", UNWRITABLE)
@pytest.mark.parametrize("command", [READING[0], *READING[5:7]])
def test_a_file_that_cannot_be_written_is_one_message(command: str, path: str, paths: Path) -> None:
    before = sorted(paths.iterdir())
    result = shell(f"dense-calc {command} {path}", paths)
    assert result.stderr == f"error: cannot write {path}: {UNWRITABLE[path]}\n"
    assert (result.returncode, sorted(paths.iterdir())) == (2, before)
    assert (paths / "m.yaml").read_text("utf-8") == SPEC


@pytest.mark.parametrize("command", WRITING)
def test_a_file_is_replaced_as_it_stood(command: str, paths: Path) -> None:
    before = {*paths.iterdir(), paths / "target.svg"}
    for path in ("old.svg", "new.svg"):
        result = shell(f"umask 027; dense-calc {command} {path}", paths)
        assert (result.returncode, result.stderr) == (0, "")
        assert (paths / path).stat().st_size > 20
    assert (paths / "new.svg").is_symlink()
    assert {(paths / name).stat().st_mode & 0o777 for name in ("old.svg", "target.svg")} == {0o640}
    assert set(paths.iterdir()) == before


@pytest.mark.parametrize("command", [READING[0], READING[5], READING[-1], WRITING[-1]])
@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_has_names(command: str, name: str, folder: Path) -> None:
    plain = shell(f"dense-calc {command.removesuffix(' -o')}", folder)
    named = shell(f"dense-calc {command} {name}", folder)
    assert (named.stdout, named.stderr, named.returncode) == (plain.stdout, "", 0)
    assert not (folder / "-").exists()


def test_a_pipe_with_a_name_is_written_as_it_is(folder: Path) -> None:
    result = shell("mkfifo p; cat p & dense-calc check m.yaml -o p; wait; test -p p", folder)
    assert (result.returncode, result.stdout.splitlines()[0]) == (0, "m.yaml: within budget")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_is_stopped_leaves_the_old_file(number: str, jobs: str, folder: Path) -> None:
    (folder / "old.csv").write_text("old", "utf-8")
    command = ("sweep", "m.yaml", "--set", "width=1:1000000", "-o", "old.csv", "--jobs", jobs)
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPABLE, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    wait_for(lambda: any(path.stat().st_size for path in folder.glob(".dense-calc-*")))
    process.send_signal(signal.Signals[number])
    assert process.communicate(timeout=60)[1].strip() == b""
    assert process.returncode == 128 + signal.Signals[number]
    assert {path.name for path in folder.iterdir()} == {"m.yaml", "long.yaml", "old.csv"}
    assert (folder / "old.csv").read_text("utf-8") == "old"


# The command, which signals can stop even where the tests are run in the background.
STOPPABLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, '-m', 'dense_calc', *sys.argv[1:]])"
)


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds; a minute is too long."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_disk_that_is_full_leaves_the_old_file(folder: Path) -> None:
    (folder / "old.csv").write_text("old", "utf-8")
    limit = "ulimit -f 1; dense-calc sweep m.yaml --set width=1:1000 -o old.csv"
    result = shell(limit, folder)
    assert (result.returncode, result.stderr) == (
        2,
        "error: cannot write old.csv: File too large\n",
    )
    assert {path.name for path in folder.iterdir()} == {"m.yaml", "long.yaml", "old.csv"}
    assert (folder / "old.csv").read_text("utf-8") == "old"
