"""`dense-calc diff`: what differs between two models, and between a model and its past in git."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Run, git
from graphs import random_spec

from dense_calc.analysis.difference import Change, Comparison, comparison, folded
from dense_calc.errors import Source
from dense_calc.files.loader import load
from dense_calc.keras_format.writer import to_keras
from dense_calc.model import Model
from dense_calc.spec_language import parse

OLD = """\
input: [8]
layers:
  - Dense: {units: 16, name: body}
  - BatchNormalization: {name: norm}
  - Dense: {units: 4, name: head}
"""


def model_of(text: str) -> Model:
    """The model that a spec describes."""
    return parse(Source("m.yaml", text), "m")


def compared(old: str, new: str) -> Comparison:
    """What differs between two specs."""
    return comparison(model_of(old), model_of(new), "old", "new")


def told(change: Change) -> str:
    """A change in short: `changed head +4 units=4>5`, `changed b 0 <a`."""
    was = f" <{change.renamed_from}" if change.renamed_from else ""
    values = "".join(f" {each.name}={each.old}>{each.new}" for each in change.arguments)
    return f"{change.status} {change.name} {change.change:+}{was}{values}"


def edited(*edits: tuple[str, str], text: str = OLD) -> str:
    """A spec with some of its text replaced."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


NORM = "  - BatchNormalization: {name: norm}\n"

# what is done → the new spec, and the changes, the largest first
DIFFS: dict[str, tuple[str, list[str]]] = {
    "nothing": (OLD, []),
    "more units": (
        edited(("units: 4", "units: 5")),
        ["changed head +17 units=4>5"],
    ),
    "fewer units, which what follows feels": (
        edited(("units: 16", "units: 8")),
        ["changed body -72 units=16>8", "changed norm -32", "changed head -32"],
    ),
    "a layer more": (
        edited((NORM, NORM + "  - Dense: {units: 16, name: more}\n")),
        ["added more +272"],
    ),
    "a layer less": (edited((NORM, "")), ["removed norm -64"]),
    "a layer in place of another": (
        edited((NORM, "  - LayerNormalization: {name: norm}\n")),
        ["changed norm -32 type=BatchNormalization>LayerNormalization"],
    ),
    "another name": (edited(("name: head", "name: tail")), ["changed tail +0 <head"]),
    "another name, and a change above": (
        edited(("name: head", "name: tail"), ("units: 16", "units: 15")),
        ["changed body -9 units=16>15", "changed norm -4", "changed tail -4 <head"],
    ),
    "another name and other arguments: no longer the same": (
        edited(("units: 4, name: head", "units: 5, name: tail")),
        ["added tail +85", "removed head -68"],
    ),
    "an argument that weighs nothing": (
        edited(("units: 4,", "units: 4, activation: relu,")),
        ["changed head +0 activation=linear>relu"],
    ),
    "an argument that means the same": (
        edited(("units: 4,", "units: 4, activation: linear, kernel_initializer: GlorotUniform,")),
        [],
    ),
    "no bias": (
        edited(("units: 4,", "units: 4, use_bias: false,")),
        ["changed head -4 use_bias=True>False"],
    ),
    "what is trained": (
        edited(("units: 4,", "units: 4, trainable: false,")),
        ["changed head +0 trainable=True>False"],
    ),
    "another dtype": (
        edited(("units: 4,", "units: 4, dtype: float16,")),
        ["changed head +0 dtype=float32>float16"],
    ),
    "another input": (
        edited(("[8]", "[9]")),
        ["changed body +16", "changed input +0 shape=[8]>[9]"],
    ),
    "another order": (
        "input: [8]\nlayers:\n"
        "  - BatchNormalization: {name: norm}\n"
        "  - Dense: {units: 16, name: body}\n"
        "  - Dense: {units: 4, name: head}\n",
        [
            "changed norm -32 from=('body',)>('input',)",
            "changed body +0 from=('input',)>('norm',)",
            "changed head +0 from=('norm',)>('body',)",
        ],
    ),
}


