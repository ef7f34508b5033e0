"""The pictures of a sweep: a chart in the terminal, and a plot in a file."""

from __future__ import annotations

import math
import re
import sys
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dense_calc.errors import FileError, columns
from dense_calc.render import Style
from dense_calc.render.axes import Points, axes, human, ticks, value_text
from dense_calc.render.chart import chart
from dense_calc.render.plot import drawn, picture

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

CHARTS: dict[str, tuple[list[str], Points, Style, str]] = {
    "a curve": (
        ["width"],
        WIDTHS,
        Style(width=40),
        """
        params
          200k ┤
               │
               │                             ⢀⠤●
          150k ┤                           ⢀⠔⠁
               │                         ⡠⠊⠁
               │                      ⢀⠔⠉
          100k ┤                    ⡠⠔⠁
               │                 ⢀⠤⠊
               │               ⢀⠔⠁
           50k ┤            ⣀●⠊⠁
               │       ⢀⡠⠤⠒⠉
               │ ⢀⣀⡠●⠔⠊⠁
             0 ┤●⠁
               └┬────────────┬─────────────────┬
                16          64               128
                             width
        """,
    ),
    "a curve in ASCII, 80 columns": (
        ["width"],
        WIDTHS,
        Style(width=80, ascii=True),
        """
        params
          200k +
               |
               |                                                                   ..:'o
          150k +                                                             ...'''
               |                                                        ...'''
               |                                                  ...:''
          100k +                                             ...'''
               |                                       ...:''
               |                                  ...'''
           50k +                           ...o:''
               |                ......'''''
               |   .......o:'''''
             0 +o''
               ++---------+-------------------+----------------------------------------+
                16       32                  64                                      128
                                                 width
        """,
    ),
    "bars for words": (
        ["activation"],
        WORDS,
        Style(width=40),
        """
        params
           15k ┤
               │
               │          ⢀⣀⣀⣀
               │          ⢸⣿⣿⣿
           10k ┤          ⢸⣿⣿⣿
               │          ⢸⣿⣿⣿
               │  ⢸⣿⣿⣿    ⢸⣿⣿⣿
               │  ⢸⣿⣿⣿    ⢸⣿⣿⣿
            5k ┤  ⢸⣿⣿⣿    ⢸⣿⣿⣿            ⣶⣶⣶⡆
               │  ⢸⣿⣿⣿    ⢸⣿⣿⣿            ⣿⣿⣿⡇
               │  ⢸⣿⣿⣿    ⢸⣿⣿⣿            ⣿⣿⣿⡇
               │  ⢸⣿⣿⣿    ⢸⣿⣿⣿            ⣿⣿⣿⡇
             0 ┤  ⢸⣿⣿⣿    ⢸⣿⣿⣿    ⣶⣶⣶⡆    ⣿⣿⣿⡇
               └────┬───────┬──────────────┬────
                  relu   swiglu          null
                           activation
        """,
    ),
    "bars in ASCII": (
        ["activation"],
        WORDS,
        Style(width=40, ascii=True),
        """
        params
           15k +
               |
               |          ....
               |          :###
           10k +          :###
               |          :###
               |  :###    :###
               |  :###    :###
            5k +  :###    :###            ###:
               |  :###    :###            ###:
               |  :###    :###            ###:
               |  :###    :###            ###:
             0 +  :###    :###    ###:    ###:
               +----+-------+--------------+----
                  relu   swiglu          null
                           activation
        """,
    ),
    "one point": (
        ["width"],
        [((64,), 7850)],
        Style(width=40),
        """
        params
            8k ┤                ●
               │
               │
            6k ┤
               │
               │
            4k ┤
               │
               │
            2k ┤
               │
               │
             0 ┤
               └────────────────┬───────────────
                               64
                             width
        """,
    ),
    "a level line": (
        ["rate"],
        [((0.1,), 1), ((0.1 + 0.2,), 1)],
        Style(width=30),
        """
        params
             1 ┤●⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒●
               │
               │
               │
               │
               │
               │
               │
               │
               │
               │
               │
             0 ┤
               └┬────────────────────┬
                0.1                0.3
                         rate
        """,
    ),
    "counts that differ in their last digit": (
        ["seed"],
        [((each,), 10**19 + each) for each in range(3)],
        Style(width=80),
        """
                            params
        10,000,000,000,000,000,002 ┤                                                 ⣀⠤●
                                   │                                             ⣀⠤⠒⠉
                                   │                                        ⢀⡠⠔⠒⠉
                                   │                                    ⢀⡠⠔⠊⠁
                                   │                                ⣀⠤⠒⠊⠁
                                   │                            ⣀⠤⠒⠉
        10,000,000,000,000,000,001 ┤                       ⢀⡠⠔●⠉
                                   │                   ⣀⡠⠔⠊⠁
                                   │               ⣀⠤⠒⠉
                                   │          ⢀⡠⠔⠒⠉
                                   │      ⣀⡠⠔⠊⠁
                                   │  ⣀⠤⠒⠉
                       10,000,000T ┤●⠉
                                   └┬─────────────────────────┬────────────────────────┬
                                    0                         1                        2
                                                            seed
        """,
    ),
    "a heat map with gaps, no width": (
        ["width", "depth"],
        FIELD,
        Style(),
        """
        depth
          │░░░░░░▒▒▒▒▒▒
        6 │░░░░░░▒▒▒▒▒▒
          │░░░░░░▒▒▒▒▒▒
          │░░░░░░░░░░░░██████
        4 │░░░░░░░░░░░░██████
          │░░░░░░░░░░░░██████
          │░░░░░░░░░░░░▒▒▒▒▒▒
        2 │░░░░░░░░░░░░▒▒▒▒▒▒
          │░░░░░░░░░░░░▒▒▒▒▒▒
          └───┬─────┬─────┬──
             32    64    128
                 width
        2,048 ░▒▓█ 65,536
        params
        """,
    ),
    "a heat map in ASCII, 20 columns": (
        ["width", "depth"],
        FIELD,
        Style(width=20, ascii=True),
        """
        depth
          |.....=====
        6 |.....=====
          |.....-----@@@@@
        4 |.....-----@@@@@
          |..........+++++
        2 |..........+++++
          +--+----+----+--
            32   64   128
                width
        . 2,048
        @ 65,536
        params
        """,
    ),
    "a heat map of many": (
        ["x", "y"],
        MANY,
        Style(width=40),
        """
        y
        97 │▒▓▓▓▓▓██████████████████████████████
        93 │▒▓▓▓▓▓▓█████████████████████████████
        89 │▒▓▓▓▓▓▓█████████████████████████████
        85 │▒▓▓▓▓▓▓█████████████████████████████
        81 │▒▓▓▓▓▓▓▓████████████████████████████
        76 │▒▓▓▓▓▓▓▓████████████████████████████
        72 │▒▓▓▓▓▓▓▓▓███████████████████████████
        68 │▒▓▓▓▓▓▓▓▓███████████████████████████
        64 │▒▓▓▓▓▓▓▓▓▓██████████████████████████
        60 │▒▒▓▓▓▓▓▓▓▓▓█████████████████████████
        56 │▒▒▓▓▓▓▓▓▓▓▓█████████████████████████
        51 │▒▒▓▓▓▓▓▓▓▓▓▓████████████████████████
        47 │▒▒▓▓▓▓▓▓▓▓▓▓▓▓██████████████████████
        43 │▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓█████████████████████
        39 │▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓████████████████████
        35 │▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓██████████████████
        31 │▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓████████████████
        26 │▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓█████████████
        22 │░▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓████████
        18 │░▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓███
        14 │░▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
        10 │░▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
         6 │░░▒▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
         1 │░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓
           └┬────┬────┬────┬────┬────┬────┬────┬
            1   15   29   43   57   71   85   99
                             x
        15 ░▒▓█ 10k
        params, on a logarithmic scale; a cell
        is the largest of up to 15 combinations
        """,
    ),
    "words and wide characters": (
        ["width", "größe\x1b"],
        PAIRS,
        Style(width=40),
        """
        größe\\x1b
             │░░░░░░
        relu │░░░░░░
             │░░░░░░
             │      ▒▒▒▒▒▒
        模型 │      ▒▒▒▒▒▒
             │      ▒▒▒▒▒▒
             │            ██████
        gelu │            ██████
             │            ██████
             └───┬─────┬─────┬──
                32    64    128
                    width
        32 ░▒▓█ 128
        params
        """,
    ),
    "words and wide characters in ASCII": (
        ["width", "größe\x1b"],
        PAIRS,
        Style(width=40, ascii=True),
        """
        gr\\xf6\\xdfe\\x1b
                     |......
                relu |......
                     |......
                     |      ======
        \\u6a21\\u578b |      ======
                     |      ======
                     |            @@@@@@
                gelu |            @@@@@@
                     |            @@@@@@
                     +---+-----+-----+--
                        32    64    128
                            width
        32 .:-=+*#%@ 128
        params
        """,
    ),
}
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("case", CHARTS)
def test_a_chart(case: str) -> None:
    names, points, style, expected = CHARTS[case]
    assert chart(names, points, style) == dedent(expected).lstrip("\n")


