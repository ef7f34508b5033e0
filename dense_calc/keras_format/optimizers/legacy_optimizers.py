"""Optimizers of older versions in the words of Keras 3."""

from __future__ import annotations

from typing import Any

from dense_calc.keras_format.custom_objects import PACKAGE_SEPARATOR

# Sources: `get_config` of the optimizers of Keras 1 and 2, of tf.keras and of TensorFlow.js.
_RENAMED_OPTIMIZER_ARGUMENTS = {
    "beta1": "beta_1",
    "beta2": "beta_2",
    "learningRate": "learning_rate",
    "lr": "learning_rate",
    "optimizer": "inner_optimizer",
    "useNesterov": "nesterov",
}
_RENAMED_OPTIMIZERS = {"LossScaleOptimizerV3": "LossScaleOptimizer", "Momentum": "SGD"}
# Former arguments, which do not change what an optimizer keeps.
_DROPPED_OPTIMIZER_ARGUMENTS = {
    *("decay", "dynamic", "is_legacy_optimizer", "jit_compile", "loss_scale", "schedule_decay"),
}


def upgrade_optimizer(written: Any) -> Any:
    """An optimizer in the words of Keras 3."""
    match written:
        case {"class_name": str(class_name), "config": {"name": str(name)}} if (
            PACKAGE_SEPARATOR in class_name
        ):
            # Keras does not find the class, and takes the optimizer of that name with its defaults
            # (`_resolve_compile_arguments_compat` of keras.src.legacy.saving.saving_utils).
            return name
        case {"class_name": str(name), "config": dict(config)}:
            arguments = {
                _RENAMED_OPTIMIZER_ARGUMENTS.get(key, key): upgrade_optimizer(value)
                for key, value in config.items()
                if key not in _DROPPED_OPTIMIZER_ARGUMENTS and value is not None
            }
            return {"class_name": _RENAMED_OPTIMIZERS.get(name, name), "config": arguments}
    return written
