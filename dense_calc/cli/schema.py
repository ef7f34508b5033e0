"""`dense-calc schema`: the JSON Schema of the spec, for editors."""

from __future__ import annotations

import click

from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import output_option
from dense_calc.cli.output import emit_text


@click.command(cls=SectionedCommand)
@output_option
def schema(output: str | None) -> None:
    """Print the JSON Schema of specs, for editors.

    With it, an editor completes layers and arguments, and marks mistakes.

    Example: dense-calc schema -o dense-calc.schema.json
    """
    from dense_calc.render.json import schema_json
    from dense_calc.schema import build_spec_schema

    emit_text(lambda style: schema_json(build_spec_schema(), style), output=output)
