"""Convolutions of small integers, windows that are moved or placed, and unpooling, with strides, dilations and groups."""

import numpy as np

from operator_cases import Case, Const, single

WINDOWS = {
    "plain": {},
    "strides": {"strides": [2, 1], "pads": [1, 0, 2, 1], "kernel_shape": [3, 2]},
    "dilations": {"dilations": [2, 3], "pads": [0, 1, 2, 0]},
    "upper": {"auto_pad": "SAME_UPPER", "strides": [1, 2]},
    "lower": {"auto_pad": "SAME_LOWER", "strides": [2, 1]},
    "valid": {"auto_pad": "VALID", "strides": [2, 2]},
}


def codes(rng, dtype, *shape) -> np.ndarray:
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


def convolutions_of_integers(rng) -> list[Case]:
    found = []
    for name, window in WINDOWS.items():
        for groups in (1, 2):
            x, w = codes(rng, np.uint8, 2, 4, 9, 8), codes(rng, np.uint8, 6, 4 // groups, 3, 2)
            options = {**window, **({"group": groups} if groups > 1 else {})}
            operands = [x, Const(w), Const(np.uint8(120)), Const(np.uint8(7))]
            found.append(single(f"conv_integer_{name}_{groups}", "ConvInteger", operands, {"": 10}, **options))
            scales = Const(rng.uniform(0.002, 0.004, 6).astype(np.float32))
            weights = [Const(codes(rng, np.int8, 6, 4 // groups, 3, 2)), scales, Const(np.zeros(6, np.int8))]
            bias = Const(rng.integers(-900, 900, 6).astype(np.int32))
            operands = [x, Const(np.float32(0.02)), Const(np.uint8(131)), *weights, Const(np.float32(0.1)), Const(np.uint8(120)), bias]
            found.append(single(f"qlinear_conv_{name}_{groups}", "QLinearConv", operands, {"": 10}, **options))
    return found


def moved_windows(rng) -> list[Case]:
    x, w = rng.normal(0, 1, (2, 4, 9, 11)).astype(np.float32), Const(rng.normal(0, 1, (6, 4, 3, 2)).astype(np.float32))
    found = []
    for name, window, size in (
        ("strides", {"strides": [2, 3], "kernel_shape": [3, 2]}, (4, 4)),
        ("dilations", {"dilations": [3, 2], "pads": [1, 0, 2, 1]}, (6, 10)),
    ):
        offset = rng.normal(0, 0.7, (2, 12, *size)).astype(np.float32)
        mask = rng.uniform(0, 1, (2, 6, *size)).astype(np.float32)
        found.append(single(f"moved_{name}", "DeformConv", [x, w, offset, None, mask], {"": 19}, **window))
    return found


def pools(rng) -> list[Case]:
    x = rng.normal(0, 1, (1, 2, 6, 7)).astype(np.float32)
    window = {"kernel_shape": [3, 2], "strides": [2, 2]}
    whole = {"kernel_shape": [3, 2], "ceil_mode": 1, "strides": [2, 2], "p": 3}
    regions = np.array([[0, 0, 0, 5, 4], [0, 2, 1, 6, 5]], np.float32)
    boxes, of_image = np.array([[0.5, 0.3, 4.2, 3.7], [1, 2, 5, 5]], np.float32), np.array([0, 0])
    found = [
        single("lp_pool_ceil", "LpPool", [x], {"": 18}, **whole),
        single("lp_pool_usual", "LpPool", [x], {"": 18}, **window),
        single("lp_pool_usual_11", "LpPool", [x], {"": 11}, **window),
        single("global_lp_pool_usual", "GlobalLpPool", [x], {"": 11}),
        single("max_roi_pool_usual", "MaxRoiPool", [x, regions], {"": 11}, pooled_shape=[2, 3]),
        single("roi_align_usual_16", "RoiAlign", [x, boxes, of_image], {"": 16}),
        single("roi_align_usual_10", "RoiAlign", [x, boxes, of_image], {"": 10}),
        single("roi_align_largest_10", "RoiAlign", [x, boxes, of_image], {"": 10}, mode="max", sampling_ratio=1, output_width=2),
    ]
    pooled = np.array([[[[5, 6, 3], [7, 8, 2]]]], np.float32)
    places = np.array([[[[5, 7, 9], [13, 16, 11]]]], np.int64)
    found.append(single("unpool_padded", "MaxUnpool", [pooled, places], {"": 11}, kernel_shape=[2, 2], strides=[2, 3], pads=[0, 1, 1, 0]))
    found.append(single("unpool_unit_strides", "MaxUnpool", [pooled, places[:, :, ::-1] - 5], {"": 11}, kernel_shape=[2, 2]))
    return found


def cases() -> list[Case]:
    rng = np.random.default_rng(23)
    bare = single("conv_integer_bare", "ConvInteger", [codes(rng, np.uint8, 1, 2, 5, 5), Const(codes(rng, np.uint8, 3, 2, 2, 2))], {"": 10})
    return [bare, *convolutions_of_integers(rng), *moved_windows(rng), *pools(rng)]
