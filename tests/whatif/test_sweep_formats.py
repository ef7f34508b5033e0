"""What `sweep` prints and writes: every format, charts, files and plots."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest
from support.sweep_model import Told

from dense_calc.errors import FileError

# arguments → what is printed of one model, too large a one and none
SHOWN: dict[str, str] = {
    "--format text": """\
        m.yaml
        ________________________________________________________________________________________
          w  Param #  Trainable      Size  Change  In budget  Error
        ========================================================================================
          4       56         56  224.00 B    -156  yes        -
        ________________________________________________________________________________________
        100    1,304      1,304   5.09 KB  +1,092  no         -
        ________________________________________________________________________________________
          0        -          -         -       -  -          Dense's 'units' must be a positive
                                                              integer, not 0
        ========================================================================================
        Without changes: 212 params
        ________________________________________________________________________________________
        """,
    "--format table --where params<1k": """\
        m.yaml
        ┏━━━┳━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━┓
        ┃ w ┃ Param # ┃ Trainable ┃     Size ┃ Change ┃ In budget ┃
        ┡━━━╇━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━┩
        │ 4 │      56 │        56 │ 224.00 B │   -156 │ yes       │
        └───┴─────────┴───────────┴──────────┴────────┴───────────┘
         Shown: 1 of 3 combinations
         Without changes: 212 params
        """,
    "--format table --width 60 --ascii": """\
        m.yaml
        +---+-----+-----+--------+------+---------+----------------+
        |  w|Param|Train|    Size|Change|In budget|Error           |
        |   |    #| able|        |      |         |                |
        +===+=====+=====+========+======+=========+================+
        """,
    "--format table --where w>0 --width 40": """\
        m.yaml
        ┏━━━┳━━━━━━┳━━━━━━┳━━━━━━┳━━━━━━┳━━━━━━┓
        ┃  w┃ Param┃Traina┃  Size┃Change┃In    ┃
        ┃   ┃     #┃   ble┃      ┃      ┃budget┃
        ┡━━━╇━━━━━━╇━━━━━━╇━━━━━━╇━━━━━━╇━━━━━━┩
        │  4│    56│    56│224.00│  -156│yes   │
        │   │      │      │     B│      │      │
        ├───┼──────┼──────┼──────┼──────┼──────┤
        │100│ 1,304│ 1,304│  5.09│+1,092│no    │
        │   │      │      │    KB│      │      │
        └───┴──────┴──────┴──────┴──────┴──────┘
         Shown: 2 of 3 combinations
         Without changes: 212 params

        params
          1.5k ┤
               │                               ●
               │                            ⣀⠤⠊⠁
               │                         ⣀⠔⠊
            1k ┤                      ⡠⠔⠊
               │                   ⡠⠔⠉
               │               ⢀⡠⠒⠉
               │            ⢀⠤⠒⠁
           500 ┤         ⢀⠤⠊⠁
               │      ⣀⠔⠊⠁
               │   ⣀⠔⠊
               │●⠔⠉
             0 ┤
               └┬──────────────────────────────┬
                4                            100
                               w
        """,
    "--format markdown": """\
        **m.yaml**

        | w | Param # | Trainable | Size | Change | In budget | Error |
        | ---: | ---: | ---: | ---: | ---: | --- | --- |
        | 4 | 56 | 56 | 224.00 B | -156 | yes | - |
        | 100 | 1,304 | 1,304 | 5.09 KB | +1,092 | no | - |
        | 0 | - | - | - | - | - | Dense's 'units' must be a positive integer, not 0 |

        - Without changes: 212 params
        """,
    "--format csv": """\
        w,total_params,trainable_params,non_trainable_params,total_bytes,change,within_budget,error
        4,56,56,0,224,-156,true,
        100,1304,1304,0,5216,1092,false,
        0,,,,,,,"Dense's 'units' must be a positive integer, not 0"
        """,
    "--format json --where w!=100": """\
        {"set":{"w":4},"total_params":56,"trainable_params":56,"non_trainable_params":0,\
"total_bytes":224,"change":-156,"within_budget":true}
        {"set":{"w":0},"error":"Dense's 'units' must be a positive integer, not 0"}
        """,
    "--set w=4,8 --set d=1:3 --format chart --width 40": """\
        d
          │░░░░░░██████
        3 │░░░░░░██████
          │░░░░░░██████
          │░░░░░░▓▓▓▓▓▓
        2 │░░░░░░▓▓▓▓▓▓
          │░░░░░░▓▓▓▓▓▓
          │░░░░░░▒▒▒▒▒▒
        1 │░░░░░░▒▒▒▒▒▒
          │░░░░░░▒▒▒▒▒▒
          └───┬─────┬──
              4     8
                w
        56 ░▒▓█ 252
        params
        """,
    "--set w=4,8 --set d=1:3 --format chart --ascii": """\
        d
          |::::::@@@@@@
        3 |::::::@@@@@@
          |::::::@@@@@@
          |......******
        2 |......******
          |......******
          |......------
        1 |......------
          |......------
          +---+-----+--
              4     8
                w
        56 .:-=+*#%@ 252
        params
        """,
}
OPENED = "--format table --width 60 --ascii"  # the rest is as long as it is narrow


@pytest.mark.parametrize("arguments", SHOWN)
def test_each_format(arguments: str, told: Told) -> None:
    found = told("m.yaml", "--set", "w=4,100,0", *arguments.split())
    wanted = dedent(SHOWN[arguments])
    if arguments == "--format text":  # the error is on one line
        found = found.replace("positive integer, not 0", f"positive\n{' ' * 54}integer, not 0")
        assert [line.rstrip("_=") for line in found.splitlines()] == [
            line.rstrip("_=") for line in wanted.splitlines()
        ]
    elif arguments == OPENED:
        assert found.startswith(wanted)
        assert found.isascii()
    else:
        assert found == wanted


def test_an_error_has_room_on_a_narrow_page(told: Told) -> None:
    """One letter to a line is nothing that anybody reads."""
    given = ("m.yaml", "--set", "w=4,100,0", "--width", "60", "--format")
    for format in ("text", "table"):
        assert "positive" in told(*given, format)


def test_a_table_has_a_chart_if_several_models_are_in_it(told: Told) -> None:
    chart = told("m.yaml", "--set", "w=4,8", "--format", "chart")
    given = ("m.yaml", "--format", "table", "--set")
    assert told(*given, "w=4,8").endswith(f" Without changes: 212 params\n\n{chart}")
    for few in ("w=4", "w=4,0"):
        assert told(*given, few).endswith("┘\n Without changes: 212 params\n")
    three = told(*given, "w=4,8", "--set", "d=1,2", "--set", "head.units=1,2")
    assert three.endswith("┘\n Without changes: 212 params\n")


def test_a_chart_is_of_the_settings_that_change(told: Told) -> None:
    chart = ("m.yaml", "--format", "chart", "--set")
    assert told(*chart, "w=4,8", "--set", "d=2") == told(*chart, "d=2", "--set", "w=4,8")
    assert told(*chart, "w=4,8", "--set", "d=2").splitlines()[-1].strip() == "w"
    zipped = told(*chart, "d=2", *("--set", "w=4"), *("--set", "head.units=3"), "--zip")
    assert zipped.splitlines()[-1].strip() == "d"


def test_a_chart_of_many_shows_all_that_is_left_of_them(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dense_calc.render.sweep_grid.MAX_PICTURE_POINTS", 4)
    text = told("m.yaml", "--set", "w=1:16", "--top", "3", "--format", "chart")
    assert text.splitlines()[-2].split() == ["14", "15", "16"]


def test_a_heat_map_of_many_has_each_row(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dense_calc.render.sweep_grid.MAX_PICTURE_POINTS", 4)
    text = told("m.yaml", "--set", "w=1:8", "--set", "d=1,2", "--format", "chart", "--ascii")
    labels = [line.partition("|")[0].strip() for line in text.splitlines() if "|" in line]
    assert [label for label in labels if label] == ["2", "1"]


# the ending of a file → how what is written begins
ENDINGS = {
    ".json": '{"set":{"w":4},',
    ".jsonl": '{"set":{"w":4},',
    ".csv": "w,total_params,",
    ".md": "**m.yaml**\n\n| w |",
    ".txt": "m.yaml\n____",
    "": "m.yaml\n____",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_as_its_name_ends(ending: str, told: Told, folder: Path) -> None:
    given = ("m.yaml", "--set", "w=4,8,0", "-o", f"out{ending}")
    assert told(*given) == ""
    text = (folder / f"out{ending}").read_text("utf-8")
    assert text.startswith(ENDINGS[ending])
    assert told(*given, "--format", "csv") == ""
    assert (folder / f"out{ending}").read_text("utf-8").startswith("w,total_params")


HEADS = {".svg": b"<?xml", ".png": b"\x89PNG\r\n", ".pdf": b"%PDF", ".PNG": b"\x89PNG\r\n"}


@pytest.mark.parametrize("ending", HEADS)
def test_a_plot_is_drawn_beside_what_is_printed(ending: str, told: Told, folder: Path) -> None:
    given = ("m.yaml", "--set", "w=4,8,0", "--format", "json")
    assert told(*given, "--plot", f"a{ending}") == told(*given)
    assert (folder / f"a{ending}").read_bytes().startswith(HEADS[ending])


def test_a_plot_says_what_it_shows(told: Told, folder: Path) -> None:
    told("m.yaml", "--set", "w=4,8", "--set", "d=1:3", "--set", "head.units=4", "--plot", "a.svg")
    svg = (folder / "a.svg").read_text("utf-8")
    assert all(f"<!-- {text} -->" in svg for text in ("w", "d", "252", "parameters"))


def test_a_plot_needs_matplotlib(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        FileError, match=r"a plot needs matplotlib: pip install 'dense-calc\[plot\]"
    ):
        told("m.yaml", "--set", "w=4,8", "--plot", "a.svg")
