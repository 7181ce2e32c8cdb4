"""Sparse weights, dense again at run time."""

import numpy as np

from tflite_build import Model, schema
from tflite_cases import family, model_case, random_array, rng

VECTORS = {"Int32": np.int32, "Uint16": np.uint16, "Uint8": np.uint8}


def vector(kind, values):
    table = getattr(schema, f"{kind}VectorT")()
    table.values = np.array(values, VECTORS[kind])
    return getattr(schema.SparseIndexVector, f"{kind}Vector"), table


def dense(size):
    level = schema.DimensionMetadataT()
    level.format, level.denseSize = schema.DimensionType.DENSE, size
    return level


def compressed(segments, indices, kind):
    level = schema.DimensionMetadataT()
    level.format = schema.DimensionType.SPARSE_CSR
    level.arraySegmentsType, level.arraySegments = vector(kind, segments)
    level.arrayIndicesType, level.arrayIndices = vector(kind, indices)
    return level


def sparse_case(name, shape, values, order, levels, block_map=()):
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder, sparsity.blockMap, sparsity.dimMetadata = list(order), list(block_map), levels
    model = Model()
    graph = model.main
    x = graph.input("x", shape, np.float32)
    weights = graph.constant(values)
    graph.table.tensors[weights].shape, graph.table.tensors[weights].sparsity = list(shape), sparsity
    made = graph.op("DENSIFY", [weights], [(shape, values.dtype)])
    if values.dtype != np.float32:
        made = graph.op("CAST", [made], [(shape, np.float32)])
    graph.output(graph.op("SUB", [x, made], [(shape, np.float32)]))
    return model_case(f"densify/{name}", model, random_array(rng(name), shape, np.float32))


@family
def sparse():
    for kind in VECTORS:
        values = np.float32([1.5, -2, 3, 0.25, 7])
        levels = [dense(4), compressed([0, 2, 2, 4, 5], [1, 5, 0, 3, 2], kind)]
        yield sparse_case(f"rows_{kind}", (4, 6), values, (0, 1), levels)
    columns = [dense(6), compressed([0, 1, 1, 3, 3, 4, 5], [3, 0, 2, 1, 3], "Int32")]
    yield sparse_case("columns", (4, 6), np.float32([1.5, -2, 3, 0.25, 7]), (1, 0), columns)
    blocks = [dense(3), compressed([0, 1, 1, 3], [1, 0, 1], "Int32"), dense(4)]
    yield sparse_case("blocks", (3, 8), np.arange(1, 13).astype(np.float32), (0, 1, 2), blocks, (1,))
    squares = [dense(2), compressed([0, 1, 3], [1, 0, 2], "Int32"), dense(2), dense(2)]
    yield sparse_case("squares", (4, 6), np.arange(1, 13).astype(np.float32), (0, 1, 2, 3), squares, (0, 1))
