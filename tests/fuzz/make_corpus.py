"""Writes tests/fuzz/corpus: a few small inputs of each parser, that fuzzers start from.

python tests/fuzz/make_corpus.py
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "oracle"))

import bad_models
import tflite_build
from tflite_build import Grid
from bad_models import build, info


def npy(array):
    memory = io.BytesIO()
    np.save(memory, array)
    return memory.getvalue()


def npz(packed, **arrays):
    memory = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(memory, **arrays)
    return memory.getvalue()


def with_comment():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        file.comment = b"PK\5\6 is no end"
        file.writestr("a/b.npy", npy(np.arange(3, dtype=np.int8)))
        file.writestr("empty.npy", npy(np.zeros((0, 2), np.float16)), zipfile.ZIP_DEFLATED)
    return memory.getvalue()


def branches():
    branch = lambda name, op: helper.make_graph([helper.make_node(op, ["x"], [name])], name, [], [info(name, None)])
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["y"], then_branch=branch("a", "Relu"), else_branch=branch("b", "Neg")),
    ]
    return build(nodes, [info("x", ["N", 3])], [info("y", ["N", 3])], [numpy_helper.from_array(np.float32(0), "zero")])


def loop():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["carried", "step_value"], ["next"]),
            helper.make_node("Identity", ["going"], ["goes_on"]),
        ],
        "body",
        [info("step", [], TensorProto.INT64), info("going", [], TensorProto.BOOL), info("carried", [2])],
        [info("goes_on", [], TensorProto.BOOL), info("next", [2]), info("next", [2])],
        [numpy_helper.from_array(np.float32([1, 2]), "step_value")],
    )
    nodes = [helper.make_node("Loop", ["count", "", "x"], ["last", "all"], body=body)]
    return build(nodes, [info("count", [], TensorProto.INT64), info("x", [2])], [info("last", [2]), info("all", None)])


def shape_arithmetic():
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one"], ["batch"]),
        helper.make_node("Concat", ["batch", "minus"], ["to"], axis=0),
        helper.make_node("Reshape", ["x", "to"], ["flat"]),
        helper.make_node("Tile", ["flat", "repeats"], ["y"]),
    ]
    ints = {"zero": [0], "one": [1], "minus": [-1], "repeats": [1, 2]}
    weights = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in ints.items()]
    return build(nodes, [info("x", ["N", 3, "M"])], [info("y", None)], weights)


def convolution():
    weights = {"w": np.linspace(-1, 1, 4 * 2 * 3 * 3).reshape(4, 2, 3, 3), "b": np.array([0.1, -0.2, 0.3, 0.5])}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Flatten", ["g"], ["y"]),
    ]
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    return build(nodes, [info("x", [1, 2, 9, 8])], [info("y", [1, 4])], constants)


def quantized():
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    constants = [numpy_helper.from_array(np.float32(0.1), "scale"), numpy_helper.from_array(np.uint8(3), "zero")]
    return build(nodes, [info("x", [2, 3])], [info("y", [2, 3])], constants)


def sparse():
    values = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.5, -2])
    indices = helper.make_tensor("i", TensorProto.INT64, [2, 2], [0, 1, 2, 0])
    model = helper.make_model(
        helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "sparse", [info("x", [3, 2])], [info("y", [3, 2])],
                          sparse_initializer=[helper.make_sparse_tensor(values, indices, [3, 2])])
    )
    return model.SerializeToString()


def strings():
    texts = numpy_helper.from_array(np.array(["a", "bc", ""], object), "t")
    nodes = [helper.make_node("StringConcat", ["x", "t"], ["j"]), helper.make_node("StringNormalizer", ["j"], ["y"], case_change_action="UPPER")]
    return build(nodes, [info("x", [3], TensorProto.STRING)], [info("y", None, TensorProto.STRING)], [texts], opset=20)


def tflite_convolution():
    model = tflite_build.Model("a convolution")
    graph = model.main
    x = graph.input("image", [1, 6, 5, 2], np.int8, Grid(0.05, 3), signature=[-1, 6, 5, 2])
    w = graph.constant(np.arange(-54, 54).reshape(6, 3, 3, 2).astype(np.int8), Grid(np.linspace(0.01, 0.06, 6), 0))
    b = graph.constant(np.arange(6).astype(np.int32) * 100, Grid(0.05 * np.linspace(0.01, 0.06, 6), 0))
    options = tflite_build.options("Conv2D", strideH=2, strideW=1, fusedActivationFunction=3)
    y = graph.op("CONV_2D", [x, w, b], [([1, 3, 5, 6], np.int8, Grid(0.1, -128))], options, version=3)
    shape = graph.constant(np.int32([-1, 90]))
    flat = graph.op("RESHAPE", [y, shape], [([1, 90], np.int8, Grid(0.1, -128))])
    graph.output(graph.op("DEQUANTIZE", [flat], [([1, 90], np.float32)], version=2))
    model.signature("serving_default", {"x": x}, {"y": graph.table.outputs[0]})
    model.metadata("min_runtime_version", b"2.3.0".ljust(16, b"\0"))
    return model.bytes() + npz(False, labels=np.array([b"cat", b"dog"]))


def tflite_loop():
    model = tflite_build.Model()
    condition, body = model.graph("condition"), model.graph("body")
    for graph in (condition, body):
        step, value = graph.input("step", [], np.int32), graph.input("value", [2], np.float32)
        if graph is condition:
            graph.output(graph.op("LESS", [step, graph.constant(np.int32(3))], [([], bool)]))
        else:
            add = tflite_build.options("Add")
            graph.output(graph.op("ADD", [step, graph.constant(np.int32(1))], [([], np.int32)], add))
            graph.output(graph.op("ADD", [value, value], [([2], np.float32)], add))
    graph = model.main
    inputs = [graph.input("from", [], np.int32), graph.input("x", [2], np.float32)]
    loop = tflite_build.options("While", condSubgraphIndex=1, bodySubgraphIndex=2)
    graph.output(*graph.op("WHILE", inputs, [([], np.int32), ([2], np.float32)], loop))
    return model.bytes()


def tflite_sparse():
    """Rows compressed: [[0, 1.5, 0], [0, 0, 0], [-2, 0, 3]]."""
    schema = tflite_build.schema
    model = tflite_build.Model()
    graph = model.main
    w = graph.tensor("w", [3, 3], np.float32, buffer=model.buffer(np.float32([1.5, -2, 3]).tobytes()))
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize = 0, 3
    columns.format = 1
    for name, values in (("Segments", [0, 1, 1, 3]), ("Indices", [1, 0, 2])):
        vector = schema.Uint8VectorT()
        vector.values = np.uint8(values)
        setattr(columns, f"array{name}Type", schema.SparseIndexVector.Uint8Vector)
        setattr(columns, f"array{name}", vector)
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder, sparsity.dimMetadata = [0, 1], [rows, columns]
    graph.table.tensors[w].sparsity = sparsity
    dense = graph.op("DENSIFY", [w], [([3, 3], np.float32)])
    x = graph.input("x", [3, 3], np.float32)
    graph.output(graph.op("ADD", [x, dense], [([3, 3], np.float32)], tflite_build.options("Add")))
    return model.bytes()


def tflite_strings():
    model = tflite_build.Model()
    graph = model.main
    table = graph.constant(np.array(["a", "bc", ""], object))
    at = graph.input("at", [2], np.int32)
    graph.output(graph.op("GATHER", [table, at], [([2], "string")], tflite_build.options("Gather")))
    x = graph.input("x", [3], np.float32)
    graph.output(graph.op("custom:Mine", [x, None], [([3], np.float32)], custom_options=b"\1\2\3"))
    half = graph.constant(np.float16([0.5, 1.5, -2]))
    wide = graph.op("DEQUANTIZE", [half], [([3], np.float32)])
    graph.output(graph.op("MUL", [x, wide], [([3], np.float32)], tflite_build.options("Mul", fusedActivationFunction=1)))
    return model.bytes()


GRAPH = b"""graph main(x: f32[N, 3], ids: i64[N]) {
  w: f32[3, 4] = const [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
  b: f32[4] = splat 0.5
  r: f32[4, N] = random 7
  m = matmul(x, w)
  y = add(m, b) # 'dense_1'
  "z/0" = softmax(y) {axis: -1}
  return "z/0", sums: y
}
"""

CORPUS = {
    "protobuf": {"model": bad_models.good(), "graph": branches()},
    "npy": {
        "f4": npy(np.float32([[1, 2, 3], [4, 5, 6]])),
        "fortran": npy(np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3))),
        "big_endian": npy(np.arange(4, dtype=">u2")),
        "texts": npy(np.array(["a", "bc", "\u00e9\U0001f600"])),
        "bytes": npy(np.array([b"ab", b"c"])),
        "scalar": npy(np.complex64(1 + 2j)),
    },
    "npz": {
        "stored": npz(False, x=np.float32([1, 2]), t=np.array(["q"])),
        "packed": npz(True, x=np.zeros((8, 8), np.int64)),
        "comment": with_comment(),
    },
    "json": {
        "typed": b'{"a": [1, -2.5e3, true, null, "t\\u00e9\\n"], "b": {}, "c": []}',
        "tolerant": b'\xef\xbb\xbf// line\n{"a": 1, /* inner */ "b": [2,],} # end\n',
    },
    "jobs": {
        "one": b'{"convert_from": "a.h5", "convert_to": "b.onnx", "onnx_opset": "11", "input_shape": "1,3,8,8"}',
        "list": b'[{"convert_from": "a", "convert_to": "b.tflite", "skip": "True", "input_nodes": "x:0,y", '
        b'"quantization": {"optimization": "default", "type": "int8", "load": "data.npz"}, "frozen": false},]',
    },
    "ir_text": {"graph": GRAPH, "empty": b"graph g() {\n  return\n}\n"},
    "tflite": {
        builder.__name__[len("tflite_") :]: builder()
        for builder in (tflite_convolution, tflite_loop, tflite_sparse, tflite_strings)
    },
    "onnx": {
        builder.__name__: builder()
        for builder in (branches, loop, shape_arithmetic, convolution, quantized, sparse, strings, bad_models.two_layers, bad_models.recursive_function)
    },
}

for target, inputs in CORPUS.items():
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (folder / name).write_bytes(data)
