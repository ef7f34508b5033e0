"""Functions of TensorFlow that stand as layers in files of Keras 2, told by operations of Keras.

Such a file names the function and what it is called with. Source: tf_keras' tf_op_layer.py, and the
signatures of TensorFlow, of 2 and of `compat.v1`. What is unknown is what TensorFlow infers, but
that it also follows numbers through layers (`tf.shape(x)[1]`), whose output here is only a shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, ClassVar, NamedTuple

from msgspec import defstruct, field

from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow import tf_images as images
from dense_calc.keras_format.tensorflow import tf_shapes as rules
from dense_calc.keras_format.tensorflow.tf_arguments import Given, applied
from dense_calc.layers.base import LayerKind
from dense_calc.layers.operations.operation import possible
from dense_calc.shapes import Shapes

CLASSES = ("SlicingOpLambda", "TFOpLambda")
FIRST_VERSION = "compat.v1."
# Where TensorFlow has a function under a second name, or where it has its operators.
FAMILIES = ("__operators__", "compat.v2", "debugging", "dtypes", "linalg", "math", "nn")

Rule = Callable[..., Shapes]  # of what is given and the shapes of the inputs
Names = Mapping[str, str]
NOTHING: Mapping[str, Any] = {}


class Function(NamedTuple):
    """What a function does: its tensors in order, of which the last may be left out, and its rule.

    `nested` are those that take a list of tensors.
    """

    inputs: tuple[str, ...]
    rule: Rule
    optional: int = 0
    nested: bool = False


class Alike(NamedTuple):
    """Functions that do to shapes what an operation does.

    `renamed` are the arguments of the operation, by the parameters that give them; `fixed` those
    that are not given.
    """

    operation: str
    inputs: str
    functions: str
    renamed: Names = NOTHING
    fixed: Mapping[str, Any] = NOTHING
    optional: int = 0

    def made(self) -> Function:
        """What each of them does."""
        rule = partial(followed, self.operation, self.renamed, self.fixed)
        return Function(tuple(self.inputs.split()), rule, self.optional)


def followed(
    operation: str, renamed: Names, fixed: Mapping[str, Any], given: Given, *shapes: Any
) -> Shapes:
    """What an operation gives with arguments that have other names."""
    arguments = dict(fixed)
    for parameter, argument in renamed.items():
        value = given.value(parameter)
        if value is not None:
            arguments[argument] = value
    return applied(operation, arguments, *shapes)


class TensorFlowFunction(LayerKind, frozen=True, kw_only=True):
    """A function of TensorFlow; `arguments` are what its call is given beside the inputs.

    They may hold what other layers give, so that of a list of sizes the others are known.
    """

    of_call = ("arguments",)
    further: ClassVar[str] = "arguments"
    module: ClassVar[str] = ""
    is_operation: ClassVar[bool] = True
    rule: ClassVar[str] = "(...) → (...')"
    function: ClassVar[Function]

    arguments: dict[str, Any] = field(default_factory=dict)

    def output_shape(self, *shapes: Any) -> Shapes:
        function = self.function
        given = (*shapes, *[None] * (len(function.inputs) - len(shapes)))
        for name, shape in zip(function.inputs[: self.takes.start], given, strict=False):
            if shape is None:
                raise LayerError(f"its input {name} is missing")
        return possible(function.rule(Given(self.arguments), *given))


def tf_kind(class_name: str, function: str) -> type[LayerKind] | None:
    """The kind of a layer that calls this function of TensorFlow, None if it is not known."""
    known = known_as(function)
    return made(class_name, known) if known and class_name in CLASSES else None


def known_as(name: str) -> str | None:
    """A function's name in the table here."""
    if name in FUNCTIONS:
        return name
    short = name.removeprefix(FIRST_VERSION)
    for family in FAMILIES:
        short = short.removeprefix(f"{family}.")
    return short if short in FUNCTIONS else None


