"""Match names and patterns of layers with the rows of a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.collapse import block_layer_name, blocks_by_copy
from dense_calc.errors import Place, SpecError, did_you_mean
from dense_calc.limits import Limit
from dense_calc.model import enclosing_names
from dense_calc.report import LayerRow, Report
from dense_calc.tracing.name_patterns import WILDCARD, matching_names

MAX_LIMITED_ROWS = 500_000  # each counts once for every limit on it
MAX_NAME_CHARS = 2**25  # of all names: those of layers in a model begin with its own
MAX_COMPARED_CHARS = 2**30  # characters of names times those of patterns
MATCH_COST = 200  # of starting with a name, in compared characters


class NamedRow(Struct, frozen=True, eq=False):
    """A row with all its names, the outermost first, and with its `number` in the order of rows.

    `inner_row` is the row as it stands in its model. `weights_row` has its weights: another row for
    a later call of a layer. `outer_row` is the row of the model around it. `name_prefix` comes
    before its name: `model/`.
    """

    number: int
    inner_row: LayerRow
    weights_row: LayerRow
    names: tuple[str, ...]
    name_prefix: str
    outer_row: NamedRow | None

    @property
    def row(self) -> LayerRow:
        """The row that has its weights, under its full name."""
        row = self.weights_row
        return replace(row, name=self.name_prefix + row.name) if self.name_prefix else row


class LayerIndex:
    """The layers of a report by their names, and by those of the blocks and models around them.

    `blocks` are the names of blocks by those of their copies.
    """

    def __init__(self, report: Report) -> None:
        self.blocks = blocks_by_copy(report.blocks)
        self._rows = report.layers
        self._row_count = 0
        self._name_chars = 0
        self._compared_chars = 0
        self._limited_count = 0  # rows, each once for every limit on it

    def limited_rows(self, limit: Limit) -> dict[str, dict[str, LayerRow]]:
        """The rows that count together, by their names, for each name that the limit is put on.

        Raises:
            SpecError: the limit is on no layer, or this and the limits before it are on too many.
        """
        rows_by_match = self._matching_rows(limit)
        self._limited_count += sum(map(len, rows_by_match.values()))
        if self._limited_count > MAX_LIMITED_ROWS:
            many = f"a budget may limit at most {MAX_LIMITED_ROWS:,} layers, counting repeats"
            raise SpecError(f"{many}; write patterns that mean fewer", limit.layers_place)
        if limit.each:
            return rows_by_match
        together = {name: row for rows in rows_by_match.values() for name, row in rows.items()}
        return {str(limit.layers): together}

    def _matching_rows(self, limit: Limit) -> dict[str, dict[str, LayerRow]]:
        """The rows that a limit is put on, by their names, for each name that its pattern matches.

        Those are names of layers, of blocks, of copies of blocks, or of models: `head`, `encoder`,
        `encoder_3`, `encoder_3/norm`. A nested model is one row if its name matches, else its
        layers are matched. A later call of a layer stands for the row that has its weights.
        """
        matches = self._matching_names(str(limit.layers), limit.layers_place)
        rows_by_match: defaultdict[str, dict[str, LayerRow]] = defaultdict(dict)
        for named in self._chosen_rows(matches):
            row = named.row
            rows_by_match[next(filter(matches.__contains__, named.names))][row.name] = row
        if not rows_by_match:
            choices = dict.fromkeys(
                name for row in self._rows for name in self._names_of_layer(row.name)
            )
            hint = did_you_mean(str(limit.layers), choices)
            raise SpecError(f"the model has no layer '{limit.layers}'{hint}", limit.layers_place)
        return rows_by_match

    def find_rows(self, pattern: str) -> list[NamedRow]:
        """The rows that a name or a pattern means, in their order; a model without its layers.

        Raises:
            SpecError: there are too many names to compare with one more pattern.
        """
        return list(self._chosen_rows(self._matching_names(pattern, None)))

    def _chosen_rows(self, matches: Iterable[str]) -> Iterator[NamedRow]:
        """The rows with these names, in their order, without those in a model that is one."""
        chosen = {each.number: each for name in matches for each in self._rows_by_name[name]}
        for number in sorted(chosen):
            if not _is_in_chosen_model(chosen[number], chosen):
                yield chosen[number]

    def _matching_names(self, pattern: str, place: Place | None) -> Collection[str]:
        """The names that are equal to a name, or that match a pattern."""
        names = self._rows_by_name
        plain = {pattern} & names.keys()
        if not WILDCARD.search(pattern):
            return plain
        self._compared_chars += self._name_chars * len(pattern) + len(names) * MATCH_COST
        if self._compared_chars > MAX_COMPARED_CHARS:
            many = f"{len(names):,} names of layers are too many for so many patterns"
            raise SpecError(f"{many}; write names, or fewer patterns", place)
        return plain.union(matching_names(pattern, names))

    @property
    def names(self) -> Collection[str]:
        """All names, those of layers in nested models included."""
        return self._rows_by_name.keys()

    @property
    def rows_by_path(self) -> Mapping[str, LayerRow]:
        """The rows by their full names, those in nested models included."""
        return {named.names[-1]: named.inner_row for named in self._name_rows(self._rows, None)}

    @cached_property
    def _rows_by_name(self) -> Mapping[str, list[NamedRow]]:
        """The rows of each name, those in nested models included."""
        rows: defaultdict[str, list[NamedRow]] = defaultdict(list)
        for named in self._name_rows(self._rows, None):
            for name in dict.fromkeys(named.names):
                rows[name].append(named)
        self._name_chars = sum(map(len, rows))
        return rows

    def _name_rows(self, rows: Iterable[LayerRow], outer: NamedRow | None) -> Iterator[NamedRow]:
        """Rows with their names, a nested model before its layers."""
        by_name = {row.name: row for row in rows}
        prefix = f"{outer.names[-1]}/" if outer else ""
        for row in by_name.values():
            weights_row = by_name.get(row.shared_with or row.name, row)
            self._row_count += 1
            self._name_chars += len(prefix)
            if self._name_chars > MAX_NAME_CHARS:
                raise SpecError("the names of layers in models are too long")
            names = tuple(self._names_of_layer(prefix + row.name))
            named = NamedRow(self._row_count, row, weights_row, names, prefix, outer)
            yield named
            yield from self._name_rows(row.layers, named)

    def _names_of_layer(self, name: str) -> Iterator[str]:
        """The names of what is around a layer, from the outside in, and its own."""
        for copy in enclosing_names(name):
            if copy in self.blocks:
                yield self.blocks[copy]
            yield copy
        yield block_layer_name(name, self.blocks)
        yield name


def _is_in_chosen_model(named: NamedRow, chosen: Mapping[int, NamedRow]) -> bool:
    """Whether a row is in a nested model that is chosen, too."""
    outer = named.outer_row
    return outer is not None and (outer.number in chosen or _is_in_chosen_model(outer, chosen))
