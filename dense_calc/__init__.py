"""dense-calc: every shape and every parameter of a Keras model, from a text file, without Keras.

>>> import dense_calc
>>> dense_calc.summarize("gallery:mnist").total_params
7850

A function for each job, as there is a command for each:

- `summarize` counts a model; `load` and `trace` are its two halves: a file to a Model, a Model to
  a Report.
- `explain` shows how layers get their shapes and counts.
- `check` holds a model against its budget, and `diff` compares two models.
- `sweep` counts a model for every combination of settings, `fit` finds the largest settings that
  keep to a limit, and `growth` gives the count as a formula.
- `convert` writes a spec as Keras' JSON, and a file of Keras as a spec.

Each takes a path, a text, a mapping or an open file. `print` shows a result as the command does, a
notebook as a table, and `to_dict` gives the data of the command's JSON. What is wrong with a model
is a `DenseCalcError`.

The functions are imported when they are first used, so that `import dense_calc` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dense_calc.api import (
        check,
        convert,
        diff,
        explain,
        fit,
        growth,
        load,
        summarize,
        sweep,
        trace,
    )
    from dense_calc.errors import DenseCalcError

__all__ = [
    "DenseCalcError",
    "check",
    "convert",
    "diff",
    "explain",
    "fit",
    "growth",
    "load",
    "summarize",
    "sweep",
    "trace",
]
__version__ = "0.1.0"


# No module has the name of a public function: Python binds a submodule in its package when it is
# first imported, which would hide the function.
def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'dense_calc' has no attribute '{name}'")
    from dense_calc import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
