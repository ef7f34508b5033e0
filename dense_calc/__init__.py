"""dense-calc: every shape and every parameter of a Keras model, from a text file, without Keras.

>>> import dense_calc
>>> dense_calc.summarize("specs/mnist.yaml").total_params
7850

`load` reads a file into a Model, `trace` follows shapes through a Model into a Report, and
`summarize` does both. `sweep` gives a row for every combination of settings, and `fit` the largest
that keep to a limit. They are imported when first used: `import dense_calc` costs nothing.
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

# The modules are not called load and trace: Python binds a submodule's name in its package when
# it is first imported, which would hide the function of the same name.
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
