"""The command on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from conftest import ROOT


def terminal_output(*arguments: str, **environ: str) -> str:
    """What the command prints on a terminal of 80 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dense_calc", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8"} | environ,
    )
    os.close(follower)
    chunks = []
    try:
        while chunk := os.read(leader, 65_536):
            chunks.append(chunk)
    except OSError:  # how Linux says that a terminal's other end is closed
        pass
    assert process.wait() == 0
    os.close(leader)
    return b"".join(chunks).decode()
