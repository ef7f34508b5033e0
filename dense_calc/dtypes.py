"""Dtypes of tensors, in nests as their shapes are."""

from __future__ import annotations

from collections.abc import Iterator

from dense_calc.shapes import Shapes, is_shape, parts

Dtype = str | None  # None where nothing tells
Dtypes = Dtype | tuple["Dtypes", ...] | dict[str, "Dtypes"]  # () where there is no tensor
NOTHING: Dtypes = ()
FLOATS = ("bfloat", "float")  # how the dtypes of fractions begin


def spread(dtypes: Dtypes, shapes: Shapes) -> Dtypes:
    """A dtype for each tensor of a nest of shapes, where one may stand for all of a part."""
    if isinstance(dtypes, tuple):
        return tuple(map(spread, dtypes, parts(shapes)))
    if is_shape(shapes) or isinstance(dtypes, dict):
        return dtypes
    if isinstance(shapes, dict):
        return {name: spread(dtypes, each) for name, each in shapes.items()}
    return tuple([spread(dtypes, each) for each in shapes if isinstance(each, tuple | dict)])


def dtypes_in(dtypes: Dtypes) -> Iterator[Dtype]:
    """The dtypes of the single tensors in a nest, those of a mapping by its keys, as in Keras."""
    if isinstance(dtypes, str | None):
        yield dtypes
        return
    nest = [dtypes[name] for name in sorted(dtypes)] if isinstance(dtypes, dict) else dtypes
    for each in nest:
        yield from dtypes_in(each)


def autocast(dtypes: tuple[Dtypes, ...], to: str) -> tuple[Dtypes, ...]:
    """Dtypes, or nests of them, of which those of fractions become another, as Keras converts.

    Source: `DTypePolicy.convert_input`.
    """

    def converted(each: Dtypes) -> Dtypes:
        if isinstance(each, dict):
            return {name: converted(one) for name, one in each.items()}
        if isinstance(each, tuple):
            return autocast(each, to)
        return to if each and each.startswith(FLOATS) else each

    return tuple(map(converted, dtypes))
