"""LSTM, GRU and RNN with their attributes, which ONNX's own cases leave at the defaults."""

from dataclasses import replace

import numpy as np

from operator_cases import Case, Const, single

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
SIZE, HIDDEN = 3, 4
# name: (operator, attributes for one direction)
LAYERS = {
    "rnn": ("RNN", {}),
    "rnn_affine": ("RNN", {"activations": ["Affine"], "activation_alpha": [0.6], "activation_beta": [0.2]}),
    "rnn_elu": ("RNN", {"activations": ["Elu"], "activation_alpha": [0.7]}),
    "rnn_leaky": ("RNN", {"activations": ["LeakyRelu"], "activation_alpha": [0.3]}),
    "rnn_threshold": ("RNN", {"activations": ["ThresholdedRelu"], "activation_alpha": [0.4]}),
    "rnn_scaled": ("RNN", {"activations": ["ScaledTanh"], "activation_alpha": [0.6], "activation_beta": [1.3]}),
    "rnn_softplus": ("RNN", {"activations": ["Softplus"], "clip": 0.8}),
    "gru": ("GRU", {}),
    "gru_after": ("GRU", {"linear_before_reset": 1, "clip": 0.6}),
    "gru_hard": (
        "GRU",
        {"activations": ["HardSigmoid", "ScaledTanh"], "activation_alpha": [0.3, 0.8], "activation_beta": [0.6, 1.2]},
    ),
    "gru_softsign": ("GRU", {"activations": ["sigmoid", "SoftSign"]}),
    "lstm": ("LSTM", {}),
    "lstm_coupled": ("LSTM", {"input_forget": 1}),
    "lstm_clip": ("LSTM", {"clip": 0.5}),
    "lstm_functions": (
        "LSTM",
        {"activations": ["HardSigmoid", "Relu", "LeakyRelu"], "activation_alpha": [0.3, 0.2], "activation_beta": [0.4]},
    ),
}


def operands(rng, op: str, directions: int, given: bool) -> list:
    """(x, w, r) alone, or with biases, lengths, states and an LSTM's peepholes."""

    def floats(*shape):
        return rng.normal(0, 0.8, shape).astype(np.float32)

    gates = GATES[op] * HIDDEN
    found = [floats(5, 2, SIZE), Const(floats(directions, gates, SIZE)), Const(floats(directions, gates, HIDDEN))]
    if not given:
        return found
    found += [Const(floats(directions, 2 * gates)), np.array([5, 3], np.int32), floats(directions, 2, HIDDEN)]
    if op == "LSTM":
        found += [floats(directions, 2, HIDDEN), Const(floats(directions, 3 * HIDDEN))]
    return found


def cases() -> list[Case]:
    rng, found = np.random.default_rng(21), []
    for name, (op, attributes) in LAYERS.items():
        for direction in ("forward", "reverse", "bidirectional"):
            directions = 2 if direction == "bidirectional" else 1
            options = {key: value * directions if isinstance(value, list) else value for key, value in attributes.items()}
            given = operands(rng, op, directions, direction != "reverse")
            options |= {"hidden_size": HIDDEN, "direction": direction}
            case = single(f"{name}_{direction}", op, given, {"": 14}, 3 if op == "LSTM" else 2, **options)
            found.append(replace(case, old=9) if direction == "bidirectional" else case)
    for op in GATES:
        fed = [value.array if isinstance(value, Const) else value for value in operands(rng, op, 1, True)]
        found.append(single(f"{op.lower()}_fed_weights", op, fed, {"": 14}, 2, hidden_size=HIDDEN))
        plain = single(f"{op.lower()}_size_of_weights", op, operands(rng, op, 1, False), {"": 14}, 2)
        found.append(replace(plain, evaluated=True))  # ONNX Runtime asks for hidden_size
    return found
