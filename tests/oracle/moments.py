"""Checks for ops with random outputs: shape, dtype, and statistics within five standard errors."""

import math

import numpy as np

import npz

SIGMAS = 5


def difference(model, inputs: dict, expected: dict, actual: dict) -> str:
    """For a stored case of one random op: what is wrong, or ''."""
    for name, value in expected.items():
        if name not in actual:
            return f"output '{name}' is missing"
        got = npz.decode_array(actual[name], value.dtype)
        if got.shape != value.shape or got.dtype != value.dtype:
            return f"output '{name}': {got.dtype}{list(got.shape)}, expected {value.dtype}{list(value.shape)}"
    outputs = [np.asarray(actual[name], np.float64) for name in expected]
    arrays = [np.asarray(value) for value in inputs.values()]
    if model.graph.node[0].op_type == "Dropout":
        return dropout(arrays, outputs)
    probability = np.asarray(arrays[0], np.float64)
    if any(node.op_type == "Greater" for node in model.graph.node):
        probability = 1 - probability  # ONNX's function body of Bernoulli is `uniform > p`
    return bernoulli(probability, outputs[0])


def bernoulli(probability: np.ndarray, drawn: np.ndarray) -> str:
    if not np.isin(drawn, (0, 1)).all():
        return "values other than 0 and 1"
    probability = np.clip(np.broadcast_to(probability, drawn.shape), 0, 1)
    if (drawn[probability == 0] == 1).any() or (drawn[probability == 1] == 0).any():
        return "a certain event did not happen, or an impossible one did"
    error = abs(drawn.sum() - probability.sum())
    limit = SIGMAS * math.sqrt((probability * (1 - probability)).sum())
    return "" if error <= limit else f"{drawn.sum():g} ones where {probability.sum():g} are expected"


def dropout(inputs: list[np.ndarray], outputs: list[np.ndarray]) -> str:
    ratio = float(inputs[1]) if len(inputs) > 1 else 0.5
    kept = outputs[0] != 0
    if not np.allclose(outputs[0], np.where(kept, inputs[0] / (1 - ratio), 0), rtol=1e-4, atol=1e-6):
        return "what is kept is not the input over (1 - ratio)"
    if len(outputs) > 1 and not np.array_equal(outputs[1] != 0, kept):
        return "the mask does not say what was kept"
    return bernoulli(np.full(kept.shape, 1 - ratio), kept.astype(np.float64))


def distribution(drawn: np.ndarray, mean: float, deviation: float) -> str:
    """Mean and standard deviation of many independent draws; the deviation's error bound holds for kurtosis <= 3."""
    count = drawn.size
    if abs(drawn.mean() - mean) > SIGMAS * deviation / math.sqrt(count):
        return f"mean {drawn.mean():g}, expected {mean:g}"
    if abs(drawn.std() - deviation) > SIGMAS * deviation / math.sqrt(2 * count):
        return f"deviation {drawn.std():g}, expected {deviation:g}"
    return ""
