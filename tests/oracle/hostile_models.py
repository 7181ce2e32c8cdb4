"""Models that are well-formed, and meant to take all time and memory there is. Each function gives a file's bytes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bad_models import INT64, build, info

HUGE = 1 << 62


def ints(name, values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def node(op, inputs, outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name=f"the_{op}", **attributes)


def sized(op, sizes, inputs=("x", "sizes"), shape=(2, 3), **attributes):
    """An operator that makes what its constant operand asks for."""
    used = [info("x", list(shape))] if "x" in inputs else []
    return build([node(op, inputs, **attributes)], used, [info("y", None)], [ints("sizes", sizes)])


def expand():
    return sized("Expand", [1 << 40, 2, 3])


def expand_beyond_64_bits():
    return sized("Expand", [HUGE, HUGE, 2, 3])


def constant_of_shape():
    return sized("ConstantOfShape", [1 << 20, 1 << 20, 1 << 10], ["sizes"])


def constant_of_negative_shape():
    return sized("ConstantOfShape", [-5], ["sizes"])


def tile():
    return sized("Tile", [1 << 40, 1 << 12])


def tile_beyond_64_bits():
    return sized("Tile", [HUGE, HUGE])


def tile_negative():
    return sized("Tile", [-1, 1])


def pad():
    return sized("Pad", [0, 0, HUGE, 1])


def pad_both_ends_beyond_64_bits():
    return sized("Pad", [HUGE, 0, HUGE, HUGE])


def pad_by_reflection():
    return sized("Pad", [0, 0, 1 << 40, 1], mode="reflect")


def reshape_beyond_64_bits():
    return sized("Reshape", [HUGE, HUGE])


def resize_to_sizes():
    return build(
        [node("Resize", ["x", "", "", "sizes"], mode="nearest")],
        [info("x", [1, 1, 4, 4])],
        [info("y", None)],
        [ints("sizes", [1, 1, 1 << 40, 1 << 15])],
    )


def resize_by_scales():
    scales = numpy_helper.from_array(np.float32([1, 1, 1e30, 1e30]), "scales")
    return build([node("Resize", ["x", "", "scales"])], [info("x", [1, 1, 4, 4])], [info("y", None)], [scales])


def range_of_constants():
    values = [ints("from", 0), ints("to", HUGE), ints("step", 1)]
    return build([node("Range", ["from", "to", "step"])], [], [info("y", None, INT64)], values)


def range_in_tiny_steps():
    reals = [numpy_helper.from_array(np.float64(value), name) for name, value in (("from", 0), ("to", 1), ("step", 1e-300))]
    return build([node("Range", ["from", "to", "step"])], [], [info("y", None, TensorProto.DOUBLE)], reals)


def range_of_nan():
    reals = [numpy_helper.from_array(np.float32(value), name) for name, value in (("from", 0), ("to", np.nan), ("step", 1))]
    return build([node("Range", ["from", "to", "step"])], [], [info("y", None)], reals)


def one_hot():
    constants = [ints("depth", 1 << 50), numpy_helper.from_array(np.float32([0, 1]), "values")]
    return build([node("OneHot", ["x", "depth", "values"])], [info("x", [4], INT64)], [info("y", None)], constants)


def eye():
    return build([node("EyeLike", ["x"])], [info("x", [1 << 30, 1 << 30])], [info("y", None)])


def huge_input():
    return build([node("Relu", ["x"])], [info("x", [1 << 40, 1 << 20])], [info("y", None)])


def outer_product():
    nodes = [
        helper.make_node("Unsqueeze", ["x", "one"], ["column"]),
        helper.make_node("Unsqueeze", ["x", "zero"], ["row"]),
        node("Mul", ["column", "row"]),
    ]
    return build(nodes, [info("x", [1 << 26])], [info("y", None)], [ints("zero", [0]), ints("one", [1])])


def many_large_values():
    """Each alone would fit; together they do not."""
    nodes = [helper.make_node("Expand", ["x", "sizes"], [f"v{i}"]) for i in range(200)]
    nodes.append(helper.make_node("Concat", [f"v{i}" for i in range(200)], ["y"], axis=0))
    return build(nodes, [info("x", [1])], [info("y", None)], [ints("sizes", [1 << 28])])


def matrices_that_take_years():
    return build(
        [node("MatMul", ["x", "z"])], [info("x", [1 << 16, 1 << 16]), info("z", [1 << 16, 1 << 16])], [info("y", None)]
    )


def convolution_that_takes_years():
    return build(
        [node("Conv", ["x", "w"])], [info("x", [16, 64, 4000, 4000]), info("w", [256, 64, 2000, 2000])], [info("y", None)]
    )


def pool_with_a_huge_window():
    return build(
        [node("MaxPool", ["x"], kernel_shape=[1 << 30, 1 << 30], pads=[1 << 29, 1 << 29, 1 << 29, 1 << 29])],
        [info("x", [1, 1, 4, 4])],
        [info("y", None)],
    )


def average_pool_with_a_huge_window():
    pads = [1 << 40] * 4
    return build(
        [node("AveragePool", ["x"], kernel_shape=[1 << 41, 1 << 41], pads=pads, count_include_pad=1)],
        [info("x", [1, 1, 4, 4])],
        [info("y", None)],
    )


def lrn_with_a_huge_size():
    return build([node("LRN", ["x"], size=(1 << 60) + 1)], [info("x", [1, 4, 4, 4])], [info("y", None)])


def roi_align_with_many_samples():
    return build(
        [node("RoiAlign", ["x", "rois", "batch"], sampling_ratio=1 << 30, output_height=2, output_width=2)],
        [info("x", [1, 1, 8, 8]), info("rois", [1, 4])],
        [info("y", None)],
        [ints("batch", [0])],
    )


def depth_to_space_with_a_huge_block():
    return build([node("DepthToSpace", ["x"], blocksize=1 << 40)], [info("x", [1, 4, 4, 4])], [info("y", None)])


def transposed_convolution_with_huge_strides():
    return build(
        [node("ConvTranspose", ["x", "w"], strides=[1 << 40, 1 << 40])],
        [info("x", [1, 1, 4, 4]), info("w", [1, 1, 3, 3])],
        [info("y", None)],
    )


def dilations_beyond_64_bits():
    return build(
        [node("Conv", ["x", "w"], dilations=[HUGE, HUGE], pads=[HUGE, HUGE, HUGE, HUGE])],
        [info("x", [1, 1, 4, 4]), info("w", [1, 1, 3, 3])],
        [info("y", None)],
    )


def blackman_window():
    return build([node("BlackmanWindow", ["sizes"])], [], [info("y", None)], [ints("sizes", 1 << 50)])


def mel_weights():
    constants = [ints("bins", 1 << 40), ints("length", 1 << 40), ints("rate", 16000)]
    edges = [numpy_helper.from_array(np.float32(value), name) for name, value in (("low", 0), ("high", 8000))]
    return build([node("MelWeightMatrix", ["bins", "length", "rate", "low", "high"])], [], [info("y", None)], constants + edges)


def fourier_transform():
    return build([node("DFT", ["x", "sizes"], axis=1)], [info("x", [1, 8, 1])], [info("y", None)], [ints("sizes", 1 << 50)])


def multinomial():
    return build([node("Multinomial", ["x"], sample_size=1 << 50)], [info("x", [1, 8])], [info("y", None, TensorProto.INT32)])


def top_k():
    return build([node("TopK", ["x", "sizes"], ["y", "places"])], [info("x", [8])], [info("y", None), info("places", None, INT64)], [ints("sizes", [HUGE])])


def random_numbers():
    return build([node("RandomNormal", [], shape=[1 << 40, 1 << 10])], [], [info("y", None)])


def split_into_many():
    return build([node("SplitToSequence", ["x", "sizes"], ["s"]), node("ConcatFromSequence", ["s"], axis=0)], [info("x", ["N", 2])], [info("y", None)], [ints("sizes", 1)])


def body(goes_on, steps=1):
    """A loop's body that carries one number."""
    nodes = [helper.make_node("Add", ["carried", "one"], ["next"])]
    nodes.append(helper.make_node(goes_on, ["going"] if goes_on == "Identity" else ["next", "one"], ["goes_on"]))
    return helper.make_graph(
        nodes,
        "body",
        [info("step", [], INT64), info("going", [], TensorProto.BOOL), info("carried", [])],
        [info("goes_on", [], TensorProto.BOOL), info("next", [])],
        [numpy_helper.from_array(np.float32(1), "one")],
    )


