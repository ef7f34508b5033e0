"""`dense-calc gallery`: models to start from, which come with the package."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import click

from dense_calc.cli.completed_values import complete_gallery_names
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import new_file_options
from dense_calc.cli.output import GRID_SUFFIXES, choose_format, emit_text
from dense_calc.files.gallery_files import GALLERY_PREFIX, find_gallery_file, gallery_names
from dense_calc.files.loader import read_variants
from dense_calc.spec_language.outline import SpecOutline
from dense_calc.tracing.tracer import trace


@click.command(cls=SectionedCommand)
@click.argument("name", required=False, shell_complete=complete_gallery_names)
@new_file_options
def gallery(name: str | None, format: str | None, force: bool, **output_options: Any) -> None:
    """List models to start from, or print one.

    Without NAME, lists all models with their counts and sources. Every command that reads a FILE
    also takes gallery:NAME; a file of that name is ./gallery:NAME.

    Example: dense-calc gallery lenet5 -o my-model.yaml
    """
    output = output_options["output"]
    if output and not force:
        from dense_calc.cli.write_file import demand_new_file  # most texts go to standard output

        demand_new_file(output)
    if name is None:
        from dense_calc.render.gallery_grid import render_gallery

        rows = list(map(_gallery_row, gallery_names()))
        chosen = choose_format(format, output, GRID_SUFFIXES)
        emit_text(lambda style: render_gallery(rows, chosen, style), **output_options)
        return
    if format:
        raise click.UsageError("--format is for the list; the file of NAME is printed as it is.")
    with open(find_gallery_file(name), encoding="utf-8", newline="") as file:
        text = file.read()
    emit_text(lambda style: text, **output_options)


def _gallery_row(name: str) -> dict[str, Any]:
    """A model of the gallery, by the keys of the JSON."""
    models = read_variants(f"{GALLERY_PREFIX}{name}", {})
    outline = models.outline_or_model
    assert isinstance(outline, SpecOutline)
    return {
        "name": name,
        "total_params": trace(models.model_with()).total_params,
        "description": _first_sentence(outline.root.source.text),
        "source": outline.sections["expect"].value["source"][1].value,
    }


def _first_sentence(text: str) -> str:
    """The first sentence of the comment at the top of a spec, without its full stop."""
    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return " ".join(line.lstrip("# ") for line in lines).partition(". ")[0].removesuffix(".")
