"""What the tests share: the flag that rewrites golden files, and a way to run the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite golden files; read the diff")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture
def run() -> Run:
    """Run the command line in a process of its own, from the project's folder, without a terminal."""

    def run(*arguments: str, cwd: Path = ROOT, stdin: str = "", **environ: str) -> Run:
        clean = {
            name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")
        }
        return subprocess.run(  # type: ignore[return-value]
            [sys.executable, "-m", "dense_calc", *arguments],
            cwd=cwd,
            input=stdin,
            env=clean | environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run
