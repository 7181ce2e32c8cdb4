"""Functions element by element, of one operand and of two, and casts."""

import numpy as np

from tflite_cases import QUANTIZED, SMALL, codes, family, grid_for, one_op, random_array, rng
from tflite_build import Grid, options


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
        # All places of the type, more than it has, and fewer than none.
        bits = 8 * np.dtype(dtype).itemsize
        x = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max, 5], dtype)[:, None]
        y = np.array([0, 1, bits - 2, bits - 1, bits, 100] + [-1, -5] * (np.dtype(dtype).kind == "i"), dtype)
        yield one_op(f"{np.dtype(dtype).name}_edges", "RIGHT_SHIFT", [x, y], [((3, len(y)), dtype)], exact=True)
    x, y = random_array(rng("atan"), (3, 40), np.float32), random_array(rng("atan2"), (3, 40), np.float32)
    yield one_op("f32", "ATAN2", [x, y], [((3, 40), np.float32)])
    yield one_op("edges", "ATAN2", [np.float32([0, 0, 1, -1, 0.0, -0.0]), np.float32([1, -1, 0, 0, 0, -1])], [((6,), np.float32)])


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
    # Between grids 32 bits have one, too.
    wide = np.int32([20, -10, 1000, 14, 0, -77, 3])
    for zero in (0, 5):
        yield one_op(f"int32_int8_{zero}", "QUANTIZE", [(wide, Grid(0.25, zero))], [(wide.shape, np.int8, Grid(0.5, 3))], options("Quantize"), version=2)
        yield one_op(f"int32_int16_{zero}", "QUANTIZE", [(wide, Grid(0.25, zero))], [(wide.shape, np.int16, Grid(0.125))], options("Quantize"), version=2)
        yield one_op(f"int16_int32_{zero}", "QUANTIZE", [(wide.astype(np.int16), Grid(0.25))], [(wide.shape, np.int32, Grid(0.025, zero))], options("Quantize"), version=3)
    half = np.float16([0.5, -1.25, 65504, 1e-7])
    yield one_op("float16", "DEQUANTIZE", [half], [((4,), np.float32)], options("Dequantize"), constants=(0,), version=3)
    per_channel = codes(rng("pc"), (3, 4), "int8")
    yield one_op("per_channel", "DEQUANTIZE", [(per_channel, Grid([0.1, 0.2, 0.3], 0))], [((3, 4), np.float32)], options("Dequantize"), constants=(0,), version=5)
    for narrow in (False,):
        for bits in (4, 8):
            yield one_op(f"{bits}_{narrow}", "FAKE_QUANT", [random_array(rng("fake"), (3, 50), np.float32, -3, 4)], [((3, 50), np.float32)], options("FakeQuant", min=-1.3, max=2.1, numBits=bits, narrowRange=narrow), version=2)
    for a, b, shape, out in ((np.float32, np.int32, (3,), (3,)), (np.int32, np.float32, (3,), (3,)), (np.int16, np.int32, (3, 2), (3,)), (np.int32, np.int16, (3,), (3, 2))):
        yield one_op(f"{np.dtype(a).name}_{np.dtype(b).name}", "BITCAST", [random_array(rng("bc"), shape, a)], [(out, b)], options("Bitcast"))
