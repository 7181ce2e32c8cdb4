"""Recurrent layers."""

import numpy as np

from tflite_cases import family, model_case, rng
from tflite_build import Grid, Model, options


def lstm_inputs(graph, random, x, units, out, quantize, coupled=False, peephole=False, projection=False, norms=False):
    """The inputs 1 to 17 of an LSTM, and its layer norms."""

    def weight(*shape):
        if quantize and len(shape) == 2:
            return graph.constant(random.integers(-127, 128, shape).astype(np.int8), Grid(0.008, 0))
        if quantize == "peephole":
            return graph.constant(random.integers(-127, 128, shape).astype(np.int8), Grid(0.008, 0))
        return graph.constant(random.uniform(-1, 1, shape).astype(np.float32))

    gates = [weight(units, x) for _ in range(4)], [weight(units, out) for _ in range(4)]
    peepholes = [weight(units) if peephole else None for _ in range(3)]
    biases = [graph.constant(random.uniform(-0.5, 1, units).astype(np.float32)) for _ in range(4)]
    if coupled:
        gates[0][0] = gates[1][0] = peepholes[0] = biases[0] = None
    project = [weight(out, units), graph.constant(random.uniform(-0.5, 1, out).astype(np.float32))] if projection else [None, None]
    coefficients = [graph.constant(random.uniform(0.5, 1.5, units).astype(np.float32)) if norms else None for _ in range(4)]
    if coupled:
        coefficients[0] = None
    return gates[0] + gates[1] + peepholes + biases + project, coefficients


