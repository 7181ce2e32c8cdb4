"""What gives elements other places, and what makes them."""

import numpy as np

from tflite_cases import SMALL, codes, family, grid_for, one_op, random_array, rng
from tflite_build import Grid, options


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
def broadcast_args():
    for dtype in (np.int32, np.int64):
        for a, b in (([3, 1, 4], [1, 5, 4]), ([4], [2, 3, 1]), ([2, 1], [3]), ([1, 0], [0])):
            size = max(len(a), len(b))
            for constants in ((), (0,), (0, 1)):
                yield one_op(f"{np.dtype(dtype).name}_{a}_{b}_{len(constants)}".replace(" ", ""), "BROADCAST_ARGS", [np.array(a, dtype), np.array(b, dtype)], [((size,), dtype)], constants=constants)


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
