"""The largest values with which a model fits its limits: all are looked at, by formulas."""
