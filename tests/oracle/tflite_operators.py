"""The cases of tflite_cases.py, by family."""

import numpy as np

from tflite_cases import CASES, QUANTIZED, Case, codes, family, grid_for, one_op, random_array, rng
from tflite_build import Grid, Model, options

FLOATS = [np.float32]
SMALL = ["int8", "uint8", "int16"]


def quantized_unary(code, low, high, out_low, out_high, table=None, dtypes=SMALL, steps=1, shape=(2, 3, 4, 5), grid=None, version=None):
    for dtype in dtypes:
        # On 16 bits these kernels read a table of 513 places and go straight between them.
        coarse = dtype == "int16" and code in ("TANH", "EXP", "SOFTMAX")
        random = rng(code + dtype)
        out = grid(dtype) if grid else grid_for(dtype, out_low, out_high)
        x = codes(random, shape, dtype)
        yield one_op(f"quantized_{dtype}", code, [(x, grid_for(dtype, low, high))], [(shape, dtype, out)], table, version=version or (2 if dtype != "int16" else 3), steps=2 if coarse else steps)


@family
def unary():
    specials = np.float32([0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 1e-30, 50, -50, 3.7, -3.7])
    for code in ("ABS", "NEG", "SQUARE", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "RELU", "RELU6", "RELU_N1_TO_1",
                 "RELU_0_TO_1", "LOGISTIC", "TANH", "ELU", "HARD_SWISH", "EXP", "SIGN"):
        for shape in ((3, 4), (), (2, 3, 4, 5), (0, 3)):
            yield one_op(f"f32_{len(shape)}d{'_empty' if 0 in shape else ''}", code, [random_array(rng(code), shape, np.float32, -4, 4)], [(shape, np.float32)])
        if code not in ("EXP", "SQUARE"):
            yield one_op("edges", code, [specials], [(specials.shape, np.float32)])
    for code in ("LOG", "SQRT", "RSQRT"):
        x = random_array(rng(code), (3, 40), np.float32, 0.01, 9)
        yield one_op("f32", code, [x], [(x.shape, np.float32)])
        yield one_op("edges", code, [np.float32([1, 4, 0.25, 1e-20, 1e20, np.inf])], [((6,), np.float32)])
    for dtype in (np.int32, np.int64):
        yield one_op(np.dtype(dtype).name, "NEG", [random_array(rng("neg"), (3, 4), dtype)], [((3, 4), dtype)])
    yield one_op("int32", "ABS", [np.int32([-3, 0, 5, 2**31 - 1])], [((4,), np.int32)])
    yield one_op("int32", "SIGN", [np.int32([-3, 0, 5])], [((3,), np.int32)], version=2)
    yield one_op("bool", "LOGICAL_NOT", [np.array([True, False])], [((2,), bool)])
    for dtype in (np.float32, np.int32, np.int64):
        yield one_op(np.dtype(dtype).name, "ZEROS_LIKE", [random_array(rng("z"), (2, 3), dtype)], [((2, 3), dtype)])
    yield one_op("tanh", "GELU", [specials], [(specials.shape, np.float32)], options("Gelu", approximate=True))
    yield one_op("erf", "GELU", [specials], [(specials.shape, np.float32)], options("Gelu"))
    yield one_op("f32", "LEAKY_RELU", [specials], [(specials.shape, np.float32)], options("LeakyRelu", alpha=0.3))
    yield one_op("steep", "LEAKY_RELU", [specials], [(specials.shape, np.float32)], options("LeakyRelu", alpha=1.5))
    for alpha in ((4,), (1, 1, 4), (1, 1, 1), (2, 1, 4)):
        x, slope = random_array(rng("prelu"), (2, 3, 4), np.float32), random_array(rng(f"{alpha}"), alpha, np.float32)
        yield one_op(f"f32_{'x'.join(map(str, alpha))}", "PRELU", [x, slope], [((2, 3, 4), np.float32)], constants=(1,))
    for beta in (1.0, 0.5):
        for shape in ((6,), (2, 7), (2, 3, 5), (2, 3, 2, 4)):
            yield one_op(f"beta{beta}_{len(shape)}d", "SOFTMAX", [random_array(rng("softmax"), shape, np.float32, -8, 8)], [(shape, np.float32)], options("Softmax", beta=beta))
    for shape in ((2, 7), (2, 3, 2, 4)):
        yield one_op(f"f32_{len(shape)}d", "LOG_SOFTMAX", [random_array(rng("softmax"), shape, np.float32, -8, 8)], [(shape, np.float32)])
    yield from quantized_unary("ABS", -3, 2, 0, 3, dtypes=["int8", "int16"])
    yield from quantized_unary("LOGISTIC", -6, 6, 0, 1, grid=lambda d: Grid(1 / 256, -128 if d == "int8" else 0) if d != "int16" else Grid(1 / 32768, 0))
    yield from quantized_unary("TANH", -4, 4, -1, 1, grid=lambda d: Grid(1 / 128, 128 if d == "uint8" else 0) if d != "int16" else Grid(1 / 32768, 0))
    yield from quantized_unary("RELU", -3, 5, 0, 4)
    yield from quantized_unary("RELU6", -3, 9, 0, 6)
    yield from quantized_unary("RELU_N1_TO_1", -3, 9, -1, 1, dtypes=["int8", "uint8"], version=1)
    yield from quantized_unary("ELU", -3, 5, -1, 5, dtypes=["int8"], version=1)
    yield from quantized_unary("HARD_SWISH", -5, 5, -0.4, 5, dtypes=["int8", "uint8"], version=1)
    yield from quantized_unary("EXP", -3, 2, 0, 7, dtypes=["int8", "int16"], version=2)
    yield from quantized_unary("LOG", 0.1, 5, -2, 2, dtypes=["int8"])
    yield from quantized_unary("RSQRT", 0.0, 5, 0, 4, dtypes=["int8"])
    yield from quantized_unary("LEAKY_RELU", -3, 5, -1.5, 5, options("LeakyRelu", alpha=0.3), version=2)
    yield from quantized_unary("GELU", -3, 3, -0.2, 3, options("Gelu"), dtypes=["int8", "uint8"])
    yield from quantized_unary("SOFTMAX", -5, 5, 0, 1, options("Softmax", beta=1.0), grid=lambda d: Grid(1 / 256, -128 if d == "int8" else 0) if d != "int16" else Grid(1 / 32768, 0))
    yield from quantized_unary("LOG_SOFTMAX", -5, 5, -15.9, 0, dtypes=["int8", "uint8"], grid=lambda d: Grid(16 / 256, 127 if d == "int8" else 255), shape=(3, 10))
    for dtype in ("int8", "uint8"):
        x, slope = codes(rng("pq" + dtype), (2, 3, 4), dtype), codes(rng("ps" + dtype), (1, 1, 4), dtype)
        yield one_op(f"quantized_{dtype}", "PRELU", [(x, grid_for(dtype, -3, 3)), (slope, grid_for(dtype, -0.5, 1))], [((2, 3, 4), dtype, grid_for(dtype, -2, 3))], constants=(1,))


BROADCASTS = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((1, 4), (3, 1)), ((), (2, 3)), ((2, 1, 3, 1, 2), (1, 4, 1, 3, 2))]


