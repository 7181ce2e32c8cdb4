"""Signals, detection, StableHLO and custom operators."""

import numpy as np

from tflite_cases import family, model_case, one_op, random_array, rng
from tflite_build import Model, options


@family
def signals():
    for shape, lengths in (((2, 4, 8), [4, 8]), ((4, 8), [2, 4]), ((1, 4, 4), [8, 8])):
        x = random_array(rng("rfft"), shape, np.float32)
        out = (*shape[:-2], lengths[0], lengths[1] // 2 + 1)
        yield one_op(f"{lengths}", "RFFT2D", [x, np.int32(lengths)], [(out, np.complex64)], options("Rfft2d"), constants=(1,))
    c = random_array(rng("complex"), (3, 4), np.complex64)
    for code in ("REAL", "IMAG", "COMPLEX_ABS"):
        yield one_op("complex64", code, [c], [((3, 4), np.float32)])


@family
def detections():
    random = rng("nms")
    corners = random.uniform(0, 1, (40, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + random.uniform(0.1, 0.4, (40, 2)).astype(np.float32)], 1)
    scores = random.permutation(40).astype(np.float32) / 40
    for most, overlap, threshold in ((10, 0.4, 0.2), (50, 0.6, 0.0), (3, 0.3, 0.9)):
        inputs = [boxes, scores, np.int32(most), np.float32(overlap), np.float32(threshold)]
        yield one_op(f"{most}", "NON_MAX_SUPPRESSION_V4", inputs, [((most,), np.int32), ((), np.int32)], constants=(2, 3, 4))
        yield one_op(f"{most}", "NON_MAX_SUPPRESSION_V5", [*inputs, np.float32(0)], [((most,), np.int32), ((most,), np.float32), ((), np.int32)], constants=(2, 3, 4, 5))


@family
def stablehlo():
    for code in ("STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_MINIMUM"):
        for dtype in (np.float32, np.int32):
            yield one_op(np.dtype(dtype).name, code, [random_array(rng(code), (3, 4), dtype), random_array(rng(code + "b"), (3, 4), dtype)], [((3, 4), dtype)])
    x = random_array(rng("pad"), (3, 4), np.float32)
    table = options("StablehloPad", edgePaddingLow=[1, 0], edgePaddingHigh=[0, 2], interiorPadding=[0, 0])
    yield one_op("f32", "STABLEHLO_PAD", [x, np.float32(7)], [((4, 6), np.float32)], table, constants=(1,))


@family
def windows():
    for function, code, dtype, start in ((1, "ADD", np.float32, 0.5), (2, "MUL", np.float32, 1), (3, "MINIMUM", np.float32, 0), (4, "MAXIMUM", np.int32, -100)):
        for pads in ([0, 0, 0, 0], [1, 0, 2, 1]):
            model = Model()
            body = model.graph("body")
            a, b = body.input("a", [], dtype), body.input("b", [], dtype)
            body.output(body.op(code, [a, b], [([], dtype)]))
            graph = model.main
            x = random_array(rng(code), (5, 7), dtype)
            size = lambda n, window, stride, dilation, low, high: (n + low + high - (window - 1) * dilation - 1) // stride + 1
            shape = (size(5, 2, 1, 2, *pads[:2]), size(7, 3, 2, 1, *pads[2:]))
            table = options("StablehloReduceWindow", windowDimensions=[2, 3], windowStrides=[1, 2], baseDilations=[1, 1], windowDilations=[2, 1], padding=pads, bodySubgraphIndex=1)
            graph.output(graph.op("STABLEHLO_REDUCE_WINDOW", [graph.input("x", x.shape, dtype), graph.constant(dtype(start))], [(shape, dtype)], table))
            yield model_case(f"stablehlo_reduce_window/{code}_{sum(pads)}", model, x)
        plain = options("ReduceWindow", reduceFunction=function)
        x = random_array(rng(code), (5, 7), np.float32)
        yield one_op(code, "REDUCE_WINDOW", [x, np.float32(start), np.int64([2, 3]), np.int64([1, 2]), np.int64([2, 1])], [((3, 3), np.float32)], plain, constants=(1, 2, 3, 4))


@family
def stablehlo_gathers():
    x = random_array(rng("gather"), (4, 5, 6), np.float32)
    cases = {  # slice_sizes, offset_dims, collapsed_slice_dims, start_index_map, index_vector_dim, indices, result
        "rows": ([1, 5, 6], [1, 2], [0], [0], 1, np.int32([3, 0, 9]), (3, 5, 6)),
        "windows": ([1, 2, 6], [0, 2], [0], [1, 0], 1, np.int32([[4, 1], [0, -2], [2, 3]]), (2, 3, 6)),
        "vectors_first": ([2, 1, 1], [2], [1, 2], [2, 0], 0, np.int64([[[5, 1]], [[0, 3]]]), (1, 2, 2)),
    }
    for name, (sizes, offsets, collapsed, places, vectors, indices, shape) in cases.items():
        table = options("StablehloGather", sliceSizes=sizes, offsetDims=offsets, collapsedSliceDims=collapsed, startIndexMap=places, indexVectorDim=vectors, indicesAreSorted=False)
        yield one_op(name, "STABLEHLO_GATHER", [x, indices], [(shape, np.float32)], table)


@family
def stablehlo_scatters():
    x = random_array(rng("scatter"), (4, 5, 6), np.float32)
    cases = {  # update_window_dims, inserted_window_dims, scatter_dims_to_operand_dims, index_vector_dim, indices, the updates' shape
        "rows": ([1, 2], [0], [0], 1, np.int32([3, 0, 9]), (3, 5, 6)),
        "windows": ([0, 2], [0], [1, 0], 1, np.int32([[4, 1], [0, 2], [-1, 3]]), (2, 3, 6)),
        "vectors_first": ([2], [1, 2], [2, 0], 0, np.int64([[[5, 1]], [[0, 3]]]), (1, 2, 2)),
    }
    for code in ("", "STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_MINIMUM"):
        for name, (axes, dropped, indexed, vectors, indices, shape) in cases.items():
            model = Model()
            body = model.graph("body")
            a, b = body.input("a", [], np.float32), body.input("b", [], np.float32)
            body.output(body.op(code, [a, b], [([], np.float32)]) if code else b)
            graph = model.main
            updates = random_array(rng(name + code), shape, np.float32)
            operands = [graph.input("x", x.shape), graph.input("indices", indices.shape, indices.dtype), graph.input("updates", shape)]
            table = options("StablehloScatter", indicesAreSorted=False, uniqueIndices=False, updateWindowDims=axes, insertedWindowDims=dropped, scatterDimsToOperandDims=indexed,
                            indexVectorDim=vectors, updateComputationSubgraphIndex=1)
            graph.output(graph.op("STABLEHLO_SCATTER", operands, [(x.shape, np.float32)], table))
            yield model_case(f"stablehlo_scatter/{code}_{name}", model, x, indices, updates)


@family
def customs():
    from flatbuffers import flexbuffers

    random = rng("postprocess")
    count, classes = 30, 3
    anchors = np.concatenate([random.uniform(0, 1, (count, 2)), random.uniform(0.1, 0.4, (count, 2))], 1).astype(np.float32)
    for regular in (False, True):
        for background in (0, 1):
            for per_box in (1, 2):
                if regular and per_box > 1:
                    continue
                table = dict(max_detections=6, max_classes_per_detection=per_box, detections_per_class=4, num_classes=classes, nms_score_threshold=0.1,
                             nms_iou_threshold=0.4, y_scale=10.0, x_scale=10.0, h_scale=5.0, w_scale=5.0, use_regular_nms=regular)
                places = 6 * per_box
                encodings = random.uniform(-1, 1, (1, count, 4)).astype(np.float32)
                scores = random.permutation(count * (classes + background)).reshape(1, count, -1).astype(np.float32) / (count * (classes + background))
                yield one_op(f"{regular}_{background}_{per_box}", "custom:TFLite_Detection_PostProcess", [encodings, scores, anchors],
                             [((1, places, 4), np.float32), ((1, places), np.float32), ((1, places), np.float32), ((1,), np.float32)],
                             constants=(2,), custom_options=bytes(flexbuffers.Dumps(table)))
    x = random_array(rng("custom"), (2, 3), np.float32)
    yield one_op("compiled", "custom:edgetpu-custom-op", [x], [((2, 3), np.float32)], custom_options=b"x", refused="give the file that it was compiled from")
    yield one_op("unknown", "custom:FlexErf", [x], [((2, 3), np.float32)], custom_options=b"x", refused="FlexErf is an operator of tflite")
    yield one_op("unused_option", "ADD", [x, x], [((2, 3), np.float32)], options("Pool2D", strideH=2), refused="its options are Pool2DOptions")
