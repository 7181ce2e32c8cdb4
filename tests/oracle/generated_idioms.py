"""Proposals that write a known function out in small ops, as exporters do: what the fusions must recognise, or not."""

import numpy as np
from onnx import TensorProto, helper

from generated_graph import Graph, Rejected
from generated_ops import comparison, image, proposal, require_spread


def scalar(g: Graph, value: float) -> str:
    return g.constant(np.float32(value), "c")


def mean(g: Graph, x: str, axes: list[int]) -> str:
    if g.opset >= 18:
        return g.emit("ReduceMean", x, g.ints(*axes), keepdims=1)
    return g.emit("ReduceMean", x, axes=axes, keepdims=1)


def last_axis_static(g: Graph):
    return lambda name: g.is_static(name, g.rank(name) - 1)


@proposal
def gelu(g: Graph):
    """By erf, by tanh, or with a constant that is slightly off and so is no gelu."""
    x = g.pick()
    form = g.integer(0, 2)
    if form == 1:
        cube = g.emit("Mul", g.emit("Pow", x, scalar(g, 3)), scalar(g, 0.044715))
        inner = g.emit("Tanh", g.emit("Mul", g.emit("Add", x, cube), scalar(g, 0.7978845608)))
    else:
        root = 1.4142135623 if form == 0 else 1.35
        inner = g.emit("Erf", g.emit("Div", x, scalar(g, root)))
    half = g.emit("Mul", x, scalar(g, 0.5))
    g.emit("Mul", half, g.emit("Add", inner, scalar(g, 1)))


@proposal
def silu(g: Graph):
    x = g.pick()
    inner = g.emit("Mul", x, scalar(g, 1.702)) if g.chance(0.3) else x
    g.emit("Mul", x, g.emit("Sigmoid", inner))


@proposal
def mish(g: Graph):
    x = g.pick()
    g.emit("Mul", x, g.emit("Tanh", g.emit("Softplus", x)))


@proposal
def hard_swish(g: Graph):
    x = g.pick()
    form = g.integer(0, 1)
    if form == 0:
        gate = g.emit("HardSigmoid", x, alpha=1 / 6, beta=0.5)
    else:
        clipped = g.emit("Clip", g.emit("Add", x, scalar(g, 3)), scalar(g, 0), scalar(g, 6))
        gate = g.emit("Div", clipped, scalar(g, 6))
    g.emit("Mul", x, gate)


@proposal
def softplus(g: Graph):
    x = g.pick(where=lambda n: np.abs(g.array(n)).max() < 10)
    g.emit("Log", g.emit("Add", g.emit("Exp", x), scalar(g, 1)))


@proposal
def layer_norm(g: Graph):
    x = g.pick(2, 4, where=last_axis_static(g))
    require_spread(g, x, (-1,))
    centred = g.emit("Sub", x, mean(g, x, [-1]))
    square = g.emit("Pow", centred, scalar(g, 2)) if g.chance(0.5) else g.emit("Mul", centred, centred)
    deviation = g.emit("Sqrt", g.emit("Add", mean(g, square, [-1]), scalar(g, 1e-3)))
    y = g.emit("Div", centred, deviation)
    size = g.shape(x)[-1]
    if g.chance(0.7):
        y = g.emit("Add", g.emit("Mul", y, g.weight(size, offset=1)), g.weight(size))
    if g.chance(0.2):
        g.emit("Add", y, centred)


@proposal
def rms_norm(g: Graph):
    x = g.pick(2, 4, where=last_axis_static(g))
    variance = mean(g, g.emit("Pow", x, scalar(g, 2)), [-1])
    root = g.emit("Sqrt", g.emit("Add", variance, scalar(g, 1e-3)))
    y = g.emit("Mul", x, g.emit("Reciprocal", root)) if g.chance(0.5) else g.emit("Div", x, root)
    g.emit("Mul", y, g.weight(g.shape(x)[-1], offset=1))


