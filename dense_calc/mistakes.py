"""The mistakes of a file that is read on after the first one, so that one run tells them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct

from dense_calc.errors import DenseCalcError, Note


class Mistakes(Struct):
    """The mistakes so far, in the order in which they were met.

    `has_unknown_names` is true once something has no class that would tell its automatic name:
    that a layer is not found may then follow from that mistake.
    """

    errors: list[DenseCalcError]
    has_unknown_names: bool = False


_CURRENT: ContextVar[Mistakes | None] = ContextVar("current", default=None)


@contextmanager
def collect_mistakes() -> Iterator[Mistakes]:
    """Collect the mistakes that `keep_mistake` is given meanwhile."""
    mistakes = Mistakes([])
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
    """Collect a mistake; where none are collected, raise it.

    One that `needs_names` is none where names are unknown; after one that `hides_names` they are.
    """
    mistakes = _CURRENT.get()
    if mistakes is None:
        raise error
    if not (needs_names and mistakes.has_unknown_names):
        mistakes.errors.append(error)
    mistakes.has_unknown_names |= hides_names


def keep_mistake_in_block(error: DenseCalcError, uses: Sequence[Note]) -> None:
    """Collect a mistake after which names are unknown, with the uses of the blocks around it.

    `uses` are from the outside in. Where none are collected, raise it; the uses are added then.
    """
    if _CURRENT.get():
        error.notes += reversed(uses)
    keep_mistake(error, hides_names=True)
