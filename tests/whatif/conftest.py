"""A folder with a small model, and `dense-calc sweep` run in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sweep_model import MODEL, Told

from dense_calc.cli import command_line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the model, in which the commands are run."""
    (tmp_path / "m.yaml").write_text(MODEL, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Run the command in this process: what it prints; nothing on standard error."""
    for name in ("COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def told(*arguments: str) -> str:
        command_line(["sweep", *arguments], prog_name="dense-calc", standalone_mode=False)
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return told
