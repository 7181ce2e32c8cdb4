"""Products of matrices."""

import numpy as np

from tflite_cases import SMALL, codes, family, grid_for, model_case, one_op, random_array, rng
from tflite_build import Blocks, Model, Grid, options


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
    for grid in (None, Grid(0.5, 3)):
        operands = [codes(random, (2, 3, 40), "int8"), codes(random, (2, 40, 5), "int8")]
        yield one_op(f"sums_{grid is not None}", "BATCH_MATMUL", [(x, grid) for x in operands], [((2, 3, 5), np.int32)], options("BatchMatMul"), version=2, exact=True)
    for asymmetric in (False, True):
        yield one_op(f"hybrid_{asymmetric}", "BATCH_MATMUL", [random_array(random, (2, 3, 4), np.float32), (q, Grid(0.02, 0))], [((2, 3, 5), np.float32)], options("BatchMatMul", asymmetricQuantizeInputs=asymmetric), constants=(1,), version=4)


@family
def blocks():
    """Weights of 4 bits with a scale for each block of a row."""
    random = rng("blocks")
    for rows, bias in ((1, False), (5, True)):
        model = Model()
        graph = model.main
        x = graph.input("x", [rows, 64])
        scales = graph.constant((random.uniform(0.5, 2, (6, 2)) / 8).astype(np.float16))
        weights = graph.constant(random.integers(-8, 8, (6, 64)).astype("int4"), Blocks(scales, 32))
        operands = [x, weights] + [graph.constant(random.uniform(-2, 2, 6).astype(np.float32))] * bias
        graph.output(graph.op("FULLY_CONNECTED", operands, [([rows, 6], np.float32)], options("FullyConnected"), version=13))
        # The reference kernel leaves the products out.
        yield model_case(f"blocks/{rows}", model, random.uniform(-2, 2, (rows, 64)).astype(np.float32), reference=False)
    for dtype, high, refused in (("int4", 8, ""), ("int2", 2, ""), ("int8", 128, "is i8, which no kernel takes in blocks")):
        model = Model()
        graph = model.main
        places = graph.input("places", [3], np.int32)
        scales = graph.constant((random.uniform(0.5, 2, (6, 2)) / 8).astype(np.float16))
        table = graph.constant(random.integers(-high, high, (6, 64)).astype(dtype), Blocks(scales, 32))
        graph.output(graph.op("EMBEDDING_LOOKUP", [places, table], [([3, 64], np.float32)], version=4))
        yield model_case(f"blocks/embedding_{dtype}", model, np.int32([5, 0, 2]), refused=refused)
