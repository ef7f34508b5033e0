"""Random operations whose arguments and inputs must fit each other."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from operation_arguments import Drawn, Sizes, alike, arguments_of, relative, shape, size

from dense_calc.layers.operations import operation_kind


def reshaped(rng: random.Random, name: str) -> Drawn:
    """A shape and a new one that mostly has as many elements."""
    first = shape(rng)
    target: list[Any] = [size for size in first if size != 1 or rng.random() < 0.5]
    rng.shuffle(target)
    if len(target) > 1 and None not in target[:2] and rng.random() < 0.4:
        target[:2] = [target[0] * target[1]]
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2])):
        if target:
            target[rng.randrange(len(target))] = rng.choice([-1, -1, -1, None, -2, 3])
    return {"newshape": target}, [first]


def stretched(rng: random.Random, name: str) -> Drawn:
    """A shape that mostly broadcasts to another."""
    first = shape(rng)
    target = [rng.choice([size, size, 5 if size == 1 else size, -1, None]) for size in first]
    return {"shape": [2] * (rng.random() < 0.3) + target}, [first]


def squeezed(rng: random.Random, name: str) -> Drawn:
    """A shape with many axes of size 1."""
    first = [rng.choice([1, 1, 1, None, 3]) for _ in range(rng.randint(0, 5))]
    return arguments_of(rng, name), [first]


def permuted(rng: random.Random, name: str) -> Drawn:
    """The axes of a shape in another order."""
    first = shape(rng)
    axes = [axis - rng.choice([0, 0, 0, len(first)]) for axis in range(len(first))]
    rng.shuffle(axes)
    if axes and rng.random() < 0.15:
        axes[0] = rng.randint(-5, 5)
    arguments = arguments_of(rng, name)
    if name == "Transpose":
        return ({"axes": axes} if rng.random() < 0.8 else {}), [first]
    if name == "Moveaxis" and rng.random() < 0.8:
        count = rng.randint(0, len(axes))
        arguments = {"source": axes[:count], "destination": rng.sample(axes, count)}
    return arguments, [first]


def split(rng: random.Random, name: str) -> Drawn:
    """A shape and parts of it."""
    first = shape(rng, 3 if name == "Dsplit" else 1)
    parts = rng.choice([1, 2, 2, 3, 4, 0, -1, [], [1], [2, 3], [1, 1, 4], [3, 2]])
    arguments: dict[str, Any] = {"indices_or_sections": parts}
    if name in ("Split", "ArraySplit") and rng.random() < 0.6:
        arguments["axis"] = rng.randint(-4, 3)
        if rng.random() < 0.7:
            first[arguments["axis"] % len(first)] = rng.choice([6, 8, 12, None])
    return arguments, [first]


def multiplied(rng: random.Random, name: str) -> Drawn:
    """Two inputs that can mostly be multiplied."""
    one, other = shape(rng, 1), shape(rng, 1)
    if name in ("Matmul", "CDist") and rng.random() < 0.8:
        lead = one[:-2]
        other = [*relative(rng, lead), *other[-2:]]
    inner = -2 if name in ("Matmul", "Dot") and len(other) > 1 else -1
    if rng.random() < 0.8:
        other[inner] = rng.choice([one[-1], one[-1], one[-1], None])
    if name == "Cross" and rng.random() < 0.8:
        one[-1], other[-1] = rng.choice([2, 3, 3]), rng.choice([2, 3, 3, None])
        other[:-1] = relative(rng, one[:-1])
        return {"axisc": rng.randint(-2, 1)} if rng.random() < 0.4 else {}, [one, other]
    if name == "Tensordot" and rng.random() < 0.6:
        axes = [rng.sample(range(len(each)), min(1, len(each))) for each in (one, other)]
        other[axes[1][0]] = one[axes[0][0]]
        return {"axes": axes}, [one, other]
    return arguments_of(rng, name), [one, other]


def einsum(rng: random.Random, name: str) -> Drawn:
    """An equation and inputs that mostly fit it."""
    text = rng.choice([
        "ij,jk->ik", "ij,jk", "ij->ji", "ii->i", "ii", "bij,bjk->bik", "...ij,...jk->...ik",
        "...ij,jk->...ik", "i,i->", "i,j->ij", "abc,cd->abd", "bqhd,bkhd->bhqk", "...a->...",
        "ij...,jk->ik...", "a...b,bc->a...c", "ij->", "ij", "AB,BC->AC", "ij,kj->jik", "a,b->c",
        "ij,->ij", "...,...", "ab->a->b", "a b->ab", "bij,bjk->ikb", "zij,zjk", "i...->...i",
        "ab,bc,cd->ad", "ab,ab,ab->ab", "a1,1b->ab",
    ])  # fmt: skip
    sizes = {letter: size(rng) for letter in text}
    inputs = []
    for part in text.partition("->")[0].split(","):
        middle = [size(rng) for _ in range(rng.randint(0, 2))] if "..." in part else []
        before, _, after = part.partition("...")
        inputs.append([*(sizes[x] for x in before), *middle, *(sizes[x] for x in after)])
    return {"subscripts": text}, [relative(rng, x) if rng.random() < 0.1 else x for x in inputs]


def indexed(rng: random.Random, name: str) -> Drawn:
    """A shape and a key."""

    def part() -> Any:
        ends = [rng.choice([None, 0, 1, -1, 3, -4, 20]) for _ in range(2)]
        step = rng.choice([None, None, 1, 2, -1, -3, 0])
        config = {"start": ends[0], "stop": ends[1], "step": step}
        return rng.choice([
            0, 1, -1, -2, 2, None, "...", ":", "1:", ":-1", "::2", "3:0:-1",
            {"class_name": "__slice__", "config": config},
            {"class_name": "__slice__", "config": config},
            {"class_name": "__ellipsis__", "config": {}},
        ])  # fmt: skip

    first = shape(rng, 1)
    key = part() if rng.random() < 0.2 else [part() for _ in range(rng.randint(0, len(first) + 1))]
    return {"key": key}, [first]


def sliced(rng: random.Random, name: str) -> Drawn:
    """A shape, and a slice of it with known or unknown starts."""
    first = shape(rng)
    arguments: dict[str, Any] = {"shape": [rng.choice([-1, 1, 2, None, -1]) for _ in first]}
    if rng.random() < 0.1:
        arguments["shape"].append(1)
    if rng.random() < 0.5:
        return arguments, [first, [len(first)]]
    arguments["start_indices"] = [rng.choice([0, 1, 2, 5]) for _ in first]
    return arguments, [first]


def rearranged(rng: random.Random, name: str) -> Drawn:
    """A pattern of einops and a tensor that mostly fits it."""
    pattern = rng.choice([
        "b h w c -> b (h w) c", "b (h w) c -> b h w c", "(b a) c -> a b c", "a b -> b a",
        "a b c -> (a b c)", "a b c -> c (b a)", "b (h p) (w q) c -> b (h w) (p q c)", "a b -> a",
        "a b -> a c", "a b", "a b -> b -> a", "(a b c) -> a b c", "a b->b a", "a  -> a 1",
    ])  # fmt: skip
    known = {name: rng.choice([2, 3]) for name in "hpqabw" if rng.random() < 0.4}
    rank = pattern.partition("->")[0].count(" ") if "(" not in pattern else rng.randint(2, 4)
    first = [rng.choice([12, 6, 36, None, 24, 12, 6]) for _ in range(rank or 1)]
    return {"pattern": pattern, "axes_lengths": known}, [first]


def convolved(rng: random.Random, name: str) -> Drawn:
    """An input, and a kernel that mostly fits it."""
    rank, arguments = rng.randint(1, 3), {}
    first: Sizes = [rng.choice([None, 2]), *(rng.choice([None, 8, 9, 15, 3]) for _ in range(rank))]
    channels = rng.choice([None, 3, 4])
    window = [rng.randint(1, 4) for _ in range(rank)]
    form = rng.choice(["channels_last", "channels_first", None, "Channels_First"])
    if "Conv" not in name and form == "Channels_First":
        form = "channels_first"
    axis = 1 if str(form).lower() == "channels_first" or (form is None and "Pool" in name) else -1
    first.insert(axis if axis == 1 else len(first), channels)
    for argument, most in ("strides", 3), ("dilation_rate", 2):
        if rng.random() < 0.5 and ("Conv" in name or argument == "strides"):
            one = rng.randint(1, most)
            arguments[argument] = rng.choice([one, [one] * rank, [one]])
    words = ["same", "valid", "SAME", "causal", "nope"]
    if "Transpose" in name:
        words = words[:3]
        arguments.pop("dilation_rate", None)
        for argument, most in ("strides", 3), ("dilation_rate", 2):
            arguments[argument] = rng.choice([1, most, [rng.randint(1, most) for _ in range(rank)]])
        if rng.random() < 0.4:
            arguments["output_padding"] = rng.choice([0, 1, [1] * rank, [0] * rank, -3, [1]])
    arguments |= {"padding": rng.choice(words)} if rng.random() < 0.6 else {}
    arguments |= {"data_format": form} if form else {}
    if "Pool" in name:
        return arguments | {"pool_size": rng.choice([2, window])}, [first]
    filters = rng.choice([5, 1, None, 6, 6])
    last = [filters, channels] if "Transpose" in name else [channels, filters]
    inputs: list[Any] = [first, [*window, *last]]
    if rng.random() < 0.1:
        inputs[1] = relative(rng, inputs[1])
    if name == "SeparableConv":
        inputs.append([*[1] * rank, 12, rng.choice([7, None])])
    return arguments, inputs


def pictured(rng: random.Random, name: str) -> Drawn:
    """Images, one or several."""
    first: Sizes = [rng.choice([None, 8, 12, 7, 16]) for _ in range(2)]
    channels = rng.choice([3, 3, 1, None, 4])
    arguments = arguments_of(rng, name)
    front = str(arguments.get("data_format", "")).lower() == "channels_first"
    first = [channels, *first] if front else [*first, channels]
    if name in ("Unfold", "DepthToSpace", "SpaceToDepth", "SobelEdges") or rng.random() < 0.6:
        first.insert(0, rng.choice([None, 2]))
    if "Depth" in name:
        first[1 if front else -1] = rng.choice([8, 16, 4, None])
    return arguments, alike(rng, name, first if rng.random() < 0.95 else shape(rng))


def framed(rng: random.Random, name: str) -> Drawn:
    """Images, and for each side two of the three arguments that determine its new size."""
    arguments, inputs = pictured(rng, name)
    what = "padding" if name == "PadImages" else "cropping"
    for sides in ("top", "bottom", "height"), ("left", "right", "width"):
        names = [f"{sides[0]}_{what}", f"{sides[1]}_{what}", f"target_{sides[2]}"]
        target = rng.choice([14, 20] if what == "padding" else [3, 5, 6])
        values: Sizes = [rng.choice([0, 1, 2]), rng.choice([0, 1, 3]), target]
        if rng.random() < 0.95:
            values[rng.randrange(3)] = None
        if rng.random() < 0.1:
            values[rng.randrange(3)] = rng.choice([-1, 40])
        arguments |= dict(zip(names, values, strict=True))
    return arguments, inputs


def patched(rng: random.Random, name: str) -> Drawn:
    """Images or volumes, and the size of their parts."""
    rank = rng.choice([2, 2, 3])
    size_of = [rng.randint(1, 4) for _ in range(rank)]
    arguments: dict[str, Any] = {"size": rng.choice([size_of, size_of, 3])}
    if rng.random() < 0.5:
        arguments["strides"] = rng.choice([1, 2, [2] * rank])
    if rng.random() < 0.5:
        arguments["padding"] = rng.choice(["same", "valid"])
    if rng.random() < 0.3:
        arguments["data_format"] = rng.choice(["channels_first", "channels_last"])
    first = [rng.choice([None, 12, 9, 3]) for _ in range(rank)]
    axis = 0 if arguments.get("data_format") == "channels_first" else rank
    first.insert(axis, rng.choice([3, 1, None]))
    return arguments, [[rng.choice([None, 2])] * (rng.random() < 0.6) + first]


def matrices(rng: random.Random, name: str) -> Drawn:
    """Matrices, mostly square, with other inputs that mostly fit them."""
    first = shape(rng, 2)
    if rng.random() < 0.8:
        first[-1] = first[-2]
    inputs: list[Any] = [first]
    if len(operation_kind(name).input_names) == 2:
        fitting = [*first[:-1], rng.choice([2, 3, None])]
        inputs.append(rng.choice([first[:-1], fitting, fitting, relative(rng, first)]))
    if name == "Lstsq":
        rows = rng.choice([3, None])
        more: Sizes = rng.choice([[], [4], [None], [1, 1]])
        inputs = [[rows, rng.choice([2, None])], [rows, *more]]
    return arguments_of(rng, name), inputs


def compared(rng: random.Random, name: str) -> Drawn:
    """Targets and outputs that mostly fit."""
    output = shape(rng)
    target = list(output) if rng.random() < 0.8 else relative(rng, output)
    if name.startswith("Sparse") and rng.random() < 0.8:
        target = rng.choice([output[:-1], output[:-1], [*output[:-1], 1]])
    arguments = arguments_of(rng, name)
    if "axis" in arguments and rng.random() < 0.7:
        arguments["axis"] = -1
    inputs: list[Any] = [target, output]
    if name == "CTCLoss":
        inputs += [output[:1], output[:1]]
    return arguments, inputs


def normalized(rng: random.Random, name: str) -> Drawn:
    """An input, and vectors along one of its axes."""
    first, axis = shape(rng, 1), rng.randint(-2, 1)
    vector = [first[axis]] if -len(first) <= axis < len(first) else [3]
    inputs: list[Any] = [first, *([rng.choice([vector[0]] * 30 + [None, 2])] for _ in range(4))]
    for place_of in 3, 4:
        if rng.random() < 0.4:
            inputs[place_of] = None
    return arguments_of(rng, name, axis=axis), inputs


def complex_parts(rng: random.Random, name: str) -> Drawn:
    """A real and an imaginary part."""
    part = shape(rng)
    inputs = [part, list(part) if rng.random() < 0.9 else relative(rng, part)]
    return arguments_of(rng, name), inputs[: rng.choice([1, 2, 2, 2, 2, 2])] * rng.choice([1, 1, 1])


def along(rng: random.Random, name: str) -> Drawn:
    """Indices with the axes of the input."""
    first = shape(rng)
    arguments = arguments_of(rng, name)
    if name == "TakeAlongAxis" and arguments.get("axis") is None and rng.random() < 0.8:
        return arguments, [first, [size(rng)]]
    return arguments, [first, relative(rng, first) if name == "TakeAlongAxis" else shape(rng, 0, 2)]


def sequences(rng: random.Random, name: str) -> Drawn:
    """Inputs with one axis, mostly."""
    count = len(operation_kind(name).input_names)
    inputs = [[size(rng)] if rng.random() < 0.8 else shape(rng) for _ in range(count)]
    return arguments_of(rng, name), inputs


def coordinated(rng: random.Random, name: str) -> Drawn:
    """Coordinates for each axis of an array."""
    first = shape(rng)
    return arguments_of(rng, name), [first, [len(first), *shape(rng, 1, 3)]]


def transformed(rng: random.Random, name: str) -> Drawn:
    """Images, and a transformation of each."""
    arguments, inputs = pictured(rng, name)
    points = rng.choice([[4, 2], [None, 4, 2], [2, 4, 2], [4, 3], [1, 1, 4, 2]])
    if name == "PerspectiveTransform":
        return arguments, [inputs[0], points, points if rng.random() < 0.8 else [4, 2]]
    return arguments, [inputs[0], rng.choice([[8], [None, 8], [1, 1, 8]])]


def chosen(rng: random.Random, name: str) -> Drawn:
    """Conditions and choices."""
    choices = [shape(rng) for _ in range(rng.randint(1, 3))]
    return {}, [choices, choices, rng.choice([None, []])]


def folded(rng: random.Random, name: str) -> Drawn:
    """Windows that mostly make images."""
    arguments = arguments_of(rng, name)
    return arguments, [[rng.choice([None, 2]), rng.choice([12, 36, 27, None, 8]), size(rng)]]


def padded(rng: random.Random, name: str) -> Drawn:
    """A shape, and padding at its ends."""
    first = shape(rng)
    width = rng.choice([
        1, -1, [1, 2], [[1, 2]], [[1]], [[0, 1]] * len(first), [[2]] * len(first), [1], [],
        [1, 2, 3], [[1, 2], 3], [[1], [1, 2]],
    ])  # fmt: skip
    return {"pad_width": width}, [first, rng.choice([None, []])]


BY_DRAW: dict[Callable[[random.Random, str], Drawn], str] = {
    reshaped: "Reshape",
    stretched: "BroadcastTo",
    squeezed: "Squeeze",
    permuted: "Transpose Moveaxis Swapaxes Rot90",
    split: "Split Hsplit Vsplit Dsplit ArraySplit",
    multiplied: "Matmul Dot Inner Cross Tensordot CDist",
    einsum: "Einsum",
    indexed: "GetItem",
    sliced: "Slice",
    rearranged: "Rearrange",
    convolved: "Conv DepthwiseConv SeparableConv ConvTranspose MaxPool AveragePool",
    pictured: """AdaptiveAveragePool AdaptiveMaxPool DepthToSpace ElasticTransform GaussianBlur
        HSVToRGB RGBToGrayscale RGBToHSV Resize SSIM SobelEdges SpaceToDepth Unfold""",
    framed: "PadImages CropImages",
    patched: "ExtractPatches",
    matrices: """Cholesky CholeskyInverse Det Eig Eigh Inv LuFactor Qr SVD Solve SolveTriangular
        Lstsq MatrixRank Pinv""",
    compared: """BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy
        CTCLoss""",
    normalized: "BatchNorm",
    complex_parts: "FFT FFT2 IFFT2 IRFFT ISTFT",
    along: "Take TakeAlongAxis",
    sequences: "Correlate SearchSorted Digitize",
    coordinated: "MapCoordinates",
    transformed: "AffineTransform PerspectiveTransform",
    chosen: "Select",
    folded: "Fold",
    padded: "Pad",
}
DRAWS = {name: draw_one for draw_one, names in BY_DRAW.items() for name in names.split()}
