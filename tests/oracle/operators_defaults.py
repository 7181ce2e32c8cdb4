"""Attributes that other cases leave at the default, and defaults that other cases never rely on."""

from dataclasses import replace

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from operator_cases import Case, Const, info, model_of, single

TRAINING = {"": 17, "ai.onnx.preview.training": 1}


def cases() -> list[Case]:
    rng = np.random.default_rng(25)
    return [*elementwise(rng), *moves(rng), *choices(rng), *signals(rng), *numbers_of_other_types(rng), *constants(), *steps(rng), *texts()]


def floats(rng, *shape) -> np.ndarray:
    return rng.normal(0, 1, shape).astype(np.float32)


def elementwise(rng) -> list[Case]:
    x = floats(rng, 2, 3, 4)
    return [
        single("celu_usual", "Celu", [x], {"": 12}),
        single("shrink_usual", "Shrink", [x], {"": 9}),
        single("shrink_bias", "Shrink", [x], {"": 9}, bias=0.3),
        replace(single("swish_usual", "Swish", [x], {"": 24}), evaluated=True),
        replace(single("swish_alpha", "Swish", [x], {"": 24}, alpha=0.4), evaluated=True, old=18),
        *(single(f"{op.lower()}_usual_11", op, [x], {"": 11}) for op in ("Softmax", "LogSoftmax", "Hardmax")),
        single("mean_variance_axes", "MeanVarianceNormalization", [floats(rng, 2, 3, 4, 5) + 1], {"": 13}, axes=[1, 3]),
    ]


def moves(rng) -> list[Case]:
    x, image = floats(rng, 4, 3, 2), floats(rng, 1, 8, 3, 4)
    grid = rng.uniform(-1.2, 1.2, (1, 3, 2, 2)).astype(np.float32)
    cache, update = floats(rng, 2, 2, 3, 5), floats(rng, 2, 2, 3, 2)
    theta, first = floats(rng, 2, 2, 3), floats(rng, 2, 2, 2, 5)
    return [
        single("depth_to_space_usual", "DepthToSpace", [image], {"": 13}, blocksize=2),
        single("gather_elements_usual", "GatherElements", [x, np.array([[[1, 0], [3, 2], [0, 0]]])], {"": 13}),
        single("grid_sample_usual_16", "GridSample", [image, grid], {"": 16}, align_corners=1),
        single("grid_sample_usual_20", "GridSample", [image, grid], {"": 20}, padding_mode="border"),
        single("resize_usual", "Resize", [image, None, Const(np.float32([1, 1, 1.7, 0.6]))], {"": 13}),
        single("reverse_usual", "ReverseSequence", [x, np.array([2, 4, 3])], {"": 10}),
        replace(
            single("scatter_cache_axis", "TensorScatter", [cache, update, np.array([1, 3])], {"": 24}, axis=-1),
            expected={"y0": scattered(cache, update, [1, 3])},
            evaluated=True,
        ),
        replace(
            single("scatter_cache_start", "TensorScatter", [cache, first], {"": 24}),
            expected={"y0": np.concatenate([first, cache[:, :, 2:]], 2)},
            evaluated=True,
        ),
        single("affine_grid_usual", "AffineGrid", [theta, Const(np.array([2, 1, 4, 3]))], {"": 20}),
    ]


def scattered(cache: np.ndarray, update: np.ndarray, places: list) -> np.ndarray:
    found = cache.copy()
    for row, place in enumerate(places):
        found[row, ..., place : place + update.shape[-1]] = update[row]
    return found


def choices(rng) -> list[Case]:
    scores, labels = floats(rng, 5, 4), np.array([3, 0, 1, 1, 2])
    x = rng.permutation(24).astype(np.float32).reshape(4, 6)
    text = """largest (float[4, 6] x, int64[1] k) => (float[4] sum, float[4] least, int64[4] places)
        <int64[1] axis = {1}> { v, i = TopK<sorted = 0>(x, k)  sum = ReduceSum<keepdims = 0>(v, axis)
          least = ReduceMin<axes = [1], keepdims = 0>(v)  places = ReduceSum<keepdims = 0>(i, axis) }"""
    split = """parts (float[4, 6] x) => (float[?, ?] kept, float[?] bare, float[?, ?] wide, float[?, ?, ?] stacked, float[?, ?] joined, int64 left)
        <int64 one = {1}, int64[2] sizes = {1, 3}>
        { s = SplitToSequence(x)  kept = SequenceAt(s, one)  t = SplitToSequence<axis = -1, keepdims = 0>(x)
          bare = SequenceAt(t, one)  u = SplitToSequence(x, sizes)  wide = SequenceAt(u, one)
          most = SequenceErase(t, one)  stacked = ConcatFromSequence<axis = 1, new_axis = 1>(most)
          joined = ConcatFromSequence<axis = 1>(s)  fewer = SequenceErase(t)  left = SequenceLength(fewer) }"""
    parts = Case("parts_usual", model_of(onnx.parser.parse_graph(split), {"": 17}), {"x": x})
    unsorted = Case("top_in_any_order", model_of(onnx.parser.parse_graph(text), {"": 13}), {"x": x, "k": np.array([3])})
    return [
        single("matmul_integer_bare", "MatMulInteger", [rng.integers(0, 256, (2, 3, 4)).astype(np.uint8), rng.integers(-128, 128, (4, 5)).astype(np.int8)], {"": 10}),
        single("layer_norm_no_bias", "LayerNormalization", [x, x[0]], {"": 17}, epsilon=0.1),
        *suppressions(rng),
        single("loss_usual", "NegativeLogLikelihoodLoss", [scores, labels], {"": 13}),
        unsorted,
        parts,
    ]


