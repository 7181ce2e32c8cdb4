"""Models and other files with something wrong in them, by name, for the table of messages.

Each function returns the bytes of a file, or a dict of file name to bytes; `FILE` in a name stands for the name that
the table gives.
"""

import io
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def info(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def build(nodes, inputs=(), outputs=(), initializers=(), opset=17, functions=(), domains=()):
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), list(initializers))
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    model.ir_version = 8
    return model.SerializeToString()


def one_node(op_type, inputs, outputs=("y",), name="bad", **attributes):
    shapes = {"x": [2, 3], "z": [4, 5]}
    used = [info(n, shapes[n]) for n in ("x", "z") if n in inputs]
    return build(
        [helper.make_node(op_type, list(inputs), list(outputs), name=name, **attributes)],
        used,
        [info(o, None) for o in outputs if o],
    )


def good():
    return one_node("Relu", ["x"], name="act")


def two_layers():
    """x [N, 3] -> matmul -> hidden -> relu -> y, and ids [2] -> out 'picked'."""
    weight = numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(3, 4) / 10, "weight")
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["hidden"], name="dense"),
        helper.make_node("Relu", ["hidden"], ["y"], name="act"),
        helper.make_node("Gather", ["weight", "ids"], ["picked"], name="lookup"),
    ]
    inputs = [info("x", ["N", 3]), info("ids", [2], INT64)]
    return build(nodes, inputs, [info("y", ["N", 4]), info("picked", [2, 4])], [weight])


def behind_unknown():
    """A layer that can be read behind one that cannot."""
    nodes = [
        helper.make_node("Frobnicate", ["x"], ["strange"], name="odd"),
        helper.make_node("Relu", ["strange"], ["y"], name="act"),
    ]
    return build(nodes, [info("x", [2, 3])], [info("y", [2, 3])])


def unknown_operator():
    return one_node("Frobnicate", ["x"])


def too_many_inputs():
    return one_node("Relu", ["x", "x"])


def too_few_inputs():
    return one_node("MatMul", ["x"])


def bad_axis():
    return one_node("Softmax", ["x"], axis=5)


def bad_broadcast():
    return one_node("Add", ["x", "z"])


def bad_matmul():
    return one_node("MatMul", ["x", "z"])


def bad_concat():
    return one_node("Concat", ["x", "z"], axis=0)


def unknown_attribute():
    return one_node("Relu", ["x"], sharpness=3)


def missing_attribute():
    return one_node("Cast", ["x"])


def attribute_of_wrong_type():
    return one_node("LeakyRelu", ["x"], alpha="steep")


def microsoft(op_type, shapes, **attributes):
    """One operator of ONNX Runtime's own domain."""
    inputs = [info(f"x{i}", shape, INT64 if i == 1 and op_type == "RotaryEmbedding" else FLOAT) for i, shape in enumerate(shapes)]
    inputs = [value for value, shape in zip(inputs, shapes) if shape]
    names = [f"x{i}" if shape else "" for i, shape in enumerate(shapes)]
    node = helper.make_node(op_type, names, ["y"], name="bad", domain="com.microsoft", **attributes)
    return build([node], inputs, [info("y", None)], domains=("com.microsoft",))


def rotary(**attributes):
    return microsoft("RotaryEmbedding", ([2, 3, 8], [2, 3], [9, 2], [9, 2]), num_heads=2, **attributes)


def rotary_of_packed_batches():
    return rotary(is_packed_batching=1)


def rotary_with_scale():
    return rotary(scale=0.5)


def attention(*more, **attributes):
    return microsoft("Attention", ([2, 4, 6], [6, 24], [24], None, [2, 2, 2, 3, 4], *more), num_heads=2, **attributes)


def attention_with_a_past_of_given_length():
    return attention(None, [1])


def heads_with_a_past_of_given_length():
    return microsoft("MultiHeadAttention", ([2, 3, 8], [2, 5, 8], [2, 5, 8], *[None] * 5, [1]), num_heads=2)


