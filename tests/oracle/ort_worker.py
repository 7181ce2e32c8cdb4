"""ONNX Runtime and onnx.checker in a child process: they may crash on a model, and the tests must go on."""

import ctypes
import multiprocessing
import re

import ml_dtypes
import numpy as np
import onnx
from onnx.helper import np_dtype_to_tensor_dtype, tensor_dtype_to_np_dtype

import npz

PACKED = {np.dtype(t) for t in (ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.float4_e2m1fn)}


class RuntimeFailure(Exception):
    """The runtime refused the model, failed to run it, or died."""


class Worker:
    """Calls functions one after another in one child, which is replaced when it dies or hangs."""

    def __init__(self, timeout: float = 60):
        self.timeout = timeout
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other,), daemon=True)
        self._process.start()
        other.close()

    def _call(self, function, *arguments):
        try:
            self._pipe.send((function, arguments))
            if not self._pipe.poll(self.timeout):
                self._restart()
                raise RuntimeFailure(f"still running after {self.timeout:g} s")
            result, error = self._pipe.recv()
        except (EOFError, OSError):
            code = self._restart()
            raise RuntimeFailure(f"died with exit code {code}") from None
        if error:
            raise RuntimeFailure(error)
        return result

    def _restart(self) -> int | None:
        self._process.join(2)
        code = self._process.exitcode
        self.close()
        self._start()
        return code

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


class OrtWorker(Worker):
    """Runs models in ONNX Runtime."""

    def run(self, model, inputs: dict) -> dict:
        return self._call(run_model, str(model), inputs)

    def run_bytes(self, model: bytes, inputs: dict) -> dict:
        return self._call(run_model, model, inputs)

    def run_plain(self, model: bytes, inputs: dict) -> dict:
        """Without the runtime's own optimiser."""
        return self._call(run_plain, model, inputs)

    def run_many(self, model: bytes, feeds: list[dict]) -> list[dict]:
        """One session of a model in memory for several feeds."""
        return self._call(run_many, model, feeds)

    def checker_error(self, model) -> str:
        """What onnx.checker says with full checks, or ''."""
        return self._call(checker_error, str(model))


def serve(pipe) -> None:
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((function(*arguments), ""))
        except Exception as error:  # every failure of the runtime is a result here
            pipe.send((None, f"{type(error).__name__}: {one_line(error)[:500]}"))


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def checker_error(path: str) -> str:
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # the checker raises many kinds
        return one_line(error)[:300] or type(error).__name__
    return ""


def open_session(model: str | bytes, optimise: bool = True):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_many(model: bytes, feeds: list[dict]) -> list[dict]:
    session = open_session(model)
    names = [output.name for output in session.get_outputs()]
    return [dict(zip(names, session.run(names, feed))) for feed in feeds]


def run_plain(model: bytes, inputs: dict) -> dict:
    return run_model(model, inputs, optimise=False)


def run_model(model: str | bytes, inputs: dict, optimise: bool = True) -> dict:
    session = open_session(model, optimise)
    names = [output.name for output in session.get_outputs()]
    exotic_output = any(re.search("bfloat|float8|float4|int4|int2", output.type) for output in session.get_outputs())
    if not exotic_output and not any(is_exotic(value) for value in inputs.values()):
        return dict(zip(names, session.run(names, inputs)))
    held = [np.ascontiguousarray(value) for value in inputs.values()]
    values = {name: to_ort_value(array) for name, array in zip(inputs, held)}
    return {name: from_ort_value(value) for name, value in zip(names, session.run_with_ort_values(names, values))}


def is_exotic(value) -> bool:
    return isinstance(value, np.ndarray) and (value.dtype in npz.CODES or value.dtype in npz.NARROW)


def to_ort_value(array: np.ndarray):
    from onnxruntime import OrtValue

    if not is_exotic(array):
        return OrtValue.ortvalue_from_numpy(array)
    codes = pack(array) if array.dtype in PACKED else array.view(npz.CODES[array.dtype])
    return OrtValue.ortvalue_from_numpy_with_onnx_type(codes, np_dtype_to_tensor_dtype(array.dtype))


def pack(array: np.ndarray) -> np.ndarray:
    """Two values a byte, low half first, at the start of a buffer that has the array's shape."""
    codes = array.view(np.uint8).reshape(-1) & 15
    codes = np.append(codes, np.zeros(codes.size % 2, np.uint8))
    buffer = np.zeros(array.shape, np.uint8)
    buffer.reshape(-1)[: codes.size // 2] = codes[0::2] | codes[1::2] << 4
    return buffer


def from_ort_value(value):
    if not value.is_tensor():
        return value.numpy()
    dtype = tensor_dtype_to_np_dtype(value.element_type())
    if dtype not in npz.CODES and dtype not in npz.NARROW:
        return value.numpy()
    shape = tuple(value.shape())
    count = int(np.prod(shape))
    if dtype in PACKED:
        tensor = onnx.TensorProto(data_type=value.element_type(), dims=shape)
        tensor.raw_data = ctypes.string_at(value.data_ptr(), (count + 1) // 2)
        return onnx.numpy_helper.to_array(tensor)
    return np.frombuffer(ctypes.string_at(value.data_ptr(), count * dtype.itemsize), dtype).reshape(shape)