def suppressions(rng) -> list[Case]:
    corners = rng.uniform(0, 4, (2, 9, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + rng.uniform(0.5, 3, (2, 9, 2)).astype(np.float32)], 2)
    scores = rng.permutation(36).reshape(2, 2, 9).astype(np.float32) / 36 - 0.3
    most, overlap, least = Const(np.array([4])), Const(np.float32([0.3])), Const(np.float32([0.1]))
    return [
        single("boxes_most", "NonMaxSuppression", [boxes, scores, most], {"": 11}),
        single("boxes_overlap", "NonMaxSuppression", [boxes, scores, most, overlap], {"": 11}),
        single("boxes_least", "NonMaxSuppression", [boxes, scores, most, None, least], {"": 11}),
        single("boxes_of_centres", "NonMaxSuppression", [boxes, scores, most, overlap, least], {"": 11}, center_point_box=1),
        single("boxes_none", "NonMaxSuppression", [boxes, scores], {"": 11}),
    ]


def signals(rng) -> list[Case]:
    real, size = floats(rng, 2, 7, 3, 1), Const(np.array(9))
    found = [
        single("dft_usual", "DFT", [floats(rng, 2, 7, 3, 2)], {"": 17}),
        single("dft_one_side", "DFT", [real, size], {"": 17}, onesided=1, axis=2),
        single("dft_one_side_20", "DFT", [real, None, Const(np.array(1))], {"": 20}, onesided=1),
    ]
    for op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        found.append(single(f"{op.lower()}_doubles", op, [np.array(10)], {"": 17}, output_datatype=TensorProto.DOUBLE))
    edges = [Const(np.array(value)) for value in (6, 32, 4000)]
    limits = [Const(np.float32(20)), Const(np.float32(1900))]
    found.append(single("mel_doubles", "MelWeightMatrix", [*edges, *limits], {"": 17}, output_datatype=TensorProto.DOUBLE))
    return found


def numbers_of_other_types(rng) -> list[Case]:
    """Sums, quotients and weights in another type than that of the operands."""
    far = rng.normal(3e4, 1, (3, 8))
    gain, bias = rng.normal(1, 0.3, 8), rng.normal(0, 1, 8)
    double = {"stash_type": TensorProto.DOUBLE}
    normal = centred(far, (1,)) * gain + bias
    grouped = centred(far.reshape(3, 2, 4), (2,)).reshape(3, 8) * gain + bias
    small = far - 3e4
    root = small / np.sqrt((small**2).mean(1, keepdims=True) + 1e-5) * gain
    x, scale, step = floats(rng, 3, 5), Const(np.float32(0.037)), Const(np.float16(0.037))
    codes = rng.integers(-128, 128, (3, 5)).astype(np.int8)
    q, k, v = (rng.normal(0, 1, (1, 2, 3, 4)) for _ in range(3))
    q[..., 0], k[..., 0] = 4000, 5000
    return [
        replace(single("layer_norm_of_doubles", "LayerNormalization", [far, gain, bias], {"": 17}, **double), expected={"y0": normal}),
        replace(
            single("group_norm_of_doubles", "GroupNormalization", [far, gain, bias], {"": 21}, num_groups=2, **double),
            expected={"y0": grouped},
        ),
        replace(single("rms_norm_of_doubles", "RMSNormalization", [small, gain], {"": 23}, **double), expected={"y0": root}),
        replace(
            single("decoded_as_float", "DequantizeLinear", [codes, step], {"": 23}, output_dtype=TensorProto.FLOAT),
            expected={"y0": codes * np.float32(np.float16(0.037))},
        ),
        replace(
            single("coded_by_half", "QuantizeLinear", [x * 9, scale, Const(np.int8(3))], {"": 23}, precision=TensorProto.FLOAT16),
            expected={"y0": np.clip(np.rint((x * 9).astype(np.float16) / np.float16(0.037)) + 3, -128, 127).astype(np.int8)},
            evaluated=True,
        ),
        replace(
            single("attention_of_floats", "Attention", [q, k, v], {"": 23}, softmax_precision=TensorProto.FLOAT),
            expected={"y0": float_weights(q @ k.swapaxes(2, 3) / 2).astype(np.float64) @ v},
        ),
        unsaturated(),
    ]