@cache
def made(class_name: str, name: str) -> type[LayerKind]:
    """The class for a function of the table."""
    function = FUNCTIONS[name]
    most = len(function.inputs)
    kind: Any = defstruct(
        class_name,
        [],
        bases=(TensorFlowFunction,),
        namespace={
            "__doc__": TensorFlowFunction.__doc__,
            "function": function,
            "inputs": function.inputs,
            "takes": range(most - function.optional, most + 1),
            "takes_nested": function.nested,
        },
        module=__name__,
        frozen=True,
        kw_only=True,
    )
    result: type[LayerKind] = kind
    return result


# fmt: off
REDUCED = {"axis": "axis", "reduction_indices": "axis", "keepdims": "keepdims",
           "keep_dims": "keepdims"}
AXIS = {"axis": "axis"}
AXIS_OR_DIM = {"dim": "axis", "dimension": "axis", "axis": "axis"}

ALIKE = (
    Alike("Abs", "x", """
        abs acos acosh asin asinh atan atanh cast ceil conj cos cosh cumulative_logsumexp digamma
        dropout erf erfc erfcinv erfinv exp expm1 floor invert_permutation is_finite is_inf
        is_nan lgamma log log1p log_sigmoid logical_not ndtri negative reciprocal reciprocal_no_nan
        rint round rsqrt sigmoid sign sin sinh sqrt square tan tanh
    """),
    Alike("Abs", "features",
          "elu gelu leaky_relu relu relu6 selu silu softplus softsign swish"),
    Alike("Abs", "input", """
        angle band_part cholesky guarantee_const identity imag inv local_response_normalization lrn
        ones_like real reverse_sequence stop_gradient zeros_like
    """),
    Alike("Abs", "tensor", "check_numerics compat.v1.ones_like compat.v1.zeros_like"),
    Alike("Abs", "value", "saturate_cast"),
    Alike("Abs", "value bias", "bias_add"),
    Alike("Abs", "t", "clip_by_norm"),
    Alike("Abs", "t clip_value_min clip_value_max", "clip_by_value", optional=2),
    Alike("Abs", "x mean variance offset scale", "batch_normalization", optional=2),
    Alike("Abs", "inputs", """
        quantization.fake_quant_with_min_max_args quantization.fake_quant_with_min_max_vars
    """),
    Alike("Abs", "image", """
        image.adjust_brightness image.adjust_gamma image.adjust_hue image.adjust_saturation
        image.convert_image_dtype image.flip_left_right image.flip_up_down
        image.per_image_standardization image.random_brightness image.random_contrast
        image.random_flip_left_right image.random_flip_up_down image.random_hue
        image.random_saturation
    """),
    Alike("Abs", "images", """
        image.adjust_contrast image.hsv_to_rgb image.rgb_to_hsv image.rgb_to_yiq image.rgb_to_yuv
        image.yiq_to_rgb image.yuv_to_rgb
    """),
    Alike("Add", "x y", """
        add div div_no_nan divide divide_no_nan equal floor_div floordiv floormod greater
        greater_equal less less_equal logical_and logical_or logical_xor maximum minimum mod
        multiply multiply_no_nan not_equal pow realdiv squared_difference subtract truediv xdivy
        xlog1py xlogy
    """),
    Alike("Add", "y x", "atan2"),
    Alike("Argmax", "input", "argmax argmin", AXIS_OR_DIM, {"axis": 0}),
    Alike("Argsort", "values", "argsort sort", AXIS),
    Alike("BroadcastTo", "input", "broadcast_to", {"shape": "shape"}),
    Alike("Cumsum", "x", "cumprod cumsum", AXIS, {"axis": 0}),
    Alike("ExpandDims", "input", "expand_dims", AXIS_OR_DIM),
    Alike("Flip", "tensor", "reverse", AXIS),
    Alike("LogSoftmax", "logits", "log_softmax softmax", AXIS_OR_DIM),
    Alike("Ndim", "input", "shape"),
    Alike("Normalize", "x", "l2_normalize", {"dim": "axis", "axis": "axis"}, {"axis": None}),
    Alike("RGBToGrayscale", "images", "image.rgb_to_grayscale"),
    Alike("Roll", "input", "roll", AXIS, {"shift": 0}),
    Alike("Size", "input", "rank size"),
    Alike("Size", "t", "l2_loss"),
    Alike("Sum", "input", "count_nonzero", REDUCED),
    Alike("Sum", "input_tensor", """
        reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean
        reduce_min reduce_prod reduce_std reduce_sum reduce_variance
    """, REDUCED),
    Alike("Sum", "tensor", "norm", REDUCED),
    Alike("Swapaxes", "a", "matrix_transpose", fixed={"axis1": -2, "axis2": -1}),
    Alike("Tensordot", "a b", "tensordot", {"axes": "axes"}),
    Alike("TopK", "input", "top_k", {"k": "k"}, {"k": 1}),
    Alike("Trace", "x", "trace", fixed={"axis1": -2, "axis2": -1}),
    Alike("Transpose", "a", "transpose", {"perm": "axes"}),
    Alike("Unstack", "value", "unstack", {"num": "num", "axis": "axis"}),
)
OWN = {
    "add_n": Function(("inputs",), rules.add_n, nested=True),
    "boolean_mask": Function(("tensor", "mask"), rules.boolean_mask),
    "concat": Function(("values",), rules.concat, nested=True),
    "depthwise_conv2d": Function(("input", "filter"), partial(images.conv, "DepthwiseConv")),
    "ensure_shape": Function(("x",), rules.ensure_shape),
    "eq": Function(("self", "other"), rules.compared, 1),
    "gather": Function(("params", "indices"), rules.gather),
    "gather_nd": Function(("params", "indices"), rules.gather_nd),
    "getitem": Function(("tensor",), rules.getitem),
    "image.crop_and_resize": Function(("image", "boxes", "box_indices"), images.crop_and_resize, 1),
    "image.extract_patches": Function(("images",), images.extract_patches),
    "image.grayscale_to_rgb": Function(("images",), images.grayscale_to_rgb),
    "image.transpose": Function(("image",), images.transposed),
    "matmul": Function(("a", "b"), rules.matmul),
    "matvec": Function(("a", "b"), rules.matvec),
    "ne": Function(("self", "other"), rules.compared, 1),
    "one_hot": Function(("indices",), rules.one_hot),
    "pad": Function(("tensor",), rules.pad),
    "repeat": Function(("input",), rules.repeat),
    "reshape": Function(("tensor",), rules.reshape),
    "sequence_mask": Function(("lengths",), rules.sequence_mask),
    "slice": Function(("input_",), rules.slice_of),
    "split": Function(("value",), rules.split),
    "squeeze": Function(("input",), rules.squeeze),
    "stack": Function(("values",), rules.stack, nested=True),
    "tile": Function(("input",), rules.tile),
    "where": Function(("condition", "x", "y"), rules.where, 2),
}
FUNCTIONS: dict[str, Function] = {
    **{name: alike.made() for alike in ALIKE for name in alike.functions.split()},
    **OWN,
    **{f"conv{rank}d": Function(("input", "filters"), partial(images.conv, "Conv"))
       for rank in (1, 2, 3)},
    **{f"compat.v1.nn.conv{rank}d": Function((first, "filters"), partial(images.conv, "Conv"))
       for rank, first in ((1, "value"),)},
    "compat.v1.nn.conv2d": Function(("input", "filter"), partial(images.conv, "Conv")),
    **{f"{most}_pool{rank}": Function(("input",), images.pool)
       for most in ("avg", "max") for rank in ("", "1d", "2d", "3d")},
    **{name: Function(("images",), images.resize) for name in (
        "image.resize", "image.resize_images", "image.resize_area", "image.resize_bicubic",
        "image.resize_bilinear", "image.resize_nearest_neighbor",
    )},
    **{f"image.{name}": Function(("image",), images.framed) for name in (
        "crop_to_bounding_box", "pad_to_bounding_box", "resize_with_crop_or_pad",
        "resize_with_pad",
    )},
    **{name: Function(("input",), partial(images.blocks, operation)) for name, operation in (
        ("depth_to_space", "DepthToSpace"), ("space_to_depth", "SpaceToDepth"),
    )},
}
# fmt: on
