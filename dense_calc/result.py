"""What a job of the library answers with: prints as the command does, and gives its data."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# The renderers stand above every result, which finds them by this name when it is looked at.
_RENDERERS = "dense_calc.render.results"


class Result:
    """A result that people look at: as text, and as a table in a notebook."""

    __slots__ = ()

    def __str__(self) -> str:
        text: str = import_module(_RENDERERS).result_text(self)
        return text

    def _repr_html_(self) -> str:
        """The HTML that a notebook shows."""
        text: str = import_module(_RENDERERS).result_html(self)
        return text


class JsonResult(Result):
    """A result that is plain data, too."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The keys and values of the command's JSON: texts, numbers, lists, dicts and None."""
        values: dict[str, Any] = import_module(_RENDERERS).result_dict(self)
        return values
