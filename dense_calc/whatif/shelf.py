"""Rows that are read several times, or in another order: few in memory, many in temporary files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from heapq import merge, nlargest, nsmallest
from itertools import islice
from typing import IO, Any
from weakref import finalize

import msgspec

from dense_calc.errors import FileError
from dense_calc.settings.variants import VariantRow

FEW = 10_000  # rows that may be in memory
_BLOCK = 2**20  # bytes that are read at a time
_MANY = 64  # files that may be open


class Shelf:
    """Rows that can be read again and again; the file of many lasts as long as they do.

    Raises:
        FileError: there is no room for that file.
    """

    def __init__(self, rows: Iterable[VariantRow], few: int | None = None) -> None:
        own = iter(rows)
        self.first = list(islice(own, FEW if few is None else few))
        self.others: IO[bytes] | None = None
        encoder = msgspec.json.Encoder()
        while some := list(islice(own, FEW)):
            with _on_disk():
                if self.others is None:
                    from tempfile import TemporaryFile  # 9 ms, for many rows

                    self.others = TemporaryFile()  # noqa: SIM115
                    finalize(self, self.others.close)
                self.others.write(encoder.encode_lines(some))

    def __iter__(self) -> Iterator[VariantRow]:
        yield from self.first
        decoder = msgspec.json.Decoder()
        place = 0
        while self.others is not None:
            with _on_disk():  # somebody else may read on elsewhere meanwhile
                self.others.seek(place)
                lines = self.others.readlines(_BLOCK)
                place = self.others.tell()
            if not lines:
                return
            yield from map(decoder.decode, lines)


@contextmanager
def _on_disk() -> Iterator[None]:
    """Complaints of the machine in the words of ours."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"cannot keep the rows in a temporary file: {reason}") from None


def arranged(
    rows: Iterable[VariantRow], key: Callable[[VariantRow], Any], backwards: bool, top: int | None
) -> Iterable[VariantRow]:
    """The rows in the order of their keys, or the first few of them; equal ones stay in order.

    Raises:
        FileError: they are many, and there is no room for them.
    """
    if top is not None:
        return (nlargest if backwards else nsmallest)(top, rows, key)
    own = iter(rows)
    runs: list[Shelf] = []
    while run := list(islice(own, FEW)):
        run.sort(key=key, reverse=backwards)
        runs.append(Shelf(run, few=0 if runs else None))
        if len(runs) == _MANY:
            runs = [Shelf(merge(*runs, key=key, reverse=backwards))]
    return merge(*runs, key=key, reverse=backwards)
