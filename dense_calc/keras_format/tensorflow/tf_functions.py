"""Functions of TensorFlow that are layers in files of Keras 2, as operations of Keras.

Such a file has the name of the function and the arguments of its call. Sources: tf_op_layer.py of
tf_keras, and the signatures of TensorFlow 2 and of `compat.v1`. Sizes are unknown where TensorFlow
leaves them so, and where it would follow numbers through layers, as in `tf.shape(x)[1]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, ClassVar, NamedTuple

from msgspec import defstruct, field

from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow import tf_images as images
from dense_calc.keras_format.tensorflow import tf_shapes as rules
from dense_calc.keras_format.tensorflow.tf_arguments import TFCallArguments, apply_operation
from dense_calc.layers.base import LayerKind
from dense_calc.layers.operations.operation import check_output_shapes
from dense_calc.shapes import Shapes

TF_LAMBDA_CLASSES = ("SlicingOpLambda", "TFOpLambda")
_V1_PREFIX = "compat.v1."
# The modules where TensorFlow has its operators, and second names of functions.
_TF_NAMESPACES = ("__operators__", "compat.v2", "debugging", "dtypes", "linalg", "math", "nn")

_ShapeFunction = Callable[..., Shapes]  # takes a TFCallArguments and the shapes of the inputs
ParameterNames = Mapping[str, str]
EMPTY_MAPPING: Mapping[str, Any] = {}


class _FunctionRule(NamedTuple):
    """The names of a function's tensors in order, and what computes its output shape.

    The last `optional_count` tensors may be left out. With `has_list_inputs` a tensor may be a
    list of tensors.
    """

    input_names: tuple[str, ...]
    shape_function: _ShapeFunction
    optional_count: int = 0
    has_list_inputs: bool = False


class _FunctionGroup(NamedTuple):
    """Functions with the output shape of one operation of Keras.

    `argument_names` are the arguments of the operation by the parameters of the functions,
    `fixed_arguments` the values of arguments that a call leaves out.
    """

    operation: str
    input_names: str
    functions: str
    argument_names: ParameterNames = EMPTY_MAPPING
    fixed_arguments: Mapping[str, Any] = EMPTY_MAPPING
    optional_count: int = 0

    def build_rule(self) -> _FunctionRule:
        """The rule that all of these functions follow."""
        rule = partial(
            _apply_renamed_operation, self.operation, self.argument_names, self.fixed_arguments
        )
        return _FunctionRule(tuple(self.input_names.split()), rule, self.optional_count)


def _apply_renamed_operation(
    operation: str,
    argument_names: ParameterNames,
    fixed_arguments: Mapping[str, Any],
    call: TFCallArguments,
    *shapes: Any,
) -> Shapes:
    """The output shape of an operation with the arguments of a call, which have other names."""
    arguments = dict(fixed_arguments)
    for parameter, argument in argument_names.items():
        value = call.find_value(parameter)
        if value is not None:
            arguments[argument] = value
    return apply_operation(operation, arguments, *shapes)


class _TensorFlowFunction(LayerKind, frozen=True, kw_only=True):
    """A function of TensorFlow; `arguments` are those of its call beside the inputs.

    Other layers may compute some of the arguments, or some sizes in a list.
    """

    call_arguments = ("arguments",)
    kwargs_argument = "arguments"
    keras_module = ""
    is_operation = True
    shape_rule = "(...) → (...')"
    function_rule: ClassVar[_FunctionRule]

    arguments: dict[str, Any] = field(default_factory=dict)

    def output_shape(self, *shapes: Any) -> Shapes:
        function = self.function_rule
        inputs = (*shapes, *[None] * (len(function.input_names) - len(shapes)))
        for name, shape in zip(function.input_names[: self.arity.start], inputs, strict=False):
            if shape is None:
                raise LayerError(f"its input {name} is missing")
        call = TFCallArguments(self.arguments)
        return check_output_shapes(function.shape_function(call, *inputs))


def tf_function_kind(class_name: str, function: str) -> type[LayerKind] | None:
    """The kind of a layer that calls this function of TensorFlow, None if no table has it."""
    name = _known_function_name(function)
    if name is None or class_name not in TF_LAMBDA_CLASSES:
        return None
    return _build_function_kind(class_name, name)


def _known_function_name(name: str) -> str | None:
    """The name of a function in `TF_FUNCTION_RULES`, None if it is not there."""
    if name in TF_FUNCTION_RULES:
        return name
    short = name.removeprefix(_V1_PREFIX)
    for namespace in _TF_NAMESPACES:
        short = short.removeprefix(f"{namespace}.")
    return short if short in TF_FUNCTION_RULES else None


@cache
def _build_function_kind(class_name: str, name: str) -> type[LayerKind]:
    """The class for a function of `TF_FUNCTION_RULES`."""
    function = TF_FUNCTION_RULES[name]
    input_count = len(function.input_names)
    struct: Any = defstruct(
        class_name,
        [],
        bases=(_TensorFlowFunction,),
        namespace={
            "__doc__": _TensorFlowFunction.__doc__,
            "function_rule": function,
            "input_names": function.input_names,
            "arity": range(input_count - function.optional_count, input_count + 1),
            "accepts_nested": function.has_list_inputs,
        },
        module=__name__,
        frozen=True,
        kw_only=True,
    )
    kind: type[LayerKind] = struct
    return kind


# fmt: off
_REDUCTION_PARAMETERS = {
    "axis": "axis", "reduction_indices": "axis", "keepdims": "keepdims", "keep_dims": "keepdims",
}
_AXIS_PARAMETERS = {"axis": "axis"}
_AXIS_OR_DIM_PARAMETERS = {"dim": "axis", "dimension": "axis", "axis": "axis"}

_FUNCTION_GROUPS = (
    _FunctionGroup("Abs", "x", """
        abs acos acosh asin asinh atan atanh cast ceil conj cos cosh cumulative_logsumexp digamma
        dropout erf erfc erfcinv erfinv exp expm1 floor invert_permutation is_finite is_inf
        is_nan lgamma log log1p log_sigmoid logical_not ndtri negative reciprocal reciprocal_no_nan
        rint round rsqrt sigmoid sign sin sinh sqrt square tan tanh
    """),
    _FunctionGroup("Abs", "features",
                   "elu gelu leaky_relu relu relu6 selu silu softplus softsign swish"),
    _FunctionGroup("Abs", "input", """
        angle band_part cholesky guarantee_const identity imag inv local_response_normalization lrn
        ones_like real reverse_sequence stop_gradient zeros_like
    """),
    _FunctionGroup("Abs", "tensor", "check_numerics compat.v1.ones_like compat.v1.zeros_like"),
    _FunctionGroup("Abs", "value", "saturate_cast"),
    _FunctionGroup("Abs", "value bias", "bias_add"),
    _FunctionGroup("Abs", "t", "clip_by_norm"),
    _FunctionGroup("Abs", "t clip_value_min clip_value_max", "clip_by_value", optional_count=2),
    _FunctionGroup("Abs", "x mean variance offset scale", "batch_normalization", optional_count=2),
    _FunctionGroup("Abs", "inputs", """
        quantization.fake_quant_with_min_max_args quantization.fake_quant_with_min_max_vars
    """),
    _FunctionGroup("Abs", "image", """
        image.adjust_brightness image.adjust_gamma image.adjust_hue image.adjust_saturation
        image.convert_image_dtype image.flip_left_right image.flip_up_down
        image.per_image_standardization image.random_brightness image.random_contrast
        image.random_flip_left_right image.random_flip_up_down image.random_hue
        image.random_saturation
    """),
    _FunctionGroup("Abs", "images", """
        image.adjust_contrast image.hsv_to_rgb image.rgb_to_hsv image.rgb_to_yiq image.rgb_to_yuv
        image.yiq_to_rgb image.yuv_to_rgb
    """),
    _FunctionGroup("Add", "x y", """
        add div div_no_nan divide divide_no_nan equal floor_div floordiv floormod greater
        greater_equal less less_equal logical_and logical_or logical_xor maximum minimum mod
        multiply multiply_no_nan not_equal pow realdiv squared_difference subtract truediv xdivy
        xlog1py xlogy
    """),
    _FunctionGroup("Add", "y x", "atan2"),
    _FunctionGroup("Argmax", "input", "argmax argmin", _AXIS_OR_DIM_PARAMETERS, {"axis": 0}),
    _FunctionGroup("Argsort", "values", "argsort sort", _AXIS_PARAMETERS),
    _FunctionGroup("BroadcastTo", "input", "broadcast_to", {"shape": "shape"}),
    _FunctionGroup("Cumsum", "x", "cumprod cumsum", _AXIS_PARAMETERS, {"axis": 0}),
    _FunctionGroup("ExpandDims", "input", "expand_dims", _AXIS_OR_DIM_PARAMETERS),
    _FunctionGroup("Flip", "tensor", "reverse", _AXIS_PARAMETERS),
    _FunctionGroup("LogSoftmax", "logits", "log_softmax softmax", _AXIS_OR_DIM_PARAMETERS),
    _FunctionGroup("Ndim", "input", "shape"),
    _FunctionGroup(
        "Normalize", "x", "l2_normalize", {"dim": "axis", "axis": "axis"}, {"axis": None}
    ),
    _FunctionGroup("RGBToGrayscale", "images", "image.rgb_to_grayscale"),
    _FunctionGroup("Roll", "input", "roll", _AXIS_PARAMETERS, {"shift": 0}),
    _FunctionGroup("Size", "input", "rank size"),
    _FunctionGroup("Size", "t", "l2_loss"),
    _FunctionGroup("Sum", "input", "count_nonzero", _REDUCTION_PARAMETERS),
    _FunctionGroup("Sum", "input_tensor", """
        reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean
        reduce_min reduce_prod reduce_std reduce_sum reduce_variance
    """, _REDUCTION_PARAMETERS),
    _FunctionGroup("Sum", "tensor", "norm", _REDUCTION_PARAMETERS),
    _FunctionGroup("Swapaxes", "a", "matrix_transpose", fixed_arguments={"axis1": -2, "axis2": -1}),
    _FunctionGroup("Tensordot", "a b", "tensordot", {"axes": "axes"}),
    _FunctionGroup("TopK", "input", "top_k", {"k": "k"}, {"k": 1}),
    _FunctionGroup("Trace", "x", "trace", fixed_arguments={"axis1": -2, "axis2": -1}),
    _FunctionGroup("Transpose", "a", "transpose", {"perm": "axes"}),
    _FunctionGroup("Unstack", "value", "unstack", {"num": "num", "axis": "axis"}),
)
_SPECIAL_FUNCTIONS = {
    "add_n": _FunctionRule(("inputs",), rules.add_n, has_list_inputs=True),
    "boolean_mask": _FunctionRule(("tensor", "mask"), rules.apply_boolean_mask),
    "concat": _FunctionRule(("values",), rules.concat_tensors, has_list_inputs=True),
    "ensure_shape": _FunctionRule(("x",), rules.ensure_shape),
    "eq": _FunctionRule(("self", "other"), rules.compare_tensors, 1),
    "gather": _FunctionRule(("params", "indices"), rules.gather_slices),
    "gather_nd": _FunctionRule(("params", "indices"), rules.gather_nd),
    "getitem": _FunctionRule(("tensor",), rules.index_tensor),
    "image.crop_and_resize": _FunctionRule(
        ("image", "boxes", "box_indices"), images.crop_and_resize, 1
    ),
    "image.extract_patches": _FunctionRule(("images",), images.extract_patches),
    "image.grayscale_to_rgb": _FunctionRule(("images",), images.grayscale_to_rgb),
    "image.transpose": _FunctionRule(("image",), images.transpose_images),
    "matmul": _FunctionRule(("a", "b"), rules.multiply_matrices),
    "matvec": _FunctionRule(("a", "b"), rules.multiply_matrix_vector),
    "ne": _FunctionRule(("self", "other"), rules.compare_tensors, 1),
    "one_hot": _FunctionRule(("indices",), rules.encode_one_hot),
    "pad": _FunctionRule(("tensor",), rules.pad_tensor),
    "repeat": _FunctionRule(("input",), rules.repeat_elements),
    "reshape": _FunctionRule(("tensor",), rules.reshape_tensor),
    "sequence_mask": _FunctionRule(("lengths",), rules.sequence_mask),
    "slice": _FunctionRule(("input_",), rules.slice_tensor),
    "split": _FunctionRule(("value",), rules.split_tensor),
    "squeeze": _FunctionRule(("input",), rules.squeeze_tensor),
    "stack": _FunctionRule(("values",), rules.stack_tensors, has_list_inputs=True),
    "tile": _FunctionRule(("input",), rules.tile_tensor),
    "where": _FunctionRule(("condition", "x", "y"), rules.select_elements, 2),
}
TF_FUNCTION_RULES: dict[str, _FunctionRule] = {
    **{name: group.build_rule() for group in _FUNCTION_GROUPS for name in group.functions.split()},
    **_SPECIAL_FUNCTIONS,
    **{
        name: _FunctionRule(tuple(tensors.split()), partial(images.convolve_tensor, operation))
        for name, tensors, operation in (
            ("compat.v1.nn.conv1d", "value filters", "Conv"),
            ("compat.v1.nn.conv2d", "input filter", "Conv"),
            ("conv1d", "input filters", "Conv"),
            ("conv2d", "input filters", "Conv"),
            ("conv3d", "input filters", "Conv"),
            ("depthwise_conv2d", "input filter", "DepthwiseConv"),
        )
    },
    **{f"{pool}_pool{rank}": _FunctionRule(("input",), images.pool_windows)
       for pool in ("avg", "max") for rank in ("", "1d", "2d", "3d")},
    **{name: _FunctionRule(("images",), images.resize_images) for name in (
        "image.resize", "image.resize_images", "image.resize_area", "image.resize_bicubic",
        "image.resize_bilinear", "image.resize_nearest_neighbor",
    )},
    **{f"image.{name}": _FunctionRule(("image",), images.crop_or_pad_images) for name in (
        "crop_to_bounding_box", "pad_to_bounding_box", "resize_with_crop_or_pad",
        "resize_with_pad",
    )},
    "depth_to_space": _FunctionRule(("input",), partial(images.move_blocks, "DepthToSpace")),
    "space_to_depth": _FunctionRule(("input",), partial(images.move_blocks, "SpaceToDepth")),
}
# fmt: on
