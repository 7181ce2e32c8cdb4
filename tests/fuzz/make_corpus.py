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
