"""Operators of ONNX Runtime's own domain that onnx.checker does not know in ai.onnx, or that it has no kernel for on a CPU."""

from dataclasses import replace

import numpy as np
import onnx

from operator_cases import Case, Const, single

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
    return [*found, *convolutions_of_last_channels(rng)]


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
        operands = [x, Const(w if "group" in options else plain), bias]
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
