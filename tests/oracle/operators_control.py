"""Scans along other axes and from the end, and loops without a count or a condition."""

import numpy as np
import onnx

from operator_cases import Case, model_of

BODY = """body = step (float[2, 3] s, float[2, 3] a, float[3] b) => (float[2, 3] t, float[2, 3] sum, float[3] first)
    <int64 zero = {0}>
    { c = Mul(a, b)  h = Mul(s, half)  t = Add(h, c)  sum = Add(t, a)  row = Gather(sum, zero)  first = Sub(row, b) }"""

# name: (opset, attributes, inputs before the state, result types)
SCANS = {
    "plain": (11, "", "", "float[2, 3] t, float[5, 2, 3] all, float[5, 3] rows", (5, 2, 3), (5, 3)),
    "input_axes": (11, "scan_input_axes = [2, -1],", "", "float[2, 3] t, float[5, 2, 3] all, float[5, 3] rows", (2, 3, 5), (3, 5)),
    "reversed": (
        11,
        "scan_input_directions = [1, 0], scan_output_directions = [0, 1],",
        "",
        "float[2, 3] t, float[5, 2, 3] all, float[5, 3] rows",
        (5, 2, 3),
        (5, 3),
    ),
    "output_axes": (
        11,
        "scan_output_axes = [1, -1], scan_input_directions = [0, 1], scan_output_directions = [1, 0],",
        "",
        "float[2, 3] t, float[2, 5, 3] all, float[3, 5] rows",
        (5, 2, 3),
        (5, 3),
    ),
    "batch_8": (8, "", ", ", "float[4, 2, 3] t, float[4, 5, 2, 3] all, float[4, 5, 3] rows", (4, 5, 2, 3), (4, 5, 3)),
    "reversed_8": (
        8,
        "directions = [1, 0],",
        ", ",
        "float[4, 2, 3] t, float[4, 5, 2, 3] all, float[4, 5, 3] rows",
        (4, 5, 2, 3),
        (4, 5, 3),
    ),
}


def shape_text(shape: tuple) -> str:
    return ", ".join(map(str, shape))


def cases() -> list[Case]:
    rng, found = np.random.default_rng(27), []
    for name, (opset, attributes, before, results, a, b) in SCANS.items():
        state = (4, 2, 3) if before else (2, 3)
        text = f"""scan (float[{shape_text(state)}] start, float[{shape_text(a)}] a, float[{shape_text(b)}] b) => ({results})
            <float half = {{0.5}}>
            {{ t, all, rows = Scan<num_scan_inputs = 2, {attributes} {BODY}>({before} start, a, b) }}"""
        fed = {key: rng.normal(0, 1, shape).astype(np.float32) for key, shape in (("start", state), ("a", a), ("b", b))}
        found.append(Case(f"scan_{name}", model_of(onnx.parser.parse_graph(text), {"": opset}), fed))
    return [*found, *loops(rng)]


def loops(rng) -> list[Case]:
    """By a count alone, and by a condition alone."""
    body = """body = step (int64 i, bool go, float[3] s) => (bool more, float[3] t, float[3] row)
        { half = Mul(s, c)  t = Add(half, step)  total = ReduceSum<keepdims = 0>(t)  more = Less(total, limit)  row = Neg(t) }"""
    fed = {"x": rng.normal(0, 0.2, 3).astype(np.float32), "n": np.array(4)}
    found = []
    for name, inputs in (("count", 'n, ""'), ("condition", '"", yes'), ("both", "n, yes")):
        text = f"""loop (float[3] x, int64 n) => (float[3] t, float[?, 3] rows)
            <float c = {{0.7}}, float limit = {{8.0}}, bool yes = {{1}}, float one = {{1.0}}>
            {{ size = Abs(x)  step = Add(size, one)  t, rows = Loop<{body}>({inputs.replace('""', "")}, x) }}"""
        found.append(Case(f"loop_by_{name}", model_of(onnx.parser.parse_graph(text), {"": 17}), fed))
    return found
