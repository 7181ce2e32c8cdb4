"""Small graphs, most of which once came out wrong, refused or unloadable."""

from dataclasses import replace

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from operator_cases import Case, Const, info, model_of, single

IMAGE = np.random.default_rng(5).normal(0, 1, (2, 5, 3, 4)).astype(np.float32)
MATRIX = np.random.default_rng(6).normal(0, 1, (3, 4)).astype(np.float32)

# name: (opset, graph in ONNX's text form, inputs)
GRAPHS = {
    "slices_of_a_reversed_axis_that_leave_nothing": (
        17,
        """mixed (float[n, 3] x) => (float[?, 3] y)
           <int64[1] last = {-1}, int64[1] first = {-9999}, int64[1] axis = {0}, int64[1] back = {-1},
            int64[1] one = {1}, int64[1] end = {9999}>
           { r = Slice(x, last, first, axis, back)  y = Slice(r, one, end, axis) }""",
        {"x": MATRIX[:1, :3]},
    ),
    "shape_of_what_only_running_finds_out": (
        17,
        """mixed (float[n, 4] x, bool[3] keep) => (float[?, 4] y)
           <float[4] row = {0.5, -1.5, 2.5, 3.5}>
           { some = Compress<axis = 0>(x, keep)  size = Shape(some)  y = Expand(row, size) }""",
        {"x": MATRIX, "keep": np.array([True, False, True])},
    ),
    "expand_to_what_only_running_finds_out": (
        17,
        """mixed (float[4] x, int64[3] sizes, bool[3] keep) => (float[?, ?] y)
           { some = Compress<axis = 0>(sizes, keep)  y = Expand(x, some) }""",
        {"x": MATRIX[0], "sizes": np.array([3, 9, 1]), "keep": np.array([True, False, True])},
    ),
    "expand_to_another_symbolic_size": (
        17,
        """mixed (float[n, 4] x, float[m, 4] like) => (float[?, 4] y) { size = Shape(like)  y = Expand(x, size) }""",
        {"x": MATRIX[:1], "like": MATRIX},
    ),
    "norm_of_two_types": (
        15,
        """mixed (float16[1, 2, 3, 4] x) => (float16[1, 2, 3, 4] y)
           <float[2, 2, 1, 1] w = {1.5, -0.5, 0.25, 2}, float[2] gain = {0.5, 2}, float[2] bias = {1, -1},
            float[2] mean = {0.25, -0.5}, float[2] variance = {2, 0.5}>
           { v = Cast<to = 10>(w)  g = Cast<to = 10>(gain)  b = Cast<to = 10>(bias)
             c = Conv(x, v)  y = BatchNormalization(c, g, b, mean, variance) }""",
        {"x": IMAGE[:1, :2].astype(np.float16)},
    ),
    "factor_that_is_nearly_one": (
        17,
        """mixed (double[3, 4] x) => (double[3, 4] y)
           <double factor = {1.000009}> { z = Mul(x, factor)  y = Sub(z, x) }""",
        {"x": MATRIX.astype(np.float64)},
    ),
    "constants_that_cannot_be_joined": (
        17,
        """mixed (float[3, 4] x) => (float[3, 4] a, float[3, 4] b)
           <float large = {1e30}, float small = {1e-30}, float many = {1e10}, float minus = {-1e10}>
           { s = Mul(x, small)  t = Mul(s, small)  u = Mul(t, large)  a = Mul(u, large)  p = Add(x, many)  b = Add(p, minus) }""",
        {"x": MATRIX * 1e4},
    ),
    "slice_back_to_the_least_of_integers": (
        17,
        """mixed (float[2, n] x) => (float[2, ?] y)
           <int64[1] last = {-1}, int64[1] least = {-9223372036854775808}, int64[1] axis = {1}, int64[1] back = {-1}>
           { y = Slice(x, last, least, axis, back) }""",
        {"x": MATRIX[:2]},
    ),
    "output_that_is_an_input": (
        17,
        "mixed (float[3, 4] x) => (float[3, 4] x, float[3, 4] y) { y = Neg(x) }",
        {"x": MATRIX},
    ),
    "flatten_of_what_only_running_finds_out": (
        17,
        """mixed (float[2, 3, 4] x, int64[3] sizes, bool[3] keep) => (float[?, ?] y, float[?, ?] z)
           { some = Compress<axis = 0>(sizes, keep)  r = Reshape(x, some)  y = Flatten<axis = 2>(r)  z = Flatten<axis = -1>(r) }""",
        {"x": IMAGE[:, :3, 0], "sizes": np.array([2, 3, 4]), "keep": np.array([True, True, True])},
    ),
    "groups_that_do_not_divide_the_channels": (
        17,
        """mixed (float[2, 5, 3, 4] x) => (float[2, 5, 3, 4] y)
           <int64[3] split = {0, 3, -1}, float[3] one = {1, 1, 1}, float[3] zero = {0, 0, 0}>
           { g = Reshape(x, split)  i = InstanceNormalization(g, one, zero)  s = Shape(x)  y = Reshape(i, s) }""",
        {"x": IMAGE},
    ),
    "signed_weights_of_unsigned_codes": (
        17,
        """mixed (uint8[n, 4] x) => (int32[n, 3] y)
           <int8[4, 3] w = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12}, uint8 zero = {120}>
           { y = MatMulInteger(x, w, zero) }""",
        {"x": np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4)},
    ),
    "squeeze_of_a_symbolic_size": (
        17,
        "mixed (float[n, 3] x) => (float[?, ?] y) { y = Squeeze(x) }",
        {"x": MATRIX[:, :3]},
    ),
    "activations_of_doubles": (
        17,
        """mixed (double[3, 4] x) => (double[3, 4] a, double[3, 4] b)
           <double one = {1}, double three = {3}, double six = {6}, double zero = {0}>
           { e = Exp(x)  p = Add(e, one)  a = Log(p)
             m = Add(x, three)  c = Clip(m, zero, six)  b = Div(c, six) }""",
        {"x": MATRIX.astype(np.float64)},
    ),
    "largest_of_integers_and_zero": (
        17,
        "mixed (int64[n, 4] x) => (int64[n, 4] y) <int64 zero = {0}> { y = Max(x, zero) }",
        {"x": np.arange(-6, 6).reshape(3, 4)},
    ),
    "bits_of_64": (
        18,
        "mixed (uint64[3] a, uint64[3] b) => (uint64[3] y) { y = BitwiseOr(a, b) }",
        {"a": np.array([2**64 - 1, 2**63, 12345], np.uint64), "b": np.array([0, 1, 2**40 + 2**63], np.uint64)},
    ),
    "global_lp_pool": (
        17,
        "mixed (float[2, 5, 3, 4] x) => (float[2, 5, 1, 1] y) { y = GlobalLpPool<p = 3>(x) }",
        {"x": IMAGE},
    ),
    "max_roi_pool": (
        17,
        """mixed (float[2, 5, 3, 4] x, float[3, 5] rois) => (float[3, 5, 2, 2] y)
           { y = MaxRoiPool<pooled_shape = [2, 2], spatial_scale = 0.5>(x, rois) }""",
        {
            "x": IMAGE,
            "rois": np.array([[0, 0, 0, 6, 4], [1, 2, 1, 5, 5], [0, 1, 1, 3, 3]], np.float32),
        },
    ),
    "convolution_with_fed_weights_of_unknown_sizes": (
        17,
        "mixed (float[2, 5, h, w] x, float[o, 5, p, q] f) => (float[2, o, ?, ?] y) { y = Conv<pads = [1, 0, 0, 1]>(x, f) }",
        {"x": IMAGE, "f": np.random.default_rng(7).normal(0, 1, (2, 5, 2, 3)).astype(np.float32)},
    ),
}


