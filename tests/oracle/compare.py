"""Comparing values: as ONNX's own runner does but for rounding noise (`difference`), and by error relative to the
reference's range."""

import numpy as np

import npz

RTOL = 1e-3
ATOL = 1e-7


def is_float(dtype: np.dtype) -> bool:
    """True for floating types, the ml_dtypes ones included."""
    return dtype.kind == "f" or dtype in npz.CODES


def difference(expected: dict, actual: dict, rtol: float = RTOL, atol: float = ATOL) -> str:
    """What differs first, or '' when every output agrees."""
    for name, value in expected.items():
        if name not in actual:
            return f"output '{name}' is missing"
        text = value_difference(value, actual[name], rtol, atol)
        if text:
            return f"output '{name}': {text}"
    return ""


def value_difference(expected, actual, rtol: float, atol: float) -> str:
    if expected is None or actual is None:
        return "" if expected is actual else f"{kind(actual)} where {kind(expected)} is expected"
    if isinstance(expected, list) != isinstance(actual, list):
        return f"{kind(actual)} where {kind(expected)} is expected"
    if isinstance(expected, list):
        if len(expected) != len(actual):
            return f"{len(actual)} elements, expected {len(expected)}"
        for i, (a, b) in enumerate(zip(expected, actual)):
            text = value_difference(a, b, rtol, atol)
            if text:
                return f"element {i}: {text}"
        return ""
    return array_difference(np.asarray(expected), np.asarray(actual), rtol, atol)


def kind(value) -> str:
    if value is None:
        return "nothing"
    return "a sequence" if isinstance(value, list) else "a tensor"


def array_difference(expected: np.ndarray, actual: np.ndarray, rtol: float, atol: float) -> str:
    actual = npz.decode_array(actual, expected.dtype)
    if expected.shape != actual.shape:
        return f"shape {list(actual.shape)}, expected {list(expected.shape)}"
    if expected.dtype != actual.dtype:
        return f"dtype {actual.dtype}, expected {expected.dtype}"
    if expected.dtype == object:
        equal = expected == actual
    else:
        reference = widened(expected)
        equal = np.isclose(widened(actual), reference, rtol=rtol, atol=max(atol, rounding(reference)), equal_nan=True)
    bad = np.argwhere(~np.asarray(equal, bool))
    if len(bad) == 0:
        return ""
    at = tuple(int(i) for i in bad[0])
    return f"{len(bad)} of {expected.size} elements differ, first at {list(at)}: {actual[at]}, expected {expected[at]}"


def rounding(array: np.ndarray) -> float:
    """One step of float32 at the largest magnitude: what a sum of such numbers may leave where it should be 0."""
    if array.dtype.kind != "f":
        return 0.0
    return float(np.finfo(np.float32).eps * np.max(np.abs(array), initial=0.0, where=np.isfinite(array)))


def widened(array: np.ndarray) -> np.ndarray:
    if is_float(array.dtype):
        return array.astype(np.float64)
    return array.astype(np.int64) if array.dtype in npz.NARROW else array


def range_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """max|a-b| over the range (max - min) of the reference; over its magnitude where all elements are equal.

    inf where shapes, dtypes, integers, NaNs or infinities differ.
    """
    expected = np.asarray(expected)
    actual = npz.decode_array(np.asarray(actual), expected.dtype)
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return float("inf")
    if not is_float(expected.dtype):
        return 0.0 if np.array_equal(expected, actual) else float("inf")
    a, b = expected.astype(np.float64), actual.astype(np.float64)
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)) or not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return float("inf")
    a, b = a[finite], b[finite]
    worst = float(np.max(np.abs(a - b), initial=0.0))
    if worst == 0.0:
        return 0.0
    spread = float(np.max(a) - np.min(a)) or float(np.max(np.abs(a))) or 1.0
    return worst / spread


def rounding_error(reference: np.ndarray, steps: int = 8) -> float:
    """So many steps of the type, float32 at the finest, at the reference's magnitude, over its range.

    That much may change with the order of a sum.
    """
    reference = np.asarray(reference)
    values = reference[np.isfinite(reference)].astype(np.float64) if reference.dtype.kind == "f" else np.zeros(0)
    spread = float(np.ptp(values)) if values.size else 0.0
    if spread == 0.0:
        return 0.0
    step = float(max(np.finfo(reference.dtype).eps, np.finfo(np.float32).eps))
    return steps * step * float(np.abs(values).max()) / spread
