"""A sweep as processes: several at once, stopped, and with a bar where somebody waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run
from support.progress_runs import IMPATIENT, watched
from support.sweep_model import MODEL, Told


def test_several_processes_print_the_same(folder: Path, run: Run) -> None:
    given = ("sweep", "-", "--set", "w=0:1100", "--where", "w!=3", "--format", "csv")
    one = run(*given, cwd=folder, stdin=MODEL)
    two = run(*given, "--jobs", "2", cwd=folder, stdin=MODEL)
    assert (two.stdout, two.stderr, two.returncode) == (one.stdout, "", 0)
    assert len(one.stdout.splitlines()) == 1101


# The command, which the keyboard can stop even where the tests are run in the background.
STOPPABLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, '-m', 'dense_calc', *sys.argv[1:]])"
)


def started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A long run, in a group of its own."""
    given = ("sweep", "m.yaml", "--set", "w=1:1000000", "--format", "json", *arguments)
    return subprocess.Popen(
        [sys.executable, "-c", STOPPABLE, *given],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def said_at_the_end(process: subprocess.Popen[bytes]) -> bytes:
    """What a run and all processes that it started said, once they have ended."""
    assert process.stderr
    try:
        return process.communicate(timeout=60)[1]  # whoever is left holds standard error open
    finally:
        if process.returncode is None or sys.exc_info()[0]:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_closed_pipe_is_silent_and_leaves_no_process(jobs: str, folder: Path) -> None:
    process = started(folder, "--jobs", jobs)
    assert process.stdout
    assert process.stdout.readline().startswith(b'{"set":{"w":1},')
    process.stdout.close()
    process.stdout = None
    assert said_at_the_end(process) == b""
    assert process.returncode in (-signal.SIGPIPE, 128 + signal.SIGPIPE)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_stopped_leaves_no_process(stop: str, folder: Path) -> None:
    process = started(folder, "--jobs", "2")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.Signals[stop])
    assert said_at_the_end(process).strip() == b""
    assert process.returncode != 0


CSV = ("m.yaml", "--set", "w=4,0,8", "--format", "csv")


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_a_long_run_has_a_bar_where_somebody_waits(folder: Path, told: Told) -> None:
    out, seen = watched(folder, 0, "sweep", *CSV)
    assert out == told(*CSV)
    assert "sweep" in seen
    assert "3/3" in seen
    assert seen.endswith("\x1b[2K")  # it is wiped away


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_a_short_run_has_no_bar_nor_one_that_prints_where_the_bar_would_be(folder: Path) -> None:
    assert watched(folder, 60, "sweep", *CSV)[1] == ""
    assert "sweep" not in watched(folder, 0, "sweep", *CSV, both=True)[1]
    out, seen = watched(folder, 0, "sweep", *CSV[:3], "--format", "markdown", both=True)
    assert out == ""
    assert seen.index("3/3") < seen.index("**m.yaml**")


def test_there_is_no_bar_without_a_terminal(folder: Path, told: Told) -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPATIENT.format(0), "sweep", *CSV],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "FORCE_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert (result.stdout, result.stderr) == (told(*CSV), "")
