"""The command line: a table of commands, imported when needed, and the exit status of errors.

Exit status: 0 done and within budget; 1 over budget; 2 a wrong command line, file or model.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module

import click

import dense_calc
from dense_calc.cli.streams import STDOUT_FILENO, discard_stream, open_streams, write_stderr

# Name → module; its function of the same name is the command.
_COMMAND_MODULES = {
    "summary": "dense_calc.cli.summary",
    "explain": "dense_calc.cli.explain",
    "check": "dense_calc.cli.check",
    "diff": "dense_calc.cli.diff",
    "sweep": "dense_calc.cli.sweep",
    "fit": "dense_calc.cli.fit",
    "growth": "dense_calc.cli.growth",
    "convert": "dense_calc.cli.convert",
    "layers": "dense_calc.cli.layers",
    "schema": "dense_calc.cli.schema",
    "gallery": "dense_calc.cli.gallery",
    "init": "dense_calc.cli.init",
    "completion": "dense_calc.cli.completion",
}
COMPLETION_VARIABLE = "_DENSE_CALC_COMPLETE"  # by which a shell asks for completions


class _LazyGroup(click.Group):
    """A group that imports a command when it is first needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMAND_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMAND_MODULES:
            if ctx.resilient_parsing:  # a shell asks for completions
                return None
            ctx.fail(f"there is no command '{cmd_name}'{_command_hint(cmd_name)}")
        command: click.Command = getattr(import_module(_COMMAND_MODULES[cmd_name]), cmd_name)
        return command


@click.group("dense-calc", cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(dense_calc.__version__, "-V", "--version", prog_name="dense-calc")
def command_line() -> None:
    """Show every shape and parameter of a Keras model, without Keras.

    Example: dense-calc summary gallery:lenet5
    """


def main() -> None:
    """Run the command line and exit with its status."""
    gc.disable()  # a short run frees nothing, and the collector costs more than a large model
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a closed pipe ends the run silently
    open_streams()
    try:
        if COMPLETION_VARIABLE in os.environ:
            from dense_calc.cli.shells import use_own_shells

            use_own_shells()
        sys.exit(
            command_line(
                prog_name="dense-calc", complete_var=COMPLETION_VARIABLE, standalone_mode=False
            )
        )
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if os.environ.get(COMPLETION_VARIABLE):
            sys.exit(2)  # a message would stand in the line that the shell completes
        if isinstance(error, OSError):  # of standard output; any other becomes a FileError earlier
            discard_stream(STDOUT_FILENO)
        write_stderr(failure_message(error))
        sys.exit(2)


def _command_hint(name: str) -> str:
    """A hint for what is no command: the command that it resembles, or summary if it is a file."""
    if name == "-" or os.path.lexists(name) or not {"/", ".", ":"}.isdisjoint(name):
        return f"; did you mean 'dense-calc summary {name}'?"
    from dense_calc.errors import did_you_mean  # imports msgspec

    return did_you_mean(name, _COMMAND_MODULES)


def _option_hint(error: click.NoSuchOption) -> str:
    """A hint for an option that a command lacks: a value of --format, or fit's --vary."""
    assert error.ctx is not None  # the parser of a command raises it
    params = {name: each for each in error.ctx.command.params for name in each.opts}
    word = error.option_name.lstrip("-")
    formats = getattr(getattr(params.get("--format"), "type", None), "choices", ())
    if word in formats:
        return f" Use --format {word}."
    return " Use --set." if word == "vary" and "--set" in params else ""


def failure_message(error: Exception) -> str:
    """The message for an error that ends the run."""
    if isinstance(error, click.ClickException):
        return _usage_message(error)
    if isinstance(error, MemoryError):
        return "error: there is not enough memory"
    if isinstance(error, RecursionError):
        return "error: this is nested too deeply"
    if isinstance(error, OSError):
        return f"error: cannot write standard output: {error.strerror or error}"
    from dense_calc.errors import DenseCalcError  # not at the top: --version needs no msgspec

    if isinstance(error, DenseCalcError):
        from dense_calc.files.mistakes_in_file import describe_mistakes

        return describe_mistakes(error)
    from traceback import format_exception  # a bug of dense-calc

    return "".join(format_exception(error)).rstrip()


def _usage_message(error: click.ClickException) -> str:
    """The message of click about a wrong command line; long values in it are cut, and escaped."""
    from dense_calc.errors import escape_unprintable, shorten_message

    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # of click 8.2
        return error.format_message()
    text = error.format_message().replace("\n\t", " ")  # where click lists choices
    if isinstance(error, click.NoSuchOption):
        text += _option_hint(error)
    message = f"Error: {shorten_message(escape_unprintable(text))}"
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return message
    return f"{ctx.get_usage()}\nTry '{ctx.command_path} --help' for help.\n\n{message}"