def endless_loop():
    truth = numpy_helper.from_array(np.array(True), "truth")
    nodes = [node("Loop", ["", "truth", "x"], body=body("Identity"))]
    return build(nodes, [info("x", [])], [info("y", [])], [truth])


def loop_of_very_many_steps():
    nodes = [node("Loop", ["count", "", "x"], body=body("Identity"))]
    return build(nodes, [info("x", [])], [info("y", [])], [ints("count", (1 << 63) - 1)])


def loop_while_something_grows():
    nodes = [node("Loop", ["", "truth", "x"], body=body("GreaterOrEqual"))]
    return build(nodes, [info("x", [])], [info("y", [])], [numpy_helper.from_array(np.array(True), "truth")])


def loop_that_doubles():
    """Carries a list of numbers that doubles its length in each step."""
    inner = helper.make_graph(
        [helper.make_node("Concat", ["carried", "carried"], ["next"], axis=0), helper.make_node("Identity", ["going"], ["goes_on"])],
        "body",
        [info("step", [], INT64), info("going", [], TensorProto.BOOL), info("carried", ["n"])],
        [info("goes_on", [], TensorProto.BOOL), info("next", ["m"])],
    )
    nodes = [node("Loop", ["count", "", "x"], body=inner)]
    return build(nodes, [info("x", [2])], [info("y", None)], [ints("count", 60)])


