"""Proposals of two or three neighbours that the clean-up and the folding into weights work on."""

import numpy as np
from onnx import TensorProto, helper

from generated_graph import Graph, Rejected
from generated_idioms import mean, scalar
from generated_ops import emit_jump, image, proposal, require_spread


def number(g: Graph, value: int) -> str:
    return g.constant(np.array(value, np.int64), "k")


@proposal
def neutral(g: Graph):
    """Arithmetic that changes nothing, or does after all: by dtype, by shape, by a zero's sign."""
    x = g.pick()
    op, value = g.choice((("Mul", 1), ("Add", 0), ("Sub", 0), ("Div", 1), ("Pow", 1), ("Mul", -1), ("Sub", 1)))
    shape = g.choice(((), (1,), (1,) * g.rank(x), (1,) * (g.rank(x) + 1)))
    pair = [x, g.constant(np.full(shape, value, np.float32))]
    if op not in ("Pow", "Div") and g.chance(0.3):
        pair.reverse()
    g.emit(op, *pair)


@proposal
def constants_in_a_row(g: Graph):
    x = g.pick()
    for _ in range(g.integer(2, 3)):
        op = g.choice(("Add", "Mul", "Sub", "Add", "Mul"))
        other = scalar(g, g.rng.normal()) if g.chance(0.6) or not g.rank(x) or not g.is_static(x, -1) else g.weight(g.shape(x)[-1])
        x = g.emit(op, *((x, other) if g.chance(0.7) else (other, x)))


@proposal
def integer_arithmetic(g: Graph):
    """With overflow, and division of negative numbers."""
    x = g.pick(0, 4, "i")
    dtype = g.array(x).dtype
    for _ in range(g.integer(1, 3)):
        op = g.choice(("Add", "Mul", "Sub", "Div", "Max", "Min", "Mod", "Neg", "Abs"))
        if op in ("Neg", "Abs"):
            x = g.emit(op, x)
            continue
        value = g.choice((1, 0, 2, 3, -3, 7, 10, np.iinfo(dtype).max))
        if op in ("Div", "Mod") and (value in (0, -1) or g.chance(0.5)):
            value = 3
        x = g.emit(op, x, g.constant(np.array(value, dtype), "k"))
    if g.chance(0.4):
        g.emit("Cast", g.emit("Mod", x, g.constant(np.array(13, dtype), "k")), to=TensorProto.FLOAT)


@proposal
def chained_casts(g: Graph):
    """Casts whose middle keeps all, or cuts."""
    x = emit_jump(g, "Round", g.emit("Mul", g.pick(), scalar(g, 7.3)))
    for array in g.values[x]:
        g.require_apart(array / 2 - np.floor(array / 2) - 0.37)
    for _ in range(g.integer(1, 3)):
        kind = g.choice((TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.INT8))
        if kind == TensorProto.INT8 and any(np.abs(a.astype(np.float64)).max(initial=0) > 127 for a in g.values[x]):
            kind = TensorProto.INT64
        x = g.emit("Cast", x, to=kind)
    g.emit("Cast", x, to=TensorProto.FLOAT)


@proposal
def view_pairs(g: Graph):
    """Two of reshape, squeeze, unsqueeze, flatten, transpose, expand in a row."""
    x = g.pick(1, 4)
    for _ in range(2):
        rank = g.rank(x)
        kind = g.choice(("unsqueeze", "squeeze", "flatten", "reshape", "transpose", "expand", "slice", "tile", "identity"))
        if kind == "unsqueeze" and rank < 5:
            x = g.emit("Unsqueeze", x, g.ints(*sorted(g.rng.choice(rank + 1, g.integer(1, 2), replace=False).tolist())))
        elif kind == "squeeze":
            ones = [a for a in g.static_axes(x) if g.shape(x)[a] == 1]
            x = g.emit("Squeeze", x, *([g.ints(*ones[: g.integer(1, 2)])] if ones else []))
        elif kind == "flatten":
            x = g.emit("Flatten", x, axis=g.integer(-rank, rank))
        elif kind == "reshape":
            keep = [0 if not g.is_static(x, a) else g.shape(x)[a] for a in range(rank)]
            x = g.emit("Reshape", x, g.ints(*g.choice(([0, -1], [-1], [*keep, 1], [1, *keep], [-1, 1]))))
        elif kind == "transpose" and rank > 1:
            x = g.emit("Transpose", x, perm=[int(i) for i in g.rng.permutation(rank)])
        elif kind == "expand":
            x = g.emit("Expand", x, g.ints(*g.choice(([1] * rank, [1] * (rank + 1), [2] + [1] * rank, [1]))))
        elif kind == "slice":
            x = slice_once(g, x)
        elif kind == "tile":
            x = g.emit("Tile", x, g.ints(*(g.choice((1, 1, 2)) for _ in range(rank))))
        else:
            x = g.emit("Identity", x)


