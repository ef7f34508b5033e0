"""A chart in the terminal: what it draws, in colour and without, on any page."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.points import FIELD, MANY, PAIRS, WIDTHS, WORDS, sweeps

from dense_calc.errors import display_width
from dense_calc.render import Style
from dense_calc.render.axes import SweepPoints
from dense_calc.render.chart import render_chart

CHARTS: dict[str, tuple[list[str], SweepPoints, Style, str]] = {
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
    assert render_chart(names, points, style) == dedent(expected).lstrip("\n")


def test_a_chart_in_colour_says_the_same() -> None:
    curve = render_chart(["width"], WIDTHS, Style(width=40, color=True))
    assert "\x1b[38;5;33m" in curve
    assert SGR.sub("", curve) == render_chart(["width"], WIDTHS, Style(width=40))
    field = render_chart(["width", "depth"], FIELD[:2], Style(width=40, color=True))
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
    names: list[str], points: SweepPoints, width: int
) -> None:
    assert render_chart(names, points, Style(width=width)) == ""


styles = st.builds(
    Style, width=st.none() | st.integers(0, 150), ascii=st.booleans(), color=st.booleans()
)


@given(sweeps(), styles)
@settings(deadline=None)
def test_a_chart_keeps_to_what_the_terminal_can_show(
    sweep: tuple[list[str], SweepPoints], style: Style
) -> None:
    text = render_chart(*sweep, style)
    shown = SGR.sub("", text) if style.color else text
    assert all(
        display_width(line) <= (80 if style.width is None else style.width)
        for line in shown.splitlines()
    )
    assert all(line.isprintable() for line in shown.split("\n"))
    assert not style.ascii or shown.isascii()
    assert text == "" or text.endswith("\n")
