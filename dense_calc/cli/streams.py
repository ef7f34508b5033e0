"""Standard output and standard error: what is printed arrives, or one message says why not."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Iterable
from io import TextIOBase, TextIOWrapper

STDOUT_NAMES = ("-", "/dev/stdout")  # what standard output is called where a file is named
STDOUT_FILENO, _STDERR_FILENO = 1, 2  # the numbers of the streams
_CLOSED_MESSAGE = "it is closed"
# A line of a log that a runner of GitHub Actions would obey, `::stop-commands::`; only
# `check --format github` means it.
_WORKFLOW_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)


class _ClosedStream(TextIOBase):
    """A stream that the process was started without: whoever writes is told so."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, _CLOSED_MESSAGE)


def open_streams() -> None:
    """Give the process the streams that it was started without, and nothing else their numbers."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        number = 0
        while number <= _STDERR_FILENO:
            number = os.open(os.devnull, os.O_RDWR)
        os.close(number)
    sys.stdout = _ClosedStream() if sys.stdout is None else sys.stdout
    sys.stderr = _ClosedStream() if sys.stderr is None else sys.stderr


def write_stderr(message: object) -> None:
    """Print a message on standard error; where nobody can be told, the exit status still is."""
    try:
        print(_escape_commands(str(message)), file=sys.stderr, flush=True)
    except OSError:
        discard_stream(_STDERR_FILENO)


def _escape_commands(text: str) -> str:
    """A text in which no line is a command to what keeps a log: the first colon is escaped."""
    return _WORKFLOW_COMMAND.sub(r"\1\\x3a", text) if "::" in text else text


def write_stdout(texts: Iterable[str], *, commands: bool = False) -> None:
    """Print texts on standard output, one after the other; a pipe that is closed ends the run.

    Lines may be commands to what keeps a log only where they are meant to be.

    Raises:
        OSError: it cannot be written.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.writelines(texts if commands else map(_escape_commands, texts))
        sys.stdout.flush()
    except BrokenPipeError:  # silent, and as if the signal had ended it
        discard_stream(STDOUT_FILENO)
        sys.exit(128 + signal.SIGPIPE)


def discard_stream(stream: int) -> None:
    """Let what a stream still has to write go nowhere, for Python would complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != stream:
        os.dup2(nowhere, stream)
        os.close(nowhere)


def exit_on_signals() -> None:
    """Let a stop, or a pipe that is closed, end the run by an exception, which is cleaned up after.

    A signal that whoever started the run has it ignore, as nohup does, stays ignored.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # writing fails instead
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
