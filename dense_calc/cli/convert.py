"""`dense-calc convert`: from a spec to the JSON of Keras, from a file of Keras to a spec."""

from __future__ import annotations

import click

from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import assume_option, load_model, output_option, set_option
from dense_calc.cli.output import emit_text, format_by_suffix
from dense_calc.cli.streams import write_stderr
from dense_calc.errors import format_diagnostic

_TARGET_FORMS = ("keras", "yaml")
_TARGET_SUFFIXES = {".json": "keras", ".yaml": "yaml", ".yml": "yaml"}


@click.command(cls=SectionedCommand)
@click.argument("file", shell_complete=complete_files)
@click.option(
    "--to",
    "form",
    type=click.Choice(_TARGET_FORMS),
    help="keras writes JSON for keras.models.model_from_json, yaml writes a spec. Default: by the "
    "suffix of -o FILE.",
)
@set_option
@assume_option
@output_option
def convert(
    file: str,
    form: str | None,
    overrides: dict[str, str],
    assumed: dict[str, str],
    output: str | None,
) -> None:
    """Convert a model to Keras' JSON, or to a spec.

    FILE is a spec, or a file that Keras wrote; - is standard input.

    Example: dense-calc convert gallery:resnet50 -o resnet50.json
    """
    form = form or format_by_suffix(output, _TARGET_SUFFIXES, "--to")
    if form is None:
        raise click.UsageError("Choose a format: --to keras or --to yaml.")
    model = load_model(file, overrides, assumed)
    if form == "keras":
        from dense_calc.keras_format.writer import to_keras
        from dense_calc.render.json import escape_json

        emit_text(lambda style: escape_json(to_keras(model), style), output=output)
        return
    from dense_calc.spec_language.spec_writer import format_spec

    if model.limits:
        write_stderr(format_diagnostic("warning", "'budget' and 'expect' are left out", None))
    emit_text(lambda style: format_spec(model), output=output)
