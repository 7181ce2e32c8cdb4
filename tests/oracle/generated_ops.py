"""Proposals for generated graphs: each function adds one op with random attributes, or raises Rejected."""

import numpy as np
from onnx import TensorProto, numpy_helper

from generated_graph import Graph, Rejected

PROPOSALS = []


def proposal(function):
    PROPOSALS.append(function)
    return function


UNARY = (
    "Relu Sigmoid Tanh Exp Abs Neg Erf Softplus Softsign Sin Cos Atan Identity HardSwish".split()
    + [("LeakyRelu", {"alpha": 0.13}), ("Elu", {"alpha": 0.7}), ("Selu", {}), ("Selu", {"alpha": 1.3, "gamma": 0.9})]
    + [("HardSigmoid", {}), ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}), ("ThresholdedRelu", {"alpha": 0.31})]
    + [("Celu", {"alpha": 1.4}), ("Shrink", {"lambd": 0.3, "bias": 0.1}), ("Dropout", {}), ("Dropout", {"seed": 3})]
)


@proposal
def unary(g: Graph):
    op = g.choice(UNARY)
    name, attributes = (op, {}) if isinstance(op, str) else op
    x = g.pick()
    if name == "ThresholdedRelu":
        g.require_apart(*(a - attributes["alpha"] for a in g.values[x]))
    if name == "Shrink":
        g.require_apart(*(np.abs(a) - attributes["lambd"] for a in g.values[x]))
    g.emit(name, x, **attributes)


@proposal
def guarded_unary(g: Graph):
    """Sqrt, Log and Reciprocal where they are smooth."""
    x = g.emit("Abs", g.pick())
    g.emit(g.choice(("Sqrt", "Log", "Reciprocal")), g.emit("Add", x, g.constant(np.float32(0.3))))


@proposal
def newer_unary(g: Graph):
    since = {"Mish": 18, "Gelu": 20, "GeluTanh": 20}
    name = g.choice(name for name, opset in since.items() if opset <= g.opset)
    if name == "GeluTanh":
        g.emit("Gelu", g.pick(), approximate="tanh")
    else:
        g.emit(name, g.pick())


@proposal
def clip(g: Graph):
    low, high = g.constant(np.float32(-0.7)), g.constant(np.float32(g.choice((0.9, 6.0))))
    g.emit("Clip", g.pick(), *g.choice(((low, high), (low,), ("", high))))


@proposal
def jumps(g: Graph):
    x = g.pick()
    name = g.choice(("Floor", "Ceil", "Round", "Sign"))
    emit_jump(g, name, x)


def emit_jump(g: Graph, name: str, x: str) -> str:
    shift = 0.5 if name == "Round" else 0.0
    for array in g.values[x]:
        distance = array if name == "Sign" else array - shift - np.round(array - shift)
        g.require_apart(distance)
    return g.emit(name, x)


def operand(g: Graph, x: str) -> str:
    """A constant or another value that broadcasts with x."""
    if g.chance(0.5):
        shape = g.shape(x)
        keep = [axis for axis in g.static_axes(x) if g.chance(0.5)]
        dims = [shape[axis] if axis in keep else 1 for axis in range(len(shape))]
        while dims and dims[0] == 1 and g.chance(0.7):
            dims.pop(0)
        return g.weight(*dims)
    return g.pick(where=lambda name: broadcasts(g, x, name))


def broadcasts(g: Graph, a: str, b: str) -> bool:
    return all(fits(g.array(a, i).shape, g.array(b, i).shape) for i in (0, 1))


def fits(a: tuple, b: tuple) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b)))


@proposal
def binary(g: Graph):
    name = g.choice(("Add", "Sub", "Mul", "Add", "Mul", "Max", "Min", "Sum", "Mean"))
    x = g.pick()
    pair = [x, operand(g, x)]
    if g.chance(0.4):
        pair.reverse()
    if name in ("Max", "Min"):
        g.require_apart(*(g.array(pair[0], b) - g.array(pair[1], b) for b in (0, 1)))
    g.emit(name, *pair)


@proposal
def divide(g: Graph):
    x = g.pick()
    divisor = g.emit("Add", g.emit("Abs", operand(g, x)), g.constant(np.float32(0.5)))
    g.emit("Div", x, divisor)