def loops_in_loops(levels=7):
    """1000 steps, each of 1000 steps, and so on."""
    inner = body("Identity")
    for level in range(levels):
        call = helper.make_node("Loop", ["count", "going", "carried"], ["next"], name=f"level{level}", body=inner)
        inner = helper.make_graph(
            [call, helper.make_node("Identity", ["going"], ["goes_on"])],
            "body",
            [info("step", [], INT64), info("going", [], TensorProto.BOOL), info("carried", [])],
            [info("goes_on", [], TensorProto.BOOL), info("next", [])],
        )
    truth = numpy_helper.from_array(np.array(True), "truth")
    nodes = [node("Loop", ["count", "truth", "x"], body=inner)]
    return build(nodes, [info("x", [])], [info("y", [])], [ints("count", 1000), truth])


def field(number, contents):
    """A field of bytes, for messages that are too deep for protobuf's own libraries."""
    length = len(contents)
    text = bytearray([number << 3 | 2])
    while length > 127:
        text.append(length & 127 | 128)
        length >>= 7
    return bytes(text) + bytes([length]) + contents


def nested_branches(depth=60):
    """If in If in If."""
    leaf = helper.make_graph([helper.make_node("Neg", ["x"], ["r"])], "leaf", [], [info("r", None)]).SerializeToString()
    branch = leaf
    for _ in range(depth):
        attributes = b""
        for which, body in ((b"then_branch", branch), (b"else_branch", leaf)):
            attributes += field(5, field(1, which) + field(6, body) + bytes([0xA0, 0x01, 5]))
        call = field(1, b"c") + field(2, b"r") + field(4, b"If") + attributes
        branch = field(1, call) + field(12, info("r", None).SerializeToString())
    model = onnx.load_from_string(build([helper.make_node("If", ["c"], ["y"], name="outer")], [info("c", [], TensorProto.BOOL), info("x", [2])], [info("y", None)]))
    outer = model.graph.node[0].SerializeToString()
    for which in (b"then_branch", b"else_branch"):
        outer += field(5, field(1, which) + field(6, branch) + bytes([0xA0, 0x01, 5]))
    del model.graph.node[:]
    graph = field(1, outer) + model.graph.SerializeToString()
    model.ClearField("graph")
    return model.SerializeToString() + field(7, graph)


