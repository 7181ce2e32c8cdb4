"""What goes over an axis: reductions, sorting, normalizing."""

import numpy as np

from tflite_cases import SMALL, codes, family, grid_for, one_op, random_array, rng
from tflite_build import Grid, options


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
