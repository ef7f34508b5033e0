"""Points to draw: small sweeps, odd ones, and any that Hypothesis draws."""

from __future__ import annotations

from hypothesis import strategies as st

from dense_calc.render.axes import SweepPoints

WIDTHS = [((width,), 10 * width * (width + 7)) for width in (16, 32, 64, 128)]
WORDS = [(("relu",), 7850), (("swiglu",), 11_900), (([64, 3],), 0), ((None,), 5000)]
FIELD = [
    ((width, depth), depth * width * width)
    for width in (32, 64, 128)
    for depth in (2, 4, 6)
    if width * depth < 700
]
MANY = [((x, y), x * y) for x in range(1, 101) for y in range(1, 101)]
PAIRS = [((width, word), width) for width, word in ((32, "relu"), (64, "模型"), (128, "gelu"))]


numbers = st.integers(-5, 5000) | st.integers() | st.floats()
values = numbers | st.text(max_size=8) | st.booleans() | st.none() | st.lists(st.integers(0, 99))
totals = st.integers(0, 10**6) | st.integers(0, 10**20)


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[str], SweepPoints]:
    """One or two names, and points of numbers or of anything."""
    names = draw(st.lists(st.text(max_size=30), min_size=1, max_size=2))
    kinds = [draw(st.sampled_from([st.integers(1, 99), numbers, values])) for _ in names]
    points = st.lists(st.tuples(st.tuples(*kinds), totals), max_size=40)
    return names, draw(points)