@pytest.mark.parametrize("case", DIFFS)
def test_what_differs(case: str) -> None:
    new, changes = DIFFS[case]
    found = compared(OLD, new)
    assert list(map(told, found.layers)) == changes
    assert sum(change.change for change in found.layers) == found.total_params.change


INSIDE = (
    "input: [8]\nlayers: [Sequential: {{name: {}, input: [8], layers: [Dense: {{units: {}}}]}}]"
)

# the same for other models: what is done → old, new, changes
GRAPHS: dict[str, tuple[str, str, list[str]]] = {
    "a layer inside a layer": (
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {LSTM: {units: 3}}, name: two}]",
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {LSTM: {units: 4}}, name: two}]",
        ["changed two +128 layer.units=3>4"],
    ),
    "another layer inside a layer": (
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {LSTM: {units: 3}}, name: two}]",
        "input: [5, 8]\nlayers: [Bidirectional: {layer: {SimpleRNN: {units: 3}}, name: two}]",
        ["changed two -216 layer.type=LSTM>SimpleRNN"],
    ),
    "another source": (
        "inputs: {a: [8], b: [8]}\nlayers: [Dense: {units: 3, name: c, from: a}]\n",
        "inputs: {a: [8], b: [8]}\nlayers: [Dense: {units: 3, name: c, from: b}]\n",
        ["changed c +0 from=('a',)>('b',)"],
    ),
    "another output of what is read": (
        "input: [5, 8]\nlayers:\n  - LSTM: {units: 3, return_state: true, name: l}\n"
        "  - Dense: {units: 2, name: d, from: 'l[0]'}",
        "input: [5, 8]\nlayers:\n  - LSTM: {units: 3, return_state: true, name: l}\n"
        "  - Dense: {units: 2, name: d, from: 'l[1]'}",
        ["changed d +0 from=('l[0]',)>('l[1]',)"],
    ),
    "a source less": (
        "inputs: {a: [8], b: [8]}\nlayers: [Add: {name: c, from: [a, b]}]\n",
        "input: [8]\nlayers: [Dense: {units: 8, name: d}, Add: {name: c, from: [input, d]}]\n",
        ["added d +72", "added input +0", "removed a +0", "removed b +0"],
    ),
    "weights that are shared no more": (
        "inputs: {a: [8], b: [8]}\nlayers:\n  - Dense: {units: 3, name: c, from: a}\n"
        "  - {reuse: c, name: d, from: b}\n  - Add: {name: e, from: [c, d]}",
        "inputs: {a: [8], b: [8]}\nlayers:\n  - Dense: {units: 3, name: c, from: a}\n"
        "  - Dense: {units: 3, name: d, from: b}\n  - Add: {name: e, from: [c, d]}",
        ["changed d +27 reuse=c>None"],
    ),
    "a block oftener": (
        "input: [8]\nblocks: {b: [Dense: {units: 8}]}\nlayers: [b: {repeat: 2}]",
        "input: [8]\nblocks: {b: [Dense: {units: 8}]}\nlayers: [b: {repeat: 4}]",
        ["added b_2/dense +72", "added b_3/dense +72"],
    ),
    "a block by another name": (
        "input: [8]\nblocks: {b: [Dense: {units: 8}, ReLU]}\nlayers: [b: {repeat: 2}]",
        "input: [8]\nblocks: {c: [Dense: {units: 8}, ReLU]}\nlayers: [c: {repeat: 2}]",
        [
            "changed c_0/dense +0 <b_0/dense",
            "changed c_0/re_lu +0 <b_0/re_lu",
            "changed c_1/dense +0 <b_1/dense",
            "changed c_1/re_lu +0 <b_1/re_lu",
        ],
    ),
    "two that could each be the one": (
        "input: [8]\nlayers: [Dense: {units: 8, name: a}]",
        "input: [8]\nlayers:\n  - Dense: {units: 8, name: b, from: input}\n"
        "  - Dense: {units: 8, name: c, from: input}",
        ["added b +72", "added c +72", "removed a -72"],
    ),
    "two that changed places are two that changed": (
        "input: [8]\nlayers: [Dense: {units: 8, name: a}, Dense: {units: 4, name: b}]",
        "input: [8]\nlayers: [Dense: {units: 4, name: a}, Dense: {units: 8, name: b}]",
        ["changed a -36 units=8>4", "changed b +4 units=4>8"],
    ),
    "another order of outputs": (
        "input: [8]\nlayers: [ReLU: {name: a}, ReLU: {name: b}]\noutputs: [a, b]",
        "input: [8]\nlayers: [ReLU: {name: a}, ReLU: {name: b}]\noutputs: [b, a]",
        [],
    ),
    "all is other but class and arguments": (
        "input: [100]\nlayers: [Dense: {units: 8, name: a}, Dense: {units: 4, name: b}]",
        "input: [100]\nlayers: [Dense: {units: 4, name: b}, Dense: {units: 8, name: z}]",
        ["removed a -808", "changed b +368", "added z +40"],
    ),
    "an input by another way to say its shape": (
        "inputs: {a: [8]}\nlayers: [ReLU]",
        "inputs: {a: {batch_shape: [null, 8]}}\nlayers: [ReLU]",
        [],
    ),
    "an input without axes": (
        "inputs: {a: {batch_shape: []}, b: [3]}\nlayers: [ReLU: {from: b}]",
        "inputs: {a: [], b: [3]}\nlayers: [ReLU: {from: b}]",
        ["changed a +0 batch_shape=[]>None shape=None>[]"],
    ),
    "a model inside": (
        INSIDE.format("s", 3),
        INSIDE.format("s", 4),
        ["changed s/dense +9 units=3>4"],
    ),
    "a model inside by another name": (
        INSIDE.format("s", 3),
        INSIDE.format("t", 3),
        ["changed t +0 <s", "changed t/dense +0 <s/dense"],
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_what_differs_in_a_graph(case: str) -> None:
    old, new, changes = GRAPHS[case]
    found = compared(old, new)
    assert list(map(told, found.layers)) == changes
    assert sum(change.change for change in found.layers) == found.total_params.change


def test_outputs_that_differ_are_told() -> None:
    old, new, _ = GRAPHS["another order of outputs"]
    found = compared(old, new).outputs
    assert found
    assert [port.name for port in found.old] == ["a", "b"]
    assert [port.name for port in found.new] == ["b", "a"]
    assert compared(old, old).outputs is None
    assert compared(OLD, edited(("head", "tail"))).outputs is None


@pytest.mark.parametrize("seed", range(60))
def test_the_changes_make_the_difference_and_back_they_are_its_mirror(seed: int) -> None:
    rng = random.Random(seed)
    old, new = (yaml.safe_dump(random_spec(rng), sort_keys=False) for _ in range(2))
    there, back = compared(old, new), compared(new, old)
    assert sum(change.change for change in there.layers) == there.total_params.change
    assert there.total_params.change == -back.total_params.change
    assert sorted(change.change for change in there.layers) == sorted(
        -change.change for change in back.layers
    )
    mirror = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((mirror[c.status], c.renamed_from or c.name) for c in there.layers) == sorted(
        (c.status, c.name) for c in back.layers
    )
    names = [change.name for change in there.layers if change.status != "removed"]
    assert len(names) == len(set(names))
    assert compared(old, old).layers == ()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_model_does_not_differ_from_itself_nor_from_its_keras_file(
    path: Path, tmp_path: Path
) -> None:
    model = load(path)
    assert comparison(model, model, "", "").layers == ()
    (tmp_path / "keras.json").write_text(to_keras(model), "utf-8")
    found = comparison(model, load(tmp_path / "keras.json"), "", "")
    assert found.total_params.change == 0
    assert [told(each) for each in found.layers if each.change or each.arguments] == []
    assert {each.status for each in found.layers} <= {"changed"}


def test_what_changed_alike_in_all_copies_of_a_block_is_one_row() -> None:
    text = "input: [8]\nblocks: {{b: [Dense: {{units: {}}}, Dense: {{units: 8}}]}}\n"
    text += "layers: [b: {{repeat: {}}}]"
    whole = compared(text.format(8, 2), text.format(9, 3))
    rows = folded(whole).layers
    assert [(c.name, c.repeat, c.status, c.change, c.params.old, c.params.new) for c in rows] == [
        ("b_2/dense", 1, "added", 81, None, 81),
        ("b_2/dense_1", 1, "added", 80, None, 80),
        ("b/dense", 2, "changed", 18, 144, 162),
        ("b/dense_1", 2, "changed", 16, 144, 160),
    ]
    assert sum(change.change for change in rows) == whole.total_params.change


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with an old and a new model."""
    (tmp_path / "old.yaml").write_text(OLD, "utf-8")
    new = edited(("units: 16", "units: 18"), ("name: head", "name: tail"))
    (tmp_path / "new.yaml").write_text(new, "utf-8")
    return tmp_path


READ = """\
old.yaml → new.yaml
_______________________________________________________________________________________
Layer (type)               Old  New  Change  What
=======================================================================================
body (Dense)               144  162     +18  units: 16 → 18
_______________________________________________________________________________________
norm (BatchNormalization)   64   72      +8  input: (None, 16) → (None, 18)
_______________________________________________________________________________________
tail (Dense)                68   76      +8  was 'head'; input: (None, 16) → (None, 18)
=======================================================================================
Total params: 276 → 310 (+34, +12.3 %)
Trainable params: 244 → 274 (+30, +12.3 %)
Non-trainable params: 32 → 36 (+4, +12.5 %)
Size of weights: 1.08 KB → 1.21 KB (+136 bytes)
_______________________________________________________________________________________
"""


def test_what_people_read(files: Path, run: Run) -> None:
    result = run("diff", "old.yaml", "new.yaml", cwd=files)
    assert (result.stdout, result.stderr, result.returncode) == (READ, "", 0)


def test_values_are_written_as_in_a_spec(files: Path, run: Run) -> None:
    for name, size in ("a.yaml", "[3, 3]"), ("b.yaml", "[1, 5]"):
        conv = f"Conv2D: {{filters: 2, kernel_size: {size}, name: c, use_bias: {size == '[3, 3]'}}}"
        (files / name).write_text(f"input: [9, 9, 1]\nlayers: [{conv}]\n", "utf-8")
    result = run("diff", "a.yaml", "b.yaml", cwd=files)
    assert "use_bias: true → false; kernel_size: 3 → [1, 5]" in result.stdout


def test_what_json_has_no_number_for_is_a_word(tmp_path: Path, run: Run) -> None:
    for name, value in ("a.yaml", "[.inf, 1]"), ("b.yaml", "[.nan, 1]"):
        spec = f"input: [4, 2]\nlayers: [Masking: {{mask_value: {value}}}]\n"
        (tmp_path / name).write_text(spec, "utf-8")
    told = run("diff", "a.yaml", "b.yaml", cwd=tmp_path)
    assert "mask_value: [.inf, 1.0] → [.nan, 1.0]" in told.stdout
    (change,) = json.loads(
        run("diff", "a.yaml", "b.yaml", "--format", "json", cwd=tmp_path).stdout
    )["layers"]
    assert change["arguments"][0]["old"] == [".inf", 1.0]
    assert run("diff", "b.yaml", "b.yaml", cwd=tmp_path).stdout.count("mask_value") == 0


def test_an_input_that_a_call_is_not_given_has_a_dash(tmp_path: Path, run: Run) -> None:
    for name, units in ("a.yaml", 8), ("b.yaml", 9):
        (tmp_path / name).write_text(
            f"inputs: {{x: [5, 8]}}\nlayers:\n  - Dense: {{name: d, units: {units}, from: x}}\n"
            "  - MultiHeadAttention: {name: m, num_heads: 2, key_dim: 4,\n"
            "      from: {query: d, value: d, query_mask: x}}\n",
            "utf-8",
        )
    result = run("diff", "a.yaml", "b.yaml", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "and - and (None, 5, 8) → (None, 5, 9) and" in result.stdout


def test_the_json_is_the_contract(files: Path, run: Run) -> None:
    result = run("diff", "old.yaml", "new.yaml", "--format", "json", cwd=files)
    found = json.loads(result.stdout)
    assert found["total_params"] == {"old": 276, "new": 310, "change": 34}
    assert [(each["name"], each["status"], each["change"]) for each in found["layers"]] == [
        ("body", "changed", 18),
        ("norm", "changed", 8),
        ("tail", "changed", 8),
    ]
    assert found["layers"][0]["arguments"] == [{"name": "units", "old": 16, "new": 18}]
    assert found["layers"][2]["renamed_from"] == "head"


ENDINGS = {
    "out.json": '{\n  "old"',
    "out.md": "**old",
    "out.csv": "old.yaml →",
    "out": "old.yaml →",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_format_is_as_the_output_ends(name: str, files: Path, run: Run) -> None:
    assert run("diff", "old.yaml", "new.yaml", "-o", name, cwd=files).returncode == 0
    assert (files / name).read_text("utf-8").startswith(ENDINGS[name])


STATUSES = [
    ("old.yaml new.yaml", 0),
    ("old.yaml old.yaml", 0),
    ("old.yaml new.yaml --max-increase 34params", 0),
    ("old.yaml new.yaml --max-increase 33params", 1),
    ("old.yaml new.yaml --max-increase 5%", 1),
    ("new.yaml old.yaml --max-increase 0", 0),
    ("old.yaml new.yaml --max-increase 5", 2),
    ("old.yaml", 2),
    ("old.yaml new.yaml old.yaml", 2),
    ("old.yaml missing.yaml", 2),
    ("missing.yaml old.yaml", 2),
    ("old.yaml new.yaml --allow-missing-base", 2),
    ("old.yaml --base= --allow-missing-base", 2),
    ("old.yaml new.yaml --base HEAD", 2),
    ("old.yaml new.yaml --format csv", 2),
]


@pytest.mark.parametrize(("arguments", "status"), STATUSES)
def test_the_exit_status(arguments: str, status: int, files: Path, run: Run) -> None:
    result = run("diff", *arguments.split(), cwd=files)
    assert result.returncode == status, result
    assert "Traceback" not in result.stderr


def test_an_array_is_one_whatever_is_broken(files: Path, run: Run) -> None:
    git(files, "init", "--quiet")
    git(files, "add", ".")
    git(files, "commit", "--quiet", "-m", "models")
    for names, count in (("old.yaml missing.yaml", 1), ("missing.yaml gone.yaml", 0)):
        result = run("diff", "--base", "HEAD", *names.split(), "--format", "json", cwd=files)
        assert (result.returncode, len(json.loads(result.stdout))) == (2, count)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder in git: a broken model, then the old one, and in the work tree the new one."""
    folder = tmp_path / "repository"
    (folder / "models").mkdir(parents=True)
    model = folder / "models" / "m.yaml"
    git(folder, "init", "--quiet")
    for text in (edited(("units: 16", "unit: 16")), OLD):
        model.write_text(text, "utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", "a model")
    model.write_text(edited(("units: 4", "units: 5")), "utf-8")
    (folder / "models" / "untracked.yaml").write_text(OLD, "utf-8")
    return folder


def test_a_file_is_compared_with_its_past(repository: Path, run: Run) -> None:
    before = git(repository, "status", "--porcelain")
    path = str(Path("models", "m.yaml"))
    result = run("diff", "--base", "HEAD", path, "--format", "json", cwd=repository)
    found = json.loads(result.stdout)
    assert (found["old"], found["new"]) == (f"HEAD:{path}", path)
    assert found["total_params"] == {"old": 276, "new": 293, "change": 17}
    assert git(repository, "status", "--porcelain") == before


@pytest.mark.parametrize("place", ["repository", "repository/models", "."])
def test_the_file_is_found_from_any_folder(place: str, repository: Path, run: Run) -> None:
    folder = repository.parent / place
    path = os.path.relpath(repository / "models" / "m.yaml", folder)
    result = run("diff", "--base", "HEAD", path, cwd=folder)
    assert result.returncode == 0
    assert "units: 4 → 5" in result.stdout


@pytest.mark.parametrize("repository_of_the_hook", [".git", "/nowhere"])
def test_a_hook_of_git_may_ask(repository_of_the_hook: str, repository: Path, run: Run) -> None:
    result = run(
        *("diff", "--base", "HEAD", str(Path("models", "m.yaml"))),
        cwd=repository,
        GIT_DIR=repository_of_the_hook,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_several_files_are_an_array(repository: Path, run: Run) -> None:
    (repository / "models" / "untracked.yaml").unlink()
    (repository / "models" / "other.yaml").write_text(OLD, "utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "more")
    result = run("diff", "--base", "HEAD", "models", "--format", "json", cwd=repository)
    assert [each["new"] for each in json.loads(result.stdout)] == [
        str(Path("models", name)) for name in ("m.yaml", "other.yaml")
    ]


BASES: list[tuple[str, int, str]] = [
    ("diff --base HEAD models/m.yaml", 0, ""),
    ("diff --base HEAD models/m.yaml --max-increase 17params", 0, ""),
    ("diff --base HEAD models/m.yaml --max-increase 16params", 1, ""),
    ("diff --base nowhere models/m.yaml", 2, "error: there is no revision 'nowhere'\n"),
    ("diff --base ^HEAD models/m.yaml", 2, "error: there is no revision '^HEAD'\n"),
    ("diff --base=--help models/m.yaml", 2, "error: there is no revision '--help'\n"),
    ("diff --base HEAD^{tree} models/m.yaml", 2, "error: there is no revision 'HEAD^{tree}'\n"),
    (
        "diff --base HEAD models/untracked.yaml",
        2,
        "error: 'models/untracked.yaml' is not in revision 'HEAD'\n",
    ),
    (
        "diff --base HEAD models/untracked.yaml --allow-missing-base",
        0,
        "note: 'models/untracked.yaml' is not in revision 'HEAD': nothing to compare with\n",
    ),
    (
        "diff --base nowhere models/m.yaml --allow-missing-base",
        0,
        "note: there is no revision 'nowhere': nothing to compare with\n",
    ),
    (
        "diff --base HEAD~1 models/m.yaml",
        2,
        "HEAD~1:models/m.yaml:3:13: error: Dense has no argument 'unit'; did you mean 'units'?\n"
        "  3 |   - Dense: {unit: 16, name: body}\n"
        "                  ^^^^\n",
    ),
    ("check --base HEAD --max-increase 6.2% models/m.yaml", 0, ""),
    ("check --base HEAD --max-increase 6.1% models/m.yaml", 1, ""),
    ("check --base HEAD --max-increase 17params models/m.yaml", 0, ""),
    ("check --base HEAD --max-increase 16params models/m.yaml", 1, ""),
    (
        "check --base HEAD --max-increase 5% models/untracked.yaml",
        2,
        "error: 'models/untracked.yaml' is not in revision 'HEAD'\n",
    ),
    ("check --base HEAD --max-increase 5% models/untracked.yaml --allow-missing-base", 0, ""),
    (
        "check --base nowhere --max-increase 5% --max-params 1 models/m.yaml",
        2,
        "error: there is no revision 'nowhere'\n",
    ),
    ("check --base nowhere --max-increase 5% models/m.yaml --allow-missing-base", 0, ""),
    ("check --base nowhere --max-increase 5% models --allow-missing-base --max-params 1", 1, ""),
]


@pytest.mark.parametrize(("command", "status", "said"), BASES)
def test_a_base_that_is_missing_is_never_passed_over(
    command: str, status: int, said: str, repository: Path, run: Run
) -> None:
    result = run(*command.split(), cwd=repository)
    assert (result.stderr, result.returncode) == (said, status)


def test_what_could_not_be_compared_is_noted(repository: Path, run: Run) -> None:
    arguments = ("models/untracked.yaml", "--base", "HEAD", "--allow-missing-base")
    note = "'models/untracked.yaml' is not in revision 'HEAD': nothing to compare with"
    checked = run("check", *arguments, "--max-increase", "5%", "--format", "json", cwd=repository)
    assert json.loads(checked.stdout)["files"][0]["notes"] == [note]
    compared = run("diff", *arguments, "--format", "json", cwd=repository)
    found: dict[str, Any] = json.loads(compared.stdout)
    assert found["notes"] == [note]
    assert found["total_params"] == {"old": 0, "new": 276, "change": 276}
    assert {layer["status"] for layer in found["layers"]} == {"added"}


@pytest.mark.skipif(os.name == "nt", reason="a link needs more rights there")
def test_a_link_leads_where_it_led(repository: Path, run: Run) -> None:
    for name, units in ("small.yaml", 5), ("large.yaml", 500):
        (repository / name).write_text(edited(("units: 4", f"units: {units}")), "utf-8")
    link = repository / "link.yaml"
    link.symlink_to("small.yaml")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "a link")
    link.unlink()
    link.symlink_to("large.yaml")
    arguments = ("check", "--base", "HEAD", "--max-increase", "5%")
    assert run(*arguments, "link.yaml", cwd=repository).returncode == 1
    link.unlink()
    link.write_text(edited(("units: 4", "units: 5")), "utf-8")
    assert run(*arguments, "link.yaml", cwd=repository).returncode == 0
    assert run(*arguments, "small.yaml", cwd=repository).returncode == 0


def test_a_folder_is_no_file(repository: Path, run: Run) -> None:
    (repository / "was.yaml").mkdir()
    (repository / "was.yaml" / "m.yaml").write_text(OLD, "utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "a folder")
    (repository / "was.yaml" / "m.yaml").unlink()
    (repository / "was.yaml").rmdir()
    (repository / "was.yaml").write_text(OLD, "utf-8")
    result = run("diff", "--base", "HEAD", "was.yaml", "--allow-missing-base", cwd=repository)
    assert result.returncode == 2
    assert result.stderr == "error: 'was.yaml' is no file in revision 'HEAD', but a folder\n"


def test_a_place_of_the_user_is_kept(repository: Path, run: Run, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    (repository / ".git").rename(hidden)
    arguments = ("diff", "--base", "HEAD", str(Path("models", "m.yaml")))
    both = {"GIT_DIR": str(hidden), "GIT_WORK_TREE": str(repository)}
    assert run(*arguments, cwd=repository, **both).returncode == 0


def test_a_folder_that_is_not_in_git_is_an_error(files: Path, run: Run) -> None:
    arguments = ("diff", "--base", "HEAD", "old.yaml", "--allow-missing-base")
    result = run(*arguments, cwd=files, GIT_CEILING_DIRECTORIES=str(files.parent))
    assert result.returncode == 2
    assert result.stderr.startswith("error: cannot ask git for revision 'HEAD': not a git repo")


def test_standard_input_has_no_past(repository: Path, run: Run) -> None:
    result = run("diff", "--base", "HEAD", "-", cwd=repository, stdin=OLD)
    assert result.returncode == 2
    assert result.stderr == "error: standard input has no revision 'HEAD'; name a file\n"


def test_git_that_is_not_there_is_an_error(repository: Path, run: Run) -> None:
    result = run("diff", "--base", "HEAD", "models/m.yaml", cwd=repository, PATH="")
    assert result.returncode == 2
    assert result.stderr == "error: cannot run git: No such file or directory\n"


def test_the_name_of_an_output_is_no_markup(tmp_path: Path, run: Run) -> None:
    text = "input: [3]\nlayers: [Dense: {units: %d}]\noutputs: {'![x](y)<b>': dense}\n"
    for units in (3, 4):
        (tmp_path / f"{units}.yaml").write_text(text % units, "utf-8")
    files = (str(tmp_path / f"{units}.yaml") for units in (3, 4))
    output = run("diff", *files, "--format", "markdown").stdout
    assert "- Outputs: !\\[x\\](y)\\<b\\> (None, 3)" in output