def group_norms() -> list[Case]:
    """ONNX Runtime's GroupNorm, for which it has no kernel on a CPU: the values are the formula's."""
    rng = np.random.default_rng(8)
    x = rng.normal(0, 1, (2, 3, 4, 6)).astype(np.float32)  # channels last
    gain, bias = (rng.normal(1, 1, 6).astype(np.float32) for _ in range(2))
    grouped = x.reshape(2, 12, 3, 2).astype(np.float64)
    mean, variance = (f(grouped, axis=(1, 3), keepdims=True) for f in (np.mean, np.var))
    found = []
    for last, activation, epsilon in ((1, 0, 0.01), (1, 1, 0.01), (0, 0, 0.01), (1, 0, None)):
        y = ((grouped - mean) / np.sqrt(variance + (epsilon or 1e-5))).reshape(x.shape) * gain + bias
        result = (y / (1 + np.exp(-y)) if activation else y).astype(np.float32)
        turn = (lambda a: a) if last else (lambda a: np.ascontiguousarray(a.transpose(0, 3, 1, 2)))
        options = {"groups": 3, "activation": activation, **({"epsilon": epsilon} if epsilon else {})}
        if not last:
            options["channels_last"] = 0
        name = f"group_norm_{last}_{activation}" + ("" if epsilon else "_epsilon")
        opsets = {"": 17, "com.microsoft": 1}
        case = single(name, "GroupNorm", [turn(x), Const(gain), Const(bias)], opsets, **options)
        found.append(replace(case, expected={"y0": turn(result)}))
    return found


