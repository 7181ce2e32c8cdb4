"""Operators of ONNX Runtime's own domain as single-node cases: (name, node, opsets, operands, names of constants)."""

import numpy as np
from onnx import helper

DOMAIN = "com.microsoft"
CASES = []


def floats(rng, *shape) -> np.ndarray:
    return rng.normal(0, 1, shape).astype(np.float32)


def add(name: str, op: str, operands: list, constants=(), outputs: int = 1, domain: str = DOMAIN, **attributes) -> None:
    """Operands in order; None for one that is left out. `constants` are positions."""
    names = ["" if value is None else f"x{i}" for i, value in enumerate(operands)]
    node = helper.make_node(op, names, [f"y{i}" for i in range(outputs)], domain=domain, **attributes)
    values = {n: np.asarray(value) for n, value in zip(names, operands) if n}
    CASES.append((f"microsoft_{name}", node, {"": 17, DOMAIN: 1}, values, {f"x{i}" for i in constants}))


def all_cases() -> list:
    if not CASES:
        rng = np.random.default_rng(7)
        activations(rng)
        matrices(rng)
        normalizations(rng)
        attention(rng)
        quantized_arithmetic(rng)
        quantized_windows(rng)
        quantized_matrices(rng)
        quantizers(rng)
    return CASES


def activations(rng) -> None:
    x, bias = floats(rng, 2, 3, 8), floats(rng, 8)
    add("gelu", "Gelu", [x])
    add("fast_gelu", "FastGelu", [x])
    add("fast_gelu_bias", "FastGelu", [x, bias])
    add("quick_gelu", "QuickGelu", [x])
    add("quick_gelu_alpha", "QuickGelu", [x], alpha=0.9)
    add("bias_gelu", "BiasGelu", [x, bias])


def matrices(rng) -> None:
    a, b = floats(rng, 2, 3, 4), floats(rng, 2, 4, 5)
    turned_a, turned_b = a.swapaxes(1, 2).copy(), b.swapaxes(1, 2).copy()
    add("fused_matmul", "FusedMatMul", [a, b], alpha=0.7)
    add("fused_matmul_trans_a", "FusedMatMul", [turned_a, b], transA=1)
    add("fused_matmul_trans_b", "FusedMatMul", [a, turned_b], transB=1, alpha=1.5)
    add("fused_matmul_both", "FusedMatMul", [turned_a, turned_b], transA=1, transB=1)
    add("fused_matmul_batch_a", "FusedMatMul", [a.swapaxes(0, 1).copy(), b], transBatchA=1)
    add("fused_matmul_batch_b", "FusedMatMul", [a, b.swapaxes(0, 1).copy()], transBatchB=1)
    add("fused_matmul_weight", "FusedMatMul", [a, b[0]], constants=(1,), alpha=0.3)
    add("transpose_matmul", "TransposeMatMul", [turned_a, b], transA=1)
    add("transpose_matmul_trans_b", "TransposeMatMul", [a, turned_b], transB=1, alpha=0.6)
    x, w, bias = floats(rng, 1, 3, 7, 6), floats(rng, 4, 3, 3, 2), floats(rng, 4)
    common = {"kernel_shape": [3, 2], "pads": [1, 0, 0, 1], "strides": [2, 1]}
    for activation, parameters in (
        ("Relu", None),
        ("Sigmoid", None),
        ("Tanh", None),
        ("LeakyRelu", [0.2]),
        ("Clip", [-0.5, 0.8]),
        ("HardSigmoid", [0.3, 0.4]),
    ):
        extra = {"activation_params": parameters} if parameters else {}
        add(f"fused_conv_{activation.lower()}", "FusedConv", [x, w, bias], activation=activation, **extra, **common)
    addend = floats(rng, 1, 4, 3, 6)
    add("fused_conv_sum", "FusedConv", [x, w, bias, addend], constants=(1, 2), activation="Relu", **common)
    add("fused_conv_no_bias", "FusedConv", [x, w], constants=(1,), activation="Relu", group=1, **common)
    add("fused_conv_usual", "FusedConv", [x, w, bias], activation="Tanh")
    add("fused_conv_plain", "FusedConv", [x, w, bias], strides=[2, 2])
    grouped = floats(rng, 6, 2, 3, 2)
    for word in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        options = {"auto_pad": word, "group": 2, "activation": "Sigmoid"}
        add(f"fused_conv_{word.lower()}", "FusedConv", [floats(rng, 1, 4, 8, 7), grouped], constants=(1,), **options)
    add("fused_conv_dilated", "FusedConv", [floats(rng, 1, 4, 8, 7), grouped], constants=(1,), group=2, dilations=[1, 2])
    sides = floats(rng, 4, 3), floats(rng, 4, 5), floats(rng, 5)
    add("fused_gemm_no_addend", "FusedGemm", sides[:2], activation="Tanh", transA=1, alpha=0.4)
    add("fused_gemm_usual", "FusedGemm", sides, activation="Sigmoid", transA=1)
    add("fused_gemm_leaky", "FusedGemm", sides, transA=1, activation="LeakyRelu", activation_alpha=0.3)
    hard = {"activation": "HardSigmoid", "activation_alpha": 0.3, "activation_beta": 0.4}
    add("fused_gemm_hard", "FusedGemm", sides, transA=1, **hard)
    for activation in ("Relu", "Tanh"):
        add(
            f"fused_gemm_{activation.lower()}",
            "FusedGemm",
            [floats(rng, 3, 4), floats(rng, 5, 4), floats(rng, 5)],
            activation=activation,
            transB=1,
            alpha=0.8,
            beta=1.2,
        )


