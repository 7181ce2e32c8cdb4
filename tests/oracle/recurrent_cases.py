"""Recurrent layers, and loops whose bodies are their cells: converted once to ONNX and to TensorFlow Lite, then run at
several sizes by ONNX Runtime and LiteRT (with and without XNNPACK) and compared with the original in ONNX Runtime.

    python tests/oracle/recurrent_cases.py [--only gru]

A loop whose body is a cell is written as the recurrent operator; what only looks like one stays a loop.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import compare
import remodel
import report
from lite_worker import LiteWorker
from ort_worker import RuntimeFailure, run_model
from report import Result

INPUT, HIDDEN = 3, 4
SIZES = [(1, 1), (5, 3), (18, 2)]  # time, batch
TOLERANCE, HALF_TOLERANCE = 1e-4, 5e-3


@dataclass(frozen=True)
class Case:
    name: str
    model: onnx.ModelProto
    operators: tuple[str, ...] = ()  # the only recurrent ones and loops that the ONNX file may have
    fixed: tuple = ()  # time and batch; numbers where they are always the same
    lite: str = ""  # an operator that the TensorFlow Lite file must have
    returns: bool = True  # what TensorFlow Lite's file says of sizes is enough to find the cell again
    reference: onnx.ModelProto | None = None  # gives what is expected, where the runtime does not take the model


class Nodes:
    """Nodes and constants of one graph being made."""

    def __init__(self, seed: str = "", prefix: str = ""):
        self.random = np.random.default_rng(list(seed.encode()))
        self.nodes, self.weights, self.prefix = [], [], prefix

    def __call__(self, op: str, *inputs, outputs: int = 1, **attributes):
        names = [f"{self.prefix}v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, [one or "" for one in inputs], names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, array) -> str:
        name = f"{self.prefix}w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def floats(self, *shape, dtype=np.float32) -> str:
        return self.constant(self.random.uniform(-0.8, 0.8, shape).astype(dtype))

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    def ints(self, *values) -> str:
        return self.constant(np.int64(values))

    def slice(self, x, start, end, axis=1):
        return self("Slice", x, self.ints(start), self.ints(end), self.ints(axis))

    def gates(self, x, count):
        return self("Split", x, self.ints(*[HIDDEN] * count), outputs=count, axis=-1)


def info(name, shape, element=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def model_of(nodes: Nodes, inputs, outputs, opset=17) -> onnx.ModelProto:
    graph = helper.make_graph(nodes.nodes, "g", inputs, outputs, nodes.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


# The operators.

LAYERS = {
    "lstm": ("LSTM", {}), "gru": ("GRU", {}), "gru_after": ("GRU", {"linear_before_reset": 1}), "rnn": ("RNN", {}),
    "rnn_relu": ("RNN", {"activations": ["Relu"]}),
    "lstm_coupled": ("LSTM", {"input_forget": 1}),
    "lstm_relu": ("LSTM", {"activations": ["Sigmoid", "Relu", "Relu"]}),
    "lstm_clip": ("LSTM", {"clip": 0.5}),
    "gru_hard": ("GRU", {"activations": ["HardSigmoid", "Softsign"]}),
}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def layer(name, direction="forward", biases=True, states=False, lengths=False, peepholes=False, ends=True, stacked=1,
          half=False, fixed=()) -> Case:
    op, attributes = LAYERS[name]
    attributes = dict(attributes)
    nodes = Nodes(f"{name} {direction}")
    directions = 2 if direction == "bidirectional" else 1
    if "activations" in attributes:
        attributes["activations"] = attributes["activations"] * directions
    time, batch = fixed or ("time", "batch")
    inputs = [info("x", [time, batch, INPUT])]
    outputs, x, gates = [], "x", GATES[op]
    for at in range(stacked):
        width = HIDDEN * directions if at else INPUT
        operands = [x, nodes.floats(directions, gates * HIDDEN, width), nodes.floats(directions, gates * HIDDEN, HIDDEN)]
        operands.append(nodes.floats(directions, 2 * gates * HIDDEN) if biases else None)
        operands.append("lengths" if lengths else None)
        for one in ("h0", "c0")[: 1 + (op == "LSTM")]:
            operands.append(f"{one}_{at}" if states else None)
            if states:
                inputs.append(info(f"{one}_{at}", [directions, batch, HIDDEN]))
        if peepholes:
            operands.append(nodes.floats(directions, 3 * HIDDEN))
        count = (3 if op == "LSTM" else 2) if ends else 1
        results = nodes(op, *operands, outputs=count, hidden_size=HIDDEN, direction=direction, **attributes)
        results = results if ends else [results]
        x = results[0]
        for k, result in enumerate(results[1:]):
            nodes.nodes.append(helper.make_node("Identity", [result], [f"end{at}_{k}"]))
            outputs.append(info(f"end{at}_{k}", None))
        if at + 1 < stacked:
            turned = nodes("Transpose", x, perm=[0, 2, 1, 3])
            x = nodes("Reshape", turned, nodes.ints(0, 0, HIDDEN * directions))
    if lengths:
        inputs.append(info("lengths", [batch], TensorProto.INT32))
    nodes.nodes.append(helper.make_node("Identity", [x], ["y"]))
    flags = [word for word, on in (("states", states), ("lengths", lengths), ("peepholes", peepholes), ("no_biases", not biases),
                                   ("only_y", not ends), (f"x{stacked}", stacked > 1), ("fixed", fixed), ("half", half)) if on]
    title = "_".join([name, direction, *flags])
    model = model_of(nodes, inputs, [info("y", None), *outputs])
    sequence = {"bidirectional": "BIDIRECTIONAL_SEQUENCE_LSTM"}.get(direction, "UNIDIRECTIONAL_SEQUENCE_LSTM")
    lite = sequence if fixed and fixed[1] == 1 and name in ("lstm", "lstm_relu") else "WHILE"
    return Case(f"layer/{title}", halved(model) if half else model, (op,), fixed, lite, not (states or lengths or name == "gru_hard"), model if half else None)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same in float16; the weights of both are numbers of that type."""
    small = onnx.ModelProto.FromString(model.SerializeToString())
    for weight, half in zip(model.graph.initializer, small.graph.initializer):
        array = numpy_helper.to_array(weight)
        if array.dtype == np.float32:
            half.CopyFrom(numpy_helper.from_array(array.astype(np.float16), weight.name))
            weight.CopyFrom(numpy_helper.from_array(array.astype(np.float16).astype(np.float32), weight.name))
    for port in [*small.graph.input, *small.graph.output]:
        if port.type.tensor_type.elem_type == TensorProto.FLOAT:
            port.type.tensor_type.elem_type = TensorProto.FLOAT16
    return small


