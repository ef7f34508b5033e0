"""Dtypes of tensors, nested like their shapes."""

from __future__ import annotations

from collections.abc import Iterator

from dense_calc.shapes import Shapes, child_shapes, is_shape

TensorDtype = str | None  # None where it is not known
Dtypes = TensorDtype | tuple["Dtypes", ...] | dict[str, "Dtypes"]  # () where there is no tensor
NO_DTYPES: Dtypes = ()
FLOAT_PREFIXES = ("bfloat", "float")  # of floating-point dtypes


def expand_dtypes(dtypes: Dtypes, shapes: Shapes) -> Dtypes:
    """A dtype for each tensor of a nest of shapes; `dtypes` may have one for all of a part."""
    if isinstance(dtypes, tuple):
        return tuple(map(expand_dtypes, dtypes, child_shapes(shapes)))
    if is_shape(shapes) or isinstance(dtypes, dict):
        return dtypes
    if isinstance(shapes, dict):
        return {name: expand_dtypes(dtypes, each) for name, each in shapes.items()}
    return tuple([expand_dtypes(dtypes, each) for each in shapes if isinstance(each, tuple | dict)])


def leaf_dtypes(dtypes: Dtypes) -> Iterator[TensorDtype]:
    """The dtypes of the tensors in a nest; mappings in the order of their keys, as in Keras."""
    if isinstance(dtypes, str | None):
        yield dtypes
        return
    nest = [dtypes[name] for name in sorted(dtypes)] if isinstance(dtypes, dict) else dtypes
    for each in nest:
        yield from leaf_dtypes(each)


def autocast_dtypes(dtypes: tuple[Dtypes, ...], to: str) -> tuple[Dtypes, ...]:
    """Dtypes, or nests of them, with `to` for every floating-point dtype, as Keras casts inputs.

    Source: `DTypePolicy.convert_input`.
    """

    def cast(each: Dtypes) -> Dtypes:
        if isinstance(each, dict):
            return {name: cast(item) for name, item in each.items()}
        if isinstance(each, tuple):
            return autocast_dtypes(each, to)
        return to if each and each.startswith(FLOAT_PREFIXES) else each

    return tuple(map(cast, dtypes))