def normalizations(rng) -> None:
    x, skip = floats(rng, 2, 3, 8), floats(rng, 2, 3, 8)
    gamma, beta, bias = (floats(rng, 8) for _ in range(3))
    add("skip_norm", "SkipLayerNormalization", [x, skip, gamma, beta, bias], epsilon=1e-3)
    add("skip_norm_no_beta", "SkipLayerNormalization", [x, skip, gamma])
    add("skip_norm_bias_only", "SkipLayerNormalization", [x, skip, gamma, None, bias], constants=(2, 4))
    add("skip_rms_norm", "SkipSimplifiedLayerNormalization", [x, skip, gamma], epsilon=1e-3)
    add("skip_rms_norm_bias", "SkipSimplifiedLayerNormalization", [x, skip, gamma, bias])
    for name, op, operands in (
        ("skip_norm_sum", "SkipLayerNormalization", [x, skip, gamma, beta, bias]),
        ("skip_rms_norm_sum", "SkipSimplifiedLayerNormalization", [x, skip, gamma, bias]),
    ):
        names = [f"x{i}" for i in range(len(operands))]
        node = helper.make_node(op, names, ["y", "", "", "sum"], domain=DOMAIN, epsilon=1e-4)
        CASES.append((f"microsoft_{name}", node, {"": 17, DOMAIN: 1}, dict(zip(names, operands)), set()))
    ids, segments = rng.integers(0, 10, (2, 4)).astype(np.int32), rng.integers(0, 2, (2, 4)).astype(np.int32)
    word, position, segment = floats(rng, 10, 6), floats(rng, 8, 6), floats(rng, 2, 6)
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32)
    tables = [word, position, segment, floats(rng, 6), floats(rng, 6)]
    add("embed_norm", "EmbedLayerNormalization", [ids, segments, *tables, mask], outputs=2, epsilon=1e-3)
    add("embed_norm_lengths", "EmbedLayerNormalization", [ids, segments, *tables, mask], outputs=2, mask_index_type=1)
    add("embed_norm_no_mask", "EmbedLayerNormalization", [ids, segments, *tables], outputs=2)
    plain = [ids, None, word, position, None, *tables[3:], mask]
    add("embed_norm_no_segment", "EmbedLayerNormalization", plain, outputs=2)
    positions = np.array([[2, 0, 1, 3]], np.int32)
    add("embed_norm_positions", "EmbedLayerNormalization", [ids, segments, *tables, None, positions], outputs=2)


