"""What real Keras told of its operations."""

from __future__ import annotations

from typing import Any

from conftest import DATA

FACTS = (DATA / "operations.jsonl").read_text("utf-8").splitlines()


def tuples(written: Any) -> Any:
    """Nested lists as tuples."""
    return tuple(map(tuples, written)) if isinstance(written, list) else written
