"""A progress bar on standard error for long runs, if that is a terminal."""

from __future__ import annotations

import gc
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PROGRESS_DELAY = 1.0  # seconds; a shorter run needs no bar
_StepCounter = Callable[[int], None]


@contextmanager
def show_stages(*, quiet: bool = False) -> Iterator[Callable[[int | None, str], _StepCounter]]:
    """A function that begins a stage of so many steps, None if nobody knows, with a label.

    It returns the function to call with the number of steps just done. After a second a bar is
    drawn, if standard error is a terminal; not if `quiet`. The garbage collector, which a short
    run does without, is on from here.
    """
    gc.freeze()
    gc.enable()
    bar = _ProgressBar(is_wanted=_can_show_progress() and not quiet)
    try:
        yield bar.begin_stage
    finally:
        bar.close()


@contextmanager
def show_progress(total: int, label: str, *, quiet: bool = False) -> Iterator[_StepCounter]:
    """A function to call with the number of steps just done, of `total` in the one stage."""
    with show_stages(quiet=quiet) as begin_stage:
        yield begin_stage(total, label)


class _ProgressBar:
    """A bar that is drawn only if the run takes long; by a timer if a single step does."""

    def __init__(self, *, is_wanted: bool) -> None:
        self._draw_time = time.monotonic() + PROGRESS_DELAY if is_wanted else math.inf
        self._display: Progress | None = None
        self._lock = Lock()
        self._timer = Timer(PROGRESS_DELAY, self._draw)
        self._timer.daemon = True
        self._stage: tuple[int | None, str] = (None, "")
        self._done = 0
        if is_wanted:
            self._timer.start()

    def begin_stage(self, total: int | None, label: str) -> _StepCounter:
        """Count from zero, to so many steps."""
        self._stage, self._done = (total, label), 0
        return self.advance

    def advance(self, steps: int) -> None:
        """Count these steps as done."""
        self._done += steps
        if time.monotonic() >= self._draw_time:
            self._draw()

    def _draw(self) -> None:
        """Show how many steps are done."""
        with self._lock:
            total, label = self._stage
            if self._display is None:
                self._display = _start_display(label, total, self._done)
            task = self._display.task_ids[0]
            self._display.update(task, description=label, total=total, completed=self._done)

    def close(self) -> None:
        """Remove the bar."""
        self._timer.cancel()
        if self._timer.is_alive():
            self._timer.join()
        if self._display is not None:
            self._display.stop()


def _can_show_progress() -> bool:
    """Whether standard error is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _start_display(label: str, total: int | None, done: int) -> Progress:
    """A started bar on standard error, which vanishes when it is stopped."""
    from rich.console import Console  # 40 ms, only for long runs
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        "{task.description}",
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