@family
def recurrent():
    variants = {"plain": {}, "coupled": dict(coupled=True), "peephole": dict(peephole=True), "coupled_peephole": dict(coupled=True, peephole=True),
                "projection": dict(projection=True), "norms": dict(norms=True), "all": dict(peephole=True, projection=True, norms=True), "clips": dict(projection=True)}
    time, batch, size, units = 5, 2, 3, 4
    for name, more in variants.items():
        for quantize in (False, True):
            if quantize and more.get("peephole"):
                continue
            for time_major in (True, False):
                for asymmetric in ((False, True) if quantize else (False,)):
                    random = rng(name)
                    model = Model()
                    graph = model.main
                    shape = [time, batch, size] if time_major else [batch, time, size]
                    x = graph.input("x", shape, np.float32)
                    out = 3 if more.get("projection") else units
                    weights, norms = lstm_inputs(graph, random, size, units, out, quantize, **more)
                    h, c = graph.tensor("h", [batch, out], np.float32, variable=True), graph.tensor("c", [batch, units], np.float32, variable=True)
                    clips = dict(cellClip=0.6, projClip=0.4) if name == "clips" else {}
                    table = options("UnidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=time_major, asymmetricQuantizeInputs=asymmetric, **clips)
                    inputs = [x, *weights, h, c] + (norms if more.get("norms") else [])
                    graph.output(graph.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [([*shape[:2], out], np.float32)], table, version=1))
                    yield model_case(f"sequence_lstm/{name}_{quantize}_{time_major}_{asymmetric}", model, random.uniform(-1, 1, shape).astype(np.float32))
    for merge in (True, False):
        for time_major in (True, False):
            random = rng("both")
            model = Model()
            graph = model.main
            shape = [time, batch, size] if time_major else [batch, time, size]
            x = graph.input("x", shape, np.float32)
            forward, _ = lstm_inputs(graph, random, size, units, units, False)
            backward, _ = lstm_inputs(graph, random, size, units, units, False)
            states = [graph.tensor(n, [batch, units], np.float32, variable=True) for n in ("fh", "fc", "bh", "bc")]
            table = options("BidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=time_major, mergeOutputs=merge)
            outs = [([*shape[:2], 2 * units], np.float32)] if merge else [([*shape[:2], units], np.float32)] * 2
            made = graph.op("BIDIRECTIONAL_SEQUENCE_LSTM", [x, *forward, *backward, *states] + [None] * 9, outs, table, version=1)
            graph.output(*(made if isinstance(made, list) else [made]))
            # With the batch first LiteRT's kernel reads memory that nobody wrote.
            if time_major:
                yield model_case(f"both_lstm/{merge}_{time_major}", model, random.uniform(-1, 1, shape).astype(np.float32))
            for activation in (1, 4):
                model = Model()
                graph = model.main
                x = graph.input("x", shape, np.float32)
                layers = []
                for n in ("f", "b"):
                    layers += [graph.constant(random.uniform(-1, 1, (units, size)).astype(np.float32)), graph.constant(random.uniform(-1, 1, (units, units)).astype(np.float32)),
                               graph.constant(random.uniform(-1, 1, units).astype(np.float32)), graph.tensor(n, [batch, units], np.float32, variable=True)]
                table = options("BidirectionalSequenceRNN", fusedActivationFunction=activation, timeMajor=time_major, mergeOutputs=merge)
                made = graph.op("BIDIRECTIONAL_SEQUENCE_RNN", [x, *layers, None, None, None], outs, table)
                graph.output(*(made if isinstance(made, list) else [made]))
                yield model_case(f"both_rnn/{merge}_{time_major}_{activation}", model, random.uniform(-1, 1, shape).astype(np.float32))
    for code in ("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"):
        for time_major in (True, False):
            for activation in (1, 3, 4):
                for quantize in (False, True):
                    random = rng(code)
                    model = Model()
                    graph = model.main
                    shape = [batch, size] if code == "RNN" else [time, batch, size] if time_major else [batch, time, size]
                    x = graph.input("x", shape, np.float32)
                    grid = Grid(0.008, 0) if quantize else None
                    array = lambda *s: random.integers(-127, 128, s).astype(np.int8) if quantize else random.uniform(-1, 1, s).astype(np.float32)
                    inputs = [x, graph.constant(array(units, size), grid), graph.constant(array(units, units), grid),
                              graph.constant(random.uniform(-1, 1, units).astype(np.float32)), graph.tensor("h", [batch, units], np.float32, variable=True)]
                    table = options("RNN", fusedActivationFunction=activation) if code == "RNN" else options("SequenceRNN", fusedActivationFunction=activation, timeMajor=time_major)
                    graph.output(graph.op(code, inputs, [([*shape[:-1], units], np.float32)], table, version=2 if quantize else 1))
                    yield model_case(f"{code.lower()}/{time_major}_{activation}_{quantize}", model, random.uniform(-1, 1, shape).astype(np.float32))
    for kind in (0, 1):
        random = rng("lstm")
        model = Model()
        graph = model.main
        x = graph.input("x", [batch, size], np.float32)
        table = options("LSTM", fusedActivationFunction=4, kernelType=kind)
        if kind == 0:
            weights, _ = lstm_inputs(graph, random, size, units, units, False)
            h, c = graph.tensor("h", [batch, units], np.float32, variable=True), graph.tensor("c", [batch, units], np.float32, variable=True)
            graph.output(graph.op("LSTM", [x, *weights, h, c], [([batch, units], np.float32)], table))
            feeds = []
        else:
            h, c = graph.input("h", [batch, units], np.float32), graph.input("c", [batch, units], np.float32)
            w, b = graph.constant(random.uniform(-1, 1, (4 * units, size + units)).astype(np.float32)), graph.constant(random.uniform(-1, 1, 4 * units).astype(np.float32))
            made = graph.op("LSTM", [x, h, w, b, c], [([batch, units], np.float32), ([batch, units], np.float32), ([batch, size + units], np.float32), ([batch, 4 * units], np.float32)], table, version=2)
            graph.output(made[0], made[1])
            feeds = [random.uniform(-1, 1, (batch, units)).astype(np.float32) for _ in range(2)]
        yield model_case(f"lstm/{kind}", model, random.uniform(-1, 1, (batch, size)).astype(np.float32), *feeds)
    for quantize in (False, True):
        for rank in (1, 2):
            random = rng("svdf")
            model = Model()
            graph = model.main
            filters, memory = 4, 5
            x = graph.input("x", [batch, size], np.float32)
            grid = Grid(0.008, 0) if quantize else None
            array = lambda *s: random.integers(-127, 128, s).astype(np.int8) if quantize else random.uniform(-1, 1, s).astype(np.float32)
            inputs = [x, graph.constant(array(filters, size), grid), graph.constant(array(filters, memory), grid), graph.constant(random.uniform(-1, 1, filters // rank).astype(np.float32)),
                      graph.tensor("memory", [batch, filters * memory], np.float32, variable=True)]
            graph.output(graph.op("SVDF", inputs, [([batch, filters // rank], np.float32)], options("SVDF", rank=rank, fusedActivationFunction=1), version=2))
            yield model_case(f"svdf/{rank}_{quantize}", model, random.uniform(-1, 1, (batch, size)).astype(np.float32))
