"""A progress bar on standard error for long runs, if that is a terminal."""

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

PROGRESS_DELAY = 1.0  # seconds; a shorter run needs no bar


@contextmanager
def show_progress(
    total: int, label: str, *, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of steps just done, of `total` in all.

    After a second it draws a bar, if standard error is a terminal; not if `quiet`. The garbage
    collector, which a short run does without, is on from here.
    """
    gc.freeze()
    gc.enable()
    bar = _ProgressBar(total, label, is_wanted=_can_show_progress() and not quiet)
    try:
        yield bar.advance
    finally:
        bar.close()


class _ProgressBar:
    """A bar that is drawn only if the run takes long."""

    def __init__(self, total: int, label: str, *, is_wanted: bool) -> None:
        self._total = total
        self._label = label
        self._done = 0
        self._draw_time = time.monotonic() + PROGRESS_DELAY if is_wanted else math.inf
        self._display: Progress | None = None

    def advance(self, steps: int) -> None:
        """Count these steps as done."""
        self._done += steps
        if time.monotonic() < self._draw_time:
            return
        if self._display is None:
            self._display = _start_display(self._label, self._total, self._done)
        self._display.update(self._display.task_ids[0], completed=self._done)

    def close(self) -> None:
        """Remove the bar."""
        if self._display is not None:
            self._display.stop()


def _can_show_progress() -> bool:
    """Whether standard error is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _start_display(label: str, total: int, done: int) -> Progress:
    """A started bar on standard error, which vanishes when it is stopped."""
    from rich.console import Console  # 40 ms, only for long runs
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        label,
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task(label, total=total, completed=done)
    bar.start()
    return bar
