"""Rows that are read several times, or in another order: few in memory, many in temporary files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge, nlargest, nsmallest
from itertools import islice
from tempfile import TemporaryFile
from typing import Any

import msgspec

from dense_calc.variants import Row

FEW = 10_000  # rows that may be in memory


class Shelf:
    """Rows that can be read again and again; the file of many lasts as long as they do."""

    def __init__(self, rows: Iterable[Row], few: int = FEW) -> None:
        own = iter(rows)
        self.first = list(islice(own, few))
        self.others: Any = None
        encoder = msgspec.json.Encoder()
        while lines := encoder.encode_lines(list(islice(own, FEW))):
            if self.others is None:
                self.others = TemporaryFile()  # noqa: SIM115
            self.others.write(lines)

    def __iter__(self) -> Iterator[Row]:
        yield from self.first
        if self.others is not None:
            self.others.seek(0)
            decoder = msgspec.json.Decoder()
            for line in self.others:
                yield decoder.decode(line)


def arranged(
    rows: Iterable[Row], key: Callable[[Row], Any], backwards: bool, top: int | None
) -> Iterable[Row]:
    """The rows in the order of their keys, or the first few of them; equal ones stay in order."""
    if top is not None:
        return (nlargest if backwards else nsmallest)(top, rows, key)
    own = iter(rows)
    runs: list[Shelf] = []
    while run := list(islice(own, FEW)):
        run.sort(key=key, reverse=backwards)
        runs.append(Shelf(run, few=0 if runs else FEW))
    return merge(*runs, key=key, reverse=backwards)