def branches_nested_too_deeply():
    return nested_branches(500)


def functions_that_double(depth=28):
    """Each calls the one before twice: 2^28 nodes when inlined."""
    functions = []
    for level in range(depth):
        called, domain = (f"F{level - 1}", "local") if level else ("Relu", "")
        nodes = [helper.make_node(called, ["a"], ["b"], domain=domain), helper.make_node(called, ["b"], ["c"], domain=domain)]
        functions.append(helper.make_function("local", f"F{level}", ["a"], ["c"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]))
    call = helper.make_node(f"F{depth - 1}", ["x"], ["y"], name="the_call", domain="local")
    return build([call], [info("x", [2])], [info("y", None)], functions=functions, domains=["local"])


def functions_in_a_circle():
    function = lambda name, other: helper.make_function(
        "local", name, ["a"], ["b"], [helper.make_node(other, ["a"], ["b"], domain="local")], [helper.make_opsetid("local", 1)]
    )
    call = helper.make_node("Ping", ["x"], ["y"], name="the_call", domain="local")
    return build([call], [info("x", [2])], [info("y", None)], functions=[function("Ping", "Pong"), function("Pong", "Ping")], domains=["local"])


def functions_with_deep_branches(levels=30, depth=25):
    """Functions within branches within functions: each level of either adds to how deep the reader is."""
    functions = []
    for level in range(levels):
        called = ("Relu", ["a"], "") if level == 0 else (f"F{level - 1}", ["c", "a"], "local")
        inner = helper.make_graph([helper.make_node(called[0], called[1], ["r"], domain=called[2])], "leaf", [], [info("r", None)])
        for _ in range(depth):
            other = helper.make_graph([helper.make_node("Neg", ["a"], ["r"])], "leaf", [], [info("r", None)])
            inner = helper.make_graph([helper.make_node("If", ["c"], ["r"], then_branch=inner, else_branch=other)], "branch", [], [info("r", None)])
        call = helper.make_node("If", ["c"], ["b"], then_branch=inner, else_branch=inner)
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        functions.append(helper.make_function("local", f"F{level}", ["c", "a"], ["b"], [call], imports))
    call = helper.make_node(f"F{levels - 1}", ["c", "x"], ["y"], name="the_call", domain="local")
    inputs = [info("c", [], TensorProto.BOOL), info("x", [2])]
    return build([call], inputs, [info("y", None)], functions=functions, domains=["local"])


def long_chain(length=20_000, op="Relu"):
    names = ["x", *(f"v{i}" for i in range(length - 1)), "y"]
    nodes = [helper.make_node(op, [a], [b]) for a, b in zip(names, names[1:])]
    return build(nodes, [info("x", [2])], [info("y", None)])


def long_chain_backwards():
    model = onnx.load_from_string(long_chain())
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString()


def long_cycle():
    model = onnx.load_from_string(long_chain())
    model.graph.node[0].input[0] = "y"
    return model.SerializeToString()


def long_chain_of_constants(length=20_000):
    """Transposes of a large constant and back: views of views."""
    weight = numpy_helper.from_array(np.arange(40_000, dtype=np.float32).reshape(200, 200), "w")
    names = ["w", *(f"v{i}" for i in range(length))]
    nodes = [helper.make_node(("Transpose", "Neg", "Exp")[i % 3], [a], [b]) for i, (a, b) in enumerate(zip(names, names[1:]))]
    nodes.append(helper.make_node("Add", ["x", names[-1]], ["y"]))
    return build(nodes, [info("x", [200, 200])], [info("y", None)], [weight])


