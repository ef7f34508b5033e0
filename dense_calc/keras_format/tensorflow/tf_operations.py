"""Operations of TensorFlow that are layers in files of tf.keras 1.14 to 2.3.

Such a layer is a node of a graph: the name of an operation, its attributes and its constant inputs.
Its output shape is that of the function that calls the operation (`tf_functions`). Sources:
TensorFlowOpLayer of tensorflow/python/keras/engine/base_layer.py of 2.3, and the inputs and
attributes of TensorFlow's operations.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from msgspec import field

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow.tf_arguments import UNKNOWN_VALUE, TFCallArguments
from dense_calc.keras_format.tensorflow.tf_functions import (
    EMPTY_MAPPING,
    TF_FUNCTION_RULES,
    ParameterNames,
)
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind
from dense_calc.layers.operations.operation import check_output_shapes
from dense_calc.shapes import MAX_RANK, Shape, Shapes

_ArgumentValues = dict[str, Any]

_PACK_OPERATION = "Pack"  # packs numbers in a list
_MAX_DIGITS = 64  # of a number that is read
_VARIADIC_MARK = "*"  # marks the parameter that takes several inputs


class _NodeGroup(NamedTuple):
    """Operations that a function calls, and the parameters of the function for a node.

    `input_names` are the parameters for the inputs of the node, in order, `attributes` those for
    its attributes, by the names of these; `arrange_arguments` makes arguments of the function of
    their values.
    """

    function_name: str
    input_names: str
    operations: str
    attributes: ParameterNames = EMPTY_MAPPING
    arrange_arguments: Callable[[_ArgumentValues], _ArgumentValues] | None = None


def _strided_slice_key(values: _ArgumentValues) -> _ArgumentValues:
    """The key of `x[...]` from the ends of a node's slices and the bits of its masks."""
    names = ("begin", "end", "strides")
    ends = [values[name] for name in names if isinstance(values.get(name), list)]
    if len(ends) != len(names):
        raise LayerError("how many axes it is about is known only with data")
    masks = ("new_axis_mask", "ellipsis_mask", "shrink_axis_mask", "begin_mask", "end_mask")
    bits = [values.get(name) or 0 for name in masks]
    key: list[Any] = []
    for place, (begin, end, step) in enumerate(zip(*ends, strict=False)):
        is_new, is_ellipsis, is_index, from_first, to_last = (
            bool(bit >> place & 1) for bit in bits
        )
        if is_ellipsis:
            key.append({"class_name": "__ellipsis__"})
        elif is_new or is_index:
            key.append(None if is_new else begin)
        else:
            start, stop = None if from_first else begin, None if to_last else end
            key.append({"start": start, "stop": stop, "step": step})
    return {"slice_spec": key}


