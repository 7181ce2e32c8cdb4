"""Operators of ONNX Runtime's own domain that onnx.checker does not know in ai.onnx, or that it has no kernel for on a CPU."""

from dataclasses import replace

import numpy as np
import onnx

from operator_cases import Case, Const, model_of, single

MICROSOFT = {"": 17, "com.microsoft": 1}


def cases() -> list[Case]:
    rng = np.random.default_rng(31)
    x, gain, matrix = (rng.normal(1, 1, shape).astype(np.float32) for shape in ((2, 3, 8), (8,), (3, 8)))
    found = [
        single("simplified_layer_norm", "SimplifiedLayerNormalization", [x, gain], {"": 17}, axis=-1, epsilon=0.1),
        single("simplified_layer_norm_usual", "SimplifiedLayerNormalization", [x * 1e-3, gain], {"": 17}),
        single("simplified_layer_norm_axis", "SimplifiedLayerNormalization", [x, matrix], {"": 17}, axis=1),
    ]
    for dtype, zero in ((np.uint8, 120), (np.int8, -7)):
        limits = np.iinfo(dtype)
        codes = rng.integers(limits.min, limits.max + 1, (2, 3, 5)).astype(dtype)
        grids = [Const(np.float32(0.05)), Const(dtype(zero)), Const(np.float32(0.011)), Const(dtype(zero + 1))]
        for name, options in (
            ("columns", {"axes": [1], "keepdims": 0}),
            ("kept", {"axes": [-1, 0], "keepdims": 1}),
            ("all", {"keepdims": 1}),
        ):
            case = single(f"qlinear_reduce_mean_{name}_{dtype.__name__}", "QLinearReduceMean", [codes, *grids], MICROSOFT, **options)
            axes = tuple(options["axes"]) if "axes" in options else None
            mean = ((codes.astype(np.float64) - zero) * np.float32(0.05)).mean(axes, keepdims=options["keepdims"] == 1)
            result = np.clip(np.rint(mean / np.float32(0.011)) + zero + 1, limits.min, limits.max).astype(dtype)
            found.append(replace(case, expected={"y0": result}))
        bare = [codes, grids[0], None, Const(np.float32(0.0437))]
        case = single(f"qlinear_reduce_mean_bare_{dtype.__name__}", "QLinearReduceMean", bare, MICROSOFT, axes=[2], keepdims=0)
        mean = (codes.astype(np.float64) * np.float32(0.05)).mean(2)
        result = np.clip(np.rint(mean / np.float32(0.0437)), limits.min, limits.max).astype(dtype)
        found.append(replace(case, expected={"y0": result}))
    return [*found, *convolutions_of_last_channels(rng), *without_operands(rng), *packed_heads(rng)]


def without_operands(rng) -> list[Case]:
    """Against the same with zeros, which ONNX Runtime asks for, or dies without."""
    found = []
    step, other, out = (Const(np.float32(number)) for number in (0.0213, 0.0379, 0.0491))
    for dtype in (np.uint8, np.int8):
        limits, zero, tag = np.iinfo(dtype), Const(dtype(0)), dtype.__name__
        x, y = (rng.integers(limits.min, limits.max + 1, (1, 3, 4, 5)).astype(dtype) for _ in range(2))
        one, two = [x, step, None, out], [x, step, None, y, other, None, out]
        for op, operands, options in (
            ("Add", two, {}),
            ("Mul", two, {}),
            ("Sigmoid", one, {}),
            ("LeakyRelu", one, {"alpha": 0.3}),
            ("AveragePool", one, {"kernel_shape": [2, 3]}),
        ):
            given = [zero if operand is None else operand for operand in operands] + [zero]
            case = single(f"qlinear_{op.lower()}_bare_{tag}", f"QLinear{op}", operands, MICROSOFT, **options)
            found.append(replace(case, reference=single("given", f"QLinear{op}", given, MICROSOFT, **options).model))
    x, w = rng.normal(0, 1, (2, 4, 6)).astype(np.float32), rng.normal(0, 1, (6, 24)).astype(np.float32)
    bias = Const(np.zeros(24, np.float32))
    case = single("attention_no_bias", "Attention", [x, w], MICROSOFT, num_heads=2)
    return [*found, replace(case, reference=single("given", "Attention", [x, w, bias], MICROSOFT, num_heads=2).model)]


def packed_heads(rng) -> list[Case]:
    """Against operands of their own."""
    x, pair = (rng.normal(0, 1, shape).astype(np.float32) for shape in ((2, 4, 2, 3, 4), (2, 5, 2, 2, 4)))
    q = rng.normal(0, 1, (2, 3, 8)).astype(np.float32)
    apart = "".join(f"g{i} = Gather<axis = 3>({{0}}, i{i})  p{i} = Reshape(g{i}, flat) " for i in range(3))
    constants = "<int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {2}, int64[3] flat = {0, 0, 8}>"
    both = apart.split("g2")[0]
    found = []
    for name, fed, text in (
        ("packed", [x], f"(float[2, 4, 2, 3, 4] x0) => (float[2, 4, 8] y0) {constants} {{ {apart.format('x0')}"
         " y0 = com.microsoft.MultiHeadAttention<num_heads = 2>(p0, p1, p2) }"),
        ("pair", [q, pair], f"(float[2, 3, 8] x0, float[2, 5, 2, 2, 4] x1) => (float[2, 3, 8] y0) {constants} {{ {both.format('x1')}"
         " y0 = com.microsoft.MultiHeadAttention<num_heads = 2>(x0, p0, p1) }"),
    ):
        case = single(f"multi_head_{name}", "MultiHeadAttention", fed, MICROSOFT, num_heads=2)
        found.append(replace(case, reference=model_of(onnx.parser.parse_graph(f"apart {text}"), MICROSOFT)))
    return found


def convolutions_of_last_channels(rng) -> list[Case]:
    """Conv between two transposes."""
    x, w = rng.normal(0, 1, (1, 4, 9, 8)).astype(np.float32), rng.normal(0, 1, (6, 2, 3, 2)).astype(np.float32)
    bias, plain = Const(rng.normal(0, 1, 6).astype(np.float32)), rng.normal(0, 1, (6, 4, 3, 2)).astype(np.float32)
    found = []
    for name, options in (
        ("usual", {}),
        ("strides", {"strides": [2, 3], "pads": [1, 0, 2, 1], "kernel_shape": [3, 2], "group": 2}),
        ("dilations", {"dilations": [2, 3], "group": 2}),
        ("same_upper", {"auto_pad": "SAME_UPPER", "strides": [1, 2], "group": 2}),
        ("same_lower", {"auto_pad": "SAME_LOWER", "strides": [2, 1], "group": 2}),
    ):
        operands = [x, Const(w if "group" in options else plain)] + [bias] * (name != "dilations")
        reference = single(name, "Conv", operands, {"": 17}, **options).model
        last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        case = single(f"nhwc_conv_{name}", "NhwcConv", [last, *operands[1:]], MICROSOFT, **options)
        found.append(replace(case, reference=between_transposes(reference, case.model)))
    return found


def between_transposes(conv: onnx.ModelProto, like: onnx.ModelProto) -> onnx.ModelProto:
    graph = conv.graph
    graph.input[0].CopyFrom(like.graph.input[0])
    graph.node[0].input[0], graph.node[0].output[0] = "first", "result"
    graph.node.insert(0, onnx.helper.make_node("Transpose", ["x0"], ["first"], perm=[0, 3, 1, 2]))
    graph.node.append(onnx.helper.make_node("Transpose", ["result"], ["y0"], perm=[0, 2, 3, 1]))
    return conv