@proposal
def group_norm(g: Graph):
    x = g.pick(4, 4, where=lambda n: g.is_static(n, 1) and g.shape(n)[1] % 2 == 0)
    channels = g.shape(x)[1]
    y = g.emit("Reshape", x, g.ints(0, 2, -1))
    require_spread(g, y, (2,))
    y = g.emit("InstanceNormalization", y, g.constant(np.ones(2, np.float32)), g.constant(np.zeros(2, np.float32)))
    y = g.emit("Reshape", y, g.emit("Shape", x))
    g.emit("Add", g.emit("Mul", y, g.weight(channels, 1, 1, offset=1)), g.weight(channels, 1, 1))


@proposal
def l2_normalize(g: Graph):
    x = g.pick(2, 4)
    axis = g.integer(0, g.rank(x) - 1)
    if g.opset >= 18:
        norm = g.emit("ReduceL2", x, g.ints(axis), keepdims=1)
    else:
        norm = g.emit("ReduceL2", x, axes=[axis], keepdims=1)
    g.emit("Div", x, g.emit("Clip", norm, scalar(g, 0.1)))


@proposal
def attention(g: Graph):
    """Heads from a [batch, length, width] value, with or without a causal mask."""
    x = g.pick(3, 3, where=last_axis_static(g))
    heads, size, width = 2, g.integer(2, 4), g.shape(x)[-1]

    def project(perm):
        y = g.emit("MatMul", x, g.weight(width, heads * size, scale=width**-0.5))
        y = g.emit("Add", y, g.weight(heads * size, scale=0.3))
        return g.emit("Transpose", g.emit("Reshape", y, g.ints(0, -1, heads, size)), perm=perm)

    q, k, v = project([0, 2, 1, 3]), project([0, 2, 3, 1]), project([0, 2, 1, 3])
    if g.chance(0.5):
        scores = g.emit("Mul", g.emit("MatMul", q, k), scalar(g, size**-0.5))
    else:
        scores = g.emit("MatMul", g.emit("Mul", q, scalar(g, 0.6)), g.emit("Mul", k, scalar(g, 0.6)))
    if g.chance(0.4) and g.opset >= 14:
        ones = g.emit("ConstantOfShape", g.emit("Shape", scores))
        upper = g.emit("Trilu", g.emit("Sub", ones, scalar(g, 1000)), g.constant(np.array(1, np.int64), "k"), upper=1)
        scores = g.emit("Add", scores, upper)
    mixed = g.emit("MatMul", g.emit("Softmax", scores, axis=-1), v)
    g.emit("Reshape", g.emit("Transpose", mixed, perm=[0, 2, 1, 3]), g.ints(0, -1, heads * size))