# fmt: off
_KEEPDIMS_ATTRIBUTES = {"keep_dims": "keepdims"}
_WINDOW_ATTRIBUTES = {
    name: name for name in ("data_format", "dilations", "ksize", "padding", "strides")
}
NODE_GROUPS = (
    _NodeGroup("abs", "x", """
        Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil CheckNumerics Conj Cos Cosh Digamma Elu Erf
        Erfc Erfinv Exp Expm1 Floor Identity Imag Inv Invert IsFinite IsInf IsNan LRN LeakyRelu
        Lgamma Log Log1p LogSoftmax LogicalNot MatrixInverse Ndtri Neg OnesLike
        PreventGradient Real Reciprocal Relu Relu6 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh
        Snapshot Softmax Softplus Softsign Sqrt Square StopGradient Tan Tanh ZerosLike
        AdjustHue AdjustSaturation AdjustContrastv2 HSVToRGB RGBToHSV
        FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    """),
    _NodeGroup("add", "x y", """
        Add AddV2 Atan2 BitwiseAnd BitwiseOr BitwiseXor Div DivNoNan Equal FloorDiv FloorMod Greater
        GreaterEqual Less LessEqual LogicalAnd LogicalOr Maximum Minimum Mod Mul MulNoNan NotEqual
        Pow RealDiv SquaredDifference Sub TruncateDiv TruncateMod Xdivy Xlogy
    """),
    _NodeGroup("add_n", "inputs*", "AddN"),
    _NodeGroup("argmax", "input axis", "ArgMax ArgMin"),
    _NodeGroup("avg_pool2d", "input", "AvgPool MaxPool AvgPool3D MaxPool3D", _WINDOW_ATTRIBUTES),
    _NodeGroup("bias_add", "value bias", "BiasAdd BiasAddV1"),
    _NodeGroup("broadcast_to", "input shape", "BroadcastTo"),
    _NodeGroup("broadcast_to", "shape input", "Fill"),
    _NodeGroup("clip_by_value", "t clip_value_min clip_value_max", "ClipByValue"),
    _NodeGroup("concat", "axis values*", "Concat"),
    _NodeGroup("concat", "values* axis", "ConcatV2"),
    _NodeGroup("conv2d", "input filters", "Conv2D Conv3D", _WINDOW_ATTRIBUTES),
    _NodeGroup("cumsum", "x axis", "Cumsum Cumprod"),
    _NodeGroup("depth_to_space", "input", "DepthToSpace",
               {"block_size": "block_size", "data_format": "data_format"}),
    _NodeGroup("depthwise_conv2d", "input filter", "DepthwiseConv2dNative", _WINDOW_ATTRIBUTES),
    _NodeGroup("ensure_shape", "x", "EnsureShape", {"shape": "shape"}),
    _NodeGroup("expand_dims", "input axis", "ExpandDims"),
    _NodeGroup("gather", "params indices axis", "Gather GatherV2", {"batch_dims": "batch_dims"}),
    _NodeGroup("gather_nd", "params indices", "GatherNd"),
    _NodeGroup("getitem", "tensor begin end strides", "StridedSlice",
               {name: name for name in ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask",
                                        "shrink_axis_mask")}, _strided_slice_key),
    _NodeGroup("image.crop_and_resize", "image boxes box_indices crop_size", "CropAndResize"),
    _NodeGroup("image.extract_patches", "images", "ExtractImagePatches",
               {"ksizes": "sizes", "padding": "padding", "rates": "rates", "strides": "strides"}),
    _NodeGroup("image.resize", "images size",
               "ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor"),
    _NodeGroup("l2_loss", "t", "L2Loss"),
    _NodeGroup("matmul", "a b", "BatchMatMul BatchMatMulV2 MatMul",
               {"adj_x": "adjoint_a", "adj_y": "adjoint_b", "transpose_a": "transpose_a",
                "transpose_b": "transpose_b"}),
    _NodeGroup("one_hot", "indices depth on_value off_value", "OneHot", {"axis": "axis"}),
    _NodeGroup("pad", "tensor paddings constant_values", "MirrorPad Pad PadV2"),
    _NodeGroup("reduce_sum", "input_tensor axis",
               "All Any EuclideanNorm Max Mean Min Prod Sum", _KEEPDIMS_ATTRIBUTES),
    _NodeGroup("reshape", "tensor shape", "Reshape"),
    _NodeGroup("reverse", "tensor axis", "ReverseV2"),
    _NodeGroup("roll", "input shift axis", "Roll"),
    _NodeGroup("shape", "input", "Shape"),
    _NodeGroup("size", "input", "Rank Size"),
    _NodeGroup("slice", "input_ begin size", "Slice"),
    _NodeGroup("space_to_depth", "input", "SpaceToDepth",
               {"block_size": "block_size", "data_format": "data_format"}),
    _NodeGroup("split", "axis value", "Split", {"num_split": "num_or_size_splits"}),
    _NodeGroup("split", "value num_or_size_splits axis", "SplitV"),
    _NodeGroup("squeeze", "input", "Squeeze", {"squeeze_dims": "axis"}),
    _NodeGroup("stack", "values*", "Pack", {"axis": "axis"}),
    _NodeGroup("tile", "input multiples", "Tile"),
    _NodeGroup("top_k", "input k", "TopKV2"),
    _NodeGroup("transpose", "a perm", "Transpose"),
    _NodeGroup("unstack", "value", "Unpack", {"axis": "axis", "num": "num"}),
    _NodeGroup("where", "condition x y", "Select SelectV2 Where"),
)
# fmt: on
TF_OPERATIONS = {operation: node for node in NODE_GROUPS for operation in node.operations.split()}