def layers() -> list[Case]:
    cases = []
    for name in LAYERS:
        for direction in ("forward", "reverse", "bidirectional"):
            cases.append(layer(name, direction))
            cases.append(layer(name, direction, states=True))
            cases.append(layer(name, direction, lengths=True))
        cases.append(layer(name, "bidirectional", ends=False, stacked=2))
        cases.append(layer(name, biases=False, ends=False))
        cases.append(layer(name, ends=False, fixed=(7, 1)))
        cases.append(layer(name, "bidirectional", fixed=(7, 3)))
        cases.append(layer(name, "reverse", ends=False, stacked=2, fixed=("time", 1)))
        cases.append(layer(name, "bidirectional", ends=False, stacked=2, fixed=("time", 1)))
    for direction in ("forward", "reverse", "bidirectional"):
        cases.append(layer("lstm", direction, peepholes=True))
        cases.append(layer("lstm", direction, peepholes=True, ends=False, fixed=("time", 1)))
        cases.append(layer("lstm_relu", direction, ends=False, biases=False, fixed=(6, 1)))
    for name in ("lstm", "gru", "rnn"):
        cases.append(layer(name, half=True))
    return cases


def ends() -> list[Case]:
    """One step of what a layer gives, of a sequence or its reverse; the last one is its state."""
    cases = []
    for op in ("LSTM", "GRU", "RNN"):
        for direction in ("forward", "reverse"):
            for turned in (False, True):
                for last in (False, True):
                    nodes = Nodes(op)
                    back = lambda x: nodes("Slice", x, nodes.ints(-1), nodes.ints(-(2**31)), nodes.ints(0), nodes.ints(-1))
                    x = back("x") if turned else "x"
                    weights = [nodes.floats(1, GATES[op] * HIDDEN, INPUT), nodes.floats(1, GATES[op] * HIDDEN, HIDDEN)]
                    y = nodes("Squeeze", nodes(op, x, *weights, hidden_size=HIDDEN, direction=direction), nodes.ints(1))
                    if turned and not last:
                        y = back(y)
                    if op == "GRU":
                        y = nodes("Squeeze", nodes.slice(y, -1 if last else 0, 2**31 if last else 1, axis=0), nodes.ints(0))
                    else:
                        y = nodes("Gather", y, nodes.constant(np.int64(-1 if last else 0)), axis=0)
                    nodes.nodes.append(helper.make_node("Identity", [y], ["y"]))
                    title = f"end/{op.lower()}_{direction}{'_turned' * turned}{'_last' * last}"
                    cases.append(Case(title, model_of(nodes, [info("x", ["time", "batch", INPUT])], [info("y", None)]), (op,)))
    return cases


