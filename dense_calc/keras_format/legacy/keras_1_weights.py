"""In which arrays Keras 1 stored what is one weight today.

The source is `preprocess_weights_for_loading` of Keras 2 (keras/engine/saving.py of 2.3.1), which
says how each is read, and the classes of Keras 1.2.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dense_calc.report import WeightRow
from dense_calc.shapes import Sizes

_GATE_AXIS_PATTERN = r"([34]) × "  # how the axis is named that holds what all gates of a cell have
_KERNEL_SUFFIX = "kernel"  # how weights are named that have axes of space


def keras_1_array_shapes(weight: WeightRow) -> Iterator[list[Sizes]]:
    """The shapes of the arrays that may stand for a weight: of each gate one, or one for all."""
    gates = re.match(_GATE_AXIS_PATTERN, weight.axes[-1]) if weight.axes else None
    count = int(gates[1]) if gates else 1
    part = (*weight.shape[:-1], weight.shape[-1] // count) if gates else weight.shape
    orders = _kernel_axis_orders(part) if weight.name.endswith(_KERNEL_SUFFIX) else [part]
    return ([order] * count for order in orders)


def _kernel_axis_orders(kernel: Sizes) -> list[Sizes]:
    """The orders in which the axes of a kernel may stand: `(*space, channels, filters)` today.

    Theano puts space last; a transposed convolution has filters and channels the other way round;
    one along a sequence has a second axis of space.
    """
    if len(kernel) < 3:
        return [kernel]
    *space, channels, filters = kernel
    spaces = [tuple(space), (space[0], 1)] if len(space) == 1 else [tuple(space)]
    ends = [(channels, filters), (filters, channels)]
    return [order for each in spaces for end in ends for order in ((*each, *end), (*end, *each))]