def attention(rng) -> None:
    x, w, b = floats(rng, 2, 4, 6), floats(rng, 6, 24), floats(rng, 24)
    add("attention", "Attention", [x, w, b], num_heads=2)
    add("attention_causal", "Attention", [x, w, b], constants=(1, 2), num_heads=2, unidirectional=1)
    add("attention_scale", "Attention", [x, w, b], num_heads=4, scale=0.4)
    add("attention_no_rotary", "Attention", [x, w, b], num_heads=2, do_rotary=0, rotary_embedding_dim=32, past_present_share_buffer=0)
    lengths = np.array([2, 4], np.int32)
    add("attention_lengths", "Attention", [x, w, b, lengths], num_heads=2)
    raw = np.array([[1, 1, 1, 0], [1, 0, 1, 1]], np.int32)
    add("attention_mask", "Attention", [x, w, b, raw], num_heads=2)
    add("attention_mask_filter", "Attention", [x, w, b, raw], num_heads=2, mask_filter_value=-50.0)
    add("attention_sizes", "Attention", [x, floats(rng, 6, 20), floats(rng, 20)], num_heads=2, qkv_hidden_sizes=[8, 8, 4])
    past = floats(rng, 2, 2, 2, 3, 4)
    add("attention_past", "Attention", [x, w, b, None, past], outputs=2, num_heads=2, unidirectional=1)
    bias = floats(rng, 2, 2, 4, 4)
    add("attention_bias", "Attention", [x, w, b, None, None, bias], num_heads=2)
    add("attention_bias_row", "Attention", [x, w, b, None, None, bias[:1]], num_heads=2)
    q, k, v = floats(rng, 2, 3, 8), floats(rng, 2, 5, 8), floats(rng, 2, 5, 8)
    add("multi_head", "MultiHeadAttention", [q, k, v], num_heads=2)
    add("multi_head_bias", "MultiHeadAttention", [q, k, v, floats(rng, 24)], num_heads=2)
    padding = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]], np.int32)
    add("multi_head_padding", "MultiHeadAttention", [q, k, v, None, padding], num_heads=2)
    add("multi_head_filter", "MultiHeadAttention", [q, k, v, None, padding], num_heads=2, mask_filter_value=-2.0)
    add("multi_head_scores", "MultiHeadAttention", [q, k, v, None, None, floats(rng, 2, 2, 3, 5)], num_heads=2, scale=0.3)
    add("multi_head_causal", "MultiHeadAttention", [q, k[:, :3], v[:, :3]], num_heads=2, unidirectional=1)
    heads = floats(rng, 2, 2, 4, 4), floats(rng, 2, 2, 4, 4)
    add("multi_head_past", "MultiHeadAttention", [q, k, v, None, None, None, *heads], outputs=3, num_heads=2)
    cached = floats(rng, 2, 2, 5, 4), floats(rng, 2, 2, 5, 4)
    add("multi_head_cross", "MultiHeadAttention", [q, *cached], num_heads=2)
    cos, sin = floats(rng, 10, 2), floats(rng, 10, 2)
    values, positions = floats(rng, 2, 3, 8), np.array([[0, 1, 2], [4, 5, 6]], np.int64)
    add("rotary", "RotaryEmbedding", [values, positions, cos, sin], num_heads=2, rotary_embedding_dim=0)
    add("rotary_interleaved", "RotaryEmbedding", [floats(rng, 2, 2, 3, 4), positions, cos, sin], interleaved=1)
    add("rotary_offset", "RotaryEmbedding", [floats(rng, 2, 2, 3, 4), np.array([3], np.int64), cos, sin], constants=(2, 3))
    add(
        "rotary_partial",
        "RotaryEmbedding",
        [floats(rng, 2, 3, 12), positions, cos, sin],
        num_heads=2,
        rotary_embedding_dim=4,
    )


def codes(rng, dtype, *shape) -> np.ndarray:
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


def scale(value: float) -> np.ndarray:
    return np.float32(value)


def quantized_arithmetic(rng) -> None:
    for dtype, zero in ((np.uint8, 120), (np.int8, -7)):
        tag = np.dtype(dtype).name
        x, y = codes(rng, dtype, 2, 3, 5), codes(rng, dtype, 2, 3, 5)
        at = [np.array(zero + i, dtype) for i in range(4)]
        for op in ("Add", "Mul"):
            operands = [x, scale(0.02), at[0], y, scale(0.03), at[1], scale(0.045), at[2]]
            add(f"qlinear_{op.lower()}_{tag}", f"QLinear{op}", operands, constants=(1, 2, 4, 5, 6, 7))
            operands[3] = y[0, 0]
            add(f"qlinear_{op.lower()}_row_{tag}", f"QLinear{op}", operands, constants=(1, 2, 3, 4, 5, 6, 7))
        unary = [x, scale(0.05), at[0], scale(0.011), at[1]]
        add(f"qlinear_softmax_bare_{tag}", "QLinearSoftmax", [x, scale(0.05), None, *unary[3:]], constants=(1, 3, 4), opset=13)
        add(f"qlinear_sigmoid_{tag}", "QLinearSigmoid", unary, constants=(1, 2, 3, 4))
        add(f"qlinear_leaky_relu_{tag}", "QLinearLeakyRelu", unary, constants=(1, 2, 3, 4), alpha=0.2)
        add(f"qlinear_leaky_relu_usual_{tag}", "QLinearLeakyRelu", unary, constants=(1, 2, 3, 4))
        add(f"qlinear_softmax_{tag}", "QLinearSoftmax", unary, constants=(1, 2, 3, 4), axis=-1, opset=13)
        for axis, opset in ((1, 13), (-2, 13), (None, 13), (None, 12), (2, 12)):
            options = {"opset": opset} if axis is None else {"axis": axis, "opset": opset}
            row = [x[0], *unary[1:]] if options == {"opset": 12} else unary
            name = f"qlinear_softmax_{axis}_{opset}_{tag}"
            add(name, "QLinearSoftmax", row, constants=(1, 2, 3, 4), **options)
        parts = [scale(0.04), at[2], x, scale(0.05), at[0], y, scale(0.03), at[1]]
        add(f"qlinear_concat_{tag}", "QLinearConcat", parts, constants=(0, 1, 3, 4, 6, 7), axis=1)
        condition = rng.random((2, 3, 5)) < 0.5
        chosen = [condition, x, scale(0.05), at[0], y, scale(0.03), at[1], scale(0.04), at[2]]
        add(f"qlinear_where_{tag}", "QLinearWhere", chosen, constants=(2, 3, 5, 6, 7, 8))


