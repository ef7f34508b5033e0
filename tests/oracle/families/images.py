"""Random layers for images, and random images."""

from __future__ import annotations

import random
from typing import Any

from drawing import Draw, arguments_of, number, one_of, shape, size

MAPPED, LISTED = 0.25, 0.05  # how often images are in a mapping, in a list

SIZE = one_of(*range(1, 20), *range(1, 20), 0, -2, None, 2.5)

OWN: dict[str, Draw] = {
    "antialias": one_of(True, False),
    "bounding_box_format": one_of("xyxy", "rel_xywh", "nonsense", None),
    "crop_to_aspect_ratio": one_of(True, False),
    "factor": one_of(*[None, 0.5, -0.5, [-0.5, 0.5], [-3, 0]] * 2, 1.1, [0.3, -2], [2, 3]),
    "fill_mode": one_of("constant", "nearest", "reflect"),
    "fill_value": one_of(0, 255, -1, 0.5),
    "MaxNumBoundingBoxes.fill_value": one_of(-1, 0, 255),
    "height": SIZE,
    "interpolation": one_of("bilinear", "nearest", "bicubic", "lanczos3", "nonsense"),
    "max_number": number(-1, 12),
    "pad_to_aspect_ratio": one_of(True, False),
    "width": SIZE,
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    return {"arguments": arguments_of(rng, name, OWN), **images(rng)}


def images(rng: random.Random) -> dict[str, Any]:
    """The input of an image layer: a tensor, or a mapping or list of tensors."""
    chance = rng.random()
    if chance < MAPPED:
        return {"inputs": mapping(rng), "data": True}
    if chance < MAPPED + LISTED:
        return {"inputs": [[shape(rng, rng.randint(1, 5)) for _ in range(rng.randint(1, 4))]]}
    tensor = image(rng, rng.choice([3, 4, 4, 4]) if rng.random() < 0.8 else rng.randint(1, 6))
    return {"inputs": [{"batch_shape": tensor, "dtype": "uint8"} if chance > 0.9 else tensor]}


def image(rng: random.Random, rank: int) -> list[int | None]:
    """A shape that mostly has three channels."""
    tensor = shape(rng, rank)
    if rng.random() < 0.8:
        tensor[rng.choice([-1, -1, max(-3, -rank)])] = 3
    return tensor


def mapping(rng: random.Random) -> dict[str, Any]:
    """A mapping of images with labels, boxes or masks, seldom of a wrong form."""
    batch, rank = rng.choice([None, 2]), rng.choice([3, 4, 4])
    boxes: Any = {"boxes": [batch, size(rng), 4], "labels": [batch, size(rng)]}
    if rng.random() < 0.2:
        boxes["labels"] = [batch]
    if rng.random() < 0.2:
        boxes["classes"] = [batch, 3]
    if rng.random() < 0.1:
        boxes = rng.choice([{"boxes": [batch, 3, 4]}, [[batch, 3], [batch, 4]], [batch, 4]])
    parts = {
        "images": image(rng, rank),
        "labels": [batch, size(rng)],
        "bounding_boxes": boxes,
        "segmentation_masks": image(rng, rank),
    }
    return {name: part for name, part in parts.items() if rng.random() < 0.6} or parts