# Cells: from the nodes of a body, the step's input and the states to the next states, h first.


def columns(b: Nodes, x, h, gates, biases=1):
    """x W + h R + b for all gates."""
    total = b("Add", b("MatMul", x, b.floats(INPUT, gates * HIDDEN)), b("MatMul", h, b.floats(HIDDEN, gates * HIDDEN)))
    return b("Add", total, b.floats(gates * HIDDEN)) if biases else total


def lstm_update(b, i, f, g, o, c):
    """From the gates, activated but for the last tanh."""
    after = b("Add", b("Mul", f, c), b("Mul", i, g))
    return [b("Mul", o, b("Tanh", after)), after]


def lstm(b, x, h, c, gate="Sigmoid", fresh="Tanh"):
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    return lstm_update(b, b(gate, i), b(gate, f), b(fresh, g), b(gate, o), c)


def lstm_hard(b, x, h, c):
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    hard = lambda one: b("HardSigmoid", one, alpha=0.2, beta=0.5)
    return lstm_update(b, hard(i), hard(f), b("Tanh", g), hard(o), c)


def lstm_relu(b, x, h, c):
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    after = b("Add", b("Mul", b("Sigmoid", f), c), b("Mul", b("Sigmoid", i), b("Relu", g)))
    return [b("Mul", b("Sigmoid", o), b("Relu", after)), after]


def lstm_joined(b, x, h, c):
    """One product of x and h side by side, gates i g f o, and one added to what enters the forget gate."""
    both = b("Concat", x, h, axis=1)
    sums = b("Gemm", both, b.floats(INPUT + HIDDEN, 4 * HIDDEN), b.floats(4 * HIDDEN))
    i, g, f, o = b.gates(sums, 4)
    return lstm_update(b, b("Sigmoid", i), b("Sigmoid", b("Add", f, b.number(1))), b("Tanh", g), b("Sigmoid", o), c)


def lstm_apart(b, x, h, c):
    """A product for each gate; rows of weights; states in other orders of the operands."""
    def gate(function):
        w = b("Transpose", b.floats(HIDDEN, INPUT), perm=[1, 0])
        return b(function, b("Add", b.floats(1, HIDDEN), b("Add", b("MatMul", h, b.floats(HIDDEN, HIDDEN)), b("MatMul", x, w))))

    i, f, g, o = gate("Sigmoid"), gate("Sigmoid"), gate("Tanh"), gate("Sigmoid")
    after = b("Add", b("Mul", g, i), b("Mul", c, f))
    return [b("Mul", b("Tanh", after), o), after]


