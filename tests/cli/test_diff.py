"""`dense-calc diff`: what is printed of two models, the formats and the exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, git
from support.differences import OLD, edited


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
Total params: 276 → 310 (+34, +12.3%)
Trainable params: 244 → 274 (+30, +12.3%)
Non-trainable params: 32 → 36 (+4, +12.5%)
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
    "out.txt": "old.yaml →",
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


def test_a_folder_that_is_not_in_git_is_an_error(files: Path, run: Run) -> None:
    arguments = ("diff", "--base", "HEAD", "old.yaml", "--allow-missing-base")
    result = run(*arguments, cwd=files, GIT_CEILING_DIRECTORIES=str(files.parent))
    assert result.returncode == 2
    assert result.stderr.startswith("error: cannot ask git for revision 'HEAD': not a git repo")


def test_the_name_of_an_output_is_no_markup(tmp_path: Path, run: Run) -> None:
    text = "input: [3]\nlayers: [Dense: {units: %d}]\noutputs: {'![x](y)<b>': dense}\n"
    for units in (3, 4):
        (tmp_path / f"{units}.yaml").write_text(text % units, "utf-8")
    files = (str(tmp_path / f"{units}.yaml") for units in (3, 4))
    output = run("diff", *files, "--format", "markdown").stdout
    assert "- Outputs: !\\[x\\](y)\\<b\\> (None, 3)" in output


def test_an_increase_is_red_a_decrease_green_and_numbers_are_whole(
    tmp_path: Path, run: Run
) -> None:
    for name, units, rate in ("a.yaml", 1000, 0.25), ("b.yaml", 900, 0.5):
        layers = f"[Dense: {{units: {units}}}, Dropout: {{rate: {rate}}}, Dense: {{units: 2}}]"
        (tmp_path / name).write_text(f"input: [8]\nlayers: {layers}\n", "utf-8")
    arguments = ("--color", "always", "--format", "table")
    fewer = run("diff", "a.yaml", "b.yaml", *arguments, cwd=tmp_path).stdout
    assert "\x1b[38;5;34m9,000\x1b[0m │ \x1b[38;5;34m8,100\x1b[0m │   \x1b[32m-900\x1b[0m" in fewer
    assert "(\x1b[32m-1,100\x1b[0m, \x1b[32m-10.0%\x1b[0m)" in fewer
    assert "rate: \x1b[38;5;34m0.25\x1b[0m → \x1b[38;5;34m0.5\x1b[0m" in fewer
    more = run("diff", "b.yaml", "a.yaml", *arguments, cwd=tmp_path).stdout
    assert "\x1b[31m+900\x1b[0m" in more
    assert "(\x1b[31m+4,400\x1b[0m bytes)" in more
