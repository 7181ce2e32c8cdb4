"""Forms of operators that only old opsets have, against the newest forms that mean the same, run by onnx's evaluator."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from operator_cases import Case, info, model_of


def node(op: str, inputs: str, outputs: str = "y", **attributes):
    """An input `-` is left out."""
    names = [name.strip("-") for name in inputs.split()]
    return helper.make_node(op, names, outputs.split(), name=op.lower(), **attributes)


def build(nodes: list, values: dict, weights: dict, opset: int, outputs: str = "y"):
    graph = helper.make_graph(
        nodes,
        "old",
        [info(name, array) for name, array in values.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs.split()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    return model_of(graph, {"": opset})


def case(name: str, opset: int, old, values: dict, new: list, weights=None, outputs: str = "y", old_weights=None) -> Case:
    """`old` at the opset means what the nodes `new` mean at opset 18."""
    weights = weights or {}
    evaluator = ReferenceEvaluator(build(new, values, weights, 18, outputs))
    expected = dict(zip(outputs.split(), evaluator.run(None, values)))
    used = {n: a for n, a in {**weights, **(old_weights or {})}.items() if n in old.input}
    return Case(f"old_{name}", build([old], values, used, opset, outputs), values, expected)


def cases() -> list[Case]:
    rng = np.random.default_rng(11)

    def floats(*shape):
        return rng.normal(0, 1, shape).astype(np.float32)

    x, image = floats(2, 3, 4), floats(1, 2, 4, 5)
    return [
        *broadcasts(x, rng),
        *moves(x, image),
        *activations(x),
        *windows(image),
        *normalizations(image, floats),
        *reductions(x),
        *recurrent(floats),
    ]


def broadcasts(x: np.ndarray, rng) -> list[Case]:
    found = []
    middle, tail = rng.normal(2, 0.3, 3).astype(np.float32), rng.normal(2, 0.3, (3, 4)).astype(np.float32)
    positive = np.abs(x) + np.float32(0.2)
    for op in ("Add", "Sub", "Mul", "Div", "Pow"):
        for opset in (1, 6):
            aligned = [node("Reshape", "b shape", "c"), node(op, "a c")]
            shape = {"shape": np.array([3, 1])}
            values = {"a": positive, "b": middle}
            found.append(case(f"{op}_{opset}_axis", opset, node(op, "a b", broadcast=1, axis=1), values, aligned, shape))
            values = {"a": positive, "b": tail}
            found.append(case(f"{op}_{opset}_tail", opset, node(op, "a b", broadcast=1), values, [node(op, "a b")]))
    for op in ("And", "Or", "Xor", "Equal", "Greater", "Less"):
        values = {"a": np.round(x) if op == "Equal" else x, "b": np.round(middle - 2) if op == "Equal" else middle - 2}
        if op in ("And", "Or", "Xor", "Equal"):
            values = {n: v.astype(np.int32) if op == "Equal" else v > 0 for n, v in values.items()}
        aligned = [node("Reshape", "b shape", "c"), node(op, "a c")]
        shape = {"shape": np.array([3, 1])}
        found.append(case(f"{op}_axis", 1, node(op, "a b", broadcast=1, axis=1), values, aligned, shape))
        same = {"a": values["a"], "b": values["a"][::-1].copy()}
        found.append(case(f"{op}_same", 1, node(op, "a b"), same, [node(op, "a b")]))
    for op in ("And", "Or", "Xor"):
        values = {"a": x > 0, "b": tail > 2}
        found.append(case(op, 1, node(op, "a b", broadcast=1), values, [node(op, "a b")]))
    for op in ("Greater", "Less"):
        found.append(case(f"{op}_tail", 1, node(op, "a b", broadcast=1), {"a": x, "b": tail - 2}, [node(op, "a b")]))
    values = {"a": np.arange(24).reshape(2, 3, 4) % 5, "b": np.arange(4)}
    found.append(case("Equal", 1, node("Equal", "a b", broadcast=1), values, [node("Equal", "a b")]))
    a, b = x[0], x[1].T.copy()
    values = {"a": a, "b": b, "c": middle}
    gemm = {"alpha": 0.5, "beta": 1.5}
    for opset in (1, 6):
        old = node("Gemm", "a b c", broadcast=1, **gemm)
        found.append(case(f"Gemm_{opset}", opset, old, values, [node("Gemm", "a b c", **gemm)]))
    slope = {"shape": np.array([3, 1])}
    new = [node("Reshape", "b shape", "c"), node("PRelu", "a c")]
    found.append(case("PRelu", 1, node("PRelu", "a b"), {"a": x, "b": middle}, new, slope))
    for op in ("Sum", "Max", "Min", "Mean"):
        found.append(case(op, 1, node(op, "a b", consumed_inputs=[0, 0]), {"a": x, "b": -x * x}, [node(op, "a b")]))
    return found


def moves(x: np.ndarray, image: np.ndarray) -> list[Case]:
    a, i = {"a": x}, {"a": image}
    upsampled = {"scales": np.array([1, 1, 2, 3], np.float32)}
    up = [node("Resize", "a - scales", coordinate_transformation_mode="asymmetric", nearest_mode="floor")]
    linear = [node("Resize", "a - scales", coordinate_transformation_mode="asymmetric", mode="linear")]
    pads = {"pads": np.array([0, 1, 2, 1, 0, 0]), "value": np.float32(1.5)}
    split = {"sizes": np.array([1, 2])}
    k = {"k": np.array([2])}
    top = [node("TopK", "a k", "y z", axis=1)]
    indices = np.array([[1, 0, 1, 1], [0, 1, 0, 0]])[None].repeat(2, 0)
    scattered = {"a": x, "i": indices, "u": -x[:, :2]}
    return [
        case("Upsample_1", 1, node("Upsample", "a", height_scale=2.0, width_scale=3.0), i, up, upsampled),
        case("Upsample_7", 7, node("Upsample", "a", scales=[1.0, 1.0, 2.0, 3.0]), i, up, upsampled),
        case(
            "Upsample_7_linear",
            7,
            node("Upsample", "a", mode="linear", scales=[1.0, 1.0, 2.0, 3.0]),
            i,
            linear,
            upsampled,
        ),
        case("Upsample_9", 9, node("Upsample", "a scales"), i, up, upsampled),
        case("Resize_10", 10, node("Resize", "a scales", mode="linear"), i, linear, upsampled),
        case("Pad_1", 1, node("Pad", "a", paddings=[1] * 6, value=1.5), a, [node("Pad", "a pads value")],
             {**pads, "pads": np.ones(6, np.int64)}),
        case("Pad_2", 2, node("Pad", "a", pads=[0, 1, 2, 1, 0, 0], value=1.5), a, [node("Pad", "a pads value")], pads),
        case(
            "Pad_2_reflect",
            2,
            node("Pad", "a", pads=[0, 1, 2, 1, 0, 0], mode="reflect"),
            a,
            [node("Pad", "a pads", mode="reflect")],
            pads,
        ),
        case("Reshape_1", 1, node("Reshape", "a", shape=[0, -1], consumed_inputs=[0]), a, [node("Reshape", "a s")],
             {"s": np.array([2, 12])}),
        case("Cast_1", 1, node("Cast", "a", to="INT32"), a, [node("Cast", "a", to=TensorProto.INT32)]),
        case("Cast_6", 6, node("Cast", "a", to=TensorProto.DOUBLE), a, [node("Cast", "a", to=TensorProto.DOUBLE)]),
        case("Concat_1", 1, node("Concat", "a b"), {"a": x, "b": x[:, :1]}, [node("Concat", "a b", axis=1)]),
        case("Slice_1", 1, node("Slice", "a", starts=[1, -3], ends=[9, -1], axes=[1, 2]), a, [node("Slice", "a s e x")],
             {"s": np.array([1, -3]), "e": np.array([9, -1]), "x": np.array([1, 2])}),
        case("Slice_1_axes", 1, node("Slice", "a", starts=[0, 1], ends=[1, -1]), a, [node("Slice", "a s e")],
             {"s": np.array([0, 1]), "e": np.array([1, -1])}),
        case("Squeeze_1_axes", 1, node("Squeeze", "a"), i, [node("Squeeze", "a")]),
        case("Split_1_axis", 1, node("Split", "a", "y z", split=[2, 1]), {"a": x[0]},
             [node("Split", "a sizes", "y z", axis=0)], {"sizes": np.array([2, 1])}, "y z"),
        case("Split_1", 1, node("Split", "a", "y z", axis=1, split=[1, 2]), a,
             [node("Split", "a sizes", "y z", axis=1)], split, "y z"),
        case("Split_1_input", 1, node("Split", "a sizes", "y z", axis=1), a,
             [node("Split", "a wide", "y z", axis=1)], {"wide": split["sizes"]}, "y z", {"sizes": np.array([1, 2], np.float32)}),
        case("Split_2", 2, node("Split", "a", "y z", axis=1, split=[1, 2]), a,
             [node("Split", "a sizes", "y z", axis=1)], split, "y z"),
        case("Tile_1", 1, node("Tile", "a tiles axis"), a, [node("Tile", "a r")], {"r": np.array([1, 3, 1])}, "y",
             {"tiles": np.array([3], np.float32), "axis": np.array([1], np.float32)}),
        case("TopK_1", 1, node("TopK", "a", "y z", axis=1, k=2), a, top, k, "y z"),
        case("TopK_1_axis", 1, node("TopK", "a", "y z", k=2), a, [node("TopK", "a k", "y z")], k, "y z"),
        case("TopK_10_axis", 10, node("TopK", "a k", "y z"), a, [node("TopK", "a k", "y z")], k, "y z"),
        case("TopK_10", 10, node("TopK", "a k", "y z", axis=1), a, top, k, "y z"),
        case("Squeeze_1", 1, node("Squeeze", "a", axes=[0]), i, [node("Squeeze", "a x")], {"x": np.array([0])}),
        case("Unsqueeze_1", 1, node("Unsqueeze", "a", axes=[0, 2]), a, [node("Unsqueeze", "a x")], {"x": np.array([0, 2])}),
        case("Scatter", 9, node("Scatter", "a i u", axis=1), scattered, [node("ScatterElements", "a i u", axis=1)]),
    ]


def activations(x: np.ndarray) -> list[Case]:
    a, found = {"a": x}, []
    for op, attributes in (
        ("Relu", {}),
        ("LeakyRelu", {"alpha": 0.3}),
        ("Elu", {"alpha": 0.7}),
        ("Sigmoid", {}),
        ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
        ("Tanh", {}),
        ("Exp", {}),
        ("Abs", {}),
        ("Neg", {}),
        ("Floor", {}),
        ("Ceil", {}),
    ):
        old = node(op, "a", consumed_inputs=[0], **attributes)
        found.append(case(f"{op}_1", 1, old, a, [node(op, "a", **attributes)]))
    selu = {"alpha": 1.6732, "gamma": 1.0507}
    bounds = {"low": np.float32(-0.5), "high": np.float32(0.8)}
    flat = [node("Reshape", "a s", "f"), node("Softmax", "f", "g", axis=1), node("Reshape", "g t")]
    dropout = {"half": np.float32(0.5), "zero": np.float32(0), "no": np.bool_(False), "yes": np.bool_(True)}
    shapes = {"s": np.array([2, 12]), "t": np.array([2, 3, 4])}
    found += [
        case("Selu_1", 1, node("Selu", "a", consumed_inputs=[0]), a, [node("Selu", "a", **selu)]),
        case("Clip_1", 1, node("Clip", "a", min=-0.5, max=0.8, consumed_inputs=[0]), a, [node("Clip", "a low high")], bounds),
        case("Clip_1_max", 1, node("Clip", "a", max=0.8), a, [node("Min", "a high")], bounds),
        case("Clip_1_min", 1, node("Clip", "a", min=-0.5), a, [node("Max", "a low")], bounds),
        case("Clip_6", 6, node("Clip", "a", max=0.8), a, [node("Min", "a high")], bounds),
        case("Clip_6_min", 6, node("Clip", "a", min=-0.5), a, [node("Max", "a low")], bounds),
        case("Softmax_1", 1, node("Softmax", "a"), a, flat, shapes),
        case("Dropout_1", 1, node("Dropout", "a", is_test=1, ratio=0.3, consumed_inputs=[0]), a, [node("Identity", "a")]),
        case("Dropout_6", 6, node("Dropout", "a", is_test=1, ratio=0.3), a, [node("Identity", "a")]),
        case("Dropout_12", 12, node("Dropout", "a half no"), a, [node("Identity", "a")], None, "y", dropout),
        case("Dropout_12_nothing", 12, node("Dropout", "a zero yes"), a, [node("Identity", "a")], None, "y", dropout),
        case("Dropout_7", 7, node("Dropout", "a", ratio=0.3), a, [node("Identity", "a")]),
    ]
    return found


def windows(image: np.ndarray) -> list[Case]:
    i = {"a": image}
    window = {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 1]}
    cubes = [node("Abs", "a", "b"), node("Pow", "b three", "c"), node("ReduceSum", "c axes", "d", keepdims=1),
             node("Pow", "d third")]
    numbers = {"three": np.float32(3), "third": np.float32(1 / 3), "axes": np.array([2, 3])}
    return [
        case("MaxPool_1", 1, node("MaxPool", "a", **window), i, [node("MaxPool", "a", **window)]),
        case("AveragePool_1", 1, node("AveragePool", "a", **window), i, [node("AveragePool", "a", **window)]),
        case("GlobalLpPool_1", 1, node("GlobalLpPool", "a", p=3.0), i, cubes, numbers),
        case("GlobalLpPool_1_p", 1, node("GlobalLpPool", "a"), i, [node("ReduceL2", "a axes")], numbers),
        case("LpPool_1_usual", 1, node("LpPool", "a", kernel_shape=[4, 5]), i, [node("ReduceL2", "a axes")],
             {"axes": np.array([2, 3])}),
        case("LpPool_1_p", 1, node("LpPool", "a", p=3.0, kernel_shape=[4, 5]), i, cubes, numbers),
        case("LpPool_1", 1, node("LpPool", "a", p=2.0, kernel_shape=[4, 5]), i, [node("ReduceL2", "a axes")],
             {"axes": np.array([2, 3])}),
    ]


def normalizations(image: np.ndarray, floats) -> list[Case]:
    values = {"a": image}
    mean, variance = floats(2), np.abs(floats(2)) + 1
    weights = {"s": floats(2), "b": floats(2), "m": mean, "v": variance}
    new = [node("BatchNormalization", "a s b m v", epsilon=0.01)]
    found = [
        case("BatchNormalization_1", 1,
             node("BatchNormalization", "a s b m v", epsilon=0.01, is_test=1, spatial=1, consumed_inputs=[0, 0, 0, 1, 1]),
             values, new, weights),
        case("BatchNormalization_6", 6, node("BatchNormalization", "a s b m v", epsilon=0.01, is_test=1), values, new, weights),
        case("BatchNormalization_7", 7, node("BatchNormalization", "a s b m v", epsilon=0.01), values, new, weights),
        case("InstanceNormalization_1", 1, node("InstanceNormalization", "a s b", consumed_inputs=[0, 0, 0], epsilon=0.01),
             values, [node("InstanceNormalization", "a s b", epsilon=0.01)], weights),
    ]
    each = {name: np.abs(floats(2, 4, 5)) + np.float32(0.5) for name in "sbmv"}
    apart = [node("Sub", "a m", "c"), node("Add", "v e", "w"), node("Sqrt", "w", "d"), node("Div", "c d", "f"),
             node("Mul", "f s", "g"), node("Add", "g b")]
    found.append(case("BatchNormalization_7_each", 7, node("BatchNormalization", "a s b m v", epsilon=0.01, spatial=0), values,
                      apart, {**each, "e": np.float32(0.01)}))
    return found


def reductions(x: np.ndarray) -> list[Case]:
    a, axes, found = {"a": x}, {"axes": np.array([0, 2])}, []
    for kind in "Sum Mean Max Min Prod L1 L2 SumSquare LogSumExp".split():
        old = node(f"Reduce{kind}", "a", axes=[0, 2], keepdims=0)
        found.append(case(f"Reduce{kind}_1", 1, old, a, [node(f"Reduce{kind}", "a axes", keepdims=0)], axes))
    return found


def recurrent(floats) -> list[Case]:
    values, found = {"x": floats(5, 2, 3)}, []
    for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
        weights = {"w": floats(1, gates * 4, 3), "r": floats(1, gates * 4, 4), "b": floats(1, gates * 8)}
        old = node(op, "x w r b", "y", hidden_size=4, output_sequence=1, direction="foward")  # as its schema spells it
        found.append(case(f"{op}_1", 1, old, values, [node(op, "x w r b", "y", hidden_size=4)], weights))
        last = node(op, "x w r b", "- y", hidden_size=4)
        found.append(case(f"{op}_1_last", 1, last, values, [last], weights))
    return found
