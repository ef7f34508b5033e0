"""Where and how a command prints: the format, the style, and standard output or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import click

from dense_calc.cli.streams import wants_color, write_stderr, write_stdout
from dense_calc.errors import DenseCalcError
from dense_calc.files.mistakes_in_file import describe_mistakes
from dense_calc.render import Style

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

TEXT_SUFFIXES = {".json": "json", ".txt": "text"}
GRID_SUFFIXES = {**TEXT_SUFFIXES, ".md": "markdown"}


def process_each(items: Iterable[_Item], process: Callable[[_Item], _Result]) -> list[_Result]:
    """The results for items, such as files; the errors of the others are printed."""
    results = []
    for item in items:
        try:
            results.append(process(item))
        except DenseCalcError as error:
            write_stderr(describe_mistakes(error))
    return results


def choose_format(format: str | None, output: str | None, suffixes: Mapping[str, str]) -> str:
    """The chosen format, or else that of the output's suffix, or a table on a terminal, or text.

    Raises:
        click.UsageError: the suffix is that of no format.
    """
    return (
        format or format_by_suffix(output, suffixes) or ("table" if is_terminal(output) else "text")
    )


def format_by_suffix(
    output: str | None, suffixes: Mapping[str, str], flag: str = "--format"
) -> str | None:
    """The format for the suffix of the output's name, None if it has none.

    Raises:
        click.UsageError: the suffix is that of no format, which `flag` would have chosen.
    """
    suffix = os.path.splitext(output or "")[1]
    if suffix and suffix.lower() not in suffixes:
        *others, last = suffixes
        known = f"{', '.join(others)} or {last}"
        told = f"-o {output}: no format ends in '{suffix}'"
        raise click.UsageError(f"{told}; end FILE in {known}, or use {flag}.")
    return suffixes.get(suffix.lower())


def emit_text(
    render: Callable[[Style], str | Iterator[str]],
    *,
    output: str | None,
    width: int | None = None,
    color: str = "never",
    columns: tuple[str, ...] | None = None,
    ascii: bool = False,
    compact: bool = False,
    commands: bool = False,
) -> None:
    """Print the text that `render` makes for a style; a long text may come in parts.

    The style follows from the options and from where the text goes. `commands` says that the
    lines of the text may be workflow commands to GitHub Actions.

    Raises:
        FileError: the output cannot be written.
        OSError: standard output cannot be written.
    """
    on_terminal, is_file = is_terminal(output), output is not None
    terminal_width, height = (None, None) if is_file else _terminal_size(on_terminal)
    style = Style(
        columns,
        width=width or terminal_width,
        ascii=ascii or not (is_file or _can_draw_boxes(os.environ)),
        color=wants_color(color, on_terminal),
        compact=compact,
        height=height,
    )
    text = render(style)
    parts = [text] if isinstance(text, str) else text
    if output is None:
        write_stdout(parts, commands=commands)
        return
    from dense_calc.cli.write_file import save_file  # most texts go to standard output

    save_file(output, (part.encode("utf-8", "backslashreplace") for part in parts))


def is_terminal(output: str | None) -> bool:
    """Whether the output goes to a terminal."""
    return output is None and sys.stdout.isatty()


def _terminal_size(on_terminal: bool) -> tuple[int | None, int | None]:
    """The columns of the terminal, or of $COLUMNS, and its lines; None for what is not known."""
    if not on_terminal and "COLUMNS" not in os.environ:
        return None, None
    from shutil import get_terminal_size  # 2 ms, as shutil also imports the formats of archives

    size = get_terminal_size((0, 0))
    return size.columns or None, size.lines if on_terminal and size.lines else None


def _can_draw_boxes(environ: Mapping[str, str]) -> bool:
    """Whether the locale and the encoding of standard output allow the characters of boxes.

    Python itself sets LC_CTYPE=C.UTF-8 in the C locale, so that value is not the user's.
    """
    ctype = environ.get("LC_CTYPE", "")
    locale = environ.get("LC_ALL") or (ctype if ctype != "C.UTF-8" else "") or environ.get("LANG")
    if locale in ("C", "POSIX"):
        return False
    try:
        "┏━┓".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
