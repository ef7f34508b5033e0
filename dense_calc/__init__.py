"""dense-calc: every shape and every parameter of a Keras model, from a text file, without Keras.

>>> import dense_calc
>>> dense_calc.summarize("gallery:mnist").total_params
7850

`load` reads a file into a Model, `trace` follows the shapes through a Model into a Report, and
`summarize` does both. `sweep` counts a model for every combination of settings, and `fit` finds
the largest settings that keep to a limit. Each is imported when it is first used, so that
`import dense_calc` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dense_calc.files.loader import load, summarize
    from dense_calc.tracing.tracer import trace
    from dense_calc.whatif.fitting import fit
    from dense_calc.whatif.sweeping import sweep

__all__ = ["fit", "load", "summarize", "sweep", "trace"]
__version__ = "0.1.0"

# No module has the name of a public function: Python binds a submodule in its package when it is
# first imported, which would hide the function.
_EXPORT_MODULES = {
    "fit": "whatif.fitting",
    "load": "files.loader",
    "summarize": "files.loader",
    "sweep": "whatif.sweeping",
    "trace": "tracing.tracer",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORT_MODULES:
        raise AttributeError(f"module 'dense_calc' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"dense_calc.{_EXPORT_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
