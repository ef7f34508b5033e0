"""Names and patterns of layers → the rows of a report that they mean."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import translate
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.limits import Limit
from dense_calc.report import Report, Row
from dense_calc.tracing.collapse import blocks_by_copy, in_any_copy, prefixes

MAGIC = re.compile(r"[*?\[]")  # what makes a name a pattern
MAX_ROWS = 500_000  # that limits are put on, each as often as it is limited
MAX_CHARACTERS = 2**25  # of names: those of layers in a model start with its own
MAX_COMPARED = 2**30  # characters of names, times those of patterns
A_MATCH = 200  # of them: what it costs to begin with a name


class Named(Struct, frozen=True, eq=False):
    """A row with its names, the outermost first; `outer` is the model that it is in.

    `held` is the row that has its weights, another for a layer that is called again, and `within`
    comes before its name: `model/`.
    """

    place: int
    held: Row
    names: tuple[str, ...]
    within: str
    outer: Named | None

    @property
    def row(self) -> Row:
        """The row that has its weights, under its whole name."""
        return replace(self.held, name=self.within + self.held.name) if self.within else self.held


class Layers:
    """The layers of a report by their names and by those of the blocks and models around them.

    Raises:
        SpecError: a limit is put on none, or it and those before it are too much.
    """

    def __init__(self, report: Report) -> None:
        self.rows = report.layers
        self.blocks = blocks_by_copy(report.blocks)
        self.places = 0
        self.characters = 0  # of names
        self.compared = 0  # with those of patterns
        self.meant = 0  # rows, by limits

    def limited(self, limit: Limit) -> dict[str, dict[str, Row]]:
        """The rows that count together for a limit, by their names, by what has the limit."""
        found = self.called(limit)
        self.meant += sum(map(len, found.values()))
        if self.meant > MAX_ROWS:
            many = f"a budget may limit {MAX_ROWS:,} layers, each as often as it does"
            raise SpecError(f"{many}; write patterns that mean fewer", limit.layers_place)
        if limit.each:
            return found
        together = {name: row for rows in found.values() for name, row in rows.items()}
        return {str(limit.layers): together}

    def called(self, limit: Limit) -> dict[str, dict[str, Row]]:
        """The rows that a limit is put on, by their names, by what its name or pattern means.

        Those are names of layers, of blocks, of copies of blocks, or of models: `head`, `encoder`,
        `encoder_3`, `encoder_3/norm`. A model inside is one row if its name fits, else the layers
        in it are looked at. A layer that is called again stands for the row that has its weights.
        """
        fitting = self.fitting(limit)
        chosen = {each.place: each for name in fitting for each in self.by_name[name]}
        found: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        for place in sorted(chosen):
            named = chosen[place]
            if not is_inside(named, chosen):
                row = named.row
                found[next(filter(fitting.__contains__, named.names))][row.name] = row
        if not found:
            choices = dict.fromkeys(name for row in self.rows for name in self.names(row.name))
            hint = did_you_mean(str(limit.layers), choices)
            raise SpecError(f"the model has no layer '{limit.layers}'{hint}", limit.layers_place)
        return found

    def fitting(self, limit: Limit) -> Collection[str]:
        """The names that a limit is put on by its own, or by its pattern."""
        pattern = str(limit.layers)
        plain = {pattern} & self.by_name.keys()
        if not MAGIC.search(pattern):
            return plain
        self.compared += self.characters * len(pattern) + len(self.by_name) * A_MATCH
        if self.compared > MAX_COMPARED:
            many = f"{len(self.by_name):,} names of layers are too many for so many patterns"
            raise SpecError(f"{many}; write names, or fewer patterns", limit.layers_place)
        return plain | set(filter(re.compile(translate(bounded(pattern))).match, self.by_name))

    @cached_property
    def by_name(self) -> Mapping[str, list[Named]]:
        """The rows that each name means, also of layers in models."""
        found: defaultdict[str, list[Named]] = defaultdict(list)
        for named in self.named(self.rows, None):
            for name in dict.fromkeys(named.names):
                found[name].append(named)
        self.characters = sum(map(len, found))
        return found

    def named(self, rows: Iterable[Row], outer: Named | None) -> Iterator[Named]:
        """Rows with their names, each before those of the layers in it."""
        by_name = {row.name: row for row in rows}
        within = f"{outer.names[-1]}/" if outer else ""
        for row in by_name.values():
            held = by_name.get(row.shared_with or row.name, row)
            self.places += 1
            self.characters += len(within)
            if self.characters > MAX_CHARACTERS:
                raise SpecError("the names of layers in models are too long")
            names = tuple(self.names(within + row.name))
            named = Named(self.places, held, names, within, outer)
            yield named
            yield from self.named(row.layers, named)

    def names(self, name: str) -> Iterator[str]:
        """What the layer of this name belongs to, from the outside in, and the name itself."""
        for copy in prefixes(name):
            if copy in self.blocks:
                yield self.blocks[copy]
            yield copy
        yield in_any_copy(name, self.blocks)
        yield name


def is_inside(named: Named, chosen: Mapping[int, Named]) -> bool:
    """Whether a row is in a model that is among the chosen ones."""
    outer = named.outer
    return outer is not None and (outer.place in chosen or is_inside(outer, chosen))


def bounded(pattern: str) -> str:
    """The same pattern, in which a bracket that nothing closes is written as a sign.

    What is standard looks for the end of each, through all of the pattern.
    """
    start = pattern.find("[")
    while start >= 0:
        first = start + 1 + pattern.startswith("!", start + 1)
        end = pattern.find("]", first + 1)  # where it is the first of a set, it is a sign of it
        if end < 0:
            return pattern[:start] + pattern[start:].replace("[", "[[]")
        start = pattern.find("[", end)
    return pattern
