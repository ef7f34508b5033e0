"""Settings with several values each → a row for every combination of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from math import prod
from typing import Any, overload

from dense_calc.errors import SpecError
from dense_calc.result import Result
from dense_calc.settings.values import (
    MAX_COMBINATIONS,
    SettingValues,
    demand_setting_names,
    parse_setting_values,
)
from dense_calc.settings.variants import ModelVariants, VariantRow
from dense_calc.whatif.pieces import ModelFormulas


def build_sweep(models: ModelVariants, settings: Mapping[str, Any], is_zipped: bool) -> Sweep:
    """The sweep over the combinations of these settings, or over those that go together.

    Raises:
        SpecError: there is no model or no such setting, or these are too many combinations.
    """
    demand_setting_names(settings)
    models.demand_settings(settings)
    choices = {name: parse_setting_values(name, each) for name, each in settings.items()}
    return Sweep(models, choices, is_zipped)


class Sweep(Result, Sequence[VariantRow]):
    """The rows of all combinations, each worked out when it is asked for; parts are sweeps, too.

    The last setting changes fastest. Rows have the keys of the JSON: `set`, the settings; what the
    model comes to, or the `error` that says why there is none.
    """

    def __init__(
        self, whole: ModelVariants, choices: dict[str, SettingValues], zipped: bool
    ) -> None:
        self.variants = whole
        self.choices = choices
        self.is_zipped = zipped
        sizes = {name: len(values) for name, values in choices.items()}
        if zipped and len(set(sizes.values())) > 1:
            told = " and ".join(f"'{name}' has {size:,}" for name, size in sizes.items())
            raise SpecError(f"settings that go together need as many values each: {told}")
        total = min(sizes.values()) if zipped and sizes else prod(sizes.values())
        if total > MAX_COMBINATIONS:
            told = f"these are {total:,} combinations; there may be {MAX_COMBINATIONS:,}"
            raise SpecError(f"{told}: take fewer values, or a range in wider steps, 32:512:32")
        self.indices = range(total)
        self.formulas = ModelFormulas(whole, list(choices))

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        names = ", ".join(self.choices)
        return f"<Sweep {self.variants.name!r}: {len(self):,} combinations of {names}>"

    @overload
    def __getitem__(self, place: int) -> VariantRow: ...
    @overload
    def __getitem__(self, place: slice) -> Sweep: ...
    def __getitem__(self, place: int | slice) -> VariantRow | Sweep:
        found = self.indices[place]
        part = Sweep(self.variants, self.choices, self.is_zipped)
        part.indices = found if isinstance(found, range) else range(found, found + 1)
        part.formulas = self.formulas
        return part if isinstance(place, slice) else next(iter(part))

    def __iter__(self) -> Iterator[VariantRow]:
        return chain.from_iterable(self.row_batches())

    def row_batches(self) -> Iterator[list[VariantRow]]:
        """The rows in lists, which are short where each row takes long."""
        columns: list[Iterator[Any]] = []
        stride = 1  # places between two values
        for values in reversed(self.choices.values()):
            columns.insert(0, self._column(values, stride))
            stride *= 1 if self.is_zipped else len(values)
        points = zip(*columns, strict=True) if columns else [()] * len(self)
        return self.formulas.row_batches(points)

    def _column(self, values: SettingValues, stride: int) -> Iterator[Any]:
        """The values of one setting in each combination."""
        count = len(values)
        return (values[place // stride % count] for place in self.indices)

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = self.variants, self.choices, self.is_zipped
        return Sweep, arguments, {"indices": self.indices}

    def split(self, count: int) -> list[Sweep]:
        """So many parts, one after the other, whose lengths differ by one at most.

        Raises:
            SpecError: the count is less than 1.
        """
        if count < 1:
            raise SpecError(f"a sweep is split into 1 part or more, not {count}")
        edges = [len(self) * part // count for part in range(count + 1)]
        return [self[first:end] for first, end in pairwise(edges)]
