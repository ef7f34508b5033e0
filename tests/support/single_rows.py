"""The row of one combination of settings."""

from __future__ import annotations

from dense_calc.settings.variants import ModelVariants, Settings, VariantRow
from dense_calc.whatif.pieces import ModelFormulas


def row_with(variants: ModelVariants, settings: Settings) -> VariantRow:
    """The row of a single combination of settings."""
    return next(ModelFormulas(variants, list(settings)).rows([tuple(settings.values())]))
