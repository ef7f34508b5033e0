"""How reports are shown: their columns and width, signs and colors."""

from __future__ import annotations

from msgspec import Struct


class Style(Struct, frozen=True):
    """How to print: `columns` is None for the usual ones, `width` None for lines of any length.

    A `compact` table has no rules between its rows, nor has one that is longer than a screen of
    `height` lines; None is a page of any length.
    """

    columns: tuple[str, ...] | None = None
    width: int | None = None
    ascii: bool = False
    color: bool = False
    compact: bool = False
    height: int | None = None
