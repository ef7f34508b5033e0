"""A layer of the model that stands inside another: until all layers are known, only its name."""

from __future__ import annotations

from collections.abc import Iterator

from dense_calc.errors import Place
from dense_calc.layers.base import LayerKind, layers_in


class Borrowed(LayerKind, frozen=True, kw_only=True, eq=False):
    """What stands inside a layer for one that the model calls elsewhere, by the name `of` that."""

    of: str
    place: Place | None = None


def borrowed_in(
    layer: LayerKind, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Borrowed, LayerKind]]:
    """The borrowed layers inside another, each with the way to it and the layer that holds it."""
    for steps, inner in layers_in(layer):
        if isinstance(inner, Borrowed):
            yield (*path, *steps), inner, layer
        else:
            yield from borrowed_in(inner, (*path, *steps))