@proposal
def channel_shuffle(g: Graph):
    x = g.pick(4, 4, where=lambda n: g.shape(n)[1] % 2 == 0 and len(g.static_axes(n)) >= 3 and g.is_static(n, 1))
    shape = [size if g.is_static(x, axis) else -1 for axis, size in enumerate(g.shape(x))]
    channels = shape[1]
    y = g.emit("Reshape", x, g.ints(shape[0], 2, channels // 2, *shape[2:]))
    y = g.emit("Transpose", y, perm=[0, 2, 1, 3, 4])
    g.emit("Reshape", y, g.ints(*shape))


@proposal
def pixel_shuffle(g: Graph):
    x = g.pick(4, 4, where=lambda n: g.shape(n)[1] % 4 == 0 and len(g.static_axes(n)) == 4)
    n, c, h, w = g.shape(x)
    y = g.emit("Reshape", x, g.ints(n, c // 4, 2, 2, h, w))
    g.emit("Reshape", g.emit("Transpose", y, perm=[0, 1, 4, 2, 5, 3]), g.ints(n, c // 4, 2 * h, 2 * w))


@proposal
def conv_chain(g: Graph):
    """Conv, then what folds into it: pad before, batch norm, scale, bias, activation after."""
    x = image(g, 4, 4)
    channels, wide = g.shape(x)[1], g.integer(2, 6)
    if g.chance(0.3):
        x = g.emit("Pad", x, g.ints(0, 0, 1, 0, 0, 0, 0, 1))
    y = g.emit("Conv", x, g.weight(wide, channels, 3, 3, scale=0.3), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    if g.chance(0.6):
        variance = g.constant((g.rng.random(wide) + 0.3).astype(np.float32))
        y = g.emit("BatchNormalization", y, g.weight(wide, offset=1), g.weight(wide), g.weight(wide), variance)
    if g.chance(0.4):
        y = g.emit("Mul", y, g.weight(wide, 1, 1))
    if g.chance(0.4):
        y = g.emit("Add", y, g.weight(1, wide, 1, 1))
    g.emit(g.choice(("Relu", "Sigmoid", "HardSwish")), y)


@proposal
def round_trip_views(g: Graph):
    """Ops that cancel: a pair of transposes, casts or reshapes."""
    x = g.pick(2, 4)
    form = g.integer(0, 2)
    if form == 0:
        perm = [int(i) for i in g.rng.permutation(g.rank(x))]
        y = g.emit("Transpose", x, perm=perm)
        g.emit("Transpose", y, perm=[perm.index(i) for i in range(len(perm))])
    elif form == 1:
        g.emit("Cast", g.emit("Cast", x, to=TensorProto.DOUBLE), to=TensorProto.FLOAT)
    else:
        g.emit("Reshape", g.emit("Flatten", x, axis=1), g.emit("Shape", x))


@proposal
def branch(g: Graph):
    """An If whose branches read values of the outer graph."""
    x = g.pick()
    level = g.emit("ReduceMax", x, keepdims=0)
    g.require_apart(*(a - 0.4 for a in g.values[level]))
    condition = g.emit("Greater", level, scalar(g, 0.4))
    branches = {}
    for side, op in (("then_branch", "Tanh"), ("else_branch", "Neg")):
        inner, result = f"{g.name(side)}_inner", f"{g.name(side)}_result"
        nodes = [helper.make_node(op, [x], [inner]), helper.make_node("Add", [inner, x], [result])]
        branches[side] = helper.make_graph(
            nodes, side, [], [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)]
        )
    g.emit("If", condition, captures=(x,), **branches)


@proposal
def scan_sum(g: Graph):
    """A Loop that carries a value and stacks one output a trip."""
    x = g.pick(1, 3, where=lambda n: np.abs(g.array(n)).max() < 20)
    trips = g.constant(np.array(g.integer(2, 3), np.int64), "k")
    true = g.constant(np.array(True), "k")
    prefix = g.name("body")
    names = {key: f"{prefix}_{key}" for key in ("i", "cond", "carry", "cond_out", "next", "step", "row")}
    nodes = [
        helper.make_node("Identity", [names["cond"]], [names["cond_out"]]),
        helper.make_node("Cast", [names["i"]], [names["step"]], to=TensorProto.FLOAT),
        helper.make_node("Tanh", [names["carry"]], [names["row"]]),
        helper.make_node("Sum", [names["row"], x, names["step"]], [names["next"]]),
    ]
    rank = [None] * g.rank(x)
    body = helper.make_graph(
        nodes,
        prefix,
        [
            helper.make_tensor_value_info(names["i"], TensorProto.INT64, []),
            helper.make_tensor_value_info(names["cond"], TensorProto.BOOL, []),
            helper.make_tensor_value_info(names["carry"], TensorProto.FLOAT, rank),
        ],
        [
            helper.make_tensor_value_info(names["cond_out"], TensorProto.BOOL, []),
            helper.make_tensor_value_info(names["next"], TensorProto.FLOAT, rank),
            helper.make_tensor_value_info(names["row"], TensorProto.FLOAT, rank),
        ],
    )
    g.emit("Loop", trips, true, x, outputs=2, captures=(x,), body=body)


@proposal
def masked(g: Graph):
    """A float mask made of a comparison, as attention masks are."""
    x = g.pick()
    keep = g.emit("Cast", comparison(g, x), to=TensorProto.FLOAT)
    g.emit("Add", x, g.emit("Mul", g.emit("Sub", scalar(g, 1), keep), scalar(g, -5)))


@proposal
def dead_end(g: Graph):
    """A node that nobody reads."""
    x = g.pick()
    before = set(g.values)
    g.emit(g.choice(("Exp", "Identity", "Neg")), x)
    if len(set(g.values) - before) != 1:
        raise Rejected("no value")
