"""The command line: a lazy table of commands; the only place that makes an error an exit status.

Exit status: 0 done and within budget; 1 over budget; 2 a wrong command line, file or model.
"""

from __future__ import annotations

import gc
import signal
import sys
from importlib import import_module

import click

import dense_calc
from dense_calc.cli.streams import STDOUT_FILENO, discard_stream, open_streams, write_stderr

# name → module, whose function of the same name is the command
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
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMAND_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in _COMMAND_MODULES:
            from dense_calc.errors import did_you_mean  # a mistake pays for msgspec

            ctx.fail(f"there is no command '{cmd_name}'{did_you_mean(cmd_name, _COMMAND_MODULES)}")
        command: click.Command = getattr(import_module(_COMMAND_MODULES[cmd_name]), cmd_name)
        return command


@click.group("dense-calc", cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(dense_calc.__version__, prog_name="dense-calc")
def command_line() -> None:
    """Size a neural network from a text file: every shape and parameter of a Keras model.

    Example: dense-calc summary specs/mnist.yaml
    """


def main() -> None:
    """Run the command line and leave with its exit status."""
    gc.disable()  # a short run frees nothing, and the collector costs more than a large model
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # an interrupted pipe is silent
    open_streams()
    try:
        sys.exit(command_line(prog_name="dense-calc", standalone_mode=False))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if isinstance(error, OSError):  # of standard output; others are told where they arise
            discard_stream(STDOUT_FILENO)
        write_stderr(failure_message(error))
        sys.exit(2)


def failure_message(error: Exception) -> str:
    """What to say of an error that ends the run."""
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
        return str(error)
    from traceback import format_exception  # a mistake of ours, no model over its budget

    return "".join(format_exception(error)).rstrip()


def _usage_message(error: click.ClickException) -> str:
    """What is wrong with the command line, as click says it; what users said is cut and escaped."""
    from dense_calc.errors import escape_unprintable, shorten_message

    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # of click 8.2
        return error.format_message()
    said = f"Error: {shorten_message(escape_unprintable(error.format_message()))}"
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return said
    return f"{ctx.get_usage()}\nTry '{ctx.command_path} --help' for help.\n\n{said}"