def lstm_peephole(b, x, h, c, late=True):
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    seen = lambda one, cell: b("Sigmoid", b("Add", one, b("Mul", cell, b.floats(HIDDEN))))
    after = b("Add", b("Mul", seen(f, c), c), b("Mul", seen(i, c), b("Tanh", g)))
    return [b("Mul", seen(o, after if late else c), b("Tanh", after)), after]


def lstm_coupled(b, x, h, c, forgets=False):
    first, g, o = b.gates(columns(b, x, h, 3), 3)
    one = b("Sigmoid", first)
    other = b("Sub", b.number(1), one)
    i, f = (other, one) if forgets else (one, other)
    return lstm_update(b, i, f, b("Tanh", g), b("Sigmoid", o), c)


def lstm_limited(b, x, h, c):
    sums = b("Clip", columns(b, x, h, 4), b.number(-0.5), b.number(0.5))
    i, f, g, o = b.gates(sums, 4)
    return lstm_update(b, b("Sigmoid", i), b("Sigmoid", f), b("Tanh", g), b("Sigmoid", o), c)


def gru(b, x, h, after=True, form="sum"):
    given = b("Add", b("MatMul", x, b.floats(INPUT, 3 * HIDDEN)), b.floats(3 * HIDDEN))
    zx, rx, nx = b.gates(given, 3)
    if after:
        zh, rh, nh = b.gates(b("Add", b("MatMul", h, b.floats(HIDDEN, 3 * HIDDEN)), b.floats(3 * HIDDEN)), 3)
    else:
        zh, rh = b.gates(b("MatMul", h, b.floats(HIDDEN, 2 * HIDDEN)), 2)
    z, r = b("Sigmoid", b("Add", zx, zh)), b("Sigmoid", b("Add", rx, rh))
    new = b("Mul", r, nh) if after else b("MatMul", b("Mul", r, h), b.floats(HIDDEN, HIDDEN))
    n = b("Tanh", b("Add", nx, new))
    if form == "sum":
        return [b("Add", b("Mul", z, h), b("Mul", b("Sub", b.number(1), z), n))]
    if form == "turned":
        return [b("Add", b("Mul", b("Sub", b.number(1), z), h), b("Mul", z, n))]
    if form == "difference":
        return [b("Add", n, b("Mul", z, b("Sub", h, n)))]
    return [b("Add", h, b("Mul", z, b("Sub", n, h)))]


def rnn(b, x, h, function="Tanh"):
    return [b(function, columns(b, x, h, 1))]


CELLS = {
    "lstm": (lstm, 2, "LSTM"), "lstm_hard": (lstm_hard, 2, "LSTM"), "lstm_relu": (lstm_relu, 2, "LSTM"),
    "lstm_joined": (lstm_joined, 2, "LSTM"), "lstm_apart": (lstm_apart, 2, "LSTM"),
    "lstm_peephole": (lstm_peephole, 2, "LSTM"), "lstm_coupled": (lstm_coupled, 2, "LSTM"),
    "lstm_coupled_forgets": (lambda b, x, h, c: lstm_coupled(b, x, h, c, True), 2, "LSTM"),
    "lstm_limited": (lstm_limited, 2, "LSTM"),
    "rnn": (rnn, 1, "RNN"), "rnn_relu": (lambda b, x, h: rnn(b, x, h, "Relu"), 1, "RNN"),
    "rnn_linear": (lambda b, x, h: [columns(b, x, h, 1)], 1, "RNN"),
}


def one_step(b, x, *states, op, **attributes):
    """The operator for a single step."""
    gates = GATES[op]
    lead = lambda value: b("Unsqueeze", value, b.ints(0))
    weights = [b.floats(1, gates * HIDDEN, INPUT), b.floats(1, gates * HIDDEN, HIDDEN), b.floats(1, 2 * gates * HIDDEN)]
    results = b(op, lead(x), *weights, None, *map(lead, states), outputs=1 + len(states), hidden_size=HIDDEN, **attributes)
    return [b("Squeeze", one, b.ints(0)) for one in results[1:]]


