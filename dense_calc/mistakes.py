"""The mistakes of a file that is read on after the first one, so that one run tells them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct

from dense_calc.errors import DenseCalcError, Note

MAX_PLACES = 50  # of mistakes: to look for names like each takes a moment in a large file


class Mistakes(Struct):
    """The mistakes so far, in the order in which they were met.

    `places` has the line and the column of each. `has_unknown_names` is true once something has no
    class that would tell its automatic name: that a layer is not found may then follow from that
    mistake.
    """

    errors: list[DenseCalcError]
    places: set[tuple[int, int]]
    has_unknown_names: bool = False

    @property
    def are_full(self) -> bool:
        """Whether the next mistake ends the reading."""
        return len(self.places) >= MAX_PLACES


_CURRENT: ContextVar[Mistakes | None] = ContextVar("current", default=None)


@contextmanager
def collect_mistakes() -> Iterator[Mistakes]:
    """Collect the mistakes that `keep_mistake` is given meanwhile."""
    mistakes = Mistakes([], set())
    token = _CURRENT.set(mistakes)
    try:
        yield mistakes
    finally:
        _CURRENT.reset(token)


def current_mistakes() -> Mistakes | None:
    """The mistakes that are collected now, None where the first one ends the reading."""
    return _CURRENT.get()


def keep_mistake(
    error: DenseCalcError, *, needs_names: bool = False, hides_names: bool = False
) -> None:
    """Collect a mistake; where none are collected, or too many were, raise it.

    One that `needs_names` is none where names are unknown; after one that `hides_names` they are.
    """
    mistakes = _CURRENT.get()
    if mistakes is None or mistakes.are_full:
        raise error
    if not (needs_names and mistakes.has_unknown_names):
        mistakes.errors.append(error)
        mistakes.places.add(error.position)
    mistakes.has_unknown_names |= hides_names


def keep_mistake_in_block(error: DenseCalcError, uses: Sequence[Note]) -> None:
    """Collect a mistake after which names are unknown, with the uses of the blocks around it.

    `uses` are from the outside in. Where none are collected, raise it; the uses are added then.
    """
    if _CURRENT.get():
        error.notes += reversed(uses)
    keep_mistake(error, hides_names=True)
