"""`dense-calc completion`: the script by which a shell completes commands, options and values."""

from __future__ import annotations

import click

from dense_calc.cli import COMPLETION_VARIABLE
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.streams import write_stdout


@click.command(cls=SectionedCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    With it, the shell completes commands, options and files, and the names of layers, layer kinds,
    vars and columns.

    Example: dense-calc completion bash
    """
    from click.shell_completion import get_completion_class

    from dense_calc.cli.shells import use_own_shells

    use_own_shells()
    complete, root = get_completion_class(shell), ctx.find_root()
    assert complete is not None
    script = complete(root.command, {}, str(root.info_name), COMPLETION_VARIABLE).source()
    write_stdout([script])
