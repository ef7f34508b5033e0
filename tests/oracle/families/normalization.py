"""Random normalization layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, Draw, listed, one_of, simple

from dense_calc.layers.arguments import types


def axes(rng: random.Random) -> int | list[int]:
    """One axis, or a list of axes in any order, sometimes with one twice."""
    if rng.random() < 0.6:
        return rng.choice([-1, -1, -1, -1, 1, 1, -2, 2, 0, 4])
    return [rng.choice([-1, -2, 1, 2, 2, 3, 0]) for _ in range(rng.choice([0, 1, 2, 2, 3]))]


TWO = {"class_name": "Constant", "config": {"value": 2.0}}
SOUND = ("zeros", "Ones", "he_normal", "lecun_uniform", None, TWO)
FILLED = one_of(*SOUND, *SOUND, *SOUND, "orthogonal", "identity")
OWN: dict[str, Draw] = {
    "axis": axes,
    "BatchNormalization.axis": one_of(-1, -1, -1, -1, 1, 1, -2, 2, 0, 4),
    "GroupNormalization.axis": one_of(-1, -1, -1, -1, 1, 1, -2, 2, 0, 4),
    "beta_constraint": listed(types.Constraint),
    "beta_initializer": FILLED,
    "beta_regularizer": listed(types.Regularizer),
    "epsilon": one_of(1e-5, 1, 0.0),
    "gamma_constraint": listed(types.Constraint),
    "gamma_initializer": FILLED,
    "gamma_regularizer": listed(types.Regularizer),
    "groups": one_of(*[-1] * 4, 1, 1, 1, 2, 2, 3, 4, 32, 0, -2),
    "moving_mean_initializer": FILLED,
    "moving_variance_initializer": one_of("ones", "Ones", "uniform", None, TWO),
    "renorm_clipping": one_of(
        *(None, {}, {"rmax": 3}, {"rmax": 3, "rmin": 2.5, "dmax": 0}, {"dmax": None}),
        *({"rmax": 1, "rmin": 2}, {"dmax": -1}, {"x": 1}),
    ),
    "renorm_momentum": one_of(0.9, 0, 1),
    "rms_scaling": BOOLEAN,
    "synchronized": one_of(*[False] * 9, True),
}
DEMANDED = {"GroupNormalization": {"groups"}}  # the default 32 rarely divides the channels


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    return simple(rng, name, OWN, DEMANDED.get(name, ()))