def heads_with_a_cache_indirection():
    return microsoft("MultiHeadAttention", ([2, 3, 8], [2, 5, 8], [2, 5, 8], *[None] * 6, [2, 1, 9]), num_heads=2)


def product_with_a_group_index():
    return microsoft("MatMulNBits", ([3, 32], [6, 2, 8], [6, 2], None, [32]), K=32, N=6, bits=4, block_size=16)


def attention_that_rotates():
    return attention(do_rotary=1)


def attention_with_a_shared_past():
    return attention(past_present_share_buffer=1)


def cycle():
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ]
    return build(nodes, [info("x", [2])], [info("b", [2])])


def own_input():
    return build([helper.make_node("Add", ["x", "y"], ["y"], name="ouroboros")], [info("x", [2])], [info("y", [2])])


def type_clash():
    return build(
        [helper.make_node("Add", ["x", "ids"], ["y"], name="bad")],
        [info("x", [2]), info("ids", [2], INT64)],
        [info("y", [2])],
    )


def output_never_computed():
    return build([helper.make_node("Relu", ["x"], ["y"], name="act")], [info("x", [2])], [info("nowhere", [2])])


def input_never_computed():
    return build([helper.make_node("Relu", ["ghost"], ["y"], name="act")], [info("x", [2])], [info("y", [2])])


def name_twice():
    nodes = [helper.make_node(op, ["x"], ["y"], name=op.lower()) for op in ("Relu", "Sigmoid")]
    return build(nodes, [info("x", [2])], [info("y", [2])])


def opset_from_the_future():
    return build([helper.make_node("Relu", ["x"], ["y"])], [info("x", [2])], [info("y", [2])], opset=99)


def younger_operator():
    return build(
        [helper.make_node("Mish", ["x"], ["y"], name="act")], [info("x", [2, 3])], [info("y", [2, 3])], opset=9
    )


def with_initializer(tensor):
    return build([helper.make_node("Relu", ["w"], ["y"], name="act")], [], [info("y", None)], [tensor])


def short_weight():
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    tensor.raw_data = tensor.raw_data[:20]
    return with_initializer(tensor)


def negative_size():
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.dims[0] = -4
    return with_initializer(tensor)


def unknown_element_type():
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.data_type = 99
    return with_initializer(tensor)


def external(location, length=64):
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    return with_initializer(tensor)


def weights_beside():
    """A model that keeps its weights in 'shared.data'."""
    model = onnx.load_from_string(large())
    tensor = model.graph.initializer[0]
    weights = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="shared.data")
    return {"FILE": model.SerializeToString(), "shared.data": weights}


def external_missing():
    return external("weights.bin")


def external_outside():
    return external("../secrets.bin")


def external_absolute():
    return external("/etc/passwd")


def external_short():
    return {"FILE": external("weights.bin"), "weights.bin": bytes(10)}


def external_nameless():
    return external("")


def two_minus_ones():
    shape = numpy_helper.from_array(np.array([-1, -1], np.int64), "shape")
    return build(
        [helper.make_node("Reshape", ["x", "shape"], ["y"], name="bad")], [info("x", [2, 3])], [info("y", None)], [shape]
    )


def impossible_reshape():
    shape = numpy_helper.from_array(np.array([4, -1], np.int64), "shape")
    return build(
        [helper.make_node("Reshape", ["x", "shape"], ["y"], name="bad")], [info("x", [2, 3])], [info("y", None)], [shape]
    )


def bad_conv():
    weight = numpy_helper.from_array(np.ones((8, 5, 3, 3), np.float32), "w")
    return build(
        [helper.make_node("Conv", ["image", "w"], ["y"], name="conv")],
        [info("image", [1, 3, 8, 8])],
        [info("y", None)],
        [weight],
    )


def recursive_function():
    body = [helper.make_node("Again", ["a"], ["b"], domain="local", name="call")]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    function = helper.make_function("local", "Again", ["a"], ["b"], body, imports)
    node = helper.make_node("Again", ["x"], ["y"], domain="local", name="start")
    return build([node], [info("x", [2])], [info("y", [2])], functions=[function], domains=["local"])