class TensorFlowOpLayer(LayerKind, frozen=True, kw_only=True):
    """An operation of TensorFlow; `constants` are by their numbers among all its inputs.

    `known_lists` are the lists that its input tensors hold, by the numbers of the tensors, with
    None for numbers that only data tell.
    """

    arity = LIST_OF_INPUTS
    inputs_as_list = True
    keras_module = ""
    shape_rule = "(...), ... → (...')"

    operation: str
    attributes: dict[str, Any]
    constants: dict[str, Any]
    known_lists: dict[str, list[int | None]] = field(default_factory=dict)

    def packed_numbers(self, tensors: int) -> list[int | None] | None:
        """The list of numbers that it packs from its inputs, None if it packs none."""
        if self.operation != _PACK_OPERATION:
            return None
        count = tensors + len(self.constants)
        values = [self.constants.get(str(number)) for number in range(count)]
        return values if all(isinstance(value, int | None) for value in values) else None

    def output_shape(self, *shapes: Shape) -> Shapes:
        node = TF_OPERATIONS[self.operation]
        function = TF_FUNCTION_RULES[node.function_name]
        values = {node.attributes[name]: value for name, value in self.attributes.items()}
        tensors: dict[str, Any] = {}
        for name, shape, value in self._pair_inputs(node, shapes):
            if name.removesuffix(_VARIADIC_MARK) not in function.input_names:
                values[name] = value
            elif name.endswith(_VARIADIC_MARK):
                tensors[name[:-1]] = (*tensors.get(name[:-1], ()), shape)
            else:
                tensors[name] = shape
        inputs = [tensors.get(name) for name in function.input_names]
        if None in inputs[: len(inputs) - function.optional_count]:
            raise LayerError(f"{self.operation} has too few inputs", "from")
        arguments = node.arrange_arguments(values) if node.arrange_arguments else values
        return check_output_shapes(function.shape_function(TFCallArguments(arguments), *inputs))

    def output_dtype(self, *_dtypes: Any) -> Dtypes:
        return None

    def _pair_inputs(
        self, node: _NodeGroup, shapes: tuple[Shape, ...]
    ) -> Iterator[tuple[str, Shape, Any]]:
        """The parameter, the shape and the value of each input."""
        count = len(shapes) + len(self.constants)
        tensors = iter(enumerate(shapes))
        names = _expand_variadic(node.input_names.split(), count)
        for number, name in zip(range(count), names, strict=False):
            if str(number) in self.constants:
                value = self.constants[str(number)]
                yield name, _nested_list_shape(value), value
                continue
            tensor, shape = next(tensors, (None, None))
            if tensor is None or shape is None:
                raise LayerError(f"the constants are not those of {self.operation}")
            yield name, shape, self._tensor_value(tensor, shape)
        if next(tensors, None) is not None:
            raise LayerError(f"{self.operation} has too many inputs", "from")

    def _tensor_value(self, tensor: int, shape: Shape) -> Any:
        """The value of a tensor, as far as it is known: a list with its numbers or its length."""
        numbers = self.known_lists.get(str(tensor))
        if numbers and shape == (len(numbers),):
            return [UNKNOWN_VALUE if number is None else number for number in numbers]
        match shape:
            case (int(size),) if size <= MAX_RANK:
                return [UNKNOWN_VALUE] * size
        return UNKNOWN_VALUE


def _expand_variadic(names: list[str], count: int) -> Iterator[str]:
    """A parameter for each of `count` inputs; the variadic one takes all that are left."""
    variadic_count = count - len(names) + 1
    for name in names:
        yield from [name] * (variadic_count if name.endswith(_VARIADIC_MARK) else 1)


def _nested_list_shape(value: Any) -> Shape:
    """The shape of an array in nested lists."""
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        value = value[0] if value else None
    return tuple(sizes)


def node_operation_name(node: Any) -> str:
    """The name of the operation of a graph's node, '' if it has none."""
    match node:
        case {"op": str(name)}:
            return name
    return ""


def build_operation_layer(node: Any, constants: Any) -> TensorFlowOpLayer | None:
    """The operation of a graph's node as a layer, None if no table has it."""
    name = node_operation_name(node)
    if name not in TF_OPERATIONS:
        return None
    attributes = _dict_or_empty(node.get("attr"))
    return TensorFlowOpLayer(
        operation=name,
        attributes={
            attribute: _decode_attribute(attributes[attribute])
            for attribute in TF_OPERATIONS[name].attributes
            if attribute in attributes
        },
        constants={str(number): value for number, value in _dict_or_empty(constants).items()},
    )


def _dict_or_empty(value: Any) -> dict[Any, Any]:
    """A value of a file if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def _decode_attribute(attribute: Any) -> Any:
    """The value of an attribute in the JSON of a protobuf, None for other types of values."""
    match attribute:
        case {"b": bool(flag)}:
            return flag
        case {"i": int() | str() as number} if str(number).removeprefix("-").isdecimal():
            return int(str(number)[:_MAX_DIGITS])
        case {"s": str(text)}:
            try:
                return a2b_base64(text).decode(errors="replace")
            except ValueError:
                return text
        case {"list": {"i": list(numbers)}}:
            return [_decode_attribute({"i": number}) for number in numbers]
        case {"shape": {"dim": list(sizes)}}:
            decoded = (
                _decode_attribute({"i": size.get("size")})
                for size in sizes
                if isinstance(size, dict)
            )
            return [None if size == -1 else size for size in decoded]
    return None