def weighed_words() -> list[Case]:
    words = np.array([[1, 1, 3, 3, 3, 7], [8, 6, 7, 5, 6, 8]], np.int32)
    found = []
    for mode in ("TF", "IDF", "TFIDF"):
        options = {"min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 1, "mode": mode}
        options |= {"ngram_counts": [0, 4], "ngram_indexes": [0, 1, 2, 3, 4, 5, 6], "pool_int64s": [2, 3, 5, 7, 5, 6, 7, 8, 6, 7]}
        weights = [0.5, 1.5, -2.0, 3.0, 0.25, 4.0, 1.25]
        found.append(single(f"weighed_words_{mode}", "TfIdfVectorizer", [words], {"": 17}, weights=weights, **options))
    return found


def forms_of_other_opsets() -> list[Case]:
    """Attributes that one opset has and an older one has not, or says in another way."""
    rng = np.random.default_rng(12)
    x = rng.normal(0, 1, (1, 2, 4, 6)).astype(np.float32)
    scales, step = Const(np.float32([1, 1, 2, 0.5])), Const(np.float32(0.02))
    asymmetric = {"coordinate_transformation_mode": "asymmetric"}
    int8 = {"output_dtype": onnx.TensorProto.INT8}
    scatter = [MATRIX, np.array([[1, 0, 2, 1]]), MATRIX[:1] * 2]
    wide = [x, Const(np.array([0, 0, 1, 2, 0, 0, 2, 1]))]
    found = [
        replace(single("codes_without_zero", "QuantizeLinear", [x, step], {"": 21}, **int8), old=19),
        replace(single("scatter_set", "ScatterElements", scatter, {"": 18}, reduction="none"), old=16),
        replace(single("scatter_add", "ScatterElements", scatter, {"": 18}, reduction="add"), old=16),
    ]
    for mode in ("constant", "reflect", "edge"):
        found.append(replace(single(f"pad_{mode}", "Pad", wide, {"": 18}, mode=mode), old=11))
    far = [x, Const(np.array([0, 0, 3, 5, 0, 0, 4, 6]))]
    found.append(replace(single("pad_reflect_back_and_forth", "Pad", far, {"": 18}, mode="reflect"), evaluated=True))
    for rounding in ("floor", "ceil", "round_prefer_floor"):
        options = {"mode": "nearest", "nearest_mode": rounding, **asymmetric}
        for tag, factors in (("larger", [1, 1, 2, 1.5]), ("smaller", [1, 1, 0.5, 0.4])):
            operands = [x, None, Const(np.float32(factors))]
            case = single(f"resize_{rounding}_{tag}", "Resize", operands, {"": 13}, **options)
            found.append(replace(case, old=10))
    for mode in ("nearest", "linear"):
        found.append(single(f"resize_10_{mode}", "Resize", [x, scales], {"": 10}, mode=mode))
    return found


def kept_proportions() -> list[Case]:
    """Sizes of which one is rounded: the scale is that of the other axis."""
    picture = np.random.default_rng(7).normal(0, 1, (1, 2, 7, 5)).astype(np.float32)
    found = []
    for policy in ("not_larger", "not_smaller"):
        for mode in ("linear", "nearest"):
            operands = [picture, None, None, Const(np.array([6, 3]))]
            options = {"axes": [2, 3], "keep_aspect_ratio_policy": policy, "mode": mode}
            found.append(single(f"resize_{policy}_{mode}", "Resize", operands, {"": 18}, **options))
    return found


def queries_that_see_no_key() -> list[Case]:
    """With scores of one low number all keys count the same; in Attention the result is 0."""
    rng = np.random.default_rng(8)
    q, k, v = (rng.normal(0, 1, (1, 2, 3, 4)).astype(np.float32) for _ in range(3))
    mask = np.array([[[[True, False, True], [False, False, False], [True, True, False]]]])
    text = """mixed (float[1, 2, 3, 4] q, float[1, 2, 3, 4] k, float[1, 2, 3, 4] v, bool[1, 1, 3, 3] mask) => (float[1, 2, 3, 4] y)
        <float low = {-1e9}, float half = {0.5}>
        { t = Transpose<perm = [0, 1, 3, 2]>(k)  s = MatMul(q, t)  h = Mul(s, half)  m = Where(mask, h, low)
          p = Softmax<axis = -1>(m)  y = MatMul(p, v) }"""
    model = model_of(onnx.parser.parse_graph(text), {"": 24})
    selected = Case("low_scores_of_all_keys", model, {"q": q, "k": k, "v": v, "mask": mask}, old=24)
    return [selected, replace(single("no_key_is_seen", "Attention", [q, k, v, mask], {"": 24}), old=24)]


def operand_left_out_through_functions() -> Case:
    """A function hands on to another what it was not given."""
    text = """<ir_version: 8, opset_import: ["": 17, "local": 1]>
        mixed (float[n, 4] x, float low) => (float[n, 4] y) { y = local.Outer(x, low) }
        <domain: "local", opset_import: ["": 17, "local": 1]>
        Outer (x, low, high) => (y) { y = local.Inner(x, low, high) }
        <domain: "local", opset_import: ["": 17]>
        Inner (x, low, high) => (y) { y = Clip(x, low, high) }"""
    return Case("operand_left_out_through_functions", onnx.parser.parse_model(text), {"x": MATRIX, "low": np.array(0.5, np.float32)})


def transforms_of_computed_frames() -> list[Case]:
    rng = np.random.default_rng(9)
    found = []
    for parts, onesided, windowed, dtype in ((1, 1, True, np.float32), (2, 0, True, np.float32), (1, 0, False, np.float64)):
        signal, window = rng.normal(0, 1, (2, 40, parts)).astype(dtype), rng.uniform(0.5, 1, 9).astype(dtype)
        operands = [signal, np.array(4), window if windowed else None, np.array(9)]
        if len(found) == 2:
            signal = signal[..., 0]  # as PyTorch writes real samples
        case = single(f"stft_{parts}_{onesided}", "STFT", operands, {"": 17}, symbolic=onesided == 1, onesided=onesided)
        found.append(replace(case, old=9))
    return found


def windows_moved_or_placed() -> list[Case]:
    """Windows of regions, and convolutions whose windows are moved by groups."""
    rng = np.random.default_rng(17)
    image = rng.normal(0, 1, (2, 4, 9, 11)).astype(np.float32)
    regions = np.array([[3, 5, 30, 21], [0, 2, 13, 33], [8, 1, 40, 9]], np.float32)
    of_image = np.array([1, 0, 1])
    bins = {"output_height": 3, "output_width": 2, "spatial_scale": 0.25}
    found = [
        single(f"regions_{opset}_{samples}", "RoiAlign", [image, regions, of_image], {"": opset}, sampling_ratio=samples, **bins)
        for opset in (10, 16)
        for samples in (0, 2)
    ]
    weights = rng.normal(0, 1, (6, 2, 3, 3)).astype(np.float32)
    moves = rng.normal(0, 0.7, (2, 2 * 2 * 9, 7, 9)).astype(np.float32)
    found.append(single("moved_groups", "DeformConv", [image, weights, moves], {"": 19}, group=2, offset_group=2))
    return found


def casts_to_powers() -> list[Case]:
    x = np.array([1, 1.4, 1.6, 3, 7, 0.36, 96], np.float32)
    found = []
    power = onnx.TensorProto.FLOAT8E8M0
    like = onnx.helper.make_tensor("like", power, [1], [1.0])
    for rounding in ("up", "down", "nearest"):
        cast = onnx.helper.make_node("Cast", ["x"], ["power"], to=power, round_mode=rounding)
        cast_like = onnx.helper.make_node("CastLike", ["x", "like"], ["power"], round_mode=rounding)
        back = onnx.helper.make_node("Cast", ["power"], ["y"], to=onnx.TensorProto.FLOAT)
        models = [
            model_of(onnx.helper.make_graph([first, back], "powers", [info("x", x)], [info("y", x)], weights), {"": 24})
            for first, weights in ((cast, []), (cast_like, [like]))
        ]
        expected = {"y": ReferenceEvaluator(models[0]).run(None, {"x": x})[0]}  # it has no round_mode of CastLike
        for model in models:
            found.append(Case(f"power_{rounding}_{model.graph.node[0].op_type}", model, {"x": x}, expected, evaluated=True))
    return found


def cases() -> list[Case]:
    found = [
        *group_norms(),
        *queries_that_see_no_key(),
        *kept_proportions(),
        *weighed_words(),
        *forms_of_other_opsets(),
        operand_left_out_through_functions(),
        *transforms_of_computed_frames(),
        *windows_moved_or_placed(),
        *casts_to_powers(),
    ]
    for name, (opset, text, inputs) in GRAPHS.items():
        graph = onnx.parser.parse_graph(text)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
        found.append(Case(name, model, inputs))
    return found
