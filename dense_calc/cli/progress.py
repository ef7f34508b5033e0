"""How far a long run has come, on standard error, where a person waits for it."""

from __future__ import annotations

import gc
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PROGRESS_DELAY = 1.0  # seconds that nobody minds


@contextmanager
def show_progress(total: int, what: str, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of steps that were made, of `total` in all.

    After a second a bar is drawn, if standard error is a terminal; not if `quiet`. Unlike a short
    run, a long one collects what it has made and does not need any more.
    """
    gc.freeze()
    gc.enable()
    bar = _ProgressBar(total, what, is_wanted=_can_show_progress() and not quiet)
    try:
        yield bar.advance
    finally:
        bar.close()


class _ProgressBar:
    """A bar that is drawn only if it takes long."""

    def __init__(self, total: int, what: str, *, is_wanted: bool) -> None:
        self.total = total
        self.label = what
        self.done = 0
        self.draw_time = time.monotonic() + PROGRESS_DELAY if is_wanted else math.inf
        self.display: Progress | None = None

    def advance(self, steps: int) -> None:
        """Count these steps."""
        self.done += steps
        if time.monotonic() < self.draw_time:
            return
        if self.display is None:
            self.display = _start_display(self.label, self.total, self.done)
        self.display.update(self.display.task_ids[0], completed=self.done)

    def close(self) -> None:
        """Take the bar away."""
        if self.display is not None:
            self.display.stop()


def _can_show_progress() -> bool:
    """Whether standard error is a terminal that can draw a line anew."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _start_display(what: str, total: int, done: int) -> Progress:
    """A bar on standard error, which vanishes when it is stopped."""
    from rich.console import Console  # 40 ms, after a second of waiting
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        what,
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task(what, total=total, completed=done)
    bar.start()
    return bar