def quantized_windows(rng) -> None:
    for dtype, zero in ((np.uint8, 128), (np.int8, 3)):
        tag = np.dtype(dtype).name
        x, at = codes(rng, dtype, 1, 4, 7, 6), np.array(zero, dtype)
        quantization = [scale(0.05), at, scale(0.03), np.array(zero + 2, dtype)]
        window = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
        average = "qlinear_average_pool"
        add(f"{average}_{tag}", "QLinearAveragePool", [x, *quantization], constants=(1, 2, 3, 4), **window)
        add(
            f"{average}_padded_{tag}",
            "QLinearAveragePool",
            [x, *quantization],
            constants=(1, 2, 3, 4),
            count_include_pad=1,
            **window,
        )
        add(f"{average}_ceil_{tag}", "QLinearAveragePool", [x, *quantization], ceil_mode=1, kernel_shape=[3, 3], strides=[2, 2])
        add(f"{average}_last_{tag}", "QLinearAveragePool", [x, *quantization], channels_last=1, **window)
        add(f"qlinear_global_average_pool_{tag}", "QLinearGlobalAveragePool", [x, *quantization], constants=(1, 2, 3, 4))
        add(f"qlinear_global_average_pool_last_{tag}", "QLinearGlobalAveragePool", [x, *quantization], channels_last=1)
        for word in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            same = {"auto_pad": word, "kernel_shape": [3, 2]}
            operands = [x, *quantization]
            add(f"{average}_{word.lower()}_{tag}", "QLinearAveragePool", operands, constants=(1, 2, 3, 4), **same)
            add(f"nhwc_max_pool_{word.lower()}_{tag}", "NhwcMaxPool", [x], **same)
        add(f"nhwc_max_pool_dilated_{tag}", "NhwcMaxPool", [x], kernel_shape=[2, 3], dilations=[1, 2], pads=[1, 0, 0, 2])
        add(f"nhwc_max_pool_{tag}", "NhwcMaxPool", [x], **window)
        add(f"nhwc_max_pool_ceil_{tag}", "NhwcMaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        grouped = [codes(rng, np.int8, 6, 2, 3, 2), scale(0.02), np.int8(0), scale(0.9), np.array(zero, dtype)]
        for name, options in (
            ("usual", {}),
            ("dilated", {"dilations": [2, 3], "strides": [1, 2], "pads": [1, 0, 2, 1]}),
            ("same_upper", {"auto_pad": "SAME_UPPER", "kernel_shape": [3, 2]}),
            ("same_lower", {"auto_pad": "SAME_LOWER", "strides": [2, 1]}),
        ):
            operands = [x, scale(0.05), at, *grouped]
            add(f"qlinear_conv_{name}_{tag}", "QLinearConv", operands, constants=range(1, 8), group=2, **options)
        w = codes(rng, np.int8, 5, 4, 3, 2)
        bias = rng.integers(-400, 400, 5).astype(np.int32)
        for per_channel in (False, True):
            scales = (rng.random(5) * 0.02 + 0.01).astype(np.float32) if per_channel else scale(0.02)
            zeros = np.zeros(5, np.int8) if per_channel else np.int8(0)
            operands = [x, scale(0.05), at, w, scales, zeros, scale(0.9), np.array(zero, dtype), bias]
            add(f"qlinear_conv_{tag}_{per_channel}", "QLinearConv", operands, constants=range(1, 9), domain="", **window)
            last = [x.transpose(0, 2, 3, 1).copy(), *operands[1:]]
            add(f"qlinear_conv_last_{tag}_{per_channel}", "QLinearConv", last, range(1, 9), channels_last=1, **window)


def quantized_matrices(rng) -> None:
    a, b = codes(rng, np.uint8, 2, 3, 8), codes(rng, np.int8, 8, 5)
    columns = (rng.random(5) * 0.02 + 0.01).astype(np.float32)
    za, zb = np.uint8(130), np.int8(2)
    bias = floats(rng, 5)
    add("matmul_integer_to_float", "MatMulIntegerToFloat", [a, b, scale(0.03), scale(0.02), za, zb])
    add("matmul_integer_to_float_columns", "MatMulIntegerToFloat", [a, b, scale(0.03), columns, za, np.zeros(5, np.int8), bias], (1, 3, 5, 6))
    add("matmul_integer_to_float_plain", "MatMulIntegerToFloat", [a, b, scale(0.03), scale(0.02)])
    x = floats(rng, 2, 3, 8)
    add("dynamic_quantize_matmul", "DynamicQuantizeMatMul", [x, b, scale(0.02), zb, bias], (1, 2, 3, 4))
    add("dynamic_quantize_matmul_columns", "DynamicQuantizeMatMul", [x, b, columns], (1, 2))
    gemm = [a[0], scale(0.03), za, b, scale(0.02), np.int8(0)]
    whole = rng.integers(-400, 400, 5).astype(np.int32)
    add("qgemm", "QGemm", [*gemm, whole, scale(1.1), np.uint8(128)], range(1, 9))
    add("qgemm_no_addend", "QGemm", [*gemm, None, scale(1.1), np.uint8(128)], (1, 2, 3, 4, 5, 7, 8))
    add("qgemm_float", "QGemm", [*gemm, whole], range(1, 7), alpha=0.5)
    turned = [a[0].T.copy(), scale(0.03), za, b.T.copy(), columns, np.zeros(5, np.int8)]
    add("qgemm_turned", "QGemm", [*turned, whole, scale(1.1), np.uint8(128)], range(1, 9), transA=1, transB=1)
    for bits in (2, 8):
        packed, scales = codes(rng, np.uint8, 6, 2, 16 * bits // 8), (rng.random((6, 2)) + 0.1).astype(np.float32)
        common = {"K": 32, "N": 6, "bits": bits, "block_size": 16}
        add(f"matmul_nbits_of_{bits}", "MatMulNBits", [floats(rng, 3, 32), packed, scales], (1, 2), **common)
    for block, k in ((16, 32), (32, 48)):
        blocks = -(-k // block)
        packed, scales = codes(rng, np.uint8, 6, blocks, block // 2), (rng.random((6, blocks)) + 0.1).astype(np.float32)
        zeros = codes(rng, np.uint8, 6, -(-blocks // 2))
        common = {"K": k, "N": 6, "bits": 4, "block_size": block}
        data = floats(rng, 3, k)
        add(f"matmul_nbits_{block}", "MatMulNBits", [data, packed, scales], (1, 2), **common)
        less = {"K": k, "N": 6, "block_size": block, "accuracy_level": 1}
        add(f"matmul_nbits_usual_{block}", "MatMulNBits", [data, packed, scales], (1, 2), **less)
        add(f"matmul_nbits_zero_{block}", "MatMulNBits", [data, packed, scales, zeros], (1, 2, 3), **common)
        everything = [data, packed, scales, None, None, floats(rng, 6)]
        add(f"matmul_nbits_bias_{block}", "MatMulNBits", everything, (1, 2, 5), **common)


def quantizers(rng) -> None:
    x = floats(rng, 2, 3, 4)
    for dtype, zero in ((np.uint8, 120), (np.int8, -5), (np.uint16, 30000), (np.int16, -77)):
        tag, step = np.dtype(dtype).name, 0.02 if np.dtype(dtype).itemsize == 1 else 0.0003
        add(f"quantize_{tag}", "QuantizeLinear", [x, scale(step), np.array(zero, dtype)], (1, 2))
        q = codes(rng, dtype, 2, 3, 4)
        add(f"dequantize_{tag}", "DequantizeLinear", [q, scale(step), np.array(zero, dtype)], (1, 2))
        scales, zeros = (np.arange(1, 4) * step).astype(np.float32), np.array([zero, zero + 1, zero + 2], dtype)
        add(f"quantize_axis_{tag}", "QuantizeLinear", [x, scales, zeros], (1, 2), axis=1)
        add(f"dequantize_axis_{tag}", "DequantizeLinear", [q, scales, zeros], (1, 2), axis=1)
    add("quantize_bare", "QuantizeLinear", [x + 2, scale(0.02)], (1,))
    add("dequantize_int32", "DequantizeLinear", [rng.integers(-900, 900, (2, 3, 4)).astype(np.int32), scale(0.01)], (1,))
