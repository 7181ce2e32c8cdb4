"""Convolutions, pooling and resizing."""

import numpy as np

from tflite_cases import SMALL, codes, family, grid_for, one_op, random_array, rng
from tflite_build import Grid, options


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
