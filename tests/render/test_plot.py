"""A plot in a file: the same each time, of whatever is swept."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given, settings
from support.points import FIELD, MANY, WIDTHS, WORDS, sweeps

from dense_calc.errors import FileError
from dense_calc.render.axes import SweepPoints, build_axes
from dense_calc.render.plot import draw_picture, render_plot

PLOTS: dict[str, tuple[list[str], SweepPoints]] = {
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
    one = render_plot(*PLOTS[case], f"one.{ending}")
    assert one.startswith(MAGIC[ending])
    assert one == render_plot(*PLOTS[case], f"other.{ending.upper()}")


@given(sweeps())
@settings(deadline=None, max_examples=25)
def test_no_sweep_is_too_odd_for_a_plot(sweep: tuple[list[str], SweepPoints]) -> None:
    if sweep[1]:
        assert draw_picture(build_axes(*sweep), sweep[1], ".png").startswith(MAGIC["png"])


def test_a_plot_has_its_own_look() -> None:
    import matplotlib

    plain = render_plot(["width"], WIDTHS, "plain.svg")
    with matplotlib.rc_context({"text.usetex": True, "figure.figsize": (1, 1)}):
        assert render_plot(["width"], WIDTHS, "set.svg") == plain
        assert matplotlib.rcParams["text.usetex"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("plot.jpg", "cannot write plot.jpg: a plot must end in .svg, .png or .pdf"),
        ("svg", "cannot write svg: a plot must end in .svg, .png or .pdf"),
    ],
)
def test_a_plot_of_no_known_kind(path: str, message: str) -> None:
    with pytest.raises(FileError) as raised:
        render_plot(["width"], WIDTHS, path)
    assert raised.value.message == message


def test_a_plot_of_nothing() -> None:
    with pytest.raises(FileError, match=r"cannot write plot\.svg: there is nothing to plot"):
        render_plot(["width"], [], "plot.svg")


def test_a_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(FileError) as raised:
        render_plot(["width"], WIDTHS, "plot.svg")
    assert raised.value.message == "a plot needs matplotlib: pip install 'dense-calc[plot]'"