def test_a_chart_in_colour_says_the_same() -> None:
    curve = chart(["width"], WIDTHS, Style(width=40, color=True))
    assert "\x1b[38;5;33m" in curve
    assert SGR.sub("", curve) == chart(["width"], WIDTHS, Style(width=40))
    field = chart(["width", "depth"], FIELD[:2], Style(width=40, color=True))
    dark, bright = "\x1b[48;5;53m      \x1b[0m", "\x1b[48;5;220m      \x1b[0m"
    assert field.splitlines()[1:7] == [
        "  │" + bright, "4 │" + bright, "  │" + bright, "  │" + dark, "2 │" + dark, "  │" + dark,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "points", "width"),
    [
        (["width"], [], 80),
        (["width", "depth"], [], 80),
        (["width"], WIDTHS, 19),
        (["width", "depth"], FIELD, 0),
        (["width"], [((1,), 10**19 + 1), ((2,), 10**19 + 2)], 30),
        (["width", "word"], [((1, "a very long word, as wide as the screen"), 1)], 40),
        (["width", "depth"], [((1, 2), 10**30 + 1)], 40),
    ],
)
def test_no_chart_where_there_is_nothing_to_draw_or_no_room(
    names: list[str], points: Points, width: int
) -> None:
    assert chart(names, points, Style(width=width)) == ""