@proposal
def power(g: Graph):
    x = g.pick()
    if g.chance(0.5):
        g.emit("Pow", x, g.constant(np.float32(g.choice((2, 3)))))
    else:
        x = g.emit("Add", g.emit("Abs", x), g.constant(np.float32(0.2)))
        g.emit("Pow", x, g.constant(np.float32(g.choice((0.5, -0.5, 1.7)))))


@proposal
def prelu(g: Graph):
    x = g.pick(2, 5, where=lambda n: g.is_static(n, 1))
    g.emit("PRelu", x, g.weight(g.shape(x)[1], *[1] * (g.rank(x) - 2)))


def comparison(g: Graph, x: str) -> str:
    y = operand(g, x)
    g.require_apart(*(g.array(x, b) - g.array(y, b) for b in (0, 1)))
    return g.emit(g.choice(("Greater", "Less", "GreaterOrEqual", "LessOrEqual")), x, y)


@proposal
def logic(g: Graph):
    a = comparison(g, g.pick())
    if g.chance(0.5):
        b = g.pick(0, 5, "b", lambda n: broadcasts(g, a, n))
        a = g.emit(g.choice(("And", "Or", "Xor")), a, b)
    if g.chance(0.3):
        a = g.emit("Not", a)
    if g.chance(0.5):
        g.emit("Cast", a, to=TensorProto.FLOAT)


@proposal
def where(g: Graph):
    x = g.pick()
    condition = comparison(g, x)
    g.emit("Where", condition, x, operand(g, x))


@proposal
def casts(g: Graph):
    x = g.pick()
    for array in g.values[x]:
        g.require_apart(array - np.trunc(array), array - np.round(array))
    whole = g.emit("Cast", x, to=g.choice((TensorProto.INT32, TensorProto.INT64)))
    name = g.choice(("Add", "Mul", "Sub", "Max"))
    dtype = g.array(whole).dtype
    changed = g.emit(name, whole, g.constant(np.array(g.integer(2, 5), dtype)))
    if g.chance(0.4):
        changed = g.emit("Mod", changed, g.constant(np.array(g.integer(3, 7), dtype)))
    g.emit("Cast", changed, to=TensorProto.FLOAT)


@proposal
def double(g: Graph):
    x = g.emit("Cast", g.pick(), to=TensorProto.DOUBLE)
    y = g.emit(g.choice(("Add", "Mul")), x, g.constant(np.float64(g.rng.normal())))
    g.emit("Cast", y, to=TensorProto.FLOAT)


# shapes


@proposal
def transpose(g: Graph):
    x = g.pick(2, 5)
    perm = [int(i) for i in g.rng.permutation(g.rank(x))]
    y = g.emit("Transpose", x, perm=perm)
    if g.chance(0.25):
        g.emit("Transpose", g.emit("Relu", y), perm=[perm.index(i) for i in range(len(perm))])