def map_input():
    value = onnx.ValueInfoProto(name="x")
    value.type.map_type.key_type = TensorProto.STRING
    value.type.map_type.value_type.tensor_type.elem_type = FLOAT
    return build([helper.make_node("Relu", ["x"], ["y"])], [value], [info("y", None)])


def several_problems():
    nodes = [
        helper.make_node("Frobnicate", ["x"], ["a"], name="one"),
        helper.make_node("Relu", ["a"], ["b"], name="silent"),
        helper.make_node("Softmax", ["x"], ["c"], name="two", axis=9),
        helper.make_node("Relu", ["x"], ["d"], name="three", sharpness=1),
    ]
    return build(nodes, [info("x", [2, 3])], [info(name, None) for name in "bcd"])


def without_graph():
    return onnx.ModelProto(ir_version=8, producer_name="nobody").SerializeToString() + bytes([0x42, 0x02, 0x10, 0x11])


def newer_than_nineteen():
    """Strings are joined by an operator that opset 20 brought, and by no other."""
    inputs = [info(name, [2], TensorProto.STRING) for name in "xz"]
    node = helper.make_node("StringConcat", ["x", "z"], ["y"], name="joined")
    return build([node], inputs, [info("y", [2], TensorProto.STRING)], opset=20)


def cancelling():
    """Rounds at a million what folding never makes so large: the result is better than the source, and differs."""
    weight = numpy_helper.from_array(np.ones((2, 1, 1, 1), np.float32), "w")
    bias = numpy_helper.from_array(np.full(2, 1e6, np.float32), "b")
    names = ("gain", "shift", "mean", "variance")
    values = (np.ones(2), np.zeros(2), np.full(2, 1e6), np.ones(2))
    norm = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in zip(names, values)]
    nodes = [
        helper.make_node("Conv", ["image", "w", "b"], ["c"], name="conv"),
        helper.make_node("BatchNormalization", ["c", *names], ["y"], name="norm"),
    ]
    return build(nodes, [info("image", [1, 1, 8, 8])], [info("y", [1, 2, 8, 8])], [weight, bias, *norm])


# Files of other kinds.


def empty():
    return b""


def cut_short():
    return two_layers()[:150]


def not_a_model():
    return b"Lorem ipsum dolor sit amet.\n"


def random_bytes():
    return np.random.default_rng(7).bytes(4096)


def hdf5():
    return b"\x89HDF\r\n\x1a\n" + bytes(88)


def tflite():
    return b"\x1c\x00\x00\x00TFL3" + bytes(56)


def ort():
    return b"\x1c\x00\x00\x00ORTM" + bytes(56)


def archive(*names):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name in names:
            file.writestr(name, b"{}")
    return memory.getvalue()


def keras():
    return archive("metadata.json", "config.json", "model.weights.h5")


def torch():
    return archive("model/data.pkl", "model/data/0", "model/version")


def npz():
    return archive("x.npy")


def saved_model():
    return {"FILE/saved_model.pb": b"\x08\x01\x12\x02\x0a\x00", "FILE/variables/variables.index": b""}


def tfjs():
    return b'{"format": "graph-model", "modelTopology": {}, "weightsManifest": []}'


def frozen_graph():
    return b"\x0a\x08\x0a\x01x\x12\x03Add"


def large():
    """Its weights are large enough for a file of their own."""
    weight = numpy_helper.from_array(np.arange(900, dtype=np.float32).reshape(3, 300) / 100, "w")
    return build([helper.make_node("MatMul", ["x", "w"], ["y"])], [info("x", [2, 3])], [info("y", [2, 300])], [weight])


def arrays(**values):
    memory = io.BytesIO()
    np.savez(memory, **values)
    return memory.getvalue()


def data():
    return arrays(x=np.ones((2, 3), np.float32))


def data_of_another_type():
    return arrays(x=np.ones((2, 3), np.float64))


def data_for_another():
    return arrays(other=np.zeros((2, 3), np.float32))


def data_of_another_shape():
    return arrays(x=np.zeros((2, 4), np.float32))
