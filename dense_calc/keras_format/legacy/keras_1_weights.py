"""Shapes of the arrays in which Keras 1 stored what is one weight today.

Sources: `preprocess_weights_for_loading` of Keras 2 (keras/engine/saving.py of 2.3.1), and the
classes of Keras 1.2.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dense_calc.report import WeightRow
from dense_calc.shapes import Sizes

_GATE_AXIS_PATTERN = r"([34]) × "  # of the name of an axis over the gates of a cell
_KERNEL_SUFFIX = "kernel"  # of the names of weights with spatial axes


def keras_1_array_shapes(weight: WeightRow) -> Iterator[list[Sizes]]:
    """The ways in which a weight may be stored: the shapes of an array for each gate, or of one."""
    gates = re.match(_GATE_AXIS_PATTERN, weight.axes[-1]) if weight.axes else None
    count = int(gates[1]) if gates else 1
    part = (*weight.shape[:-1], weight.shape[-1] // count) if gates else weight.shape
    orders = _kernel_axis_orders(part) if weight.name.endswith(_KERNEL_SUFFIX) else [part]
    return ([order] * count for order in orders)


def _kernel_axis_orders(kernel: Sizes) -> list[Sizes]:
    """The orders in which the axes of a kernel may be stored; now `(*space, channels, filters)`.

    Theano puts space last. A transposed convolution has filters before channels. A convolution
    along a sequence has a second spatial axis.
    """
    if len(kernel) < 3:
        return [kernel]
    *space, channels, filters = kernel
    spaces = [tuple(space), (space[0], 1)] if len(space) == 1 else [tuple(space)]
    ends = [(channels, filters), (filters, channels)]
    return [order for each in spaces for end in ends for order in ((*each, *end), (*end, *each))]