CELLS["lstm_layer"] = (lambda b, x, h, c: one_step(b, x, h, c, op="LSTM"), 2, "LSTM")
CELLS["gru_layer"] = (lambda b, x, h: one_step(b, x, h, op="GRU"), 1, "GRU")
CELLS["gru_layer_after"] = (lambda b, x, h: one_step(b, x, h, op="GRU", linear_before_reset=1), 1, "GRU")
CELLS["rnn_layer"] = (lambda b, x, h: one_step(b, x, h, op="RNN", clip=0.7), 1, "RNN")
for form in ("sum", "turned", "difference", "turned_difference"):
    for after in (True, False):
        CELLS[f"gru_{form}_{'after' if after else 'before'}"] = (
            lambda b, x, h, form=form, after=after: gru(b, x, h, after, form), 1, "GRU")


# What is no cell, though nearly.


def cell_clipped(b, x, h, c):
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    after = b("Clip", b("Add", b("Mul", b("Sigmoid", f), c), b("Mul", b("Sigmoid", i), b("Tanh", g))), b.number(-0.3), b.number(0.3))
    return [b("Mul", b("Sigmoid", o), b("Tanh", after)), after]


def projected(b, x, h, c):
    h, c = lstm(b, x, h, c)
    return [b("MatMul", h, b.floats(HIDDEN, HIDDEN)), c]


def two_gate_functions(b, x, h, c):
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    return lstm_update(b, b("Sigmoid", i), b("HardSigmoid", f), b("Tanh", g), b("Sigmoid", o), c)


def forgets_the_input(b, x, h, c):
    """f * g + i * c: the gates have changed their places, which makes it an LSTM with others; but i + g is none."""
    i, f, g, o = b.gates(columns(b, x, h, 4), 4)
    after = b("Add", b("Mul", b("Sigmoid", f), c), b("Add", b("Sigmoid", i), b("Tanh", g)))
    return [b("Mul", b("Sigmoid", o), b("Tanh", after)), after]


def normalised(b, x, h, c):
    sums = columns(b, x, h, 4)
    sums = b("Sub", sums, b("ReduceMean", sums, axes=[1], keepdims=1))
    i, f, g, o = b.gates(sums, 4)
    return lstm_update(b, b("Sigmoid", i), b("Sigmoid", f), b("Tanh", g), b("Sigmoid", o), c)


def squared(b, x, h):
    return [b("Tanh", b("Add", columns(b, x, h, 1), b("Mul", h, h)))]


def leaky(b, x, h):
    return [b("Add", b("Mul", b.number(0.3), h), b("Mul", b.number(0.7), b("Tanh", columns(b, x, h, 1))))]


def gru_of_old(b, x, h):
    """1 - z weighs something else than the new value."""
    z, r, n = b.gates(columns(b, x, h, 3), 3)
    z, r = b("Sigmoid", z), b("Sigmoid", r)
    return [b("Add", b("Mul", z, h), b("Mul", b("Sub", b.number(1), r), b("Tanh", n)))]


NEAR = {
    "cell_clipped": (cell_clipped, 2), "projected": (projected, 2), "two_gate_functions": (two_gate_functions, 2),
    "forgets_the_input": (forgets_the_input, 2), "normalised": (normalised, 2), "squared": (squared, 1), "leaky": (leaky, 1),
    "gru_of_old": (gru_of_old, 1), "late_peephole": (lambda b, x, h, c: lstm_peephole(b, x, h, c, False), 2),
}


