"""Values in the .npz files that `remodel run` reads and writes.

Types that numpy lacks travel as raw codes (bfloat16 as uint16, float8 and float4 as uint8) or as plain values
(int4, int2 as int8; uint4, uint2 as uint8); strings as '<U'. A sequence `s` is 's/0', 's/1', ... and its length 's/#';
an optional `o` is the flag 'o/?' and, where it is true, the value.
"""

import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np

CODES = {
    np.dtype(ml_dtypes.bfloat16): np.uint16,
    np.dtype(ml_dtypes.float8_e4m3fn): np.uint8,
    np.dtype(ml_dtypes.float8_e4m3fnuz): np.uint8,
    np.dtype(ml_dtypes.float8_e5m2): np.uint8,
    np.dtype(ml_dtypes.float8_e5m2fnuz): np.uint8,
    np.dtype(ml_dtypes.float8_e8m0fnu): np.uint8,
    np.dtype(ml_dtypes.float4_e2m1fn): np.uint8,
}
NARROW = {
    np.dtype(ml_dtypes.int4): np.int8,
    np.dtype(ml_dtypes.uint4): np.uint8,
    np.dtype(ml_dtypes.int2): np.int8,
    np.dtype(ml_dtypes.uint2): np.uint8,
}


def encode_array(array: np.ndarray) -> np.ndarray:
    if array.dtype == object:
        return array.astype(np.str_)
    if array.dtype in CODES:
        return array.view(CODES[array.dtype])
    return array.astype(NARROW.get(array.dtype, array.dtype))


def decode_array(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Back to `dtype` where the array is the encoding of that type; unchanged otherwise."""
    if dtype == object and array.dtype.kind == "U":
        return array.astype(object)
    if CODES.get(dtype) == array.dtype:
        return array.view(dtype)
    if NARROW.get(dtype) == array.dtype:
        return array.astype(dtype)
    return array


def flatten(name: str, value, optional: bool, arrays: dict) -> None:
    if optional:
        arrays[f"{name}/?"] = np.array(value is not None)
        if value is None:
            return
    if isinstance(value, list):
        arrays[f"{name}/#"] = np.array(len(value), np.int64)
        for i, element in enumerate(value):
            arrays[f"{name}/{i}"] = encode_array(np.asarray(element))
    else:
        arrays[name] = encode_array(np.asarray(value))


def write(path: Path, values: dict, optionals=()) -> None:
    arrays = {}
    for name, value in values.items():
        flatten(name, value, name in optionals, arrays)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read(path: Path) -> dict:
    """The file's values by name; arrays keep their encoded dtypes (see decode_array)."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    values = {}
    for name in arrays:
        if name.endswith("/#"):
            stem = name[:-2]
            values[stem] = [arrays[f"{stem}/{i}"] for i in range(int(arrays[name]))]
    elements = {f"{stem}/{i}" for stem, value in values.items() for i in range(len(value))}
    for name, array in arrays.items():
        if name.endswith("/?"):
            if not array:
                values[name[:-2]] = None
        elif not name.endswith("/#") and name not in elements:
            values[name] = array
    return values
