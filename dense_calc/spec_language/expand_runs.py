"""Runs, `{repeat: 3, layers: [...]}` → the layers that they stand for, each with its `index`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dense_calc.errors import SpecError
from dense_calc.layers.base import to_snake_case
from dense_calc.spec_language.block_uses import copy_scope, read_repeat
from dense_calc.spec_language.entries import RunEntry, SpecEntry
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent, count_argument_values, demand_small_extent
from dense_calc.symbolic.state import UnlikeCopiesError, current_log, is_symbolic


def expand_runs(entries: Iterable[SpecEntry], scope: Scope) -> Iterator[tuple[SpecEntry, Scope]]:
    """Each entry with its scope, those of runs as often as they repeat, with their `index`.

    A run of which the number of times is symbolic remains, as a block.

    Raises:
        SpecError: `repeat` is no positive integer, or makes too many layers.
    """
    extent = Extent()
    for entry, inner_scope in _expand_runs(entries, scope):
        if inner_scope is not scope:
            extent += Extent(layers=1, values=count_argument_values(entry.arguments))
            demand_small_extent(extent, entry)
        yield entry, inner_scope


def _expand_runs(entries: Iterable[SpecEntry], scope: Scope) -> Iterator[tuple[SpecEntry, Scope]]:
    """Each entry with its scope; there is no limit to their number."""
    for entry in entries:
        if not isinstance(entry, RunEntry):
            yield entry, scope
            continue
        repeat = read_repeat(entry, scope) or 1
        run = entry.block.entries
        if repeat > 1:
            _demand_no_names(run)
        if is_symbolic(repeat):
            _demand_nameless_copies(entry)
            yield entry, scope
            continue
        extent = Extent(layers=len(run)).scale_to_copies(repeat, 0)
        demand_small_extent(extent, entry.locate_part("repeat"))
        for index in range(repeat):
            yield from _expand_runs(run, copy_scope(scope, index))


def _demand_no_names(run: Iterable[SpecEntry]) -> None:
    """Raise SpecError where a layer that stands there several times has a name."""
    for entry in run:
        if isinstance(entry, RunEntry):
            _demand_no_names(entry.block.entries)
        elif "name" in entry.arguments:
            word = entry.arguments["name"][0]
            raise SpecError("a layer that is repeated cannot have a name", word)


def _demand_nameless_copies(run: RunEntry) -> None:
    """Raise UnlikeCopiesError where names may tell copies apart, or lead into them.

    As a block, a run would give its layers other names, and another meaning to what they read.
    """
    kinds = [to_snake_case(entry.kind.__name__) for entry in run.block.entries]
    pattern = rf"\b(?:reuse|{'|'.join(kinds)})(?:_[0-9]+)?\b"
    if any(
        type(each) is not SpecEntry or "from" in each.arguments for each in run.block.entries
    ) or re.search(pattern, run.source.text):
        raise UnlikeCopiesError
    log = current_log()
    assert log
    log.has_symbolic_runs = True
