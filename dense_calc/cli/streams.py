"""Standard output and standard error: a text is written completely, or one message says why not."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Iterable
from io import TextIOBase, TextIOWrapper

STDOUT_NAMES = ("-", "/dev/stdout")  # names of files that mean standard output
STDOUT_FILENO, _STDERR_FILENO = 1, 2
_CLOSED_MESSAGE = "it is closed"
# A line that GitHub Actions would take for a command, such as `::stop-commands::`; only
# `check --format github` prints any.
_WORKFLOW_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
# The start of a message, perhaps after the place that it speaks of, and carets under an excerpt.
_DIAGNOSTIC_PARTS = re.compile(
    r"^((?:\S.*?: )?)([Ee]rror:|warning:|note:)(?= )|^( +)(\^+)$", re.MULTILINE
)
_SORT_COLORS = {"error:": "\x1b[1;31m", "warning:": "\x1b[1;33m", "note:": "\x1b[1;36m"}
_color_choice = "auto"


class _ClosedStream(TextIOBase):
    """A stream that was closed before the process started; writing to it raises OSError."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, _CLOSED_MESSAGE)


def open_streams() -> None:
    """Replace closed standard streams, and reserve their numbers, so that no file gets them."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        number = 0
        while number <= _STDERR_FILENO:
            number = os.open(os.devnull, os.O_RDWR)
        os.close(number)
    sys.stdout = _ClosedStream() if sys.stdout is None else sys.stdout
    sys.stderr = _ClosedStream() if sys.stderr is None else sys.stderr


def write_stderr(message: object) -> None:
    """Print a message on standard error; if that fails, only the exit status tells the user."""
    text = _escape_commands(str(message))
    try:
        is_colored = wants_color(_color_choice, sys.stderr.isatty())
        print(_color_diagnostics(text) if is_colored else text, file=sys.stderr, flush=True)
    except OSError:
        discard_stream(_STDERR_FILENO)


def choose_message_color(choice: str) -> None:
    """Obey `--color` in all messages from now on: auto, always or never."""
    global _color_choice  # noqa: PLW0603 - an error is printed where no option is known any more
    _color_choice = choice


def wants_color(choice: str, on_terminal: bool) -> bool:
    """Whether to color what goes to a terminal or elsewhere; see no-color.org."""
    if choice != "auto":
        return choice == "always"
    return on_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _color_diagnostics(text: str) -> str:
    """Messages with their sort and their carets in color."""
    return _DIAGNOSTIC_PARTS.sub(_color_part, text)


def _color_part(part: re.Match[str]) -> str:
    """The sort of a message, or carets, in color."""
    where, sort, margin, carets = part.groups()
    if sort:
        return f"{where}{_SORT_COLORS[sort.lower()]}{sort}\x1b[0m"
    return f"{margin}\x1b[1;31m{carets}\x1b[0m"


def _escape_commands(text: str) -> str:
    """A text in which no line is a command to GitHub Actions: its first colon is escaped."""
    return _WORKFLOW_COMMAND.sub(r"\1\\x3a", text) if "::" in text else text


def write_stdout(texts: Iterable[str], *, commands: bool = False) -> None:
    """Print texts on standard output, one after the other; a closed pipe ends the run.

    `commands` says that lines may be commands to GitHub Actions; otherwise these are escaped.

    Raises:
        OSError: standard output cannot be written.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.writelines(texts if commands else map(_escape_commands, texts))
        sys.stdout.flush()
    except BrokenPipeError:  # exit silently, with the status of a process that SIGPIPE ended
        discard_stream(STDOUT_FILENO)
        sys.exit(128 + signal.SIGPIPE)


def discard_stream(stream: int) -> None:
    """Discard the rest of a stream's output, or Python would print an error when it exits."""
    null = os.open(os.devnull, os.O_WRONLY)
    if null != stream:
        os.dup2(null, stream)
        os.close(null)


def exit_on_signals() -> None:
    """Turn signals that would end the run, and a closed pipe, into exceptions, so it cleans up.

    A signal that the parent process set to be ignored, as nohup does, stays ignored.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # writing raises BrokenPipeError instead
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