numbers = st.integers(-5, 5000) | st.integers() | st.floats()
values = numbers | st.text(max_size=8) | st.booleans() | st.none() | st.lists(st.integers(0, 99))
totals = st.integers(0, 10**6) | st.integers(0, 10**20)
styles = st.builds(
    Style, width=st.none() | st.integers(0, 150), ascii=st.booleans(), color=st.booleans()
)


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[str], Points]:
    """One or two names, and points of numbers or of anything."""
    names = draw(st.lists(st.text(max_size=30), min_size=1, max_size=2))
    kinds = [draw(st.sampled_from([st.integers(1, 99), numbers, values])) for _ in names]
    points = st.lists(st.tuples(st.tuples(*kinds), totals), max_size=40)
    return names, draw(points)


@given(sweeps(), styles)
@settings(deadline=None)
def test_a_chart_keeps_to_what_the_terminal_can_show(
    sweep: tuple[list[str], Points], style: Style
) -> None:
    text = chart(*sweep, style)
    shown = SGR.sub("", text) if style.color else text
    assert all(
        columns(line) <= (80 if style.width is None else style.width) for line in shown.splitlines()
    )
    assert all(line.isprintable() for line in shown.split("\n"))
    assert not style.ascii or shown.isascii()
    assert text == "" or text.endswith("\n")