def long_chain_of_casts(length=20_000):
    weight = numpy_helper.from_array(np.arange(40_000, dtype=np.float32).reshape(200, 200), "w")
    names = ["w", *(f"v{i}" for i in range(length))]
    types = [TensorProto.INT32, TensorProto.FLOAT]
    nodes = [helper.make_node("Cast", [a], [b], to=types[i % 2]) for i, (a, b) in enumerate(zip(names, names[1:]))]
    nodes.append(helper.make_node("Add", ["x", names[-1]], ["y"]))
    return build(nodes, [info("x", [200, 200])], [info("y", None)], [weight])


def sizes_that_square_themselves(length=60):
    """Shape arithmetic whose expression has 2^60 terms when written out."""
    nodes = [helper.make_node("Shape", ["x"], ["s0"])]
    for i in range(length):
        nodes.append(helper.make_node("Add", [f"s{i}", "one"], [f"t{i}"]))
        nodes.append(helper.make_node("Mul", [f"t{i}", f"t{i}"], [f"s{i + 1}"]))
    nodes.append(helper.make_node("ConstantOfShape", [f"s{length}"], ["y"]))
    return build(nodes, [info("x", ["N"])], [info("y", None)], [ints("one", [1])])


def sizes_of_many_halves(length=2_000):
    nodes = [helper.make_node("Shape", ["x"], ["s0"])]
    for i in range(length):
        nodes.append(helper.make_node("Add", [f"s{i}", "one"], [f"t{i}"]))
        nodes.append(helper.make_node("Div", [f"t{i}", "two"], [f"s{i + 1}"]))
        nodes.append(helper.make_node("Max", [f"s{i + 1}", "two"], [f"u{i}"]))
        nodes.append(helper.make_node("Identity", [f"u{i}"], [f"v{i}"]))
    nodes.append(helper.make_node("ConstantOfShape", [f"v{length - 1}"], ["y"]))
    return build(nodes, [info("x", ["N"])], [info("y", None)], [ints("one", [1]), ints("two", [2])])


def sizes_of_many_inputs(count=300):
    """A product of sums of sizes."""
    nodes, sums = [], []
    for i in range(count):
        nodes.append(helper.make_node("Shape", [f"x{i}"], [f"s{i}"]))
        nodes.append(helper.make_node("Add", [f"s{i}", "one"], [f"t{i}"]))
        nodes.append(helper.make_node("Mul", [f"p{i - 1}" if i else "one", f"t{i}"], [f"p{i}"]))
    nodes.append(helper.make_node("ConstantOfShape", [f"p{count - 1}"], ["y"]))
    return build(nodes, [info(f"x{i}", [f"N{i}"]) for i in range(count)], [info("y", None)], [ints("one", [1])])


def hash_of_sizes():
    """Arithmetic that leaves 64 bits: it wraps round when the model runs."""
    nodes = [helper.make_node("Shape", ["x"], ["s0"])]
    for i in range(6):
        nodes.append(helper.make_node("Mul", [f"s{i}", "prime"], [f"s{i + 1}"]))
    nodes.append(helper.make_node("Identity", ["s6"], ["y"]))
    return build(nodes, [info("x", [5, 7])], [info("y", None, INT64)], [ints("prime", [0x100000001B3])])


def many_functions(count=3_000):
    functions = [
        helper.make_function("local", f"F{i}", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)])
        for i in range(count)
    ]
    names = ["x", *(f"v{i}" for i in range(count - 1)), "y"]
    nodes = [helper.make_node(f"F{i}", [a], [b], domain="local") for i, (a, b) in enumerate(zip(names, names[1:]))]
    return build(nodes, [info("x", [2])], [info("y", None)], functions=functions, domains=["local"])


def wide_node(count=20_000):
    return build([helper.make_node("Sum", ["x"] * count, ["y"], name="the_Sum")], [info("x", [2])], [info("y", None)])


def many_inputs(count=10_000):
    nodes = [helper.make_node("Concat", [f"x{i}" for i in range(count)], ["y"], axis=0)]
    return build(nodes, [info(f"x{i}", [1]) for i in range(count)], [info("y", None)])


