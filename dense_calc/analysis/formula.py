"""The parameters of a layer as a formula in the names of its axes: `units × (inputs + 1)`.

Every weight is a product of its axes, and common factors are taken out of the sum. An axis may be
a product, too: `4 × units`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from math import gcd, prod

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.layers.base import PRODUCT_SIGN
from dense_calc.report import WeightRow

_AxisSymbol = tuple[str, int]  # an axis: its name and its size


class _Product(Struct, frozen=True):
    """`factor × symbols[0] × symbols[1] × ... × (rest[0] + rest[1] + ...)`."""

    factor: int
    symbols: tuple[_AxisSymbol, ...]
    rest: tuple[_Product, ...] = ()

    @property
    def value(self) -> int:
        """The value of the product."""
        sizes = prod(size for _, size in self.symbols)
        return self.factor * sizes * (sum_value(self.rest) if self.rest else 1)

    def format_product(self, *, numbers: bool) -> str:
        """The product as text, in the names of the axes or in their sizes."""
        parts = [str(size) if numbers else name for name, size in self.symbols]
        if self.rest:
            parts.append(f"({format_sum(self.rest, numbers=numbers)})")
        if self.factor != 1 or not parts:
            parts.insert(0, str(self.factor))
        return PRODUCT_SIGN.join(parts)


_SumOfProducts = Sequence[_Product]


def format_sum(terms: _SumOfProducts, *, numbers: bool) -> str:
    """A sum as text, in the names of the axes or in their sizes; `0` if it has no terms."""
    return " + ".join(term.format_product(numbers=numbers) for term in terms) or "0"


def format_factored_sum(products: Iterable[tuple[int, Iterable[str]]]) -> str:
    """A sum of products, each a number and names, with common factors taken out."""
    terms = [_Product(number, tuple((name, 0) for name in names)) for number, names in products]
    return format_sum(tuple(_factor_terms(terms)), numbers=False)


def sum_value(terms: _SumOfProducts) -> int:
    """The value of a sum."""
    return sum(term.value for term in terms)


def param_formula(weights: Sequence[WeightRow]) -> _SumOfProducts:
    """The number of parameters of these weights, with common factors taken out."""
    sizes = single_axis_sizes(weights)
    counts: Counter[tuple[_AxisSymbol, ...]] = Counter()
    orders: dict[tuple[_AxisSymbol, ...], tuple[_AxisSymbol, ...]] = {}
    for weight in weights:
        factor = 1
        symbols: list[_AxisSymbol] = []
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            number, names = split_axis(axis)
            factor *= number
            symbols += _resolve_symbols(names, size // number if number else 0, sizes)
        same = tuple(sorted(symbols))
        counts[same] += factor
        orders.setdefault(same, tuple(symbols))
    return tuple(_factor_terms([_Product(counts[same], order) for same, order in orders.items()]))


def distinguish_axes(weights: Iterable[WeightRow]) -> tuple[WeightRow, ...]:
    """The weights; axes of one name and several sizes get the name of their layer before it."""
    weights = tuple(weights)
    sizes = defaultdict(set)
    for weight in weights:
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            number, names = split_axis(axis)
            if len(names) == 1 and number:
                sizes[names[0]].add(size // number)
    doubtful = {name for name, several in sizes.items() if len(several) > 1}
    owners = list(_weight_owners(weights))
    short = [owner.rpartition("/")[2] for owner in owners]
    if len(set(short)) == len(set(owners)):
        owners = short
    return tuple(_qualify_axes(*each, doubtful) for each in zip(weights, owners, strict=True))


def _weight_owners(weights: Iterable[WeightRow]) -> Iterator[str]:
    """The path to the layer of each weight; layers of one name are numbered from the second on."""
    counts: Counter[str] = Counter()
    for weight in weights:
        counts[weight.path] += 1
        number = f" {counts[weight.path]}" if counts[weight.path] > 1 else ""
        yield weight.path.rpartition("/")[0] + number


def _qualify_axes(weight: WeightRow, owner: str, doubtful: Set[str]) -> WeightRow:
    """A weight with the name of its layer before each doubtful axis."""
    axes = (
        PRODUCT_SIGN.join(
            f"{owner} {part}" if part in doubtful else part for part in axis.split(PRODUCT_SIGN)
        )
        for axis in weight.axes
    )
    return replace(weight, axes=tuple(axes))


def split_axis(axis: str) -> tuple[int, list[str]]:
    """The number and the names of an axis that is a product: 3 and `units` of `3 × units`."""
    parts = axis.split(PRODUCT_SIGN)
    number = prod(int(part) for part in parts if part.isdigit())
    return number, [part for part in parts if not part.isdigit()]


def single_axis_sizes(weights: Iterable[WeightRow]) -> dict[str, int]:
    """The sizes of the names that stand alone in an axis, or times a number."""
    sizes = {}
    for weight in weights:
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            number, names = split_axis(axis)
            if len(names) == 1 and number:
                sizes[names[0]] = size // number
    return sizes


def _resolve_symbols(names: list[str], size: int, sizes: Mapping[str, int]) -> list[_AxisSymbol]:
    """The names of an axis of `size` with their sizes; one symbol where those are not known."""
    if prod(sizes.get(name, 0) for name in names) == size and len(names) != 1:
        return [(name, sizes[name]) for name in names]
    return [(PRODUCT_SIGN.join(names), size)]


def _factor_terms(terms: _SumOfProducts) -> Iterator[_Product]:
    """The same sum with common factors taken out, those of the most terms first."""
    if len(terms) < 2:
        yield from terms
        return
    shared = Counter(terms[0].symbols)
    for term in terms[1:]:
        shared &= Counter(term.symbols)
    factor = gcd(*(term.factor for term in terms)) or 1
    if shared or factor > 1:
        rest = tuple(_factor_terms([_divide_product(term, factor, shared) for term in terms]))
        plain_last = sorted(rest, key=lambda term: not term.symbols)
        yield _Product(factor, tuple(shared.elements()), tuple(plain_last))
        return
    counts = Counter(symbol for term in terms for symbol in dict.fromkeys(term.symbols))
    symbol, times = max(counts.items(), key=lambda pair: pair[1], default=(("", 0), 0))
    if times < 2:
        yield from terms
        return
    yield from _factor_terms([term for term in terms if symbol in term.symbols])
    yield from _factor_terms([term for term in terms if symbol not in term.symbols])


def _divide_product(term: _Product, factor: int, shared: Counter[_AxisSymbol]) -> _Product:
    """A product divided by a factor and by some of its symbols."""
    left = list(term.symbols)
    for symbol in shared.elements():
        left.remove(symbol)
    return _Product(term.factor // factor, tuple(left))