def slice_once(g: Graph, x: str) -> str:
    axis = g.integer(0, g.rank(x) - 1)
    start, end, step = g.choice(
        ((0, 9999, 1), (1, 9999, 1), (0, -1, 1), (0, 9999, 2), (1, 9999, 3), (-1, -9999, -1), (-2, -9999, -2), (0, 3, 1), (-3, 9999, 1))
    )
    return g.emit("Slice", x, g.ints(start), g.ints(end), g.ints(g.choice((axis, axis - g.rank(x)))), g.ints(step))


@proposal
def slice_pairs(g: Graph):
    x = g.pick(1, 4)
    for _ in range(g.integer(2, 3)):
        x = slice_once(g, x)


@proposal
def nothing_moves(g: Graph):
    """Ops without effect that say so in different ways."""
    x = g.pick(1, 4)
    rank = g.rank(x)
    kind = g.integer(0, 6)
    if kind == 0:
        g.emit("Pad", x, g.ints(*[0] * (2 * rank)), mode=g.choice(("constant", "reflect")))
    elif kind == 1:
        g.emit("Tile", x, g.ints(*[1] * rank))
    elif kind == 2:
        g.emit("Concat", x, axis=g.integer(-rank, rank - 1))
    elif kind == 3:
        g.emit("Slice", x, g.ints(0), g.ints(2**62), g.ints(g.integer(0, rank - 1)))
    elif kind == 4:
        g.emit("Transpose", x, perm=list(range(rank)))
    elif kind == 5:
        g.emit("Expand", x, g.ints(*[1] * rank))
    else:
        g.emit("Cast", x, to=TensorProto.FLOAT)


@proposal
def transpose_with_ones(g: Graph):
    x = g.emit("Unsqueeze", g.pick(1, 3), g.ints(g.integer(0, 1)))
    g.emit("Transpose", x, perm=[int(i) for i in g.rng.permutation(g.rank(x))])


def channels_constant(g: Graph, wide: int, spatial: int) -> str:
    """One number a channel, or a shape that only looks like it."""
    shape = g.choice(
        ((wide, *[1] * spatial), (1, wide, *[1] * spatial), (), (1,), (1, 1, *[1] * spatial), (wide,), (*[1] * spatial, wide))
    )
    return g.weight(*shape, scale=0.5, offset=0.8)


