"""What a shell completes: files, layer kinds, columns, and the layers and vars of a FILE."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from dense_calc.errors import DenseCalcError, FileError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from dense_calc.settings.variants import ModelVariants

# A shell puts a completed word into the command line as it is, so no name in a file may be more
# to it than a word, nor look like an option.
_PLAIN_WORD = re.compile(r"\w[\w@%+=:,./-]*")


def complete_files(
    ctx: click.Context, parameter: click.Parameter, start: str
) -> list[CompletionItem[str]]:
    """The models of the gallery that start so, else the word that asks the shell for its files."""
    from click.shell_completion import CompletionItem

    from dense_calc.files.gallery_files import GALLERY_PREFIX, gallery_names

    if start.startswith(GALLERY_PREFIX):
        names = [f"{GALLERY_PREFIX}{name}" for name in gallery_names()]
        return [CompletionItem(word) for word in _matching_words(names, start)]
    return [CompletionItem(start, type="file")]


def complete_gallery_names(ctx: click.Context, argument: click.Parameter, start: str) -> list[str]:
    """The names of the models in the gallery that start so."""
    from dense_calc.files.gallery_files import gallery_names

    return _matching_words(gallery_names(), start)


def complete_kinds(ctx: click.Context, argument: click.Parameter, start: str) -> list[str]:
    """The layer kinds that start so."""
    from dense_calc.layers import KIND_ALIASES, KIND_MODULES, UNEXPORTED_KIND_MODULES

    return _matching_words([*KIND_MODULES, *KIND_ALIASES, *UNEXPORTED_KIND_MODULES], start)


def complete_columns(ctx: click.Context, option: click.Parameter, start: str) -> list[str]:
    """The columns that start as the last one of a list does."""
    from dense_calc.render.grid import REPORT_COLUMNS

    return _matching_items(REPORT_COLUMNS, start)


def complete_layers(ctx: click.Context, argument: click.Parameter, start: str) -> list[str]:
    """The layers in the FILE of the command line that start so; none if it holds no model."""
    from dense_calc.analysis.patterns import LayerIndex
    from dense_calc.tracing.tracer import trace

    with suppress(DenseCalcError):
        model = _file_models(ctx).model_with(ctx.params.get("overrides") or {})
        return _matching_words(LayerIndex(trace(model)).rows_by_path, start)
    return []


def complete_settings(ctx: click.Context, option: click.Parameter, start: str) -> list[str]:
    """The vars that start so, as `NAME=`; a single one also with its value in the FILE."""
    name, equals, _ = start.partition("=")
    with suppress(DenseCalcError):
        models = _file_models(ctx)
        names = [each for each in models.vars if each.startswith(name)]
        if equals:
            names = [name] if name in names else []
        words = [] if equals else [f"{each}=" for each in names]
        if len(names) == 1:
            words.append(f"{names[0]}={models.setting_value(names[0])}")
        return _matching_words(words, start)
    return []


def complete_vars(ctx: click.Context, option: click.Parameter, start: str) -> list[str]:
    """The vars that start as the last one of a list does."""
    with suppress(DenseCalcError):
        return _matching_items(_file_models(ctx).vars, start)
    return []


def _file_models(ctx: click.Context) -> ModelVariants:
    """The models in the FILE of the command line, the first of several.

    Raises:
        DenseCalcError: it holds none, or is no regular file: a pipe or a terminal would wait.
    """
    from dense_calc.files.gallery_files import GALLERY_PREFIX
    from dense_calc.files.loader import read_variants

    params = ctx.params
    # click has not sorted the arguments where the last option still lacks its value
    files = (*(params.get("files") or ()), params.get("file") or "", *ctx.args)
    path = os.path.expanduser(next(filter(None, files), ""))
    if path == "-" or not (path.startswith(GALLERY_PREFIX) or os.path.isfile(path)):
        raise FileError("there is nothing to read")
    return read_variants(path, ctx.params.get("assumed") or {})


def _matching_items(items: Iterable[str], start: str) -> list[str]:
    """The lists `a,b` that a list can become when its last item is completed."""
    before, comma, last = start.rpartition(",")
    others = (item for item in items if item not in before.split(","))
    return [f"{before}{comma}{item}" for item in _matching_words(others, last)]


def _matching_words(words: Iterable[str], start: str) -> list[str]:
    """The words that start so and that a shell takes as they are."""
    return [word for word in words if word.startswith(start) and _PLAIN_WORD.fullmatch(word)]
