"""The count of a layer as a formula of its named axes: `units × (inputs + 1)`.

It is made from the weights: each is a product of its axes, and what products share is factored
out. An axis of a weight may itself be a product: `4 × units`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from math import gcd, prod

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.layers.base import TIMES
from dense_calc.report import WeightRow

Symbol = tuple[str, int]  # an axis: its name and its size


class Product(Struct, frozen=True):
    """`factor × symbols[0] × symbols[1] × ... × (rest[0] + rest[1] + ...)`."""

    factor: int
    symbols: tuple[Symbol, ...]
    rest: tuple[Product, ...] = ()

    @property
    def value(self) -> int:
        """What it comes to."""
        sizes = prod(size for _, size in self.symbols)
        return self.factor * sizes * (value(self.rest) if self.rest else 1)

    def told(self, *, numbers: bool) -> str:
        """The product in the names of the axes, or in their sizes."""
        parts = [str(size) if numbers else name for name, size in self.symbols]
        if self.rest:
            parts.append(f"({told(self.rest, numbers=numbers)})")
        if self.factor != 1 or not parts:
            parts.insert(0, str(self.factor))
        return TIMES.join(parts)


Sum = Sequence[Product]


def told(terms: Sum, *, numbers: bool) -> str:
    """A sum in the names of the axes, or in their sizes; `0` if it has no terms."""
    return " + ".join(term.told(numbers=numbers) for term in terms) or "0"


def value(terms: Sum) -> int:
    """What a sum comes to."""
    return sum(term.value for term in terms)


def formula(weights: Sequence[WeightRow]) -> Sum:
    """The number of parameters of these weights, with what they share factored out."""
    sizes = sizes_of(weights)
    counts: Counter[tuple[Symbol, ...]] = Counter()
    orders: dict[tuple[Symbol, ...], tuple[Symbol, ...]] = {}
    for weight in weights:
        factor = 1
        symbols: list[Symbol] = []
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            number, names = split(axis)
            factor *= number
            symbols += resolved(names, size // number if number else 0, sizes)
        same = tuple(sorted(symbols))
        counts[same] += factor
        orders.setdefault(same, tuple(symbols))
    return tuple(factored([Product(counts[same], order) for same, order in orders.items()]))


def distinct(weights: Iterable[WeightRow]) -> tuple[WeightRow, ...]:
    """The weights with axes that differ in size under one name told apart by their layers."""
    held = tuple(weights)
    sizes = defaultdict(set)
    for weight in held:
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            number, names = split(axis)
            if len(names) == 1 and number:
                sizes[names[0]].add(size // number)
    doubtful = {name for name, several in sizes.items() if len(several) > 1}
    owners = list(owners_of(held))
    short = [owner.rpartition("/")[2] for owner in owners]
    if len(set(short)) == len(set(owners)):
        owners = short
    return tuple(told_apart(*each, doubtful) for each in zip(held, owners, strict=True))


def owners_of(weights: Iterable[WeightRow]) -> Iterator[str]:
    """The path to the layer of each weight; layers of one name are numbered from the second on."""
    seen: Counter[str] = Counter()
    for weight in weights:
        seen[weight.path] += 1
        number = f" {seen[weight.path]}" if seen[weight.path] > 1 else ""
        yield weight.path.rpartition("/")[0] + number


def told_apart(weight: WeightRow, owner: str, doubtful: Set[str]) -> WeightRow:
    """A weight whose doubtful axes have the name of its owner before them."""
    axes = (
        TIMES.join(f"{owner} {part}" if part in doubtful else part for part in axis.split(TIMES))
        for axis in weight.axes
    )
    return replace(weight, axes=tuple(axes))


def split(axis: str) -> tuple[int, list[str]]:
    """The number and the names whose product an axis is: `3 × units`."""
    parts = axis.split(TIMES)
    return prod(int(part) for part in parts if part.isdigit()), [
        part for part in parts if not part.isdigit()
    ]


def sizes_of(weights: Iterable[WeightRow]) -> dict[str, int]:
    """The sizes of the axes that some weight has by themselves, or times a number."""
    sizes = {}
    for weight in weights:
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            number, names = split(axis)
            if len(names) == 1 and number:
                sizes[names[0]] = size // number
    return sizes


def resolved(names: list[str], size: int, sizes: Mapping[str, int]) -> list[Symbol]:
    """The symbols that together have `size`; one of them where their own sizes are not known."""
    if prod(sizes.get(name, 0) for name in names) == size and len(names) != 1:
        return [(name, sizes[name]) for name in names]
    return [(TIMES.join(names), size)]


def factored(terms: Sum) -> Iterator[Product]:
    """The same sum with what its terms share in front of them, what most share first."""
    if len(terms) < 2:
        yield from terms
        return
    shared = Counter(terms[0].symbols)
    for term in terms[1:]:
        shared &= Counter(term.symbols)
    factor = gcd(*(term.factor for term in terms)) or 1
    if shared or factor > 1:
        rest = tuple(factored([without(term, factor, shared) for term in terms]))
        plain_last = sorted(rest, key=lambda term: not term.symbols)
        yield Product(factor, tuple(shared.elements()), tuple(plain_last))
        return
    held = Counter(symbol for term in terms for symbol in dict.fromkeys(term.symbols))
    symbol, times = max(held.items(), key=lambda pair: pair[1], default=(("", 0), 0))
    if times < 2:
        yield from terms
        return
    yield from factored([term for term in terms if symbol in term.symbols])
    yield from factored([term for term in terms if symbol not in term.symbols])


def without(term: Product, factor: int, shared: Counter[Symbol]) -> Product:
    """A product without a factor and without symbols that it holds, the first of each."""
    left = list(term.symbols)
    for symbol in shared.elements():
        left.remove(symbol)
    return Product(term.factor // factor, tuple(left))