def scanned(name, make, states, operators, how="scan") -> Case:
    """The cell in a Scan or Loop that gives y and the last states."""
    nodes, body = Nodes(name + how), Nodes(name, "b")
    state_names = ["h", "c"][:states]
    inputs = [info("x", ["batch", "time", INPUT] if how == "batch_first" else ["time", "batch", INPUT])]
    inputs += [info(f"{one}0", ["batch", HIDDEN]) for one in state_names]
    given = [info(f"{one}_in", ["batch", HIDDEN]) for one in state_names]
    looped = how in ("loop", "lengths")
    x = "x_in"
    if looped:
        nodes.nodes.append(helper.make_node("Shape", ["x"], ["shape"], start=0, end=1))
        count = nodes("Squeeze", "shape")
        x = body("Gather", "x", "step", axis=0)
    after = make(body, x, *[f"{one}_in" for one in state_names])
    shown = after[0]
    if how == "lengths":
        within = body("Unsqueeze", body("Less", "step", "lengths"), body.ints(1))
        shown = body("Where", within, after[0], body.number(0))
        after = [body("Where", within, new, f"{one}_in") for new, one in zip(after, state_names)]
        inputs.append(info("lengths", ["batch"], TensorProto.INT64))
    if how == "doubled":
        shown = body("Mul", shown, body.number(2))
    body.nodes.append(helper.make_node("Identity", [shown], ["y_out"]))
    results = [info(one, ["batch", HIDDEN]) for one in after]
    firsts = [f"{one}0" for one in state_names]
    if looped:
        head = [info("step", [], TensorProto.INT64), info("go", [], TensorProto.BOOL)]
        body.nodes.append(helper.make_node("Identity", ["go"], ["more"]))
        graph = helper.make_graph(body.nodes, "body", head + given, [info("more", [], TensorProto.BOOL), *results, info("y_out", ["batch", HIDDEN])], body.weights)
        made = nodes("Loop", count, None, *firsts, outputs=states + 1, body=graph)
    else:
        graph = helper.make_graph(body.nodes, "body", [*given, info("x_in", ["batch", INPUT])], [*results, info("y_out", ["batch", HIDDEN])], body.weights)
        axis = int(how == "batch_first")
        directions = [int(how == "reverse")]
        made = nodes("Scan", *firsts, "x", outputs=states + 1, body=graph, num_scan_inputs=1, scan_input_axes=[axis], scan_input_directions=directions,
                     scan_output_axes=[axis], scan_output_directions=directions)
    outputs = []
    for name_out, value in zip([f"{one}_end" for one in state_names] + ["y"], made):
        nodes.nodes.append(helper.make_node("Identity", [value], [name_out]))
        outputs.append(info(name_out, None))
    return Case(f"{how}/{name}", model_of(nodes, inputs, outputs), operators, returns=False)


def loops() -> list[Case]:
    cases = []
    for name, (make, states, op) in CELLS.items():
        for how in ("scan", "loop"):
            cases.append(scanned(name, make, states, (op,), how))
    for name in ("lstm", "gru_sum_after", "rnn"):
        make, states, op = CELLS[name]
        for how in ("reverse", "batch_first", "lengths"):
            cases.append(scanned(name, make, states, (op,), how))
        cases.append(scanned(name, make, states, ("Scan", "Loop"), "doubled"))
    for name, (make, states) in NEAR.items():
        cases.append(scanned(name, make, states, ("Scan", "Loop"), "scan"))
    return cases


def all_cases(only: str = "") -> list[Case]:
    return [case for case in layers() + ends() + loops() if only in case.name]


