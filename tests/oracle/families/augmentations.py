"""Random layers that change images and keep their shape."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, Draw, arguments_of, number, one_of

from families.images import OWN as IMAGES
from families.images import images

# Factors that all take, more often than those that some do not.
FACTOR = one_of(
    *[0, 0.2, 0.3, 0.5, 1, 1.0, [0.1, 0.6], [1, 0], [0, 0.3]] * 4,
    *[-0.4, -1, 1.5, [-0.3, 0.3], [0.5, 1.5], [-2, 0.5], [0.5, -0.3], [0.1], None],
)

OWN: dict[str, Draw] = {
    **IMAGES,
    "addition_factor": FACTOR,
    "all_ops": BOOLEAN,
    "alpha": one_of(0.2, 1, 3),
    "bins": number(1, 300),
    "brightness_factor": FACTOR,
    "chain_depth": number(1, 4),
    "clip_limit": one_of(1, 4.0),
    "contrast_factor": FACTOR,
    "factor": FACTOR,
    "fill_mode": one_of(*["constant", "nearest", "reflect", "wrap"] * 2, "mirror", "REFLECT"),
    "height_factor": FACTOR,
    "hue_factor": FACTOR,
    "interpolation": one_of(*["bilinear", "nearest"] * 5, "bicubic", "Nearest"),
    "kernel_size": one_of(1, 3, 5, 2, [3, 5], [3, 4], [1, 1, 1]),
    "mode": one_of("horizontal", "vertical", "horizontal_and_vertical", "nonsense"),
    "num_chains": number(1, 4),
    "num_ops": number(1, 4),
    "RandomPosterization.factor": one_of(1, 4, 8, [1, 8], [6, 2], 2.5, 0, 9, [9, 2], [0, 0.5]),
    "saturation_factor": FACTOR,
    "scale": FACTOR,
    "sigma": FACTOR,
    "threshold_factor": FACTOR,
    "tile_grid_size": one_of([8, 8], [4, 2]),
    "value_range": one_of(*[[0, 1], [-1, 1], [0, 255], [1, 0]] * 3, [0], [0, 1, 2]),
    "width_factor": FACTOR,
    "x_factor": FACTOR,
    "y_factor": FACTOR,
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    return {"arguments": arguments_of(rng, name, OWN), **images(rng)}
