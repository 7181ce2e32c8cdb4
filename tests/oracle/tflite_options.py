"""Options that other cases leave at what the format takes them for, or always set."""

import numpy as np

from tflite_cases import family, model_case, one_op, random_array, rng
from tflite_build import Model, options
from tflite_recurrent import lstm_inputs


@family
def functions():
    x = random_array(rng("functions"), (2, 3, 4), np.float32)
    yield one_op("no_alpha", "LEAKY_RELU", [x], [(x.shape, np.float32)], options("LeakyRelu"))
    yield one_op("no_beta", "SOFTMAX", [x], [(x.shape, np.float32)], options("Softmax"))
    image = random_array(rng("image"), (1, 2, 3, 6), np.float32)
    table = options("LocalResponseNormalization", bias=1.5, alpha=0.3)
    yield one_op("no_radius_no_beta", "LOCAL_RESPONSE_NORMALIZATION", [image], [(image.shape, np.float32)], table)
    for code in ("REDUCE_ANY", "REDUCE_ALL"):
        kept = options("Reducer", keepDims=True)
        yield one_op("kept", code, [x > 0.3, np.int32([1])], [((2, 1, 4), bool)], kept, constants=(1,))


@family
def lowered():
    """Operators of StableHLO, and one that is made of a sub-graph."""
    from flatbuffers import flexbuffers

    for dtype in (np.int32, bool):
        a, b = (random_array(rng(f"lowered{i}"), (3, 4), dtype) for i in range(2))
        yield one_op(np.dtype(dtype).name, "STABLEHLO_AND", [a, b], [((3, 4), dtype)])
    a, b = np.int32([[1, -3, 5], [2**30, 7, 0]]), np.int32([[0, 4, 31], [1, 2, 3]])
    yield one_op("int32", "STABLEHLO_SHIFT_LEFT", [a, b], [((2, 3), np.int32)])
    model = Model()
    inner, graph = model.graph("decomposition"), model.main
    a, b = inner.input("a", [2, 3]), inner.input("b", [2, 3])
    inner.output(inner.op("SUB", [inner.op("EXP", [a], [([2, 3], np.float32)]), b], [([2, 3], np.float32)]))
    x, y = graph.input("x", [2, 3]), graph.input("y", [2, 3])
    table = options("StableHLOComposite", decompositionSubgraphIndex=1)
    table.name, table.compositeAttributes = "test.difference", list(flexbuffers.Dumps({}))
    graph.output(graph.op("STABLEHLO_COMPOSITE", [y, x], [([2, 3], np.float32)], table))
    feeds = [random_array(rng(name), (2, 3), np.float32) for name in "xy"]
    yield model_case("stablehlo_composite/difference", model, *feeds)


@family
def detections_of_any_kind():
    """Without the options that say how many of a class count, and whether classes are apart."""
    from flatbuffers import flexbuffers

    random, (count, classes) = rng("any kind"), (25, 3)
    table = dict(max_detections=5, max_classes_per_detection=1, num_classes=classes, nms_score_threshold=0.05, nms_iou_threshold=0.3, y_scale=9.0, x_scale=7.0, h_scale=4.0, w_scale=3.0)
    encodings = random.uniform(-1, 1, (1, count, 4)).astype(np.float32)
    scores = random.permutation(count * classes).reshape(1, count, -1).astype(np.float32) / (count * classes)
    anchors = np.concatenate([random.uniform(0, 1, (count, 2)), random.uniform(0.1, 0.4, (count, 2))], 1).astype(np.float32)
    outs = [((1, 5, 4), np.float32), ((1, 5), np.float32), ((1, 5), np.float32), ((1,), np.float32)]
    for name, more in (("usual", {}), ("apart", dict(use_regular_nms=True))):
        inputs, bytes_of = [encodings, scores, anchors], bytes(flexbuffers.Dumps({**table, **more}))
        yield one_op(name, "custom:TFLite_Detection_PostProcess", inputs, outs, constants=(2,), custom_options=bytes_of)


@family
def volumes():
    random = rng("volumes")
    x, w, bias = random_array(random, (1, 5, 7, 6, 2), np.float32), random_array(random, (2, 3, 2, 2, 3), np.float32), random_array(random, (3,), np.float32)
    for name, more, shape in (("none", {}, (1, 4, 5, 5, 3)), ("relu6", dict(fusedActivationFunction=3), (1, 4, 5, 5, 3))):
        table = options("Conv3D", padding=1, strideD=1, strideH=1, strideW=1, **more)
        yield one_op(f"activation_{name}", "CONV_3D", [x, w, bias], [(shape, np.float32)], table, constants=(1, 2))
    table = options("Conv3D", padding=1, strideD=1, strideH=1, strideW=1, dilationDFactor=2, dilationHFactor=3, dilationWFactor=4)
    yield one_op("dilated", "CONV_3D", [x, w, bias], [((1, 3, 1, 2, 3), np.float32)], table, constants=(1, 2))
    image, kernel = random_array(random, (1, 3, 4, 2), np.float32), random_array(random, (3, 3, 3, 2), np.float32)
    table = options("TransposeConv", padding=0, strideH=2, strideW=2, fusedActivationFunction=1)
    yield one_op("relu", "TRANSPOSE_CONV", [np.int32([1, 6, 8, 3]), kernel, image], [((1, 6, 8, 3), np.float32)], table, constants=(0, 1), version=4)


@family
def clipped_both_ways():
    random, (time, batch, size, units) = rng("clipped both ways"), (5, 2, 3, 4)
    model = Model()
    graph = model.main
    x = graph.input("x", [time, batch, size], np.float32)
    layers = [one for _ in range(2) for one in lstm_inputs(graph, random, size, units, units, False)[0]]
    states = [graph.tensor(n, [batch, units], np.float32, variable=True) for n in ("fh", "fc", "bh", "bc")]
    table = options("BidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=True, mergeOutputs=True, cellClip=0.3)
    outs = [([time, batch, 2 * units], np.float32)]
    graph.output(graph.op("BIDIRECTIONAL_SEQUENCE_LSTM", [x, *layers, *states] + [None] * 9, outs, table, version=1))
    yield model_case("both_lstm/clipped", model, random.uniform(-1, 1, (time, batch, size)).astype(np.float32))
    for clip in (0.3, 0.0):
        model = Model()
        graph = model.main
        x = graph.input("x", [batch, size], np.float32)
        weights, _ = lstm_inputs(graph, random, size, units, 3, False, projection=True)
        h, c = graph.tensor("h", [batch, 3], np.float32, variable=True), graph.tensor("c", [batch, units], np.float32, variable=True)
        table = options("LSTM", fusedActivationFunction=4, cellClip=clip, projClip=0.5)
        graph.output(graph.op("LSTM", [x, *weights, h, c], [([batch, 3], np.float32)], table))
        yield model_case(f"lstm/clipped_{clip}", model, random.uniform(-2, 2, (batch, size)).astype(np.float32))
