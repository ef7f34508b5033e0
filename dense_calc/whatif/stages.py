"""The stages of a long search, for whoever shows how far it is."""

from __future__ import annotations

from collections.abc import Callable

# Begins a stage of so many steps, None if nobody knows; is told the steps as they are done.
StageWatcher = Callable[[int | None, str], Callable[[int], object]]


def watch_nothing(total: int | None, what: str) -> Callable[[int], object]:
    """The watcher that shows nothing."""
    return lambda count: None
