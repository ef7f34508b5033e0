"""`dense-calc init`: a first spec, which teaches the language by its comments."""

from __future__ import annotations

import os
import shlex

import click

from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import force_option, parse_output
from dense_calc.cli.output import emit_text
from dense_calc.cli.streams import write_stdout
from dense_calc.errors import escape_unprintable

_FIRST_SPEC = os.path.join(os.path.dirname(__file__), "first_spec.yaml")
_NEXT_COMMANDS = "summary {0}", "check {0}", "fit {0} --vary width"


@click.command(cls=SectionedCommand)
@click.argument(
    "file", default="model.dense-calc.yaml", shell_complete=complete_files, callback=parse_output
)
@force_option
def init(file: str | None, force: bool) -> None:
    """Write a first spec, with comments.

    FILE is model.dense-calc.yaml by default, which the pre-commit hook takes; - is standard output.

    Example: dense-calc init
    """
    from dense_calc.cli.file_arguments import spell_out_path
    from dense_calc.cli.write_file import demand_new_file

    if file and not force:
        demand_new_file(file)
    with open(_FIRST_SPEC, encoding="utf-8", newline="") as spec:
        text = spec.read()
    emit_text(lambda style: text, output=file)
    if file:
        word = escape_unprintable(shlex.quote(spell_out_path(file)))
        lines = [f"  dense-calc {command.format(word)}" for command in _NEXT_COMMANDS]
        title = escape_unprintable(file)
        write_stdout([f"{title} is written. Next steps:\n", "\n".join(lines), "\n"])