@proposal
def conv_pairs(g: Graph):
    """A convolution, or a transposed one, and arithmetic around it that may fold in."""
    x = image(g)
    spatial, channels = g.rank(x) - 2, g.shape(x)[1]
    groups = g.choice((1, 1, *(d for d in (2, 3) if channels % d == 0), channels))
    each = g.integer(1, 3)
    if g.chance(0.2):
        x = g.emit("Mul", x, channels_constant(g, channels, spatial))
    kernel = [g.integer(1, 3) for _ in range(spatial)]
    bias = (g.weight(groups * each),) if g.chance(0.5) else ()
    if g.chance(0.35):
        pads = [0] * (2 * g.rank(x))
        for axis in range(2, g.rank(x)):
            pads[axis], pads[axis + g.rank(x)] = g.integer(0, 2), g.integer(0, 1)
        if g.chance(0.2):
            pads[1] = 0 if groups > 1 else 1
            channels += pads[1]
        value = g.choice(((), (scalar(g, 0),), (scalar(g, 0.5),)))
        x = g.emit("Pad", x, g.ints(*pads), *value, mode=g.choice(("constant", "constant", "edge")) if not value else "constant")
    if g.chance(0.6):
        weight = g.weight(groups * each, channels // groups, *kernel, scale=0.4)
        y = g.emit("Conv", x, weight, *bias, group=groups, pads=[g.integer(0, 1) for _ in range(2 * spatial)])
    else:
        weight = g.weight(channels, each, *kernel, scale=0.4)
        y = g.emit("ConvTranspose", x, weight, *bias, group=groups, strides=[g.integer(1, 2)] * spatial)
    wide = groups * each
    for _ in range(g.integer(1, 3)):
        kind = g.choice(("Mul", "Add", "Sub", "norm", "Div"))
        if kind == "norm":
            variance = g.constant((g.rng.random(wide) + 0.3).astype(np.float32))
            y = g.emit("BatchNormalization", y, g.weight(wide, offset=1), g.weight(wide), g.weight(wide), variance)
        else:
            pair = [y, channels_constant(g, wide, spatial)]
            if kind != "Div" and g.chance(0.3):
                pair.reverse()
            y = g.emit(kind, *pair)


@proposal
def matmul_pairs(g: Graph):
    x = g.pick(1, 4, where=lambda n: g.is_static(n, g.rank(n) - 1))
    inner, wide = g.shape(x)[-1], g.integer(1, 6)
    y = g.emit("MatMul", x, g.weight(inner, wide, scale=inner**-0.5))
    for _ in range(g.integer(1, 2)):
        shape = g.choice(((), (1,), (wide,), (1, wide), (1, 1, wide), (1, 1, 1, 1), (wide, 1)))
        pair = [y, g.weight(*shape, offset=1)]
        if g.chance(0.3):
            pair.reverse()
        y = g.emit(g.choice(("Mul", "Add", "Div", "Sub")), *pair)


@proposal
def batch_norm_alone(g: Graph):
    """After what it does not fold into."""
    x = g.pick(2, 4, where=lambda n: g.is_static(n, 1))
    channels = g.shape(x)[1]
    x = g.emit(g.choice(("Relu", "Identity", "Tanh")), x)
    variance = g.constant((g.rng.random(channels) + 0.3).astype(np.float32))
    y = g.emit("BatchNormalization", x, g.weight(channels, offset=1), g.weight(channels), g.weight(channels), variance)
    g.emit(g.choice(("Relu", "Neg")), y)


@proposal
def activation_forms(g: Graph):
    """The other ways in which exporters write known functions."""
    x = g.pick(where=lambda n: np.abs(g.array(n)).max(initial=0) < 20)
    kind = g.integer(0, 7)
    if kind == 0:
        g.emit("Max", *((x, scalar(g, 0)) if g.chance(0.5) else (scalar(g, 0), x)))
    elif kind == 1:
        clipped = g.emit("Clip", g.emit("Add", scalar(g, 3), x), scalar(g, 0), scalar(g, 6))
        g.emit("Mul", clipped, scalar(g, 1 / 6))
    elif kind == 2:
        clipped = g.emit("Clip", g.emit("Add", x, scalar(g, 3)), scalar(g, 0), scalar(g, 6))
        g.emit("Mul", g.emit("Mul", x, clipped), scalar(g, 1 / 6))
    elif kind == 3:
        soft = g.emit("Log", g.emit("Add", scalar(g, 1), g.emit("Exp", x)))
        g.emit("Mul", g.emit("Tanh", soft), x)
    elif kind == 4:
        g.emit("Mul", x, g.emit("HardSigmoid", x, alpha=g.choice((1 / 6, 0.2)), beta=0.5))
    elif kind == 5:
        g.emit("Div", x, g.emit("Add", scalar(g, 1), g.emit("Exp", g.emit("Neg", x))))
    elif kind == 6:
        square = g.emit("Mul", x, x)
        inner = g.emit("Mul", g.emit("Mul", x, scalar(g, 0.7978845608)), g.emit("Add", g.emit("Mul", square, scalar(g, 0.044715)), scalar(g, 1)))
        g.emit("Mul", g.emit("Mul", scalar(g, 0.5), x), g.emit("Add", scalar(g, 1), g.emit("Tanh", inner)))
    else:
        erf = g.emit("Erf", g.emit("Mul", x, scalar(g, 0.70710678)))
        g.emit("Mul", g.emit("Mul", x, g.emit("Add", erf, scalar(g, 1))), scalar(g, 0.5))


@proposal
def norm_forms(g: Graph):
    """Normalisations over one or several axes, the last ones or others, with gains that fit or broadcast."""
    x = g.pick(2, 4)
    axes = g.choice(([-1], [-2, -1], [1], [0], [-2]))
    axes = [axis for axis in axes if -g.rank(x) <= axis < g.rank(x)]
    require_spread(g, x, tuple(axes))
    twice = g.chance(0.4)
    average = mean(g, x, axes)
    centred = g.emit("Sub", x, average) if g.chance(0.7) else x
    other = g.emit("Sub", x, average) if twice else centred
    square = g.emit("Mul", centred, centred) if g.chance(0.5) else g.emit("Pow", centred, scalar(g, 2))
    deviation = g.emit("Sqrt", g.emit("Add", mean(g, square, g.choice((axes, axes, [-1]))), scalar(g, g.choice((1e-3, 0.1)))))
    form = g.integer(0, 2)
    if form == 0:
        y = g.emit("Div", other, deviation)
    elif form == 1:
        y = g.emit("Mul", other, g.emit("Reciprocal", deviation))
    else:
        y = g.emit("Mul", g.emit("Div", scalar(g, 1), deviation), other)
    if g.is_static(x, -1):
        last = g.shape(x)[-1]
        shape = g.choice(((last,), (1,), (1, last), (), (1, 1, last)))
        y = g.emit("Mul", y, g.weight(*shape, offset=1))
        if g.chance(0.7):
            g.emit(g.choice(("Add", "Add", "Sub")), y, g.weight(*g.choice(((last,), (1,), (1, last), ()))))


@proposal
def group_norm_forms(g: Graph):
    """Groups that divide the channels, and splits of the same sizes that do not."""
    x = g.pick(3, 4, where=lambda n: g.is_static(n, 1))
    channels = g.shape(x)[1]
    groups = g.choice((1, 2, 3, channels))
    y = g.emit("Reshape", x, g.ints(0, groups, -1))
    require_spread(g, y, (2,))
    one = np.ones(groups, np.float32) if g.chance(0.7) else g.rng.random(groups).astype(np.float32)
    y = g.emit("InstanceNormalization", y, g.constant(one), g.constant(np.zeros(groups, np.float32)), epsilon=1e-3)
    y = g.emit("Reshape", y, g.emit("Shape", x))
    ones = [1] * (g.rank(x) - 2)
    if g.chance(0.8):
        y = g.emit("Mul", y, g.weight(*g.choice(((channels, *ones), (1, channels, *ones), ())), offset=1))
    if g.chance(0.8):
        g.emit("Add", y, g.weight(*g.choice(((channels, *ones), (1, channels, *ones), ()))))


@proposal
def equal_nodes(g: Graph):
    """The same thing twice, and something almost the same."""
    x = g.pick(1, 4)
    kind = g.integer(0, 3)
    if kind == 0:
        g.emit("Add", g.emit("Tanh", x), g.emit("Tanh", x))
    elif kind == 1:
        a, b = (g.emit("LeakyRelu", x, alpha=alpha) for alpha in (0.1, g.choice((0.1, 0.2))))
        g.emit("Sub", a, b)
    elif kind == 2:
        constant = g.rng.normal(0, 1, 1).astype(np.float32)
        g.emit("Mul", g.emit("Add", x, g.constant(constant)), g.emit("Add", x, g.constant(constant.copy())))
    else:
        a = g.emit("Dropout", x, g.constant(np.float32(0.4)))
        g.emit("Add", a, g.emit("Dropout", x))


@proposal
def constant_subgraph(g: Graph):
    """Ops on constants alone, large and small results."""
    a = g.weight(g.integer(1, 4), g.integer(2, 5))
    kind = g.integer(0, 5)
    if kind == 0:
        b = g.emit("Transpose", a, perm=[1, 0])
    elif kind == 1:
        b = g.emit("Expand", a, g.ints(3, *g.shape(a)))
    elif kind == 2:
        b = g.emit("ReduceMean", a, keepdims=0)
    elif kind == 3:
        b = g.emit("Softmax", g.emit("Concat", a, a, axis=0), axis=-1)
    elif kind == 4:
        b = g.emit("Slice", a, g.ints(-1), g.ints(-99), g.ints(1), g.ints(-1))
    else:
        b = g.emit("Cast", g.emit("Shape", a), to=TensorProto.FLOAT)
    g.emit("Add", g.pick(0, 3), g.emit("ReduceSum", b, keepdims=0))


@proposal
def known_branch(g: Graph):
    """An If whose condition is a constant, or known from a size."""
    x = g.pick(1, 4)
    if g.chance(0.5):
        condition = g.constant(np.array(g.chance(0.5)), "cond")
    else:
        size = g.emit("Gather", g.emit("Shape", x), number(g, g.integer(0, g.rank(x) - 1)), axis=0)
        condition = g.emit("Greater", size, number(g, g.choice((0, 4, 7))))
    branches = {}
    for side, op in (("then_branch", "Tanh"), ("else_branch", "Neg")):
        result = f"{g.name(side)}_result"
        node = helper.make_node(op, [x], [result])
        info = helper.make_tensor_value_info(result, helper.np_dtype_to_tensor_dtype(g.dtype), None)
        branches[side] = helper.make_graph([node], side, [], [info])
    g.emit("If", condition, captures=(x,), **branches)


@proposal
def loop_with_idle_parts(g: Graph):
    """A Loop with an invariant, a carry that nobody reads, and a value indexed by the step."""
    x = g.pick(2, 3, where=lambda n: np.abs(g.array(n)).max(initial=0) < 20)
    table = g.weight(3, *[1] * (g.rank(x) - 1))
    prefix = g.name("body")
    n = {k: f"{prefix}_{k}" for k in "i cond a b cond_out hidden row scaled a_out b_out stack".split()}
    nodes = [
        helper.make_node("Identity", [n["cond"]], [n["cond_out"]]),
        helper.make_node("Sigmoid", [x], [n["hidden"]]),
        helper.make_node("Gather", [table, n["i"]], [n["row"]], axis=0),
        helper.make_node("Mul", [n["a"], n["row"]], [n["scaled"]]),
        helper.make_node("Add", [n["scaled"], n["hidden"]], [n["a_out"]]),
        helper.make_node("Neg", [n["b"]], [n["b_out"]]),
        helper.make_node("Tanh", [n["a"]], [n["stack"]]),
    ]
    element = helper.np_dtype_to_tensor_dtype(g.dtype)
    rank = [None] * g.rank(x)
    carried = [helper.make_tensor_value_info(n[k], element, rank) for k in ("a", "b")]
    inputs = [
        helper.make_tensor_value_info(n["i"], TensorProto.INT64, []),
        helper.make_tensor_value_info(n["cond"], TensorProto.BOOL, []),
        *carried,
    ]
    outputs = [helper.make_tensor_value_info(n["cond_out"], TensorProto.BOOL, [])]
    outputs += [helper.make_tensor_value_info(n[k], element, rank) for k in ("a_out", "b_out", "stack")]
    body = helper.make_graph(nodes, prefix, inputs, outputs)
    trips, true = number(g, g.integer(1, 3)), g.constant(np.array(True), "k")
    g.emit("Loop", trips, true, x, x, outputs=3, captures=(x, table), body=body)


@proposal
def scan(g: Graph):
    x = g.pick(2, 3, where=lambda n: np.abs(g.array(n)).max(initial=0) < 20)
    prefix = g.name("scan")
    n = {k: f"{prefix}_{k}" for k in "state row next out".split()}
    nodes = [
        helper.make_node("Add", [n["state"], n["row"]], [n["next"]]),
        helper.make_node("Tanh", [n["next"]], [n["out"]]),
    ]
    element = helper.np_dtype_to_tensor_dtype(g.dtype)
    rank = [None] * (g.rank(x) - 1)
    infos = {k: helper.make_tensor_value_info(name, element, rank) for k, name in n.items()}
    body = helper.make_graph(nodes, prefix, [infos["state"], infos["row"]], [infos["next"], infos["out"]])
    start = g.emit("ReduceSum", x, g.ints(0), keepdims=0)
    direction = g.integer(0, 1)
    outputs = {"scan_output_directions": [g.integer(0, 1)], "scan_input_directions": [direction]}
    g.emit("Scan", start, x, outputs=2, body=body, num_scan_inputs=1, **outputs)


@proposal
def sequence(g: Graph):
    """Tensors in a list, and out again."""
    x = g.pick(2, 4)
    axis = g.choice(g.static_axes(x))
    kind = g.integer(0, 2)
    if kind == 0:
        parts = g.emit("SplitToSequence", x, axis=axis, keepdims=1)
        g.emit("ConcatFromSequence", parts, axis=axis)
    elif kind == 1:
        parts = g.emit("SplitToSequence", x, number(g, 1), axis=axis)
        g.emit("SequenceAt", parts, number(g, g.integer(-g.shape(x)[axis], g.shape(x)[axis] - 1)))
    else:
        parts = g.emit("SequenceConstruct", x, g.emit("Neg", x))
        parts = g.emit("SequenceInsert", parts, g.emit("Tanh", x), *g.choice(((), (number(g, 1),))))
        g.emit("ConcatFromSequence", parts, axis=axis, new_axis=g.integer(0, 1))


@proposal
def nan_safe(g: Graph):
    x = g.pick()
    if g.chance(0.5):
        g.emit("Where", g.emit("IsNaN", x), scalar(g, 0.5), x)
    elif g.opset >= 13 and g.chance(0.5):
        g.emit("Where", g.emit("Equal", x, x), x, scalar(g, 1))
    else:
        condition = g.emit("Not", g.emit("IsInf", x))
        if g.dtype == np.float16 and g.opset < 20:
            raise Rejected("no float16")
        g.emit("Where", condition, x, scalar(g, 1))


@proposal
def non_zero(g: Graph):
    """Sizes that only running finds out."""
    x = g.pick(1, 3)
    for array in g.values[x]:
        g.require_apart(array)
    places = g.emit("NonZero", g.emit("Greater", x, scalar(g, 0)))
    if g.chance(0.5):
        g.emit("GatherND", x, g.emit("Transpose", places, perm=[1, 0]))
    else:
        g.emit("ReduceSum", places, g.ints(1), keepdims=0)


@proposal
def compress(g: Graph):
    x = g.pick(1, 4)
    axis = g.choice(g.static_axes(x))
    condition = g.constant(np.arange(g.shape(x)[axis]) % g.integer(1, 3) == 0, "keep")
    g.emit("Compress", x, condition, axis=g.choice((axis, axis - g.rank(x))))


@proposal
def rare_ops(g: Graph):
    x = g.pick(2, 4, where=lambda n: np.abs(g.array(n)).max(initial=0) < 20)
    kind = g.integer(0, 7)
    if kind == 0:
        require_spread(g, x, (-1,))
        g.emit("MeanVarianceNormalization", x, axes=[g.rank(x) - 1])
    elif kind == 1:
        g.emit("ReduceLogSum", g.emit("Abs", g.emit("Add", x, scalar(g, 25))), keepdims=g.integer(0, 1))
    elif kind == 2:
        g.emit("ReverseSequence", x, g.constant(np.full(g.shape(x)[1], 1 if g.shape(x)[0] < 2 else 2)), batch_axis=1, time_axis=0)
    elif kind == 3:
        g.emit("Hardmax", x, axis=g.integer(-g.rank(x), g.rank(x) - 1))
    elif kind == 4:
        g.emit("Asinh" if g.chance(0.5) else "Sinh", g.emit("Tanh", x))
    elif kind == 5:
        g.emit("EyeLike", g.emit("Reshape", x, g.ints(g.shape(x)[0], -1)), k=g.integer(-1, 1))
    elif kind == 6 and g.opset >= 16 and g.dtype != np.float64:  # the runtime has no such kernel before opset 20
        grid = g.emit("Tanh", g.weight(g.shape(x)[0], 3, 4, 2))
        g.emit("GridSample", x, grid, mode=g.choice(("bilinear", "nearest")), padding_mode=g.choice(("zeros", "border", "reflection")), align_corners=g.integer(0, 1))
    else:
        g.emit("ReduceL1" if g.chance(0.5) else "ReduceMax", x, keepdims=g.integer(0, 1))


@proposal
def empty_axes(g: Graph):
    """Reductions with axes that are missing or empty."""
    x = g.pick(1, 4)
    form = g.integer(0, 2)
    noop = g.integer(0, 1)
    if form == 0:
        g.emit("ReduceSum", x, keepdims=g.integer(0, 1), noop_with_empty_axes=noop)
    elif form == 1:
        g.emit("ReduceSum", x, g.constant(np.zeros(0, np.int64), "k"), keepdims=1, noop_with_empty_axes=noop)
    elif g.opset >= 18:
        g.emit(g.choice(("ReduceMean", "ReduceMax", "ReduceL2")), x, g.constant(np.zeros(0, np.int64), "k"), noop_with_empty_axes=noop)