def many_outputs(count=5_000):
    return build([helper.make_node("Relu", ["x"], [f"y{i}"]) for i in range(count)], [info("x", [2])], [info(f"y{i}", [2]) for i in range(count)])


def many_axes(count=5_000):
    return build([node("Relu", ["x"])], [info("x", [1] * count)], [info("y", None)])


def einsum_of_everything():
    letters = "abcdefghijkl"
    shape = [64] * 2
    terms = [letters[i] + letters[(i + 1) % len(letters)] for i in range(len(letters))]
    return build([node("Einsum", [f"x{i}" for i in range(len(terms))], equation=",".join(terms) + "->a")], [info(f"x{i}", shape) for i in range(len(terms))], [info("y", None)])


def expression_that_backtracks():
    return build([node("RegexFullMatch", ["x"], pattern="(a*)*(a*)*(a*)*b" )], [info("x", [1], TensorProto.STRING)], [info("y", None, TensorProto.BOOL)], opset=20)


def expression_that_grows():
    return build([node("RegexFullMatch", ["x"], pattern="((((a{1000}){1000}){1000}){1000})")], [info("x", [1], TensorProto.STRING)], [info("y", None, TensorProto.BOOL)], opset=20)


def odd_names():
    """Names with terminal control sequences, new lines, quotes and bytes that are no UTF-8."""
    name = "evil\x1b[2J\x1b]0;owned\x07\nerror: forged line 'x'"
    model = build([helper.make_node("Frobnicate", ["x"], ["y"], name=name)], [info("x", [2])], [info("y", None)])
    return model.replace(b"forged", b"for\xffed")


def names_of_odd_bytes():
    """The same where the model can be converted."""
    name = "in\x1b[2J\nput"
    model = build([helper.make_node("Relu", [name], ["\x07y"], name="act")], [info(name, ["N\x1b[2J\n", 2])], [info("\x07y", None)])
    return model


def sparse_weight(values, indices, shape, kind=TensorProto.FLOAT):
    value = helper.make_tensor("w", kind, [len(values)], values)
    index = helper.make_tensor("i", INT64, list(np.shape(indices)), np.ravel(indices))
    graph = helper.make_graph([node("Identity", ["w"])], "graph", [], [info("y", None, kind)], sparse_initializer=[helper.make_sparse_tensor(value, index, shape)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def sparse_index_outside():
    return sparse_weight([1.0, 2.0], [0, 6], [2, 3])


def sparse_negative_index():
    return sparse_weight([1.0, 2.0], [[0, 0], [0, -1]], [2, 3])


def sparse_huge_shape():
    return sparse_weight([1.0, 2.0], [0, 1], [1 << 50])


def sparse_shape_beyond_64_bits():
    return sparse_weight([1.0, 2.0], [0, 1], [HUGE, HUGE])


def sparse_negative_shape():
    return sparse_weight([1.0, 2.0], [0, 1], [-4, 3])


def sparse_strings():
    return sparse_weight([b"a", b"b"], [0, 1], [4], TensorProto.STRING)


def sparse_missing_indices():
    return sparse_weight([1.0, 2.0], [0], [2, 3])


def complex_from_integers():
    """A weight of 16-byte elements whose numbers stand in a field of integers."""
    tensor = TensorProto(name="w", data_type=TensorProto.COMPLEX128, dims=[2], int64_data=[1, 2])
    return build([node("Identity", ["w"])], [], [info("y", None, TensorProto.COMPLEX128)], [tensor])


def strings_that_are_missing():
    tensor = TensorProto(name="w", data_type=TensorProto.STRING, dims=[1 << 40], string_data=[b"a"])
    return build([node("Identity", ["w"])], [], [info("y", None, TensorProto.STRING)], [tensor])


def constant_without_bytes():
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[HUGE])
    return build([node("Identity", ["w"])], [], [info("y", None)], [tensor])


ALL = {name: made for name, made in list(globals().items()) if callable(made) and getattr(made, "__module__", "") == __name__ and name not in ("ints", "node", "sized", "body", "field", "sparse_weight")}
