"""`sweep --jobs N`: the rows of a sweep, worked out by several processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice
from typing import TYPE_CHECKING

from dense_calc.errors import DenseCalcError
from dense_calc.settings.variants import VariantRow
from dense_calc.whatif.sweeping import Sweep

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_ROWS_PER_TASK = 500  # combinations that a process works on at a time


def row_batches_in_parallel(whole: Sweep, jobs: int) -> Iterator[list[VariantRow]]:
    """The rows of a sweep in lists, worked out by so many processes, or one for each core.

    Raises:
        DenseCalcError: a process does not start, or has been ended.
    """
    from multiprocessing import get_context  # 20 ms, for several jobs

    own = get_context("spawn")  # a fork would copy the threads' locks, too
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else own.cpu_count()
    starts = range(0, len(whole), _ROWS_PER_TASK)
    jobs = max(1, min(jobs, len(starts), cores))
    pipes = []
    try:
        for job in range(jobs):
            pipe, sender = own.Pipe(duplex=False)
            pipes.append(pipe)
            with sender:  # which only the process keeps
                given = whole, starts[job::jobs], sender
                own.Process(target=_send_rows, args=given, daemon=True).start()
    except OSError as error:
        told = f"cannot start the processes of the sweep: {error.strerror or error}"
        raise DenseCalcError(f"{told}; try fewer --jobs") from None
    try:
        for pipe in islice(cycle(pipes), len(starts)):
            yield pipe.recv()
    except (EOFError, OSError):
        raise DenseCalcError("a process of the sweep ended early; try fewer --jobs") from None


def _send_rows(whole: Sweep, starts: range, sender: Connection) -> None:
    """Send rows until nobody takes any; a stop from the keyboard is meant for the first process."""
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_exit_after, args=(parent_process(),), daemon=True).start()
    with suppress(BrokenPipeError):
        for start in starts:
            sender.send(list(whole[start : start + _ROWS_PER_TASK]))


def _exit_after(process: BaseProcess) -> None:
    """Wait for the end of another process, whatever it is, and end too."""
    process.join()
    os._exit(1)