def inputs_of(model: onnx.ModelProto, time: int, batch: int) -> dict:
    random = np.random.default_rng([time, batch])
    fed = {}
    for one in model.graph.input:
        kind = one.type.tensor_type
        sizes = {"time": time, "batch": batch}
        shape = [sizes.get(dim.dim_param, dim.dim_value) for dim in kind.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        fed[one.name] = random.integers(1, time + 1, shape).astype(dtype) if one.name == "lengths" else random.uniform(-1, 1, shape).astype(dtype)
    return fed


def sizes_of(case: Case, *sizes: int) -> tuple[int, ...]:
    return tuple(fixed if isinstance(fixed, int) else size for fixed, size in zip(case.fixed or sizes, sizes))


WITH_STATES = {"LSTM", "GRU", "RNN", "Scan", "Loop"}


class BothWorker(LiteWorker):
    def run_onnx(self, model, inputs: dict) -> dict:
        return self._call(run_model, str(model), inputs)


def judge(run, converted: Path, expected: dict, fed: dict) -> tuple[str, str]:
    """(right | wrong | unloadable, detail)"""
    try:
        actual = run(converted, fed)
    except RuntimeFailure as failure:
        return "unloadable", str(failure)
    for name, value in expected.items():
        value = value.astype(actual[name].dtype)
        error = compare.range_error(value, actual[name])
        if error > (HALF_TOLERANCE if value.dtype == np.float16 else TOLERANCE):
            return "wrong", f"{name} {value.shape}: error {error:.1e}"
    return "right", ""


def changed_bits(worker: BothWorker, model: Path, again: Path, fed: dict) -> str:
    """What stays TensorFlow Lite gives the same to the last bit."""
    before, after = worker.run_exactly(model, fed), worker.run_exactly(again, fed)
    return "".join(f"{name} has other bits " for name, value in before.items() if not np.array_equal(value, after[name]))


def check(case: Case, worker: BothWorker) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        source, reference = Path(folder) / "model.onnx", Path(folder) / "reference.onnx"
        onnx.save(case.model, source)
        onnx.save(case.reference or case.model, reference)
        runs = []
        for start, name, kinds in (
            ("model.onnx", "out.onnx", [worker.run_onnx]),
            ("model.onnx", "out.tflite", [worker.run, worker.run_exactly, worker.run_twice]),
            ("out.tflite", "back.onnx", [worker.run_onnx]),
            ("out.tflite", "again.tflite", []),
        ):
            target = Path(folder) / name
            outcome = remodel.convert(Path(folder) / start, target, "-q")
            if not outcome.ok:
                results.append(Result(f"{case.name} {name}", outcome.verdict, outcome.message))
                continue
            runs += [(target, run) for run in kinds]
            if target.suffix == ".onnx" and (name == "out.onnx" or case.returns):
                found = {node.op_type for node in onnx.load(target).graph.node} & WITH_STATES
                if not found or not found <= set(case.operators):
                    results.append(Result(f"{case.name} {name} operators", "wrong", f"{sorted(found)}, expected {case.operators}"))
        lite = Path(folder) / "out.tflite"
        if case.lite and lite.exists() and case.lite not in worker.operators(lite):
            results.append(Result(f"{case.name} operators", "wrong", f"no {case.lite}"))
        for time, batch in sorted({sizes_of(case, *sizes) for sizes in SIZES}):
            fed = inputs_of(case.reference or case.model, time, batch)
            expected = worker.run_onnx(reference, fed)
            if case.reference:
                fed = {name: value.astype(np.float16) if value.dtype == np.float32 else value for name, value in fed.items()}
            text = not results and changed_bits(worker, lite, Path(folder) / "again.tflite", fed)
            if text:
                results.append(Result(f"{case.name} again.tflite {time}x{batch}", "wrong", text))
            for target, run in runs:
                if case.reference and target.suffix == ".onnx":
                    continue  # ONNX Runtime has no such layers
                verdict, detail = judge(run, target, expected, fed)
                if verdict != "right":
                    results.append(Result(f"{case.name} {target.name} {run.__name__} {time}x{batch}", verdict, detail))
    return results or [Result(case.name, "right")]


def run(only: str = "", jobs: int = 2) -> list[Result]:
    return report.run_beside(check, all_cases(only), jobs, kind=BothWorker)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    results = run(arguments.only)
    report.print_results("recurrent layers and cells", results)
    return any(result.verdict != "right" for result in results)


if __name__ == "__main__":
    sys.exit(main())
