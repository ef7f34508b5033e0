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
from dense_calc.model import enclosing_names
from dense_calc.report import LayerRow, Report
from dense_calc.tracing.collapse import block_layer_name, blocks_by_copy

WILDCARD = re.compile(r"[*?\[]")  # what makes a name a pattern
MAX_LIMITED_ROWS = 500_000  # that limits are put on, each as often as it is limited
MAX_NAME_CHARS = 2**25  # of names: those of layers in a model start with its own
MAX_COMPARED_CHARS = 2**30  # characters of names, times those of patterns
MATCH_COST = 200  # of them: what it costs to begin with a name


class _NamedRow(Struct, frozen=True, eq=False):
    """A row with its names, the outermost first; `outer` is the model that it is in.

    `held` is the row that has its weights, another for a layer that is called again, and `within`
    comes before its name: `model/`.
    """

    number: int
    weights_row: LayerRow
    names: tuple[str, ...]
    name_prefix: str
    outer_row: _NamedRow | None

    @property
    def row(self) -> LayerRow:
        """The row that has its weights, under its whole name."""
        return (
            replace(self.weights_row, name=self.name_prefix + self.weights_row.name)
            if self.name_prefix
            else self.weights_row
        )


class LayerIndex:
    """The layers of a report by their names and by those of the blocks and models around them.

    Raises:
        SpecError: a limit is put on none, or it and those before it are too much.
    """

    def __init__(self, report: Report) -> None:
        self.rows = report.layers
        self.blocks = blocks_by_copy(report.blocks)
        self.row_count = 0
        self.name_chars = 0  # of names
        self.compared_chars = 0  # with those of patterns
        self.limited_count = 0  # rows, by limits

    def limited_rows(self, limit: Limit) -> dict[str, dict[str, LayerRow]]:
        """The rows that count together for a limit, by their names, by what has the limit."""
        found = self.matching_rows(limit)
        self.limited_count += sum(map(len, found.values()))
        if self.limited_count > MAX_LIMITED_ROWS:
            many = f"a budget may limit {MAX_LIMITED_ROWS:,} layers, each as often as it does"
            raise SpecError(f"{many}; write patterns that mean fewer", limit.layers_place)
        if limit.each:
            return found
        together = {name: row for rows in found.values() for name, row in rows.items()}
        return {str(limit.layers): together}

    def matching_rows(self, limit: Limit) -> dict[str, dict[str, LayerRow]]:
        """The rows that a limit is put on, by their names, by what its name or pattern means.

        Those are names of layers, of blocks, of copies of blocks, or of models: `head`, `encoder`,
        `encoder_3`, `encoder_3/norm`. A model inside is one row if its name fits, else the layers
        in it are looked at. A layer that is called again stands for the row that has its weights.
        """
        fitting = self.matching_names(limit)
        chosen = {each.number: each for name in fitting for each in self.rows_by_name[name]}
        found: defaultdict[str, dict[str, LayerRow]] = defaultdict(dict)
        for place in sorted(chosen):
            named = chosen[place]
            if not _is_in_chosen_model(named, chosen):
                row = named.row
                found[next(filter(fitting.__contains__, named.names))][row.name] = row
        if not found:
            choices = dict.fromkeys(
                name for row in self.rows for name in self.names_of_layer(row.name)
            )
            hint = did_you_mean(str(limit.layers), choices)
            raise SpecError(f"the model has no layer '{limit.layers}'{hint}", limit.layers_place)
        return found

    def matching_names(self, limit: Limit) -> Collection[str]:
        """The names that a limit is put on by its own, or by its pattern."""
        pattern = str(limit.layers)
        plain = {pattern} & self.rows_by_name.keys()
        if not WILDCARD.search(pattern):
            return plain
        self.compared_chars += self.name_chars * len(pattern) + len(self.rows_by_name) * MATCH_COST
        if self.compared_chars > MAX_COMPARED_CHARS:
            many = f"{len(self.rows_by_name):,} names of layers are too many for so many patterns"
            raise SpecError(f"{many}; write names, or fewer patterns", limit.layers_place)
        return plain | set(
            filter(re.compile(translate(escape_open_brackets(pattern))).match, self.rows_by_name)
        )

    @cached_property
    def rows_by_name(self) -> Mapping[str, list[_NamedRow]]:
        """The rows that each name means, also of layers in models."""
        found: defaultdict[str, list[_NamedRow]] = defaultdict(list)
        for named in self.name_rows(self.rows, None):
            for name in dict.fromkeys(named.names):
                found[name].append(named)
        self.name_chars = sum(map(len, found))
        return found

    def name_rows(self, rows: Iterable[LayerRow], outer: _NamedRow | None) -> Iterator[_NamedRow]:
        """Rows with their names, each before those of the layers in it."""
        by_name = {row.name: row for row in rows}
        within = f"{outer.names[-1]}/" if outer else ""
        for row in by_name.values():
            held = by_name.get(row.shared_with or row.name, row)
            self.row_count += 1
            self.name_chars += len(within)
            if self.name_chars > MAX_NAME_CHARS:
                raise SpecError("the names of layers in models are too long")
            names = tuple(self.names_of_layer(within + row.name))
            named = _NamedRow(self.row_count, held, names, within, outer)
            yield named
            yield from self.name_rows(row.layers, named)

    def names_of_layer(self, name: str) -> Iterator[str]:
        """What the layer of this name belongs to, from the outside in, and the name itself."""
        for copy in enclosing_names(name):
            if copy in self.blocks:
                yield self.blocks[copy]
            yield copy
        yield block_layer_name(name, self.blocks)
        yield name


def _is_in_chosen_model(named: _NamedRow, chosen: Mapping[int, _NamedRow]) -> bool:
    """Whether a row is in a model that is among the chosen ones."""
    outer = named.outer_row
    return outer is not None and (outer.number in chosen or _is_in_chosen_model(outer, chosen))


def escape_open_brackets(pattern: str) -> str:
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