@proposal
def reshape(g: Graph):
    """Splits or merges static dims; dims that are not known are copied by 0 or found by -1."""
    x = g.pick(1, 5)
    shape = g.shape(x)
    dims = [size if g.is_static(x, axis) else 0 for axis, size in enumerate(shape)]
    static = g.static_axes(x)
    axis = g.choice(static)
    if g.chance(0.5) and axis + 1 in static:
        target = dims[:axis] + [shape[axis] * shape[axis + 1]] + dims[axis + 2 :]
    else:
        factor = g.choice(d for d in range(2, shape[axis] + 1) if shape[axis] % d == 0)
        target = dims[:axis] + [factor, shape[axis] // factor] + dims[axis + 1 :]
    unknown = [i for i, size in enumerate(target) if size == 0 and (i >= len(shape) or g.is_static(x, i))]
    if len(unknown) > 1:
        raise Rejected("two dims to be found")
    for i in unknown:
        target[i] = -1
    if -1 not in target and g.chance(0.3):
        target[g.integer(0, len(target) - 1)] = -1
    g.emit("Reshape", x, g.ints(*target))


@proposal
def reshape_by_shape(g: Graph):
    """Shape -> Gather or Slice -> Concat -> Reshape, as exporters write it."""
    x = g.pick(2, 4)
    shape = g.emit("Shape", x)
    if g.chance(0.5):
        first = g.emit("Gather", shape, g.constant(np.array(0, np.int64), "k"), axis=0)
        first = g.emit("Unsqueeze", first, g.ints(0))
    else:
        first = g.emit("Slice", shape, g.ints(0), g.ints(1), g.ints(0))
    tail = g.choice(([-1], [1, -1], [-1, 1]))
    g.emit("Reshape", x, g.emit("Concat", first, g.ints(*tail), axis=0))


@proposal
def shape_arithmetic(g: Graph):
    """A slice whose end is computed from a dim."""
    x = g.pick(1, 4, where=lambda n: max(g.shape(n)) > 3)
    axis = int(np.argmax(g.shape(x)))
    size = g.emit("Gather", g.emit("Shape", x), g.ints(axis), axis=0)
    name = g.choice(("Div", "Sub", "Add"))
    end = g.emit(name, size, g.ints(2 if name == "Div" else 1))
    g.emit("Slice", x, g.ints(0), end, g.ints(axis))


@proposal
def sizes_as_data(g: Graph):
    x = g.pick(1, 4)
    size = g.emit("Shape", x) if g.chance(0.6) else g.emit("Size", x)
    g.emit("Mul", g.emit("Cast", size, to=TensorProto.FLOAT), g.constant(np.float32(0.1)))


@proposal
def positions(g: Graph):
    """Range over a dim, added to the value along that dim."""
    x = g.pick(1, 4)
    size = g.emit("Gather", g.emit("Shape", x), g.constant(np.array(g.rank(x) - 1, np.int64), "k"), axis=0)
    zero, one = (g.constant(np.array(i, np.int64), "k") for i in (0, 1))
    steps = g.emit("Cast", g.emit("Range", zero, size, one), to=TensorProto.FLOAT)
    g.emit("Add", x, steps)


@proposal
def filled(g: Graph):
    x = g.pick(1, 4)
    value = {"value": numpy_helper.from_array(np.array([0.75], np.float32))}
    g.emit("Sub", x, g.emit("ConstantOfShape", g.emit("Shape", x), **value))


@proposal
def squeeze(g: Graph):
    x = g.pick(1, 5, where=lambda n: 1 in [g.shape(n)[a] for a in g.static_axes(n)])
    axis = g.choice(a for a in g.static_axes(x) if g.shape(x)[a] == 1)
    g.emit("Squeeze", x, g.ints(g.choice((axis, axis - g.rank(x)))))


@proposal
def unsqueeze(g: Graph):
    x = g.pick(1, 4)
    g.emit("Unsqueeze", x, g.ints(g.integer(-g.rank(x) - 1, g.rank(x))))


@proposal
def flatten(g: Graph):
    x = g.pick(2, 5)
    g.emit("Flatten", x, axis=g.integer(0, g.rank(x)))


@proposal
def slices(g: Graph):
    x = g.pick(1, 5, "fi")
    axis = g.integer(0, g.rank(x) - 1)
    start, end, step = g.choice(((1, 9999, 1), (0, -1, 1), (-1, -9999, -1), (0, 9999, 2), (-2, 9999, 1), (-2, 0, -1)))
    g.emit("Slice", x, g.ints(start), g.ints(end), g.ints(axis), g.ints(step))


@proposal
def slice_two_axes(g: Graph):
    x = g.pick(2, 5)
    a, b = (int(i) for i in g.rng.choice(g.rank(x), 2, replace=False))
    g.emit("Slice", x, g.ints(1, 0), g.ints(9999, -1), g.ints(a, b - g.rank(x)))


@proposal
def gather(g: Graph):
    x = g.pick(1, 5, "fi")
    axis = g.choice(g.static_axes(x))
    size = g.shape(x)[axis]
    shape = g.choice(((), (3,), (2, 2)))
    g.emit("Gather", x, g.constant(g.rng.integers(-size, size, shape), "k"), axis=axis)


@proposal
def embedding(g: Graph):
    ids = g.pick(0, 3, "i", where=lambda n: n in g.inputs)
    g.emit("Gather", g.weight(20, g.integer(3, 7)), ids)


@proposal
def gather_elements(g: Graph):
    x = g.pick(1, 4, where=lambda n: len(g.static_axes(n)) == g.rank(n))
    axis = g.integer(0, g.rank(x) - 1)
    shape = list(g.shape(x))
    shape[axis] = g.integer(1, 4)
    g.emit("GatherElements", x, g.constant(g.rng.integers(0, g.shape(x)[axis], shape), "k"), axis=axis)


@proposal
def gather_nd(g: Graph):
    x = g.pick(2, 4, where=lambda n: len(g.static_axes(n)) == g.rank(n))
    depth = g.integer(1, g.rank(x))
    indices = np.stack([g.rng.integers(0, size, 5) for size in g.shape(x)[:depth]], -1)
    g.emit("GatherND", x, g.constant(indices, "k"))


@proposal
def scatter(g: Graph):
    x = g.pick(1, 4, where=lambda n: len(g.static_axes(n)) == g.rank(n))
    shape = g.shape(x)
    rows = g.rng.permutation(shape[0])[: max(1, shape[0] // 2)].reshape(-1, 1)
    if g.chance(0.5):
        g.emit("ScatterND", x, g.constant(rows, "k"), g.weight(len(rows), *shape[1:]))
    else:
        index = np.broadcast_to(rows.reshape(-1, *[1] * (len(shape) - 1)), (len(rows), *shape[1:]))
        g.emit("ScatterElements", x, g.constant(index.copy(), "k"), g.weight(*index.shape), axis=0)


@proposal
def concat(g: Graph):
    x = g.pick(1, 5)
    axis = g.integer(0, g.rank(x) - 1)

    def fits_x(name):
        pairs = ((g.array(name, b).shape, g.array(x, b).shape) for b in (0, 1))
        return all(
            len(a) == len(c) and all(i == axis or m == n for i, (m, n) in enumerate(zip(a, c))) for a, c in pairs
        )

    parts = [x, g.pick(1, 5, where=fits_x)]
    if len(g.static_axes(x)) == g.rank(x) and g.chance(0.3):
        parts.append(g.weight(*g.shape(x)))
    g.emit("Concat", *parts, axis=g.choice((axis, axis - g.rank(x))))


@proposal
def split(g: Graph):
    x = g.pick(1, 5)
    axis = g.choice(a for a in g.static_axes(x) if g.shape(x)[a] > 1)
    size = g.shape(x)[axis]
    cut = g.integer(1, size - 1)
    a, b = g.emit("Split", x, g.ints(cut, size - cut), outputs=2, axis=axis)
    if g.chance(0.4):
        g.emit("Concat", b, g.emit("Tanh", a), axis=axis)


@proposal
def expand(g: Graph):
    x = g.pick(1, 3)
    g.emit("Expand", x, g.ints(g.integer(2, 4), *[1] * g.rank(x)))


@proposal
def expand_like(g: Graph):
    x = g.pick(1, 4)
    row = g.weight(1) if not g.is_static(x, g.rank(x) - 1) else g.weight(g.shape(x)[-1])
    g.emit("Mul", x, g.emit("Expand", row, g.emit("Shape", x)))


@proposal
def tile(g: Graph):
    x = g.pick(1, 4)
    g.emit("Tile", x, g.ints(*(g.choice((1, 1, 2, 3)) for _ in range(g.rank(x)))))


@proposal
def pad(g: Graph):
    x = g.pick(1, 4)
    mode = g.choice(("constant", "constant", "reflect", "edge"))
    low = 0 if mode != "constant" or min(g.shape(x)) < 3 else -1
    pads = [g.integer(low, 1) for _ in range(2 * g.rank(x))]
    value = [g.constant(np.float32(0.4))] if mode == "constant" and g.chance(0.5) else []
    g.emit("Pad", x, g.ints(*pads), *value, mode=mode)


@proposal
def block_moves(g: Graph):
    x = g.pick(4, 4, where=lambda n: g.is_static(n, 1))
    if g.chance(0.5):
        g.emit("SpaceToDepth", x, blocksize=2)
    else:
        g.emit("DepthToSpace", x, blocksize=2, mode=g.choice(("DCR", "CRD")))


@proposal
def triangle(g: Graph):
    if g.opset < 14:
        raise Rejected("no Trilu")
    g.emit("Trilu", g.pick(2, 4), g.constant(np.array(g.integer(-1, 1), np.int64), "k"), upper=g.integer(0, 1))


@proposal
def cumulative(g: Graph):
    x = g.pick(1, 4)
    axis = g.constant(np.array(g.integer(0, g.rank(x) - 1), np.int64), "k")
    g.emit("CumSum", x, axis, exclusive=g.integer(0, 1), reverse=g.integer(0, 1))


@proposal
def one_hot(g: Graph):
    ids = g.pick(0, 3, "i", where=lambda n: n in g.inputs)
    values = g.constant(np.array([-0.5, 1.5], np.float32))
    g.emit("OneHot", ids, g.constant(np.array(g.integer(5, 22), np.int64), "k"), values, axis=g.choice((-1, 0)))


# reductions


@proposal
def reduce(g: Graph):
    kinds = "Sum Mean Mean Max Min Prod L1 L2 LogSumExp SumSquare".split()
    name = "Reduce" + g.choice(kinds)
    x = g.pick(1, 5)
    axes = sorted(int(a) for a in g.rng.choice(g.rank(x), g.integer(1, g.rank(x)), replace=False))
    keep = g.integer(0, 1)
    if name == "ReduceProd":
        require_products(g, x, tuple(axes))
    if g.opset >= 18 or name == "ReduceSum":
        g.emit(name, x, g.ints(*axes), keepdims=keep)
    else:
        g.emit(name, x, axes=axes, keepdims=keep)


def require_products(g: Graph, x: str, axes: tuple) -> None:
    """Factors that in no order leave the range of floats on their way."""
    for array in g.values[x]:
        with np.errstate(divide="ignore"):
            digits = np.log10(np.abs(array.astype(np.float64)))
        if max(np.maximum(digits, 0).sum(axes).max(initial=0), -np.minimum(digits, 0).sum(axes).min(initial=0)) > 4:
            raise Rejected("products that leave the range")


def require_gaps(g: Graph, x: str, axis: int) -> None:
    for array in g.values[x]:
        if array.shape[axis] > 1:
            g.require_apart(np.diff(np.sort(array, axis), axis=axis))


@proposal
def arg_extreme(g: Graph):
    x = g.pick(1, 4)
    axis = g.integer(0, g.rank(x) - 1)
    require_gaps(g, x, axis)
    y = g.emit(g.choice(("ArgMax", "ArgMin")), x, axis=axis, keepdims=g.integer(0, 1))
    if g.chance(0.5):
        g.emit("Cast", y, to=TensorProto.FLOAT)


@proposal
def top_k(g: Graph):
    x = g.pick(1, 4)
    axis = g.integer(0, g.rank(x) - 1)
    require_gaps(g, x, axis)
    k = g.integer(1, min(g.array(x, b).shape[axis] for b in (0, 1)))
    g.emit("TopK", x, g.ints(k), outputs=2, axis=axis, largest=g.integer(0, 1), sorted=1)


# matrices and images


@proposal
def matmul_weight(g: Graph):
    x = g.pick(2, 5, where=lambda n: g.is_static(n, g.rank(n) - 1))
    wide = g.integer(2, 9)
    y = g.emit("MatMul", x, g.weight(g.shape(x)[-1], wide, scale=g.shape(x)[-1] ** -0.5))
    if g.chance(0.6):
        pair = [y, g.weight(wide)]
        g.emit("Add", *(pair if g.chance(0.5) else pair[::-1]))


@proposal
def matmul_left(g: Graph):
    x = g.pick(2, 4, where=lambda n: g.is_static(n, g.rank(n) - 2))
    g.emit("MatMul", g.weight(g.integer(2, 6), g.shape(x)[-2], scale=0.5), x)


@proposal
def matmul_self(g: Graph):
    x = g.pick(2, 4)
    perm = list(range(g.rank(x)))
    perm[-2:] = [perm[-1], perm[-2]]
    y = g.emit("Transpose", x, perm=perm)
    product = g.emit("MatMul", *((x, y) if g.chance(0.5) else (y, x)))
    g.emit("Mul", product, g.constant(np.float32(0.2)))


@proposal
def gemm(g: Graph):
    x = g.pick(2, 2)
    transposed = g.integer(0, 1)
    inner = 0 if transposed else 1
    if not g.is_static(x, inner):
        raise Rejected("symbolic inner dim")
    wide, flip = g.integer(2, 8), g.integer(0, 1)
    shape = (wide, g.shape(x)[inner]) if flip else (g.shape(x)[inner], wide)
    bias = g.choice(((), (g.weight(wide),), (g.weight(1, wide),), (g.constant(np.float32(0.3)),)))
    scale = g.choice(({}, {"alpha": 0.7}, {"alpha": 1.5, "beta": 0.5}))
    g.emit("Gemm", x, g.weight(*shape, scale=0.4), *bias, transA=transposed, transB=flip, **scale)


def image(g: Graph, low: int = 3, high: int = 4) -> str:
    return g.pick(low, high, where=lambda n: g.is_static(n, 1))


@proposal
def conv(g: Graph):
    x = image(g)
    spatial, channels = g.rank(x) - 2, g.shape(x)[1]
    groups = g.choice((1, 1, channels, *(d for d in (2, 3) if channels % d == 0)))
    wide = groups * g.integer(1, 4)
    kernel = [g.integer(1, 3) for _ in range(spatial)]
    options = {"strides": [g.integer(1, 2) for _ in kernel], "dilations": [g.choice((1, 1, 2)) for _ in kernel]}
    if g.chance(0.25):
        options["auto_pad"] = g.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
    else:
        options["pads"] = [g.integer(0, 1) for _ in range(2 * spatial)]
    weight = g.weight(wide, channels // groups, *kernel, scale=0.4)
    bias = (g.weight(wide),) if g.chance(0.6) else ()
    g.emit("Conv", x, weight, *bias, group=groups, kernel_shape=kernel, **options)


@proposal
def conv_transpose(g: Graph):
    x = image(g)
    spatial, channels = g.rank(x) - 2, g.shape(x)[1]
    groups = g.choice((1, 1, *(d for d in (2, 3) if channels % d == 0)))
    kernel = [g.integer(2, 3) for _ in range(spatial)]
    options = {"strides": [2] * spatial, "output_padding": [g.integer(0, 1)] * spatial}
    options["pads"] = [g.integer(0, 1) for _ in range(2 * spatial)]
    wide = g.integer(1, 4)
    bias = (g.weight(wide * groups),) if g.chance(0.5) else ()
    weight = g.weight(channels, wide, *kernel, scale=0.4)
    g.emit("ConvTranspose", x, weight, *bias, group=groups, kernel_shape=kernel, **options)


@proposal
def pool(g: Graph):
    x = g.pick(3, 4)
    spatial = g.rank(x) - 2
    options = {"kernel_shape": [g.integer(2, 3) for _ in range(spatial)], "strides": [g.integer(1, 2)] * spatial}
    if g.chance(0.5):
        options["pads"] = [g.integer(0, 1) for _ in range(2 * spatial)]
    elif g.chance(0.5):
        options["auto_pad"] = g.choice(("SAME_UPPER", "SAME_LOWER"))
    options["ceil_mode"] = g.choice((0, 0, 1)) if "auto_pad" not in options else None
    if any(min(g.array(x, b).shape[2:]) < max(options["kernel_shape"]) for b in (0, 1)):
        raise Rejected("a window larger than the image")
    if g.chance(0.5):
        g.emit("MaxPool", x, **options)
    else:
        g.emit("AveragePool", x, count_include_pad=g.integer(0, 1) if not options["ceil_mode"] else 0, **options)


@proposal
def global_pool(g: Graph):
    g.emit(g.choice(("GlobalAveragePool", "GlobalMaxPool")), g.pick(3, 4))


@proposal
def batch_norm(g: Graph):
    x = g.pick(2, 4, where=lambda n: g.is_static(n, 1))
    channels = g.shape(x)[1]
    variance = g.constant((g.rng.random(channels) + 0.3).astype(np.float32))
    parameters = g.weight(channels, scale=0.3, offset=1), g.weight(channels), g.weight(channels), variance
    g.emit("BatchNormalization", x, *parameters, epsilon=g.choice((1e-5, 1e-2)))


def require_spread(g: Graph, x: str, axes: tuple) -> None:
    """For normalizations: enough variance, or rounding is all that comes out."""
    for array in g.values[x]:
        if array.std(axes).min() < 0.05:
            raise Rejected("too little variance")


@proposal
def instance_norm(g: Graph):
    x = image(g)
    require_spread(g, x, tuple(range(2, g.rank(x))))
    channels = g.shape(x)[1]
    g.emit("InstanceNormalization", x, g.weight(channels, offset=1), g.weight(channels), epsilon=1e-3)


@proposal
def layer_norm(g: Graph):
    x = g.pick(2, 4, where=lambda n: g.is_static(n, g.rank(n) - 1))
    if g.opset < 17:
        raise Rejected("no LayerNormalization")
    require_spread(g, x, (-1,))
    size = g.shape(x)[-1]
    bias = (g.weight(size),) if g.chance(0.7) else ()
    g.emit("LayerNormalization", x, g.weight(size, offset=1), *bias, axis=g.choice((-1, g.rank(x) - 1)), epsilon=1e-4)


@proposal
def other_norm(g: Graph):
    x = g.pick(3, 4)
    require_spread(g, x, (1,))
    if g.chance(0.5):
        g.emit("LpNormalization", x, axis=1, p=g.integer(1, 2))
    else:
        g.emit("LRN", x, size=3, alpha=0.2, beta=0.6, bias=1.3)


@proposal
def softmax(g: Graph):
    x = g.pick(1, 4, where=lambda n: np.abs(g.array(n)).max() < 30)
    axis = g.integer(-g.rank(x), g.rank(x) - 1)
    if g.array(x).shape[axis] < 2:
        raise Rejected("softmax over one")
    g.emit(g.choice(("Softmax", "LogSoftmax")), x, axis=axis)


@proposal
def resize(g: Graph):
    x = g.pick(4, 4)
    mode = g.choice(("nearest", "nearest", "linear", "cubic"))
    options = {"mode": mode}
    options["coordinate_transformation_mode"] = g.choice(
        ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
    )
    if mode == "nearest":
        options["coordinate_transformation_mode"] = "asymmetric"
        options["nearest_mode"] = g.choice(("floor", "ceil"))
    if g.chance(0.6):
        g.emit("Resize", x, "", g.constant(np.array([1, 1, 2, 2], np.float32), "k"), **options)
    else:
        sizes = g.emit("Shape", x)
        sizes = g.emit("Concat", g.emit("Slice", sizes, g.ints(0), g.ints(2)), g.ints(7, 11), axis=0)
        if mode == "nearest":
            raise Rejected("positions near ties")
        g.emit("Resize", x, "", "", sizes, **options)


@proposal
def einsum(g: Graph):
    x = g.pick(3, 3, where=lambda n: g.is_static(n, 2))
    wide = g.integer(2, 5)
    equation = g.choice(("bij,jk->bik", "bij,jk->bki"))
    g.emit("Einsum", x, g.weight(g.shape(x)[2], wide, scale=0.5), equation=equation)


@proposal
def recurrent(g: Graph):
    x = g.pick(3, 3, where=lambda n: g.is_static(n, 2))
    op, gates = g.choice((("LSTM", 4), ("GRU", 3), ("RNN", 1)))
    hidden, directions = g.integer(2, 5), g.choice((1, 2))
    size = g.shape(x)[2]
    options = {"direction": "bidirectional" if directions == 2 else g.choice(("forward", "reverse"))}
    if op == "GRU":
        options["linear_before_reset"] = g.integer(0, 1)
    bias = (g.weight(directions, 2 * gates * hidden, scale=0.3),) if g.chance(0.7) else ()
    weights = g.weight(directions, gates * hidden, size, scale=0.4), g.weight(
        directions, gates * hidden, hidden, scale=0.4
    )
    g.emit(op, x, *weights, *bias, outputs=g.choice((1, 2)), hidden_size=hidden, **options)


@proposal
def quantized(g: Graph):
    """Quantize and dequantize, away from ties."""
    x = g.pick(1, 4)
    scale = np.float32(max(float(np.abs(a).max()) for a in g.values[x]) / 100 + 1e-3)
    for array in g.values[x]:
        steps = array / scale - 0.5
        g.require_apart(steps - np.round(steps))
    zero = np.array(3, np.int8) if g.chance(0.5) else np.array(120, np.uint8)
    parameters = g.constant(scale), g.constant(zero, "zero")
    g.emit("DequantizeLinear", g.emit("QuantizeLinear", x, *parameters), *parameters)