def float_weights(scores: np.ndarray) -> np.ndarray:
    rounded = scores.astype(np.float32)
    raised = np.exp(rounded - rounded.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def centred(x: np.ndarray, axes: tuple) -> np.ndarray:
    from_mean = x - x.mean(axes, keepdims=True)
    return from_mean / np.sqrt((from_mean**2).mean(axes, keepdims=True) + 1e-5)


def unsaturated() -> Case:
    x = np.array([1.5, -3, 470, 1e4, -1e4], np.float32)
    zero = helper.make_tensor("zero", TensorProto.FLOAT8E4M3FN, [], [0.0])
    step = helper.make_tensor("step", TensorProto.FLOAT, [], [0.5])
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "step", "zero"], ["q"], saturate=0),
        helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(nodes, "codes", [info("x", x)], [info("y", x)], [zero, step])
    return Case("coded_unsaturated", model_of(graph, {"": 19}), {"x": x})


def constants() -> list[Case]:
    found = []
    row = np.array([1, 2, 3], np.float32)
    for name, attributes, follow, expected in (
        ("floats", {"value_floats": [0.5, -1.5, 2.25]}, "Mul", [0.5, -3, 6.75]),
        ("float", {"value_float": 1.75}, "Add", [2.75, 3.75, 4.75]),
        ("sparse", {"sparse_value": sparse()}, "Sub", [0.5, 2, 7]),
    ):
        nodes = [helper.make_node("Constant", [], ["c"], **attributes), helper.make_node(follow, ["x", "c"], ["y"])]
        graph = helper.make_graph(nodes, "constant", [info("x", row)], [info("y", row)])
        found.append(Case(f"constant_{name}", model_of(graph, {"": 13}), {"x": row}, {"y": np.array(expected, np.float32)}))
    words = np.array(["b", "a", "c"], object)
    for name, attributes in (("texts", {"value_strings": ["b", "z", "c"]}), ("text", {"value_string": "a"})):
        nodes = [helper.make_node("Constant", [], ["c"], **attributes), helper.make_node("Equal", ["x", "c"], ["y"])]
        graph = helper.make_graph(nodes, "constant", [info("x", words)], [info("y", row > 0)])
        found.append(Case(f"constant_{name}", model_of(graph, {"": 19}), {"x": words}))
    return found


def sparse() -> onnx.SparseTensorProto:
    values = helper.make_tensor("", TensorProto.FLOAT, [2], [0.5, -4.0])
    return helper.make_sparse_tensor(values, helper.make_tensor("", TensorProto.INT64, [2], [0, 2]), [3])


def steps(rng) -> list[Case]:
    x, slope, squares = floats(rng, 3), floats(rng, 3), np.abs(floats(rng, 3))
    found = []
    for count in (0, 4):
        given = [np.float32(0.1), np.array(count)]
        found += [
            single(f"adagrad_usual_{count}", "Adagrad", [*given, x, slope * 1e-3, squares * 1e-7], TRAINING, 2),
            single(f"adam_usual_{count}", "Adam", [*given, x, slope * 1e-3, slope / 3, squares * 1e-7], TRAINING, 3),
            single(
                f"adam_shrunk_{count}",
                "Adam",
                [*given, x, slope, slope / 3, squares],
                TRAINING,
                3,
                alpha=0.7,
                beta=0.8,
                epsilon=0.1,
                norm_coefficient=0.2,
                norm_coefficient_post=0.3,
            ),
            single(
                f"adagrad_penalised_{count}",
                "Adagrad",
                [*given, x, slope, squares],
                TRAINING,
                2,
                decay_factor=0.2,
                epsilon=0.1,
                norm_coefficient=0.3,
            ),
        ]
    return [replace(case, expected=evaluated(case)) for case in found]


@np.errstate(invalid="ignore")
def evaluated(case: Case) -> dict:
    """By onnx's evaluator, which computes some of it in double precision."""
    results = ReferenceEvaluator(case.model).run(None, case.inputs)
    return {f"y{i}": np.asarray(value, np.float32) for i, value in enumerate(results)}


def texts() -> list[Case]:
    words = np.array(["B b", "ab", "A"], object)
    grams = {"min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0, "mode": "TF", "ngram_counts": [0, 2]}
    return [
        single("texts_locale", "StringNormalizer", [words], {"": 10}, case_change_action="LOWER", locale="C"),
        single(
            "weighed_texts",
            "TfIdfVectorizer",
            [np.array([["a", "b", "a"], ["b", "c", "a"]], object)],
            {"": 9},
            ngram_indexes=[0, 2, 1],
            pool_strings=["a", "b", "b", "a"],
            **grams,
        ),
    ]
