"""What a file says of its optimizer in the words of older versions → those of Keras 3."""

from __future__ import annotations

from typing import Any

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
# Those that change nothing of what is kept, and that no optimizer has today.
_DROPPED_OPTIMIZER_ARGUMENTS = {
    *("decay", "dynamic", "is_legacy_optimizer", "jit_compile", "loss_scale", "schedule_decay"),
}
_PACKAGE_SEPARATOR = ">"


def upgrade_optimizer(written: Any) -> Any:
    """An optimizer as Keras 3 reads it, or as it would if it knew the older words."""
    match written:
        case {"class_name": str(name), "config": {"name": str(own)}} if _PACKAGE_SEPARATOR in name:
            # Keras knows no such class, and takes the optimizer of that name with its defaults
            # (`_resolve_compile_arguments_compat` of keras.src.legacy.saving.saving_utils).
            return own
        case {"class_name": str(name), "config": dict(config)}:
            arguments = {
                _RENAMED_OPTIMIZER_ARGUMENTS.get(key, key): upgrade_optimizer(value)
                for key, value in config.items()
                if key not in _DROPPED_OPTIMIZER_ARGUMENTS and value is not None
            }
            return {"class_name": _RENAMED_OPTIMIZERS.get(name, name), "config": arguments}
    return written
