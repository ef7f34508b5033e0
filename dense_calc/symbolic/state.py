"""Whether a number is symbolic, and whether a symbolic trace is under way: what every run asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dense_calc.symbolic.condition_log import ConditionLog

_CURRENT_LOG: ContextVar[ConditionLog | None] = ContextVar("current_log", default=None)


class Symbolic:
    """The base of symbolic numbers."""

    __slots__ = ()


class UnlikeCopiesError(Exception):
    """The copies of a block differ or are named one by one: each has to be traced."""


def is_symbolic(number: object) -> bool:
    """Whether this is a number with an expression."""
    return issubclass(type(number), Symbolic)


def apply_function(name: str, function: Callable[[float], float], number: Any) -> Any:
    """A function of a number, such as a square root, also where the number is symbolic."""
    return number.apply_function(name, function) if is_symbolic(number) else function(number)


def current_log() -> ConditionLog | None:
    """The log of the symbolic trace that is under way, None if there is none.

    During one, nothing may come from a cache by its sizes, except from the `memo` of the log.
    """
    return _CURRENT_LOG.get()


@contextmanager
def record_conditions(log: ConditionLog) -> Iterator[None]:
    """Trace with the symbolic numbers of a log: caches are not used meanwhile."""
    token = _CURRENT_LOG.set(log)
    try:
        yield
    finally:
        _CURRENT_LOG.reset(token)
