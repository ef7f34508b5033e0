"""The command on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence

from conftest import ROOT


def terminal_output(*arguments: str, **environ: str) -> str:
    """What the command prints on a terminal of 80 columns."""
    return _run_on_terminal(arguments, environ, 0)


def terminal_error(*arguments: str, **environ: str) -> str:
    """What the command prints there, with its errors, where it ends with the status 2."""
    return _run_on_terminal(arguments, environ, 2)


def _run_on_terminal(arguments: Sequence[str], environ: Mapping[str, str], status: int) -> str:
    """What the command prints, with its errors where it must end with a status other than 0."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dense_calc", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower if status else None,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", **environ},
    )
    os.close(follower)
    chunks = []
    try:
        while chunk := os.read(leader, 65_536):
            chunks.append(chunk)
    except OSError:  # how Linux says that a terminal's other end is closed
        pass
    assert process.wait() == status
    os.close(leader)
    return b"".join(chunks).decode()
