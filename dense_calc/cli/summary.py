"""`dense-calc summary`: the table of layers, shapes and parameters."""

from __future__ import annotations

import sys
from typing import Any

import click

from dense_calc.cli.options import set_option, table_options, write
from dense_calc.errors import DenseCalcError
from dense_calc.loading import summarize


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@set_option
@table_options
def summary(files: tuple[str, ...], overrides: dict[str, str], **options: Any) -> None:
    """Print what Keras' model.summary() would print of the model in each FILE (- for stdin)."""
    reports = []
    broken = False
    for file in files:
        try:
            reports.append(summarize(file, **overrides))
        except DenseCalcError as error:
            print(error, file=sys.stderr)
            broken = True
    if broken:
        sys.exit(2)
    write(reports, **options)
