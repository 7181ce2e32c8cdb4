"""Proposals of quantized parts, and of operators from ONNX Runtime's own domain."""

import numpy as np

from generated_graph import Graph, Rejected
from generated_idioms import scalar
from generated_ops import proposal

MICROSOFT = "com.microsoft"


def plain_float(g: Graph) -> None:
    if g.dtype != np.float32:
        raise Rejected("float32 alone")


def away_from_ties(g: Graph, x: str, scale: float, top: int = 127) -> None:
    for array in g.values[x]:
        steps = array / scale
        g.require_apart((steps - 0.5 - np.round(steps - 0.5)) / 50)  # a step is small beside what sums differ by
        if np.abs(steps).max(initial=0) > top - 5:
            raise Rejected("saturates")


def range_scale(g: Graph, x: str) -> np.float32:
    return np.float32(max(float(np.abs(a).max(initial=0)) for a in g.values[x]) / 100 + 1e-3)


@proposal
def qdq_layer(g: Graph):
    """Quantize and dequantize around a convolution or a product, with weights by the channel."""
    plain_float(g)
    x = g.pick(2, 4, where=lambda n: g.is_static(n, 1 if g.rank(n) > 2 else -1) and g.rank(n) != 3)
    scale = range_scale(g, x)
    away_from_ties(g, x, scale)
    grid = g.constant(scale), g.constant(np.array(g.choice((0, 2)), np.int8), "zero")
    y = g.emit("DequantizeLinear", g.emit("QuantizeLinear", x, *grid), *grid)
    wide = g.integer(2, 4)
    axis = 0 if g.rank(x) == 4 else 1
    shape = (wide, g.shape(x)[1], 2, 2) if g.rank(x) == 4 else (g.shape(x)[-1], wide)
    codes = g.constant(g.rng.integers(-127, 128, shape).astype(np.int8), "codes")
    if g.chance(0.6):
        scales = g.constant((g.rng.random(wide) * 0.01 + 0.002).astype(np.float32)), g.constant(np.zeros(wide, np.int8))
        weight = g.emit("DequantizeLinear", codes, *scales, axis=axis)
    else:
        weight = g.emit("DequantizeLinear", codes, g.constant(np.float32(0.005)), g.constant(np.int8(3)))
    y = g.emit("Conv", y, weight) if g.rank(x) == 4 else g.emit("MatMul", y, weight)
    if g.chance(0.5):
        y = g.emit(g.choice(("Relu", "Tanh")), y)
    scale = range_scale(g, y)
    away_from_ties(g, y, scale)
    grid = g.constant(scale), g.constant(np.array(1, np.int8), "zero")
    g.emit("DequantizeLinear", g.emit("QuantizeLinear", y, *grid), *grid)


@proposal
def whole_products(g: Graph):
    """Integer products of quantized values, back to real numbers."""
    plain_float(g)
    x = g.pick(2, 3, where=lambda n: g.is_static(n, -1))
    scale = range_scale(g, x)
    away_from_ties(g, x, scale)
    zero = g.constant(np.array(128, np.uint8), "zero")
    codes = g.emit("QuantizeLinear", x, g.constant(scale), zero)
    weight = g.constant(g.rng.integers(-128, 128, (g.shape(x)[-1], g.integer(2, 5))).astype(np.int8), "codes")
    zeros = g.choice(((), (zero,), (zero, g.constant(np.array(g.choice((0, 3)), np.int8), "zero"))))
    product = g.emit("Cast", g.emit("MatMulInteger", codes, weight, *zeros), to=1)
    g.emit("Mul", product, scalar(g, 1e-3))


@proposal
def packed_weights(g: Graph):
    """Weights of four bits, in blocks or by the column."""
    plain_float(g)
    if g.opset < 21:
        raise Rejected("no int4")
    import ml_dtypes

    x = g.pick(2, 3, where=lambda n: g.is_static(n, -1) and g.shape(n)[-1] % 2 == 0)
    inner, wide = g.shape(x)[-1], g.integer(2, 5)
    dtype = g.choice((ml_dtypes.int4, ml_dtypes.uint4))
    low = -8 if dtype is ml_dtypes.int4 else 0
    codes = g.constant(g.rng.integers(low, low + 16, (inner, wide)).astype(np.int8).astype(dtype), "codes")
    if g.chance(0.5):
        scales = g.constant((g.rng.random((inner // 2, wide)) * 0.1).astype(np.float32))
        w = g.emit("DequantizeLinear", codes, scales, axis=0, block_size=2)
    else:
        w = g.emit("DequantizeLinear", codes, g.constant((g.rng.random(wide) * 0.1).astype(np.float32)), axis=1)
    g.emit("MatMul", x, w)


@proposal
def dynamic_quantization(g: Graph):
    plain_float(g)
    x = g.pick(2, 3, where=lambda n: g.is_static(n, -1))
    for array in g.values[x]:
        low, high = min(float(array.min(initial=0)), 0), max(float(array.max(initial=0)), 0)
        scale = (high - low) / 255 + 1e-9
        zero = -low / scale
        g.require_apart(array / scale - 0.5 - np.round(array / scale - 0.5), np.array(zero - 0.5 - np.round(zero - 0.5)))
    codes, scale, zero = g.emit("DynamicQuantizeLinear", x, outputs=3)
    weight = g.constant(g.rng.integers(-128, 128, (g.shape(x)[-1], g.integer(2, 5))).astype(np.int8), "codes")
    product = g.emit("Cast", g.emit("MatMulInteger", codes, weight, zero), to=1)
    g.emit("Mul", product, g.emit("Mul", scale, scalar(g, 0.01)))


@proposal
def microsoft_activation(g: Graph):
    plain_float(g)
    x = g.pick(1, 4)
    kind = g.integer(0, 3)
    if kind == 0:
        g.emit("Gelu", x, domain=MICROSOFT)
    elif kind == 1:
        bias = (g.weight(g.shape(x)[-1]),) if g.is_static(x, -1) else ()
        g.emit("FastGelu", x, *bias, domain=MICROSOFT)
    elif kind == 2:
        g.emit("QuickGelu", x, alpha=g.choice((1.702, 1.0)), domain=MICROSOFT)
    elif g.is_static(x, -1):
        g.emit("BiasGelu", x, g.weight(g.shape(x)[-1]), domain=MICROSOFT)


@proposal
def microsoft_layers(g: Graph):
    plain_float(g)
    x = g.pick(3, 3, where=lambda n: g.is_static(n, -1))
    size = g.shape(x)[-1]
    kind = g.integer(0, 2)
    if kind == 0:
        skip = g.emit("Tanh", x)
        bias = (g.weight(size), g.weight(size)) if g.chance(0.5) else ()
        g.emit("SkipLayerNormalization", x, skip, g.weight(size, offset=1), *bias, epsilon=1e-2, domain=MICROSOFT)
    elif kind == 1:
        g.emit("FusedMatMul", x, g.weight(g.integer(2, 4), size), alpha=0.3, transB=1, domain=MICROSOFT)
    else:
        heads, each = 2, g.integer(1, 3)
        wide = 3 * heads * each
        g.emit(
            "Attention",
            x,
            g.weight(size, wide, scale=size**-0.5),
            g.weight(wide, scale=0.3),
            num_heads=heads,
            unidirectional=g.integer(0, 1),
            domain=MICROSOFT,
        )