@family
def binary():
    arithmetic = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div"}
    for code, name in arithmetic.items():
        for a, b in BROADCASTS:
            x, y = random_array(rng(code), a, np.float32), random_array(rng(code + "b"), b, np.float32, 0.5, 2)
            out = np.broadcast_shapes(a, b)
            yield one_op(f"f32_{a}_{b}".replace(" ", ""), code, [x, y], [(out, np.float32)], options(name), version=1)
        for activation in range(1, 5):
            if activation == 4:
                continue
            x, y = random_array(rng(code), (3, 40), np.float32, -9, 9), random_array(rng(code + "b"), (3, 40), np.float32, 0.5, 2)
            yield one_op(f"activation{activation}", code, [x, y], [((3, 40), np.float32)], options(name, fusedActivationFunction=activation))
        x, y = random_array(rng(code), (3, 40), np.int32), np.abs(random_array(rng(code + "b"), (3, 40), np.int32)) + 1
        yield one_op("int32", code, [x, y], [((3, 40), np.int32)], options(name))
        if code in ("ADD", "SUB", "MUL"):
            yield one_op("int64", code, [x.astype(np.int64), y.astype(np.int64)], [((3, 40), np.int64)], options(name))
    for code in ("ADD", "SUB", "MUL"):
        for dtype in SMALL:
            for activation in (0, 1, 3):
                for shapes in (((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (1, 1, 4))):
                    a, b = (codes(rng(f"{code}{dtype}{i}"), shape, dtype) for i, shape in enumerate(shapes))
                    table = options(arithmetic[code], fusedActivationFunction=activation)
                    if code in ("ADD", "SUB"):
                        table.potScaleInt16 = False
                    yield one_op(f"quantized_{dtype}_{activation}_{len(b.ravel())}", code, [(a, grid_for(dtype, -3, 2)), (b, grid_for(dtype, -1, 4))],
                                 [((2, 3, 4), dtype, grid_for(dtype, -6, 6))], table, version=2)
    for dtype in ("uint8", "int8"):
        a, b = codes(rng("d" + dtype), (2, 3, 4), dtype), codes(rng("e" + dtype), (2, 3, 4), dtype)
        low = QUANTIZED[dtype][0]
        b = np.maximum(b, low + 40).astype(dtype)
        if dtype == "uint8":
            yield one_op(f"quantized_{dtype}", "DIV", [(a, grid_for(dtype, -3, 2)), (b, grid_for(dtype, 0, 4))], [((2, 3, 4), dtype, grid_for(dtype, -3, 3))], options("Div"), version=2, reference=False)
    for code in ("MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "FLOOR_DIV", "FLOOR_MOD", "POW"):
        for dtype in (np.float32, np.int32, np.int64):
            if code in ("POW", "SQUARED_DIFFERENCE", "FLOOR_DIV") and dtype == np.int64:
                continue
            x, y = random_array(rng(code), (3, 40), dtype, -9, 9), random_array(rng(code + "b"), (3, 40), dtype, 0.5, 3)
            if code in ("FLOOR_DIV", "FLOOR_MOD"):
                y = np.where(y == 0, 3, y).astype(dtype)
            if code == "POW":
                x, y = np.abs(x), np.abs(y) % 4
                if dtype == np.int32:
                    x, y = x % 9, y.astype(np.int32)
            yield one_op(np.dtype(dtype).name, code, [x, y.astype(dtype)], [((3, 40), dtype)])
        if code != "POW":
            x, y = random_array(rng(code), (2, 3, 4), np.float32), random_array(rng(code + "b"), (4,), np.float32, 1, 2)
            yield one_op("broadcast", code, [x, y], [((2, 3, 4), np.float32)])
    for dtype in SMALL:
        a, b = codes(rng("m" + dtype), (2, 3, 4), dtype), codes(rng("n" + dtype), (2, 3, 4), dtype)
        grid = grid_for(dtype, -3, 3)
        for code in ("MAXIMUM", "MINIMUM"):
            yield one_op(f"quantized_{dtype}", code, [(a, grid), (b, grid)], [((2, 3, 4), dtype, grid)], version=2)
    a, b = codes(rng("sd"), (2, 3, 4), "int8"), codes(rng("sd2"), (2, 3, 4), "int8")
    yield one_op("quantized_int8", "SQUARED_DIFFERENCE", [(a, grid_for("int8", -3, 2)), (b, grid_for("int8", -1, 4))], [((2, 3, 4), "int8", grid_for("int8", 0, 30))], version=2)
    for code in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
        for dtype in (np.float32, np.int32, np.int64):
            x = (random_array(rng(code), (3, 40), dtype) * 2).astype(np.int32).astype(dtype) % 4
            yield one_op(np.dtype(dtype).name, code, [x, np.roll(x, 1)], [((3, 40), bool)])
        x, y = np.float32([[1, 2, 3]]), np.float32([[1], [3]])
        yield one_op("broadcast", code, [x, y], [((2, 3), bool)])
        for dtype in ("int8", "uint8"):
            a, b = codes(rng("c" + dtype), (2, 30), dtype), codes(rng("d" + dtype), (2, 30), dtype)
            yield one_op(f"quantized_{dtype}", code, [(a, grid_for(dtype, -3, 2)), (b, grid_for(dtype, -3, 2))], [((2, 30), bool)], version=2)
    yield one_op("bool", "EQUAL", [np.array([True, False]), np.array([True, True])], [((2,), bool)])
    yield one_op("strings", "EQUAL", [np.array([b"a", b"b"], object), np.array([b"a", b"c"], object)], [((2,), bool)], constants=(1,), version=3)
    for code in ("LOGICAL_AND", "LOGICAL_OR"):
        x, y = np.array([[True, False], [False, True]]), np.array([True, False])
        yield one_op("bool", code, [x, y], [((2, 2), bool)])
    for n in (2, 4):
        arrays = [random_array(rng(f"addn{i}"), (3, 4), np.float32) for i in range(n)]
        yield one_op(f"f32_{n}", "ADD_N", arrays, [((3, 4), np.float32)])
    for dtype in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32):
        x, y = random_array(rng("bits"), (3, 4), dtype), np.abs(random_array(rng("bits2"), (3, 4), dtype)) % 8
        yield one_op(np.dtype(dtype).name, "BITWISE_XOR", [x, y.astype(dtype)], [((3, 4), dtype)])
        yield one_op(np.dtype(dtype).name, "RIGHT_SHIFT", [x, y.astype(dtype)], [((3, 4), dtype)])
    x, y = random_array(rng("atan"), (3, 40), np.float32), random_array(rng("atan2"), (3, 40), np.float32)
    yield one_op("f32", "ATAN2", [x, y], [((3, 40), np.float32)])
    yield one_op("edges", "ATAN2", [np.float32([0, 0, 1, -1, 0.0, -0.0]), np.float32([1, -1, 0, 0, 0, -1])], [((6,), np.float32)])


CONVS = [
    # x, window, out, strides, dilations, padding
    ((1, 7, 6, 3), (3, 3), 4, (1, 1), (1, 1), 0), ((2, 7, 6, 3), (3, 2), 4, (2, 1), (1, 1), 0),
    ((1, 8, 9, 2), (3, 3), 5, (2, 2), (1, 1), 1), ((1, 9, 9, 2), (3, 3), 2, (1, 1), (2, 3), 0),
    ((1, 5, 5, 3), (1, 1), 4, (1, 1), (1, 1), 1), ((1, 5, 5, 3), (5, 5), 4, (3, 3), (1, 1), 0),
]


def out_size(size, window, stride, dilation, padding):
    return -(-size // stride) if padding == 0 else -(-(size - (window - 1) * dilation) // stride)


def conv_shape(x, window, out, strides, dilations, padding):
    return (x[0], *(out_size(x[i + 1], window[i], strides[i], dilations[i], padding) for i in range(len(window))), out)


@family
def conv():
    for n, (x, window, out, strides, dilations, padding) in enumerate(CONVS):
        table = lambda kind="Conv2D", **more: options(kind, padding=padding, strideH=strides[0], strideW=strides[1], dilationHFactor=dilations[0], dilationWFactor=dilations[1], **more)
        random = rng(f"conv{n}")
        image, w, b = random_array(random, x, np.float32), random_array(random, (out, *window, x[3]), np.float32), random_array(random, (out,), np.float32)
        y = conv_shape(x, window, out, strides, dilations, padding)
        for activation in (0, 1, 2, 3):
            yield one_op(f"f32_{n}_{activation}", "CONV_2D", [image, w, b], [(y, np.float32)], table(fusedActivationFunction=activation), constants=(1, 2))
        for multiplier in (1, 2):
            channels = x[3] * multiplier
            d, e = random_array(random, (1, *window, channels), np.float32), random_array(random, (channels,), np.float32)
            if max(dilations) > 1 and max(strides) > 1:
                continue
            yield one_op(f"f32_{n}_{multiplier}", "DEPTHWISE_CONV_2D", [image, d, e], [((*y[:3], channels), np.float32)], table("DepthwiseConv2D", depthMultiplier=multiplier, fusedActivationFunction=3), constants=(1, 2))
        for dtype in SMALL:
            channel = dtype != "uint8"
            xg = grid_for(dtype, -1, 1.5)
            kind = "uint8" if dtype == "uint8" else "int8"
            scales = np.linspace(0.005, 0.02, out) if channel else 0.01
            wg = Grid(scales, 0) if channel else Grid(0.01, 120)
            q = codes(random, (out, *window, x[3]), kind) if not channel else random.integers(-127, 128, (out, *window, x[3])).astype(np.int8)
            bias = random.integers(-500, 500, out).astype(np.int64 if dtype == "int16" else np.int32) * (50 if dtype == "int16" else 1)
            bg = Grid(np.float32(xg.scale) * np.atleast_1d(scales).astype(np.float32), 0)
            for activation in (0, 3):
                yield one_op(f"quantized_{dtype}_{n}_{activation}", "CONV_2D", [(codes(random, x, dtype), xg), (q, wg), (bias, bg)], [(y, dtype, grid_for(dtype, -8, 9))],
                             table(fusedActivationFunction=activation), constants=(1, 2), version=3)
            channels = x[3] * 2
            scales = np.linspace(0.005, 0.02, channels) if channel else 0.01
            wg = Grid(scales, 0, 3) if channel else Grid(0.01, 120)
            q = codes(random, (1, *window, channels), kind) if not channel else random.integers(-127, 128, (1, *window, channels)).astype(np.int8)
            bias = random.integers(-500, 500, channels).astype(np.int64 if dtype == "int16" else np.int32)
            bg = Grid(np.float32(xg.scale) * np.atleast_1d(scales).astype(np.float32), 0)
            if max(dilations) > 1 and max(strides) > 1:
                continue
            yield one_op(f"quantized_{dtype}_{n}", "DEPTHWISE_CONV_2D", [(codes(random, x, dtype), xg), (q, wg), (bias, bg)], [((*y[:3], channels), dtype, grid_for(dtype, -4, 5))],
                         table("DepthwiseConv2D", depthMultiplier=2), constants=(1, 2), version=3)
        q = random.integers(-127, 128, (out, *window, x[3])).astype(np.int8)
        yield one_op(f"hybrid_{n}", "CONV_2D", [image, (q, Grid(np.linspace(0.005, 0.02, out), 0)), b], [(y, np.float32)], table(), constants=(1, 2), version=2)
        yield one_op(f"hybrid_whole_{n}", "CONV_2D", [image, (q, Grid(0.01, 0)), b], [(y, np.float32)], table(), constants=(1, 2), version=2)
        q = random.integers(-127, 128, (1, *window, x[3])).astype(np.int8)
        if max(dilations) == 1 and strides[0] == strides[1]:
            yield one_op(f"hybrid_{n}", "DEPTHWISE_CONV_2D", [image, (q, Grid(np.linspace(0.005, 0.02, x[3]), 0, 3)), random_array(random, (x[3],), np.float32)], [((*y[:3], x[3]), np.float32)],
                         table("DepthwiseConv2D", depthMultiplier=1), constants=(1, 2), version=4)
    random = rng("grouped")
    yield one_op("groups", "CONV_2D", [random_array(random, (1, 5, 5, 6), np.float32), random_array(random, (4, 3, 3, 3), np.float32), random_array(random, (4,), np.float32)],
                 [((1, 5, 5, 4), np.float32)], options("Conv2D", strideH=1, strideW=1), constants=(1, 2), version=6)
    w = random_array(random, (4, 3, 3, 3), np.float32)
    yield one_op("weights_given", "CONV_2D", [random_array(random, (1, 5, 5, 3), np.float32), w, random_array(random, (4,), np.float32)], [((1, 5, 5, 4), np.float32)], options("Conv2D", strideH=1, strideW=1))
    for padding in (0, 1):
        for stride in (1, 2):
            x, window, out = (1, 4, 5, 6, 2), (2, 3, 2), 3
            y = conv_shape(x, window, out, (stride,) * 3, (1, 1, 1), padding)
            table = options("Conv3D", padding=padding, strideD=stride, strideH=stride, strideW=stride, fusedActivationFunction=1)
            yield one_op(f"f32_{padding}_{stride}", "CONV_3D", [random_array(random, x, np.float32), random_array(random, (*window, 2, 3), np.float32), random_array(random, (3,), np.float32)], [(y, np.float32)], table, constants=(1, 2))


@family
def transpose_conv():
    random = rng("transpose_conv")
    for n, (x, window, out, stride, padding, y) in enumerate([
        ((1, 3, 4, 2), (3, 3), 3, (2, 2), 0, (6, 8)), ((2, 3, 4, 2), (3, 3), 3, (2, 2), 1, (7, 9)), ((1, 3, 4, 2), (2, 2), 3, (3, 2), 0, (9, 8)),
        ((1, 3, 4, 2), (4, 4), 1, (2, 2), 0, (5, 7)), ((1, 3, 4, 2), (3, 3), 3, (1, 1), 1, (5, 6)), ((1, 3, 4, 2), (3, 3), 3, (2, 2), 1, (8, 10)),
    ]):
        shape = (x[0], *y, out)
        table = options("TransposeConv", padding=padding, strideH=stride[0], strideW=stride[1])
        image, w, b = random_array(random, x, np.float32), random_array(random, (out, *window, x[3]), np.float32), random_array(random, (out,), np.float32)
        yield one_op(f"f32_{n}", "TRANSPOSE_CONV", [np.int32(shape), w, image], [(shape, np.float32)], table, constants=(0, 1))
        yield one_op(f"f32_bias_{n}", "TRANSPOSE_CONV", [np.int32(shape), w, image, b], [(shape, np.float32)], table, constants=(0, 1, 3), version=3)
        for dtype in SMALL:
            channel = dtype != "uint8"
            xg = grid_for(dtype, -1, 1.5)
            scales = np.linspace(0.005, 0.02, out) if channel else 0.01
            wg = Grid(scales, 0) if channel else Grid(0.01, 120)
            q = codes(random, w.shape, "uint8") if not channel else random.integers(-127, 128, w.shape).astype(np.int8)
            bias = random.integers(-500, 500, out).astype(np.int64 if dtype == "int16" else np.int32)
            bg = Grid(np.float32(xg.scale) * np.atleast_1d(scales).astype(np.float32), 0)
            yield one_op(f"quantized_{dtype}_{n}", "TRANSPOSE_CONV", [np.int32(shape), (q, wg), (codes(random, x, dtype), xg), (bias, bg)], [(shape, dtype, grid_for(dtype, -4, 5))], table, constants=(0, 1, 3), version=3)
    x, window, out = (1, 3, 2, 3, 2), (2, 3, 2), 3
    for padding, stride, y in ((0, 2, (6, 4, 6)), (1, 2, (6, 5, 6)), (0, 1, (3, 2, 3))):
        shape = (1, *y, out)
        table = options("Conv3D", padding=padding, strideD=stride, strideH=stride, strideW=stride)
        yield one_op(f"f32_{padding}_{stride}", "CONV_3D_TRANSPOSE", [np.int32(shape), random_array(random, (*window, out, 2), np.float32), random_array(random, x, np.float32), random_array(random, (out,), np.float32)], [(shape, np.float32)], table, constants=(0, 1, 3))


@family
def pools():
    for code in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"):
        for n, (x, window, strides, padding) in enumerate([((1, 7, 6, 3), (3, 3), (1, 1), 0), ((2, 7, 6, 3), (3, 2), (2, 1), 0), ((1, 8, 9, 2), (2, 3), (2, 2), 1), ((1, 4, 4, 2), (4, 4), (4, 4), 1), ((1, 5, 5, 3), (2, 2), (3, 3), 0)]):
            y = conv_shape(x, window, x[3], strides, (1, 1), padding)
            for activation in (0, 1):
                table = options("Pool2D", padding=padding, strideH=strides[0], strideW=strides[1], filterHeight=window[0], filterWidth=window[1], fusedActivationFunction=activation)
                yield one_op(f"f32_{n}_{activation}", code, [random_array(rng(code), x, np.float32)], [(y, np.float32)], table)
                if code == "L2_POOL_2D":
                    continue
                for dtype in SMALL:
                    grid = grid_for(dtype, -2, 3)
                    yield one_op(f"quantized_{dtype}_{n}_{activation}", code, [(codes(rng(code + dtype), x, dtype), grid)], [(y, dtype, grid)], table, version=3 if dtype == "int16" else 2)


@family
def fully_connected():
    random = rng("fully")
    for n, (x, keep) in enumerate([((2, 6), False), ((2, 3, 6), False), ((2, 3, 6), True), ((6,), False), ((3, 2, 3), False), ((2, 2, 3, 6), True), ((1, 6), False)]):
        w, b = random_array(random, (5, 6), np.float32), random_array(random, (5,), np.float32)
        y = (*x[:-1], 5) if keep else (int(np.prod(x)) // 6, 5)
        for activation in (0, 1, 3):
            table = options("FullyConnected", keepNumDims=keep, fusedActivationFunction=activation)
            yield one_op(f"f32_{n}_{activation}", "FULLY_CONNECTED", [random_array(random, x, np.float32, -9, 9), w, b], [(y, np.float32)], table, constants=(1, 2))
        table = options("FullyConnected", keepNumDims=keep)
        yield one_op(f"no_bias_{n}", "FULLY_CONNECTED", [random_array(random, x, np.float32), w, None], [(y, np.float32)], table, constants=(1,), version=6)
        yield one_op(f"weights_given_{n}", "FULLY_CONNECTED", [random_array(random, x, np.float32), w, b], [(y, np.float32)], table)
        q = random.integers(-127, 128, (5, 6)).astype(np.int8)
        for asymmetric in (False, True):
            table = options("FullyConnected", keepNumDims=keep, asymmetricQuantizeInputs=asymmetric)
            yield one_op(f"hybrid_{asymmetric}_{n}", "FULLY_CONNECTED", [random_array(random, x, np.float32), (q, Grid(0.02, 0)), b], [(y, np.float32)], table, constants=(1, 2), version=9)
        for dtype in SMALL:
            table = options("FullyConnected", keepNumDims=keep, fusedActivationFunction=1)
            xg = grid_for(dtype, -1, 1.5)
            wq = codes(random, (5, 6), "uint8") if dtype == "uint8" else q
            wg = Grid(0.01, 120 if dtype == "uint8" else 0)
            bias = random.integers(-500, 500, 5).astype(np.int64 if dtype == "int16" else np.int32)
            yield one_op(f"quantized_{dtype}_{n}", "FULLY_CONNECTED", [(codes(random, x, dtype), xg), (wq, wg), (bias, Grid(np.float32(xg.scale) * np.float32(0.01), 0))], [(y, dtype, grid_for(dtype, -4, 5))], table, constants=(1, 2), version=4)
    import ml_dtypes

    q = random.integers(-7, 8, (5, 6)).astype(ml_dtypes.int4)
    yield one_op("hybrid_int4", "FULLY_CONNECTED", [random_array(random, (2, 6), np.float32), (q, Grid(0.02, 0)), random_array(random, (5,), np.float32)], [((2, 5), np.float32)], options("FullyConnected"), constants=(1, 2), version=10)
    xg = grid_for("int8", -1, 1.5)
    scales = np.linspace(0.01, 0.03, 5)
    q = random.integers(-127, 128, (5, 6)).astype(np.int8)
    yield one_op("per_channel", "FULLY_CONNECTED", [(codes(random, (2, 6), "int8"), xg), (q, Grid(scales, 0)), (random.integers(-500, 500, 5).astype(np.int32), Grid(xg.scale * scales, 0))], [((2, 5), "int8", grid_for("int8", -4, 5))], options("FullyConnected"), constants=(1, 2), version=5)


@family
def batch_matmul():
    random = rng("bmm")
    for a, b in (((2, 3, 4), (2, 4, 5)), ((3, 4), (4, 5)), ((2, 1, 3, 4), (3, 4, 5)), ((2, 3, 4), (4, 5))):
        for x in (False, True):
            for y in (False, True):
                left = (*a[:-2], a[-1], a[-2]) if x else a
                right = (*b[:-2], b[-1], b[-2]) if y else b
                out = (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])
                table = options("BatchMatMul", adjX=x, adjY=y)
                yield one_op(f"f32_{len(a)}{len(b)}_{x}{y}", "BATCH_MATMUL", [random_array(random, left, np.float32), random_array(random, right, np.float32)], [(out, np.float32)], table)
                for dtype in ("int8", "int16"):
                    yield one_op(f"quantized_{dtype}_{len(a)}{len(b)}_{x}{y}", "BATCH_MATMUL", [(codes(random, left, dtype), grid_for(dtype, -1, 1.5)), (codes(random, right, dtype), grid_for(dtype, -2, 1))], [(out, dtype, grid_for(dtype, -6, 6))], table, version=2 if dtype == "int8" else 3)
    q = random.integers(-127, 128, (4, 5)).astype(np.int8)
    for asymmetric in (False, True):
        yield one_op(f"hybrid_{asymmetric}", "BATCH_MATMUL", [random_array(random, (2, 3, 4), np.float32), (q, Grid(0.02, 0))], [((2, 3, 5), np.float32)], options("BatchMatMul", asymmetricQuantizeInputs=asymmetric), constants=(1,), version=4)


@family
def shapes():
    f = lambda *shape: random_array(rng("shapes"), shape, np.float32)
    out = lambda *shape: [(shape, np.float32)]
    yield one_op("constant", "RESHAPE", [f(2, 3, 4), np.int32([4, -1])], out(4, 6), options("Reshape", newShape=[4, -1]), constants=(1,))
    yield one_op("given", "RESHAPE", [f(2, 3, 4), np.int32([4, 6])], out(4, 6), options("Reshape"))
    yield one_op("option", "RESHAPE", [f(2, 3, 4)], out(6, 4), options("Reshape", newShape=[6, -1]))
    yield one_op("scalar", "RESHAPE", [f(1, 1)], [((), np.float32)], options("Reshape", newShape=[]))
    yield one_op("all", "SQUEEZE", [f(1, 3, 1, 4)], out(3, 4), options("Squeeze", squeezeDims=[]))
    yield one_op("some", "SQUEEZE", [f(1, 3, 1, 4)], out(1, 3, 4), options("Squeeze", squeezeDims=[-2]))
    for axis in (0, 1, -1):
        yield one_op(f"{axis}", "EXPAND_DIMS", [f(2, 3), np.int32(axis)], out(*np.expand_dims(f(2, 3), axis).shape), constants=(1,))
        yield one_op(f"{axis}", "PACK", [f(2, 3), f(2, 3) + 1], out(*np.stack([f(2, 3)] * 2, axis).shape), options("Pack", valuesCount=2, axis=axis))
        yield one_op(f"{axis}", "UNPACK", [f(2, 2)], out(2) + out(2), options("Unpack", num=2, axis=axis))
    for perm in ([1, 0, 2], [2, 0, 1], [0, 1, 2]):
        yield one_op("".join(map(str, perm)), "TRANSPOSE", [f(2, 3, 4), np.int32(perm)], out(*np.transpose(f(2, 3, 4), perm).shape), constants=(1,))
    yield one_op("5d", "TRANSPOSE", [f(2, 3, 4, 1, 2), np.int32([4, 2, 0, 1, 3])], out(2, 4, 2, 3, 1), constants=(1,), version=4)
    for dtype in SMALL:
        grid = grid_for(dtype, -2, 3)
        x = codes(rng("move" + dtype), (2, 3, 4), dtype)
        yield one_op(f"quantized_{dtype}", "TRANSPOSE", [(x, grid), np.int32([2, 0, 1])], [((4, 2, 3), dtype, grid)], constants=(1,))
        yield one_op(f"quantized_{dtype}", "RESHAPE", [(x, grid)], [((6, 4), dtype, grid)], options("Reshape", newShape=[6, -1]))
        yield one_op(f"quantized_{dtype}", "PACK", [(x, grid), (x[::-1], grid)], [((2, 2, 3, 4), dtype, grid)], options("Pack", valuesCount=2, axis=0))
    yield one_op("constant", "TILE", [f(2, 3), np.int32([2, 1])], out(4, 3), constants=(1,))
    yield one_op("given", "TILE", [f(2, 3), np.int32([2, 3])], out(4, 9))
    yield one_op("int64", "TILE", [f(2, 3), np.int64([1, 3])], out(2, 9), constants=(1,))
    yield one_op("constant", "BROADCAST_TO", [f(3, 1), np.int32([2, 3, 4])], out(2, 3, 4), constants=(1,), version=2)
    yield one_op("given", "BROADCAST_TO", [f(3, 1), np.int32([2, 3, 4])], out(2, 3, 4), version=2)
    yield one_op("given", "BROADCAST_ARGS", [np.int32([3, 1]), np.int32([2, 1, 4])], [((3,), np.int32)], constants=(0, 1))
    for dtype in (np.int32, np.int64):
        from tflite_build import type_of

        yield one_op(np.dtype(dtype).name, "SHAPE", [f(2, 3, 4)], [((3,), dtype)], options("Shape", outType=type_of(dtype)))
    yield one_op("3d", "RANK", [f(2, 3, 4)], [((), np.int32)])
    for dtype in (np.float32, np.int32, np.int64, bool):
        yield one_op(np.dtype(dtype).name, "FILL", [np.int32([2, 3]), random_array(rng("fill"), (), dtype)], [((2, 3), dtype)], constants=(0,))
    yield one_op("given", "FILL", [np.int64([2, 3]), np.float32(1.5)], out(2, 3))


@family
def slices():
    f = lambda *shape: random_array(rng("slices"), shape, np.float32)
    out = lambda *shape: [(shape, np.float32)]
    for axis in (0, 1, -1):
        a, b = f(2, 3, 4), f(2, 3, 4) + 1
        yield one_op(f"{axis}", "CONCATENATION", [a, b], out(*np.concatenate([a, b], axis).shape), options("Concatenation", axis=axis))
        for dtype in SMALL:
            x, y = codes(rng("c" + dtype), (2, 3, 4), dtype), codes(rng("d" + dtype), (2, 3, 4), dtype)
            grid, other = grid_for(dtype, -2, 3), grid_for(dtype, -1, 2)
            shape = np.concatenate([a, b], axis).shape
            yield one_op(f"quantized_{dtype}_{axis}", "CONCATENATION", [(x, grid), (y, grid)], [(shape, dtype, grid)], options("Concatenation", axis=axis), version=2)
            if dtype == "uint8":
                yield one_op(f"rescaled_{dtype}_{axis}", "CONCATENATION", [(x, grid), (y, other)], [(shape, dtype, grid)], options("Concatenation", axis=axis), version=2)
    for axis in (1, -1):
        yield one_op(f"{axis}", "SPLIT", [np.int32(axis), f(2, 6)], out(2, 2) * 3, options("Split", numSplits=3), constants=(0,))
        yield one_op(f"{axis}", "SPLIT_V", [f(2, 6), np.int32([1, -1, 3]), np.int32(axis)], out(2, 1) + out(2, 2) + out(2, 3), options("SplitV", numSplits=3), constants=(1, 2))
    yield one_op("constant", "SLICE", [f(3, 4, 5), np.int32([1, 0, 2]), np.int32([2, -1, 2])], out(2, 4, 2), constants=(1, 2))
    yield one_op("given", "SLICE", [f(3, 4, 5), np.int32([1, 0, 2]), np.int32([2, -1, 2])], out(2, 4, 2))
    yield one_op("int64", "SLICE", [f(3, 4), np.int64([1, 0]), np.int64([-1, 2])], out(2, 2), constants=(1, 2))
    strided = [
        ([1, 0], [3, 4], [1, 2], {}), ([-1, -1], [-4, -5], [-1, -2], {}), ([0, 1], [0, 3], [1, 1], dict(beginMask=1, endMask=1)),
        ([1, 0], [2, 4], [1, 1], dict(shrinkAxisMask=1)), ([-1, 0], [0, 4], [1, 1], dict(shrinkAxisMask=1)), ([0, 0, 1], [0, 0, 3], [1, 1, 1], dict(ellipsisMask=2, newAxisMask=1)),
        ([0, 1], [0, 2], [1, 1], dict(ellipsisMask=1, shrinkAxisMask=2)), ([0, 0], [0, 0], [-1, 1], dict(beginMask=1, endMask=3)), ([0], [2], [1], {}),
        ([0, 0, 0], [3, 0, 4], [1, 1, 2], dict(newAxisMask=2)),
    ]
    for n, (begin, end, step, masks) in enumerate(strided):
        x = f(3, 4)
        index, spec = [], []
        for i in range(len(begin)):
            bit = lambda m: masks.get(m, 0) >> i & 1
            if bit("ellipsisMask"):
                index.append(Ellipsis)
            elif bit("newAxisMask"):
                index.append(None)
            elif bit("shrinkAxisMask"):
                index.append(begin[i])
            else:
                index.append(slice(None if bit("beginMask") else begin[i], None if bit("endMask") else end[i], step[i]))
        y = x[tuple(index)]
        yield one_op(f"constant_{n}", "STRIDED_SLICE", [x, np.int32(begin), np.int32(end), np.int32(step)], out(*y.shape), options("StridedSlice", **masks), constants=(1, 2, 3))
        yield one_op(f"begin_given_{n}", "STRIDED_SLICE", [x, np.int32(begin), np.int32(end), np.int32(step)], out(*y.shape), options("StridedSlice", **masks), constants=(3,))
    for dtype in SMALL:
        grid, x = grid_for(dtype, -2, 3), codes(rng("s" + dtype), (3, 4), dtype)
        yield one_op(f"quantized_{dtype}", "STRIDED_SLICE", [(x, grid), np.int32([1, 0]), np.int32([3, 4]), np.int32([1, 2])], [((2, 2), dtype, grid)], options("StridedSlice"), constants=(1, 2, 3), version=2)
        yield one_op(f"quantized_{dtype}", "PAD", [(x, grid), np.int32([[1, 0], [0, 2]])], [((4, 6), dtype, grid)], options("Pad"), constants=(1,), version=2)
        yield one_op(f"quantized_{dtype}", "PADV2", [(x, grid), np.int32([[1, 0], [0, 2]]), (np.array([7], dtype), grid)], [((4, 6), dtype, grid)], options("PadV2"), constants=(1, 2), version=2)
    yield one_op("constant", "PAD", [f(2, 3), np.int32([[1, 0], [2, 3]])], out(3, 8), options("Pad"), constants=(1,))
    yield one_op("given", "PAD", [f(2, 3), np.int32([[1, 0], [2, 3]])], out(3, 8), options("Pad"))
    yield one_op("constant", "PADV2", [f(2, 3), np.int32([[1, 0], [2, 3]]), np.float32([5.5])], out(3, 8), options("PadV2"), constants=(1, 2))
    for mode in (0, 1):
        yield one_op(f"mode{mode}", "MIRROR_PAD", [f(3, 4), np.int32([[1, 0], [2, 3]])], out(4, 9), options("MirrorPad", mode=mode), constants=(1,))
    for axes in ([0], [1, 2], [-1]):
        yield one_op("".join(map(str, axes)), "REVERSE_V2", [f(2, 3, 4), np.int32(axes)], out(2, 3, 4), options("ReverseV2"), constants=(1,))
    for seq, batch in ((1, 0), (0, 1), (2, 1)):
        x = f(4, 3, 4)
        lengths = np.int32(np.arange(x.shape[batch]) % 3 + 1)
        yield one_op(f"{seq}{batch}", "REVERSE_SEQUENCE", [x, lengths], out(4, 3, 4), options("ReverseSequence", seqDim=seq, batchDim=batch))
    yield one_op("f32", "SPACE_TO_DEPTH", [f(1, 4, 6, 3)], out(1, 2, 3, 12), options("SpaceToDepth", blockSize=2))
    yield one_op("f32", "DEPTH_TO_SPACE", [f(1, 2, 3, 12)], out(1, 4, 6, 3), options("DepthToSpace", blockSize=2))
    yield one_op("f32", "SPACE_TO_BATCH_ND", [f(2, 5, 6, 3), np.int32([2, 3]), np.int32([[1, 0], [1, 2]])], out(12, 3, 3, 3), options("SpaceToBatchND"), constants=(1, 2))
    yield one_op("3d", "SPACE_TO_BATCH_ND", [f(2, 6, 3), np.int32([2]), np.int32([[1, 1]])], out(4, 4, 3), options("SpaceToBatchND"), constants=(1, 2))
    yield one_op("f32", "BATCH_TO_SPACE_ND", [f(12, 3, 3, 3), np.int32([2, 3]), np.int32([[1, 0], [1, 2]])], out(2, 5, 6, 3), options("BatchToSpaceND"), constants=(1, 2))
    x = codes(rng("stb"), (1, 3, 4, 2), "int8")
    grid = grid_for("int8", -2, 3)
    yield one_op("quantized", "SPACE_TO_BATCH_ND", [(x, grid), np.int32([2, 2]), np.int32([[1, 0], [0, 0]])], [((4, 2, 2, 2), "int8", grid)], options("SpaceToBatchND"), constants=(1, 2), version=2)
    for start in ([1, 1], [9, -3], [0, 0]):
        yield one_op(f"constant_{start[0]}", "DYNAMIC_UPDATE_SLICE", [f(3, 4), f(2, 2), np.int32(start)], out(3, 4), constants=(2,))
        yield one_op(f"given_{start[0]}", "DYNAMIC_UPDATE_SLICE", [f(3, 4), f(2, 2), np.int32(start)], out(3, 4))
    for edges in ([2, 3], [1, 2]):
        x = f(2, 3)
        shape = [(2 - 1) * edges[0] + 1, (3 - 1) * edges[1] + 1]
        yield one_op(f"{edges[0]}", "DILATE", [x, np.int32(edges), np.float32(-1)], out(*shape), options("Dilate"), constants=(1, 2))


@family
def reduces():
    for code in ("SUM", "MEAN", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"):
        for axes in ([0], [1], [-1], [1, 2], [0, 1, 2], [0, 2, 2]):
            for keep in (False, True):
                x = random_array(rng(code), (2, 3, 4), np.float32)
                y = np.sum(x, tuple(set(a % 3 for a in axes)), keepdims=keep).shape
                yield one_op(f"f32_{''.join(map(str, axes))}_{keep}", code, [x, np.int32(axes)], [(y, np.float32)], options("Reducer", keepDims=keep), constants=(1,))
        for dtype in (np.int32, np.int64):
            x = random_array(rng(code), (2, 3, 4), dtype) % 5
            yield one_op(np.dtype(dtype).name, code, [x, np.int32([1])], [((2, 4), dtype)], options("Reducer"), constants=(1,))
        x = random_array(rng(code), (2, 3, 4), np.float32)
        yield one_op("given", code, [x, np.int32([1])], [((2, 4), np.float32)], options("Reducer"))
        for dtype in SMALL:
            if code == "REDUCE_PROD" and dtype == "uint8":
                continue
            q = codes(rng(code + dtype), (2, 3, 4, 5), dtype)
            grid = grid_for(dtype, -2, 3)
            result = grid if code in ("REDUCE_MAX", "REDUCE_MIN") else grid_for(dtype, -6, 9) if code == "SUM" else grid_for(dtype, -1, 2)
            for axes in ([1, 2], [3], [0]):
                y = np.sum(q, tuple(axes), keepdims=True).shape
                if code == "REDUCE_PROD" and dtype == "int16" and axes == [1, 2]:
                    continue  # its accumulator overflows
                # The reference kernel of SUM divides by a number of its own.
                yield one_op(f"quantized_{dtype}_{axes[0]}", code, [(q, grid), np.int32(axes)], [(y, dtype, result)], options("Reducer", keepDims=True), constants=(1,), version=2, reference=code != "SUM")
                if code == "MEAN":
                    yield one_op(f"same_{dtype}_{axes[0]}", code, [(q, grid), np.int32(axes)], [(y, dtype, grid)], options("Reducer", keepDims=True), constants=(1,), version=2)
    for code in ("REDUCE_ANY", "REDUCE_ALL"):
        yield one_op("bool", code, [np.array([[True, False], [True, True], [False, False]]), np.int32([1])], [((3,), bool)], options("Reducer"), constants=(1,))
    from tflite_build import type_of

    for code, name in (("ARG_MAX", "ArgMax"), ("ARG_MIN", "ArgMin")):
        for axis in (0, 1, -1):
            for result in (np.int32, np.int64):
                x = random_array(rng(code), (3, 4, 5), np.float32)
                yield one_op(f"f32_{axis}_{np.dtype(result).name}", code, [x, np.int32(axis)], [(np.argmax(x, axis).shape, result)], options(name, outputType=type_of(result)), constants=(1,))
        for dtype in ("int8", "uint8"):
            x = codes(rng(code + dtype), (3, 40), dtype)
            yield one_op(f"quantized_{dtype}", code, [(x, grid_for(dtype, -2, 3)), np.int32(1)], [((3,), np.int32)], options(name, outputType=type_of(np.int32)), constants=(1,), version=2)
        yield one_op("ties", code, [np.float32([[1, 3, 3, 1]]), np.int32(1)], [((1,), np.int32)], options(name, outputType=type_of(np.int32)), constants=(1,))
        yield one_op("int32", code, [random_array(rng(code), (3, 9), np.int32), np.int32(1)], [((3,), np.int32)], options(name, outputType=type_of(np.int32)), constants=(1,))
    for exclusive in (False, True):
        for reverse in (False, True):
            for dtype in (np.float32, np.int32, np.int64):
                yield one_op(f"{np.dtype(dtype).name}_{exclusive}_{reverse}", "CUMSUM", [random_array(rng("cumsum"), (2, 3, 4), dtype), np.int32(1)], [((2, 3, 4), dtype)], options("Cumsum", exclusive=exclusive, reverse=reverse), constants=(1,))


@family
def gathers():
    f = lambda *shape: random_array(rng("gathers"), shape, np.float32)
    out = lambda *shape: [(shape, np.float32)]
    for axis, batch, index in ((0, 0, [2, 0]), (1, 0, [[1, 0], [3, 2]]), (-1, 0, [0]), (1, 1, [[1, 0], [3, 2], [0, 0]]), (2, 1, [[1], [2], [0]])):
        x = f(3, 4, 5)
        axis_at = axis % 3
        index = np.int32(index)
        shape = x.shape[:axis_at] + index.shape[batch:] + x.shape[axis_at + 1 :]
        yield one_op(f"f32_{axis}_{batch}_{index.ndim}", "GATHER", [x, index], out(*shape), options("Gather", axis=axis, batchDims=batch))
    yield one_op("int64", "GATHER", [f(3, 4), np.int64([1, 1])], out(2, 4), options("Gather"))
    yield one_op("scalar", "GATHER", [f(3, 4), np.int32(1)], out(4), options("Gather"), constants=(1,))
    yield one_op("strings", "GATHER", [np.array([b"a", b"bc", b""], object), np.int32([2, 1])], [((2,), "string")], options("Gather"), constants=(0,))
    for dtype in SMALL:
        grid = grid_for(dtype, -2, 3)
        yield one_op(f"quantized_{dtype}", "GATHER", [(codes(rng(dtype), (3, 4), dtype), grid), np.int32([1, 0, 2])], [((3, 4), dtype, grid)], options("Gather"), version=2)
    yield one_op("f32", "GATHER_ND", [f(3, 4, 5), np.int32([[0, 1], [2, 3]])], out(2, 5))
    yield one_op("whole", "GATHER_ND", [f(3, 4), np.int32([[[0, 1]], [[2, 3]]])], out(2, 1))
    yield one_op("f32", "EMBEDDING_LOOKUP", [np.int32([2, 0, 1]), f(4, 3)], out(3, 3), constants=(1,))
    q = codes(rng("emb"), (4, 3), "int8")
    yield one_op("hybrid", "EMBEDDING_LOOKUP", [np.int32([2, 0, 1]), (q, Grid(0.02, 0))], out(3, 3), constants=(1,), version=2)
    yield one_op("f32", "SCATTER_ND", [np.int32([[1], [3]]), f(2, 4), np.int32([5, 4])], out(5, 4), constants=(2,))
    yield one_op("twice", "SCATTER_ND", [np.int32([[1], [1]]), f(2), np.int32([4])], out(4), constants=(2,))
    yield one_op("given", "SCATTER_ND", [np.int32([[1], [3]]), f(2, 4), np.int32([5, 4])], out(5, 4))
    for dtype in (np.float32, np.int32):
        yield one_op(f"{np.dtype(dtype).name}_2d", "SPARSE_TO_DENSE", [np.int32([[0, 1], [2, 3]]), np.int32([3, 4]), random_array(rng("std"), (2,), dtype), np.array(7, dtype)], [((3, 4), dtype)], options("SparseToDense"), constants=(1, 3))
    yield one_op("1d", "SPARSE_TO_DENSE", [np.int32([1, 3]), np.int32([5]), np.float32(2.5), np.float32(-1)], out(5), options("SparseToDense"), constants=(1, 3))
    yield one_op("scalar", "SPARSE_TO_DENSE", [np.int32(3), np.int32([5]), np.float32(2.5), np.float32(-1)], out(5), options("SparseToDense"), constants=(1, 3))
    for dtype in (bool, np.float32, np.int32):
        x = np.array([[1, 0, 2], [0, 0, 3]]).astype(dtype)
        yield one_op(np.dtype(dtype).name, "WHERE", [x], [((3, 2), np.int64)], options("Where"))
    c = np.array([[True, False, True], [False, True, False]])
    yield one_op("same", "SELECT", [c, f(2, 3), f(2, 3) + 1], out(2, 3))
    yield one_op("rows", "SELECT", [np.array([True, False]), f(2, 3), f(2, 3) + 1], out(2, 3))
    yield one_op("scalar", "SELECT", [np.array(True), f(2, 3), f(2, 3) + 1], out(2, 3), constants=(0,))
    yield one_op("broadcast", "SELECT_V2", [np.array([True, False, True]), f(2, 3), f(1, 1) + 1], out(2, 3))
    for dtype in (np.int32, np.int64):
        yield one_op(np.dtype(dtype).name, "SELECT_V2", [c, random_array(rng("sel"), (2, 3), dtype), random_array(rng("sel2"), (2, 3), dtype)], [((2, 3), dtype)])
    for dtype in ("int8", "uint8"):
        grid = grid_for(dtype, -2, 3)
        yield one_op(f"quantized_{dtype}", "SELECT_V2", [c, (codes(rng("a"), (2, 3), dtype), grid), (codes(rng("b"), (2, 3), dtype), grid)], [((2, 3), dtype, grid)])
    yield one_op("f32", "SEGMENT_SUM", [f(5, 3), np.int32([0, 0, 1, 2, 2])], out(3, 3))
    for code in ("UNSORTED_SEGMENT_SUM", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN"):
        for dtype in (np.float32, np.int32):
            yield one_op(np.dtype(dtype).name, code, [random_array(rng(code), (5, 3), dtype), np.int32([2, 0, 1, -1, 2]), np.int32(4)], [((4, 3), dtype)], constants=(2,))
        yield one_op("2d", code, [f(2, 3), np.int32([[1, 0, 1], [2, 2, 0]]), np.int32(3)], out(3), constants=(2,))
    yield one_op("f32", "HASHTABLE_LOOKUP", [np.int32([5, 1, 7]), np.int32([1, 3, 5]), f(3, 2)], out(3, 2) + [((3,), np.uint8)], constants=(1,))


@family
def generators():
    for dtype in (np.float32, np.int32, np.int64):
        yield one_op(f"{np.dtype(dtype).name}", "RANGE", [np.array(2, dtype), np.array(11, dtype), np.array(3, dtype)], [((3,), dtype)], constants=(0, 1, 2))
        yield one_op(f"{np.dtype(dtype).name}_given", "RANGE", [np.array(9, dtype), np.array(1, dtype), np.array(-2, dtype)], [((4,), dtype)])
    for axis in (-1, 0, 1):
        x = np.int32([[0, 2, 1], [5, -1, 2]])
        shape = [2, 3]
        shape.insert(axis if axis >= 0 else 2, 4)
        yield one_op(f"f32_{axis}", "ONE_HOT", [x, np.int32(4), np.float32(2.5), np.float32(-1)], [(shape, np.float32)], options("OneHot", axis=axis), constants=(1, 2, 3))
    yield one_op("int64", "ONE_HOT", [np.int64([0, 2]), np.int32(3), np.int64(1), np.int64(0)], [((2, 3), np.int64)], options("OneHot", axis=-1), constants=(1, 2, 3))
    yield one_op("bool", "ONE_HOT", [np.int32([0, 2]), np.int32(3), np.array(True), np.array(False)], [((2, 3), bool)], options("OneHot", axis=-1), constants=(1, 2, 3))
    for dtype in (np.float32, np.int32):
        x = random_array(rng("diag"), (2, 3), dtype)
        yield one_op(np.dtype(dtype).name, "MATRIX_DIAG", [x], [((2, 3, 3), dtype)])
        for shape, d in (((2, 3, 3), (2, 3)), ((2, 3, 4), (2, 3)), ((2, 4, 3), (2, 3))):
            yield one_op(f"{np.dtype(dtype).name}_{shape[1]}{shape[2]}", "MATRIX_SET_DIAG", [random_array(rng("set"), shape, dtype), random_array(rng("d"), d, dtype)], [(shape, dtype)])


@family
def sorts():
    for shape, k in (((3, 7), 3), ((5,), 5), ((2, 3, 4), 1)):
        x = random_array(rng("topk"), shape, np.float32)
        out = (*shape[:-1], k)
        yield one_op(f"f32_{len(shape)}", "TOPK_V2", [x, np.int32(k)], [(out, np.float32), (out, np.int32)], constants=(1,))
    yield one_op("given", "TOPK_V2", [random_array(rng("topk"), (3, 7), np.float32), np.int32(2)], [((3, 2), np.float32), ((3, 2), np.int32)])
    yield one_op("ties", "TOPK_V2", [np.float32([[1, 3, 3, 1, 2]]), np.int32(4)], [((1, 4), np.float32), ((1, 4), np.int32)], constants=(1,))
    yield one_op("int32", "TOPK_V2", [random_array(rng("topk"), (3, 30), np.int32), np.int32(4)], [((3, 4), np.int32), ((3, 4), np.int32)], constants=(1,))
    for dtype in (np.float32, np.int32, np.int64):
        x = np.array([3, 1, 3, 2, 1, 7]).astype(dtype)
        yield one_op(np.dtype(dtype).name, "UNIQUE", [x], [((4,), dtype), ((6,), np.int32)], options("Unique", idxOutType=2))
    for dtype in (np.float32, np.int32, np.int64):
        x = np.array([[-5, 0, 10], [150, 100, 7]]).astype(dtype)
        yield one_op(np.dtype(dtype).name, "BUCKETIZE", [x], [((2, 3), np.int32)], options("Bucketize", boundaries=[0, 10, 100]))


@family
def normalizes():
    for shape in ((2, 5), (2, 3, 4), (1, 2, 3, 4)):
        x = random_array(rng("l2"), shape, np.float32)
        x.ravel()[: shape[-1]] = 0
        yield one_op(f"f32_{len(shape)}", "L2_NORMALIZATION", [x], [(shape, np.float32)], options("L2Norm"))
    for dtype in ("int8", "uint8"):
        grid = Grid(1 / 128, 0 if dtype == "int8" else 128)
        yield one_op(f"quantized_{dtype}", "L2_NORMALIZATION", [(codes(rng(dtype), (2, 3, 8), dtype), grid_for(dtype, -2, 2))], [((2, 3, 8), dtype, grid)], options("L2Norm"), version=2)
    for radius in (1, 3):
        yield one_op(f"{radius}", "LOCAL_RESPONSE_NORMALIZATION", [random_array(rng("lrn"), (1, 2, 3, 8), np.float32)], [((1, 2, 3, 8), np.float32)], options("LocalResponseNormalization", radius=radius, bias=1.5, alpha=0.7, beta=0.6), reference=False)  # the reference kernel leaves out a channel


@family
def resizes():
    for code, name in (("RESIZE_BILINEAR", "ResizeBilinear"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor")):
        for n, (x, size) in enumerate([((1, 3, 4, 2), (7, 9)), ((2, 6, 8, 3), (3, 4)), ((1, 5, 5, 1), (8, 3)), ((1, 4, 4, 1), (1, 1)), ((1, 1, 1, 2), (3, 3)), ((1, 4, 4, 1), (8, 8))]):
            for corners, half in ((False, False), (True, False), (False, True)):
                table = options(name, alignCorners=corners, halfPixelCenters=half)
                y = (x[0], *size, x[3])
                yield one_op(f"f32_{n}_{corners}_{half}", code, [random_array(rng(code), x, np.float32), np.int32(size)], [(y, np.float32)], table, constants=(1,), version=3)
                for dtype in SMALL:
                    grid = grid_for(dtype, -2, 3)
                    yield one_op(f"quantized_{dtype}_{n}_{corners}_{half}", code, [(codes(rng(code + dtype), x, dtype), grid), np.int32(size)], [(y, dtype, grid)], table, constants=(1,), version=3,
                                 steps=80 if dtype == "int16" and "BILINEAR" in code else 1)  # places are rounded to 1/1024 of an element
        yield one_op("given", code, [random_array(rng(code), (1, 3, 4, 2), np.float32), np.int32([5, 6])], [((1, 5, 6, 2), np.float32)], options(name))


@family
def casts():
    from tflite_build import type_of

    numbers = np.array([0, 1, -1, 2.5, -2.5, 100.7, 3e5])
    types = [np.float32, np.int32, np.int64, bool, np.uint8, np.int8, np.int16, np.float16, np.float64, np.uint32, np.uint16]
    for a in types:
        for b in types:
            if a == b:
                continue
            x = np.abs(numbers) if np.dtype(b).kind == "u" else numbers
            x = x[:5] if np.dtype(b).itemsize <= 2 or np.dtype(a).itemsize <= 2 else x
            if np.dtype(a).kind == "u":
                x = np.abs(x)
            x = x.astype(a)
            yield one_op(f"{np.dtype(a).name}_{np.dtype(b).name}", "CAST", [x], [(x.shape, b)], options("Cast", inDataType=type_of(a), outDataType=type_of(b)), version=4)
    for dtype in SMALL:
        grid = grid_for(dtype, -2, 3)
        x = codes(rng("dq" + dtype), (3, 50), dtype)
        yield one_op(dtype, "DEQUANTIZE", [(x, grid)], [((3, 50), np.float32)], options("Dequantize"), version=3)
        y = random_array(rng("q" + dtype), (3, 50), np.float32, -3, 4)
        yield one_op(dtype, "QUANTIZE", [y], [((3, 50), dtype, grid)], options("Quantize"), version=2)
        halves = (np.arange(-60, 61, dtype=np.float32) + 0.5) * np.float32(0.25)
        yield one_op(f"{dtype}_halves", "QUANTIZE", [halves], [(halves.shape, dtype, Grid(0.25, 0 if dtype != "uint8" else 100))], options("Quantize"), version=2, exact=True)
        for other in SMALL:
            if (dtype == "int16") != (other == "int16") and "uint8" in (dtype, other):
                continue
            yield one_op(f"{dtype}_{other}", "QUANTIZE", [(x, grid)], [((3, 50), other, grid_for(other, -1.5, 2))], options("Quantize"), version=2)
    half = np.float16([0.5, -1.25, 65504, 1e-7])
    yield one_op("float16", "DEQUANTIZE", [half], [((4,), np.float32)], options("Dequantize"), constants=(0,), version=3)
    per_channel = codes(rng("pc"), (3, 4), "int8")
    yield one_op("per_channel", "DEQUANTIZE", [(per_channel, Grid([0.1, 0.2, 0.3], 0))], [((3, 4), np.float32)], options("Dequantize"), constants=(0,), version=5)
    for narrow in (False,):
        for bits in (4, 8):
            yield one_op(f"{bits}_{narrow}", "FAKE_QUANT", [random_array(rng("fake"), (3, 50), np.float32, -3, 4)], [((3, 50), np.float32)], options("FakeQuant", min=-1.3, max=2.1, numBits=bits, narrowRange=narrow), version=2)
    for a, b, shape, out in ((np.float32, np.int32, (3,), (3,)), (np.int32, np.float32, (3,), (3,)), (np.int16, np.int32, (3, 2), (3,)), (np.int32, np.int16, (3,), (3, 2))):
        yield one_op(f"{np.dtype(a).name}_{np.dtype(b).name}", "BITCAST", [random_array(rng("bc"), shape, a)], [(out, b)], options("Bitcast"))


@family
def signals():
    for shape, lengths in (((2, 4, 8), [4, 8]), ((4, 8), [2, 4]), ((1, 4, 4), [8, 8])):
        x = random_array(rng("rfft"), shape, np.float32)
        out = (*shape[:-2], lengths[0], lengths[1] // 2 + 1)
        yield one_op(f"{lengths}", "RFFT2D", [x, np.int32(lengths)], [(out, np.complex64)], options("Rfft2d"), constants=(1,))
    c = random_array(rng("complex"), (3, 4), np.complex64)
    for code in ("REAL", "IMAG", "COMPLEX_ABS"):
        yield one_op("complex64", code, [c], [((3, 4), np.float32)])


@family
def detections():
    random = rng("nms")
    corners = random.uniform(0, 1, (40, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + random.uniform(0.1, 0.4, (40, 2)).astype(np.float32)], 1)
    scores = random.permutation(40).astype(np.float32) / 40
    for most, overlap, threshold in ((10, 0.4, 0.2), (50, 0.6, 0.0), (3, 0.3, 0.9)):
        inputs = [boxes, scores, np.int32(most), np.float32(overlap), np.float32(threshold)]
        yield one_op(f"{most}", "NON_MAX_SUPPRESSION_V4", inputs, [((most,), np.int32), ((), np.int32)], constants=(2, 3, 4))
        yield one_op(f"{most}", "NON_MAX_SUPPRESSION_V5", [*inputs, np.float32(0)], [((most,), np.int32), ((most,), np.float32), ((), np.int32)], constants=(2, 3, 4, 5))


@family
def stablehlo():
    for code in ("STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_MINIMUM"):
        for dtype in (np.float32, np.int32):
            yield one_op(np.dtype(dtype).name, code, [random_array(rng(code), (3, 4), dtype), random_array(rng(code + "b"), (3, 4), dtype)], [((3, 4), dtype)])
    x = random_array(rng("pad"), (3, 4), np.float32)
    table = options("StablehloPad", edgePaddingLow=[1, 0], edgePaddingHigh=[0, 2], interiorPadding=[0, 0])
    yield one_op("f32", "STABLEHLO_PAD", [x, np.float32(7)], [((4, 6), np.float32)], table, constants=(1,))


def case(name, model, *feeds, **more):
    return Case(name, model.bytes(), [np.asarray(feed) for feed in feeds], **more)


def loop_model(kind, start, count):
    """WHILE over (step, value) with a body that adds, or one that grows the value."""
    model = Model()
    condition, body = model.graph("condition"), model.graph("body")
    for graph in (condition, body):
        step = graph.input("step", [], np.int32)
        value = graph.input("value", start, np.float32, signature=[-1, *start[1:]] if kind == "grow" else None)
        if graph is condition:
            graph.output(graph.op("LESS", [step, graph.constant(np.int32(count))], [([], bool)]))
            continue
        next_step = graph.op("ADD", [step, graph.constant(np.int32(1))], [([], np.int32)], options("Add"))
        if kind == "grow":
            row = graph.constant(np.float32([[1, 2]]))
            result = graph.op("CONCATENATION", [value, row], [(start, np.float32)], options("Concatenation", axis=0))
        else:
            number = graph.op("CAST", [step], [([], np.float32)], options("Cast", inDataType=2, outDataType=0))
            result = graph.op("ADD", [value, number], [(start, np.float32)], options("Add"))
        graph.output(next_step, result)
    graph = model.main
    inputs = [graph.input("from", [], np.int32), graph.input("x", start, np.float32)]
    graph.output(*graph.op("WHILE", inputs, [([], np.int32), (start, np.float32)], options("While", condSubgraphIndex=1, bodySubgraphIndex=2)))
    return model


@family
def control():
    x = random_array(rng("loop"), (1, 2), np.float32)
    for kind in ("sum", "grow"):
        for first in (0, 3, 9):
            yield case(f"while/{kind}_{first}", loop_model(kind, [1, 2], 7), np.int32(first), x)
    for known in (False, True):
        for truth in (False, True):
            model = Model()
            branches = [model.graph("then"), model.graph("else")]
            for graph, code in zip(branches, ("ADD", "MUL")):
                a, b = graph.input("a", [2], np.float32), graph.input("b", [2], np.float32)
                graph.output(graph.op(code, [a, b], [([2], np.float32)], options("Add" if code == "ADD" else "Mul")))
            graph = model.main
            condition = graph.constant(np.array(truth)) if known else graph.input("c", [], bool)
            a = graph.input("a", [2], np.float32)
            b = graph.constant(np.float32([3, 4]))
            graph.output(graph.op("IF", [condition, a, b], [([2], np.float32)], options("If", thenSubgraphIndex=1, elseSubgraphIndex=2)))
            feeds = [np.float32([1, 2])] if known else [np.array(truth), np.float32([1, 2])]
            yield case(f"if/{known}_{truth}", model, *feeds)


def variable_model(init, looped=False):
    """Adds the input to a variable, and gives what is in it then; with `looped` three times over."""
    model = Model()
    setup = model.graph("init") if init else None
    handle = lambda graph: graph.op("VAR_HANDLE", [], [([1], "resource")], options("VarHandle", container="", sharedName="sum"))
    if init:
        setup.op("ASSIGN_VARIABLE", [handle(setup), setup.constant(np.float32([10, 20]))], [], options("AssignVariable"))
    graph = model.main
    x = graph.input("x", [2], np.float32)
    if init:
        graph.op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1))

    def step(graph, x):
        at = handle(graph)
        before = graph.op("READ_VARIABLE", [at], [([2], np.float32)], options("ReadVariable"))
        after = graph.op("ADD", [before, x], [([2], np.float32)], options("Add"))
        graph.op("ASSIGN_VARIABLE", [at, after], [], options("AssignVariable"))
        return after

    if looped:
        condition, body = model.graph("condition"), model.graph("body")
        for inner in (condition, body):
            count, value = inner.input("count", [], np.int32), inner.input("value", [2], np.float32)
            if inner is condition:
                inner.output(inner.op("LESS", [count, inner.constant(np.int32(3))], [([], bool)]))
            else:
                step(inner, value)
                inner.output(inner.op("ADD", [count, inner.constant(np.int32(1))], [([], np.int32)], options("Add")), value)
        first = len(model.graphs) - 2
        graph.op("WHILE", [graph.constant(np.int32(0)), x], [([], np.int32), ([2], np.float32)], options("While", condSubgraphIndex=first, bodySubgraphIndex=first + 1))
    graph.output(step(graph, x))
    return model


@family
def variables():
    x = np.float32([1, 2.5])
    yield case("variables/from_init", variable_model(True), x)
    yield case("variables/in_loop", variable_model(True, True), x)
    model = Model()
    setup, graph = model.graph("init"), model.main
    table = lambda graph: graph.op("HASHTABLE", [], [([1], "resource")], options("Hashtable", tableId=4, keyDtype=4, valueDtype=5))
    setup.op("HASHTABLE_IMPORT", [table(setup), setup.constant(np.int64([1, 3])), setup.constant(np.array([b"a", b"b"], object))], [], options("HashtableImport"))
    keys = graph.input("keys", [3], np.int64)
    graph.op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1))
    at = table(graph)
    graph.output(graph.op("HASHTABLE_FIND", [at, keys, graph.constant(np.array([b"?"], object))], [([3], "string")], options("HashtableFind")))
    graph.output(graph.op("HASHTABLE_SIZE", [at], [([1], np.int64)], options("HashtableSize")))
    yield case("variables/table", model, np.int64([3, 2, 1]))


def lstm_inputs(graph, random, x, units, out, quantize, coupled=False, peephole=False, projection=False, norms=False):
    """The inputs 1 to 17 of an LSTM, and its layer norms."""

    def weight(*shape):
        if quantize and len(shape) == 2:
            return graph.constant(random.integers(-127, 128, shape).astype(np.int8), Grid(0.008, 0))
        if quantize == "peephole":
            return graph.constant(random.integers(-127, 128, shape).astype(np.int8), Grid(0.008, 0))
        return graph.constant(random.uniform(-1, 1, shape).astype(np.float32))

    gates = [weight(units, x) for _ in range(4)], [weight(units, out) for _ in range(4)]
    peepholes = [weight(units) if peephole else None for _ in range(3)]
    biases = [graph.constant(random.uniform(-0.5, 1, units).astype(np.float32)) for _ in range(4)]
    if coupled:
        gates[0][0] = gates[1][0] = peepholes[0] = biases[0] = None
    project = [weight(out, units), graph.constant(random.uniform(-0.5, 1, out).astype(np.float32))] if projection else [None, None]
    coefficients = [graph.constant(random.uniform(0.5, 1.5, units).astype(np.float32)) if norms else None for _ in range(4)]
    if coupled:
        coefficients[0] = None
    return gates[0] + gates[1] + peepholes + biases + project, coefficients


@family
def recurrent():
    variants = {"plain": {}, "coupled": dict(coupled=True), "peephole": dict(peephole=True), "coupled_peephole": dict(coupled=True, peephole=True),
                "projection": dict(projection=True), "norms": dict(norms=True), "all": dict(peephole=True, projection=True, norms=True), "clips": dict(projection=True)}
    time, batch, size, units = 5, 2, 3, 4
    for name, more in variants.items():
        for quantize in (False, True):
            if quantize and more.get("peephole"):
                continue
            for time_major in (True, False):
                for asymmetric in ((False, True) if quantize else (False,)):
                    random = rng(name)
                    model = Model()
                    graph = model.main
                    shape = [time, batch, size] if time_major else [batch, time, size]
                    x = graph.input("x", shape, np.float32)
                    out = 3 if more.get("projection") else units
                    weights, norms = lstm_inputs(graph, random, size, units, out, quantize, **more)
                    h, c = graph.tensor("h", [batch, out], np.float32, variable=True), graph.tensor("c", [batch, units], np.float32, variable=True)
                    clips = dict(cellClip=0.6, projClip=0.4) if name == "clips" else {}
                    table = options("UnidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=time_major, asymmetricQuantizeInputs=asymmetric, **clips)
                    inputs = [x, *weights, h, c] + (norms if more.get("norms") else [])
                    graph.output(graph.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [([*shape[:2], out], np.float32)], table, version=1))
                    yield case(f"sequence_lstm/{name}_{quantize}_{time_major}_{asymmetric}", model, random.uniform(-1, 1, shape).astype(np.float32))
    for merge in (True, False):
        for time_major in (True, False):
            random = rng("both")
            model = Model()
            graph = model.main
            shape = [time, batch, size] if time_major else [batch, time, size]
            x = graph.input("x", shape, np.float32)
            forward, _ = lstm_inputs(graph, random, size, units, units, False)
            backward, _ = lstm_inputs(graph, random, size, units, units, False)
            states = [graph.tensor(n, [batch, units], np.float32, variable=True) for n in ("fh", "fc", "bh", "bc")]
            table = options("BidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=time_major, mergeOutputs=merge)
            outs = [([*shape[:2], 2 * units], np.float32)] if merge else [([*shape[:2], units], np.float32)] * 2
            made = graph.op("BIDIRECTIONAL_SEQUENCE_LSTM", [x, *forward, *backward, *states] + [None] * 9, outs, table, version=1)
            graph.output(*(made if isinstance(made, list) else [made]))
            # With the batch first LiteRT's kernel reads memory that nobody wrote.
            if time_major:
                yield case(f"both_lstm/{merge}_{time_major}", model, random.uniform(-1, 1, shape).astype(np.float32))
            for activation in (1, 4):
                model = Model()
                graph = model.main
                x = graph.input("x", shape, np.float32)
                layers = []
                for n in ("f", "b"):
                    layers += [graph.constant(random.uniform(-1, 1, (units, size)).astype(np.float32)), graph.constant(random.uniform(-1, 1, (units, units)).astype(np.float32)),
                               graph.constant(random.uniform(-1, 1, units).astype(np.float32)), graph.tensor(n, [batch, units], np.float32, variable=True)]
                table = options("BidirectionalSequenceRNN", fusedActivationFunction=activation, timeMajor=time_major, mergeOutputs=merge)
                made = graph.op("BIDIRECTIONAL_SEQUENCE_RNN", [x, *layers, None, None, None], outs, table)
                graph.output(*(made if isinstance(made, list) else [made]))
                yield case(f"both_rnn/{merge}_{time_major}_{activation}", model, random.uniform(-1, 1, shape).astype(np.float32))
    for code in ("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"):
        for time_major in (True, False):
            for activation in (1, 3, 4):
                for quantize in (False, True):
                    random = rng(code)
                    model = Model()
                    graph = model.main
                    shape = [batch, size] if code == "RNN" else [time, batch, size] if time_major else [batch, time, size]
                    x = graph.input("x", shape, np.float32)
                    grid = Grid(0.008, 0) if quantize else None
                    array = lambda *s: random.integers(-127, 128, s).astype(np.int8) if quantize else random.uniform(-1, 1, s).astype(np.float32)
                    inputs = [x, graph.constant(array(units, size), grid), graph.constant(array(units, units), grid),
                              graph.constant(random.uniform(-1, 1, units).astype(np.float32)), graph.tensor("h", [batch, units], np.float32, variable=True)]
                    table = options("RNN", fusedActivationFunction=activation) if code == "RNN" else options("SequenceRNN", fusedActivationFunction=activation, timeMajor=time_major)
                    graph.output(graph.op(code, inputs, [([*shape[:-1], units], np.float32)], table, version=2 if quantize else 1))
                    yield case(f"{code.lower()}/{time_major}_{activation}_{quantize}", model, random.uniform(-1, 1, shape).astype(np.float32))
    for kind in (0, 1):
        random = rng("lstm")
        model = Model()
        graph = model.main
        x = graph.input("x", [batch, size], np.float32)
        table = options("LSTM", fusedActivationFunction=4, kernelType=kind)
        if kind == 0:
            weights, _ = lstm_inputs(graph, random, size, units, units, False)
            h, c = graph.tensor("h", [batch, units], np.float32, variable=True), graph.tensor("c", [batch, units], np.float32, variable=True)
            graph.output(graph.op("LSTM", [x, *weights, h, c], [([batch, units], np.float32)], table))
            feeds = []
        else:
            h, c = graph.input("h", [batch, units], np.float32), graph.input("c", [batch, units], np.float32)
            w, b = graph.constant(random.uniform(-1, 1, (4 * units, size + units)).astype(np.float32)), graph.constant(random.uniform(-1, 1, 4 * units).astype(np.float32))
            made = graph.op("LSTM", [x, h, w, b, c], [([batch, units], np.float32), ([batch, units], np.float32), ([batch, size + units], np.float32), ([batch, 4 * units], np.float32)], table, version=2)
            graph.output(made[0], made[1])
            feeds = [random.uniform(-1, 1, (batch, units)).astype(np.float32) for _ in range(2)]
        yield case(f"lstm/{kind}", model, random.uniform(-1, 1, (batch, size)).astype(np.float32), *feeds)
    for quantize in (False, True):
        for rank in (1, 2):
            random = rng("svdf")
            model = Model()
            graph = model.main
            filters, memory = 4, 5
            x = graph.input("x", [batch, size], np.float32)
            grid = Grid(0.008, 0) if quantize else None
            array = lambda *s: random.integers(-127, 128, s).astype(np.int8) if quantize else random.uniform(-1, 1, s).astype(np.float32)
            inputs = [x, graph.constant(array(filters, size), grid), graph.constant(array(filters, memory), grid), graph.constant(random.uniform(-1, 1, filters // rank).astype(np.float32)),
                      graph.tensor("memory", [batch, filters * memory], np.float32, variable=True)]
            graph.output(graph.op("SVDF", inputs, [([batch, filters // rank], np.float32)], options("SVDF", rank=rank, fusedActivationFunction=1), version=2))
            yield case(f"svdf/{rank}_{quantize}", model, random.uniform(-1, 1, (batch, size)).astype(np.float32))


@family
def customs():
    from flatbuffers import flexbuffers

    random = rng("postprocess")
    count, classes = 30, 3
    anchors = np.concatenate([random.uniform(0, 1, (count, 2)), random.uniform(0.1, 0.4, (count, 2))], 1).astype(np.float32)
    for regular in (False, True):
        for background in (0, 1):
            for per_box in (1, 2):
                if regular and per_box > 1:
                    continue
                table = dict(max_detections=6, max_classes_per_detection=per_box, detections_per_class=4, num_classes=classes, nms_score_threshold=0.1,
                             nms_iou_threshold=0.4, y_scale=10.0, x_scale=10.0, h_scale=5.0, w_scale=5.0, use_regular_nms=regular)
                places = 6 * per_box
                encodings = random.uniform(-1, 1, (1, count, 4)).astype(np.float32)
                scores = random.permutation(count * (classes + background)).reshape(1, count, -1).astype(np.float32) / (count * (classes + background))
                yield one_op(f"{regular}_{background}_{per_box}", "custom:TFLite_Detection_PostProcess", [encodings, scores, anchors],
                             [((1, places, 4), np.float32), ((1, places), np.float32), ((1, places), np.float32), ((1,), np.float32)],
                             constants=(2,), custom_options=bytes(flexbuffers.Dumps(table)))
    x = random_array(rng("custom"), (2, 3), np.float32)
    yield one_op("compiled", "custom:edgetpu-custom-op", [x], [((2, 3), np.float32)], custom_options=b"x", refused="give the file that it was compiled from")
    yield one_op("unknown", "custom:FlexErf", [x], [((2, 3), np.float32)], custom_options=b"x", refused="FlexErf is an operator of tflite")
    yield one_op("unused_option", "ADD", [x, x], [((2, 3), np.float32)], options("Pool2D", strideH=2), refused="its options are Pool2DOptions")