@given(st.integers(0, 10**20), st.integers(0, 10**20))
def test_ticks_are_a_few_and_hold_all_counts(one: int, other: int) -> None:
    low, high = sorted((one, other))
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 6
    assert marks[0] <= low
    assert marks[-1] >= high


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (0, "0"), (999, "999"), (1000, "1k"), (1001, "1,001"), (7850, "7.85k"), (7855, "7,855"),
        (1_200_000, "1.2M"), (5 * 10**9, "5B"), (10**19, "10,000,000T"),
        (10**12 - 1, "999,999,999,999"),
    ],
)  # fmt: skip
def test_a_count_for_people_is_exact(total: int, text: str) -> None:
    assert human(total) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("relu", "relu"), ("a\x1b", r"a\x1b"), (64, "64"), (0.1 + 0.2, "0.3"), (1e-9, "1e-09"),
        (True, "true"), (None, "null"), ([64, [None, "x"]], "[64, [null, x]]"), ((), "[]"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_in_a_spec(value: Any, text: str) -> None:
    assert value_text(value) == text


PLOTS: dict[str, tuple[list[str], Points]] = {
    "curve": (["width"], WIDTHS),
    "long curve": (["width"], [((width,), width**2) for width in range(1, 200)]),
    "one point": (["width"], [((0.5,), 0)]),
    "words": (["a$b$_模型\x1b"], WORDS),
    "field": (["width", "$x_{"], FIELD),
    "large field": (["x", "y"], MANY),
    "long diagonal": (["x", "y"], [((x, -x), x) for x in range(1001)]),
    "field of words": (["y" * 2000, "word"], [((x, "word " * x), x * 10**19) for x in range(9)]),
    "last digits": (["x", "y"], [((x, math.inf), 10**30 + x) for x in range(3)]),
}
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", MAGIC)
@pytest.mark.parametrize("case", PLOTS)
def test_a_plot_is_the_same_each_time(case: str, ending: str) -> None:
    one = picture(*PLOTS[case], f"one.{ending}")
    assert one.startswith(MAGIC[ending])
    assert one == picture(*PLOTS[case], f"other.{ending.upper()}")


@given(sweeps())
@settings(deadline=None, max_examples=25)
def test_no_sweep_is_too_odd_for_a_plot(sweep: tuple[list[str], Points]) -> None:
    if sweep[1]:
        assert drawn(axes(*sweep), sweep[1], ".png").startswith(MAGIC["png"])


def test_a_plot_has_its_own_look() -> None:
    import matplotlib

    plain = picture(["width"], WIDTHS, "plain.svg")
    with matplotlib.rc_context({"text.usetex": True, "figure.figsize": (1, 1)}):
        assert picture(["width"], WIDTHS, "set.svg") == plain
        assert matplotlib.rcParams["text.usetex"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("plot.jpg", "cannot write plot.jpg: a plot ends in .svg, .png or .pdf"),
        ("svg", "cannot write svg: a plot ends in .svg, .png or .pdf"),
    ],
)
def test_a_plot_of_no_known_kind(path: str, message: str) -> None:
    with pytest.raises(FileError) as raised:
        picture(["width"], WIDTHS, path)
    assert raised.value.message == message


def test_a_plot_of_nothing() -> None:
    with pytest.raises(FileError, match=r"cannot write plot\.svg: there is nothing to plot"):
        picture(["width"], [], "plot.svg")


def test_a_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(FileError) as raised:
        picture(["width"], WIDTHS, "plot.svg")
    assert raised.value.message == "a plot needs matplotlib: pip install 'dense-calc[plot]'"
