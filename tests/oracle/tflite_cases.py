"""One-operator TensorFlow Lite models over dtypes, ranks, attributes and edge values: our executor against LiteRT's
reference kernels.

python tests/oracle/tflite_cases.py [--only TEXT] [--verbose] [--to onnx|tflite]

With --to what the case becomes in that format is run by the format's own runtime instead.
"""

import argparse
import collections
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import npz
import remodel
from compare import range_error
from tflite_build import Graph, Grid, Model, Session, options

TOLERANCE = 1e-4


@dataclass
class Case:
    name: str
    content: bytes
    feeds: list
    steps: int = 1  # by which integers of a quantized result may differ
    refused: str = ""  # a part of the message where refusing is right
    exact: bool = False  # every bit counts
    reference: bool = True  # LiteRT's reference kernel is the model


CASES = []  # functions that yield cases


def family(function):
    CASES.append(function)
    return function


def rng(name):
    return np.random.default_rng(abs(hash_of(name)))


def hash_of(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


QUANTIZED = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
SMALL = list(QUANTIZED)


def random_array(random, shape, dtype, low=-2.0, high=2.0):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    if dtype.kind == "c":
        return (random.uniform(low, high, shape) + 1j * random.uniform(low, high, shape)).astype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        if dtype.itemsize <= 2:
            return random.integers(max(info.min, -100), min(info.max, 100), shape).astype(dtype)
        return random.integers(max(0 if dtype.kind == "u" else -50, -50), 50, shape).astype(dtype)
    return random.uniform(low, high, shape).astype(dtype)


def codes(random, shape, dtype):
    """Any code of a quantized type."""
    low, high = QUANTIZED[np.dtype(dtype).name]
    return random.integers(low, high + 1, shape).astype(dtype)


def grid_for(dtype, low, high):
    """The grid whose codes span low to high, as a converter makes it."""
    least, most = QUANTIZED[np.dtype(dtype).name]
    if np.dtype(dtype) == np.int16:
        return Grid(max(abs(low), abs(high)) / 32767, 0)
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (most - least)
    return Grid(scale, int(round(least - low / scale)))


def one_op(name, code, inputs, outputs, table=None, version=1, constants=(), refused="", steps=1, exact=False, reference=True, **more):
    """`inputs`: arrays, or (array, grid); those at places in `constants` stand in the file. `outputs`: as Graph.op."""
    model = Model()
    graph = model.main
    tensors, feeds = [], []
    for i, given in enumerate(inputs):
        if given is None:
            tensors.append(None)
            continue
        array, grid = given if isinstance(given, tuple) else (given, None)
        array = np.asarray(array)
        if i in constants:
            tensors.append(graph.constant(array, grid))
        else:
            tensors.append(graph.input(f"x{i}", array.shape, array.dtype, grid))
            feeds.append(array)
    made = graph.op(code, tensors, outputs, table, version, **more)
    graph.output(*(made if isinstance(made, list) else [made]))
    return Case(f"{code.lower()}/{name}", model.bytes(), feeds, steps, refused, exact, reference)


def model_case(name, model, *feeds, **more):
    return Case(name, model.bytes(), [np.asarray(feed) for feed in feeds], **more)


def verdict(folder, case):
    """(right | wrong | refused | litert, message)"""
    if case.refused:
        model = folder / "model.tflite"
        model.write_bytes(case.content)
        outcome = remodel.call(model, folder / "model.onnx")
        right = outcome.code == remodel.REFUSED and case.refused in outcome.message
        return ("right" if right else "wrong"), outcome.message
    try:
        session = Session(case.content, case.reference)
        expected = session.run(case.feeds)
    except (RuntimeError, ValueError) as error:
        return "litert", str(error).replace("\n", " ")[:200]
    model, inputs, outputs = folder / "model.tflite", folder / "in.npz", folder / "out.npz"
    model.write_bytes(case.content)
    names = [detail["name"] for detail in session.inputs]
    npz.write(inputs, dict(zip(names, case.feeds)))
    outputs.unlink(missing_ok=True)
    outcome = remodel.run(model, inputs, outputs)
    if not outcome.ok:
        return ("refused" if outcome.code == remodel.REFUSED else "wrong"), outcome.message
    got = list(npz.read(outputs).values())
    if len(got) != len(expected):
        return "wrong", f"{len(got)} results, expected {len(expected)}"
    for k, (a, b) in enumerate(zip(expected, got)):
        text = difference(a, b, case)
        if text:
            return "wrong", f"result {k}: {text}"
    return "right", ""


def verdict_through(folder, case, target):
    """The same of what the case becomes in another format."""
    try:
        expected = Session(case.content, case.reference).run(case.feeds)
    except (RuntimeError, ValueError) as error:
        return "litert", str(error).replace("\n", " ")[:200]
    model, result = folder / "model.tflite", folder / f"result.{target}"
    model.write_bytes(case.content)
    outcome = remodel.call(model, result, "--no-verify")
    if not outcome.ok:
        return ("refused" if outcome.code == remodel.REFUSED else "wrong"), outcome.message
    try:
        if target == "tflite":
            got = Session(result.read_bytes(), case.reference).run(case.feeds)
        else:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            session = onnxruntime.InferenceSession(str(result), options)
            given = [np.vectorize(bytes.decode, otypes=[object])(feed) if feed.dtype == object else feed for feed in case.feeds]
            feeds = dict(zip([port.name for port in session.get_inputs()], given))
            # States that the format has not: they begin with zeros here.
            types = {"tensor(float)": np.float32, "tensor(int8)": np.int8, "tensor(int16)": np.int16}
            for port in session.get_inputs()[len(given) :]:
                feeds[port.name] = np.zeros(port.shape, types[port.type])
            got = session.run(None, feeds)
    except Exception as error:
        return "wrong", f"does not run: {error}".replace("\n", " ")[:300]
    for k, (a, b) in enumerate(zip(expected, got)):
        if text := difference(a, b, case):
            return "wrong", f"result {k}: {text}"
    return "right", ""


def difference(expected, actual, case):
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.dtype == object or expected.dtype.kind == "S":
        same = [bytes(x) for x in expected.ravel()] == [x if isinstance(x, bytes) else str(x).encode() for x in np.ravel(actual)]
        return "" if same and expected.shape == actual.shape else f"{actual} instead of {expected}"
    actual = npz.decode_array(actual, expected.dtype)
    if expected.shape != actual.shape:
        return f"shape {list(actual.shape)} instead of {list(expected.shape)}"
    if expected.dtype != actual.dtype:
        return f"dtype {actual.dtype} instead of {expected.dtype}"
    if expected.dtype.kind == "c":
        expected, actual = expected.view(np.float32), actual.view(np.float32)
    if expected.dtype.kind in "iu" and expected.dtype.itemsize <= 2 and not case.exact:
        apart = np.abs(expected.astype(np.int64) - actual.astype(np.int64))
        if apart.size and apart.max() > case.steps:
            return f"{np.count_nonzero(apart > case.steps)} of {apart.size} more than {case.steps} apart, at most {apart.max()}"
        return ""
    error = range_error(expected, actual)
    if error <= TOLERANCE:
        return ""
    bad = np.argwhere(~np.isclose(expected.astype(np.float64), actual.astype(np.float64), rtol=1e-4, atol=1e-6, equal_nan=True))
    at = tuple(bad[0]) if len(bad) else ()
    return f"error {error:.3g}, {len(bad)} elements, first at {list(map(int, at))}: {actual[at]} instead of {expected[at]}"


def all_cases(only=""):
    import tflite_operators  # noqa: F401  (adds to CASES)

    for function in CASES:
        for case in function():
            if only in case.name:
                yield case


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--to", choices=["onnx", "tflite"])
    arguments = parser.parse_args()
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in all_cases(arguments.only):
            what, message = verdict_through(Path(folder), case, arguments.to) if arguments.to else verdict(Path(folder), case)
            counts[what] += 1
            if what != "right" or arguments.verbose:
                print(f"{what:8} {case.name}: {message}")
    print(", ".join(f"{counts[key]} {key}" for key in ("right", "wrong", "refused", "litert")))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.modules["tflite_cases"] = sys.modules["__main__"]
    sys.exit(main())
