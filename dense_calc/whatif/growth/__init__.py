"""How a count grows with variables: the exact polynomial, found from counts alone."""

from __future__ import annotations

from dense_calc.whatif.growth.find_growth import CountStep, Growth, NoModelError, growth

__all__ = ["CountStep", "Growth", "NoModelError", "growth"]
