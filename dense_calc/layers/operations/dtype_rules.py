"""Rules for the dtype that an operation gives, from those of all tensors that it reads, in order.

Source: `compute_output_spec` of the classes in keras/src/ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dense_calc.dtypes import FLOATS, Dtype, Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.promotion import STRONG, promoted

if TYPE_CHECKING:
    from dense_calc.layers.operations.operation import Operation

Rule = Callable[["Operation", tuple[Dtype, ...]], Dtypes]

FLOAT = "float32"
SUMS = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
HALVES = ("bfloat16", "float16")


def first(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first tensor."""
    return dtypes[0]


def second(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the second tensor."""
    return dtypes[1]


def last(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the last tensor; Keras forgets it with `indexing` "ij"."""
    return FLOAT if getattr(operation, "indexing", "xy") == "ij" else dtypes[-1]


def together(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What all inputs come to."""
    return promoted(*dtypes)


def strong(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What all inputs come to, where numbers do not yield."""
    return promoted(*settled(dtypes))


def settled(dtypes: tuple[Dtype, ...]) -> tuple[Dtype, ...]:
    """The dtypes of inputs where those of numbers do not yield."""
    return tuple([STRONG.get(dtype, dtype) if dtype else None for dtype in dtypes])


def fraction(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """A dtype of fractions that all inputs come to."""
    return promoted(*dtypes, "float")


def own_fraction(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The same of the first input alone."""
    return promoted(dtypes[0], "float")


def strong_fraction(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The same where numbers do not yield."""
    return promoted(*settled(dtypes), "float")


def angle(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The same where every number is a float32."""
    return promoted(*[FLOAT if dtype in STRONG else dtype for dtype in dtypes], "float")


def argument(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The argument `dtype`, or that of the first input."""
    dtype = named(operation)
    return dtypes[0] if dtype is None else dtype


def named(operation: Operation) -> Dtype:
    """The argument `dtype` of an operation, None if it is not given."""
    dtype = operation.dtype
    assert isinstance(dtype, str | None)
    return STRONG.get(dtype, dtype) if dtype else None


def argument_or_default(operation: Operation, _dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The argument `dtype`, or Keras' default."""
    return argument(operation, (FLOAT,))


def spaced(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """Fractions, of the argument `dtype` or that of the start."""
    return promoted(named(operation) or settled(dtypes)[0], "float")


def no_integer(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first input, but a float32 of whole numbers and truths."""
    dtype = dtypes[0]
    return FLOAT if dtype and ("int" in dtype or dtype == "bool") else dtype


def size(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The same of numbers that are not complex."""
    if dtypes[0] and "complex" in dtypes[0]:
        raise LayerError(f"it does not take {dtypes[0]}")
    return no_integer(operation, dtypes)


def mean(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The same of numbers that float32 can join."""
    promoted(dtypes[0], FLOAT)
    return no_integer(operation, dtypes)


def percentile(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first input if it holds fractions, or a float32."""
    dtype = dtypes[0]
    return FLOAT if dtype and not dtype.startswith(FLOATS) else dtype


def root(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first input, but fractions of whole numbers: of 64 bits as many."""
    dtype = dtypes[0]
    if dtype == "int64":
        return "float64"
    whole = dtype in ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")
    return FLOAT if whole else dtype


def degrees(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """Fractions with as many bits as the first input has, but 32 of those that have fewer."""
    dtype = dtypes[0]
    if dtype in ("int64", "float64"):
        return "float64"
    return dtype if dtype is None or dtype in HALVES else FLOAT


def step(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What both inputs come to, but a float32 of whole numbers."""
    dtype = promoted(*dtypes)
    return FLOAT if dtype and "int" in dtype else dtype


def correlation(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What both inputs come to if that is fractions of 16 bits, or a float32."""
    dtype = promoted(*dtypes)
    return dtype if dtype is None or dtype in HALVES else FLOAT


def coefficient(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """Fractions, with 64 bits of whole numbers that have as many."""
    return "float64" if dtypes[0] == "int64" else promoted(dtypes[0], "float")


def sum_of(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first input in 32 bits at most, and at least of whole numbers."""
    dtype = promoted(dtypes[0])
    return SUMS.get(dtype, dtype) if dtype else None


def product_of(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The argument `dtype`, or that of the first input, whole numbers in 32 bits at least."""
    if operation.dtype is not None:
        return argument(operation, dtypes)
    dtype = dtypes[0]
    return SUMS.get(dtype, dtype) if dtype else None


def accumulated(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """The argument `dtype`, or that of the first input, where truths count as whole numbers."""
    dtype = argument(operation, dtypes)
    return "int32" if dtype == "bool" else dtype


def remainder(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What both inputs come to, where truths count as whole numbers."""
    dtype = promoted(*dtypes)
    return "int32" if dtype == "bool" else dtype


def shift(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What both inputs come to, or that of the first if the other is a number."""
    return dtypes[0] if dtypes[1] == "int" else promoted(*dtypes)


def products(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What all inputs come to; of bytes alone sums need 32 bits."""
    return "int32" if set(dtypes) == {"int8"} else strong(operation, dtypes)


def occurrences(operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """Whole numbers, or what the first input and weights come to."""
    weights = getattr(operation, "counted", None)
    if weights is None:
        return "int32"
    return promoted(dtypes[0], FLOAT if any(isinstance(w, float) for w in weights) else "int32")


def choice(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What the two last inputs come to; whole numbers, where only places are asked for."""
    return promoted(*(dtypes[1:] + ("int32",) * 2)[:2])


def attention(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What query, key and value come to."""
    return promoted(*dtypes[:3])


def loss(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """What the second input and a float32 come to."""
    return promoted(dtypes[1], FLOAT)


def decoded(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """Classes, and how likely they are."""
    return "int32", promoted(dtypes[0], FLOAT)


def with_places(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first input, and that of places."""
    return dtypes[0], "int32"


def parts(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """Those of the inputs, one for each output."""
    return dtypes


def colors(_operation: Operation, dtypes: tuple[Dtype, ...]) -> Dtypes:
    """That of the first input, which must hold fractions."""
    if dtypes[0] and not dtypes[0].startswith(FLOATS):
        raise LayerError(f"the images must hold fractions, not {dtypes[0]}; cast them")
    return dtypes[0]
