"""What the tests share: the flag that rewrites golden files, and a way to run the command."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no mistake of ours, and the gate must say the same of the same commit.
settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("ours")
pytest.register_assert_rewrite("support")

ROOT = Path(__file__).parents[1]
SPECS = ROOT / "specs"
DATA = ROOT / "tests" / "data"
Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]
TraceFunction = Callable[[FrameType, str, Any], Any]
# what tells the command how to print
OURS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "LC_CTYPE")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag under which golden files are rewritten."""
    parser.addoption("--update", action="store_true", help="rewrite golden files; read the diff")


@pytest.fixture(autouse=True, scope="session")
def plain_environment() -> Iterator[None]:
    """An environment that says nothing of how to print, whatever that of the caller says."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OURS:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture
def run() -> Run:
    """Run the command line in a process of its own, by default in the project's folder."""

    def run(*arguments: str, cwd: Path = ROOT, stdin: str = "", **environ: str) -> Result:
        return subprocess.run(
            [sys.executable, "-m", "dense_calc", *arguments],
            cwd=cwd,
            input=stdin,
            env=os.environ | {"LANG": "C.UTF-8"} | environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run


def work(act: Callable[[], object]) -> int:
    """How many lines of Python something runs: what it costs, on whatever machine.

    The garbage collector is off meanwhile, for it may run lines of others, such as Hypothesis'.
    """
    lines = 0

    def count(frame: FrameType, event: str, argument: object) -> TraceFunction:
        nonlocal lines
        lines += 1
        return count

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()
    sys.settrace(count)
    try:
        act()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return lines


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder, whoever runs it."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ("git", "-C", str(folder), *who, *arguments)
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
