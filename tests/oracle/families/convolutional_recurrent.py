"""Random convolutional LSTMs."""

from __future__ import annotations

import random
from typing import Any

from drawing import arguments_of, shape, size

from families import recurrent
from families.convolutional import OWN, largest, window


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    rank = int(name[-2])
    own = OWN | recurrent.OWN | {"kernel_size": window(rank, 1, 3)}
    own |= dict.fromkeys(("strides", "dilation_rate"), window(rank, 1, 2))
    arguments = arguments_of(rng, name, own)
    if largest(arguments, "strides") > 1 and rng.random() < 0.8:
        arguments.pop("dilation_rate", None)
    sequences = shape(rng, rank + 3 if rng.random() > recurrent.ODD else rng.randint(1, 6))
    if arguments.get("stateful") and rng.random() < 0.8:
        sequences[0] = 2
    if rng.random() < 0.8:  # sides that are known, and large enough for most windows
        sequences[2:] = [max(side or 0, 5) for side in sequences[2:]]
    given: dict[str, Any] = {"sequences": sequences}
    if rng.random() < 0.2:
        given["initial_state"] = [[sequences[0], 4, size(rng)]] * 2
        if rng.random() < 0.3:
            given["mask"] = {"batch_shape": [sequences[0], 3], "dtype": "bool"}
    return {"arguments": arguments, "inputs": recurrent.call(rng, given)}
