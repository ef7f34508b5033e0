"""A run of the command whose standard error is a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

# The command with so much patience, in seconds, before it draws a bar.
IMPATIENT = "from dense_calc.cli import main, progress; progress.PROGRESS_DELAY = {}; main()"


def watched(folder: Path, patience: float, *arguments: str, both: bool = False) -> tuple[str, str]:
    """What comes of a run on standard output, and on a terminal that is its standard error."""
    from pty import openpty  # not everywhere

    own, terminal = openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT.format(patience), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "LANG": "C.UTF-8"},
        stdout=terminal if both else subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    while part := _read(own):
        seen += part
    os.close(own)
    out = process.communicate()[0] or b""
    assert process.returncode == 0
    return out.decode(), seen.decode()


def _read(terminal: int) -> bytes:
    """What comes next of a terminal, nothing at its end."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody is left to write
        return b""
