"""LiteRT in a child process: it may crash on a model, and the tests must go on."""

import statistics
import time

import numpy as np

from ort_worker import Worker

PLAIN = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"


class LiteWorker(Worker):
    """Runs .tflite files one after another in one child, which is replaced when it dies or hangs."""

    def run(self, model, inputs: dict) -> dict:
        return self._call(run_model, str(model), inputs)

    def run_exactly(self, model, inputs: dict) -> dict:
        """By LiteRT's reference kernels."""
        return self._call(run_model, str(model), inputs, True)

    def run_twice(self, model, inputs: dict) -> dict:
        """What the second call gives."""
        return self._call(run_model, str(model), inputs, False, 2)

    def milliseconds(self, model, inputs: dict, runs: int) -> float:
        """The median of so many runs on two threads, after one that does not count."""
        return self._call(time_of, str(model), inputs, runs)

    def shapes(self, model) -> dict[str, list[int]]:
        """Of the inputs."""
        return self._call(shapes_of, str(model))

    def operators(self, model) -> list[str]:
        return self._call(operators_of, str(model))


def opened(model: str, resolver: str = "AUTO", threads: int = 1):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType[resolver]
    return Interpreter(model_path=model, num_threads=threads, experimental_op_resolver_type=kind)


def shapes_of(model: str) -> dict[str, list[int]]:
    return {detail["name"]: detail["shape"].tolist() for detail in opened(model, PLAIN).get_input_details()}


def operators_of(model: str) -> list[str]:
    return [one["op_name"] for one in opened(model, PLAIN)._get_ops_details()]


def run_model(model: str, inputs: dict, reference: bool = False, calls: int = 1) -> dict:
    interpreter = opened(model, "BUILTIN_REF" if reference else "AUTO")
    fit(interpreter, inputs)
    for _ in range(calls):
        feed(interpreter, inputs)
        interpreter.invoke()
    return {detail["name"]: value_of(interpreter, detail) for detail in interpreter.get_output_details()}


def time_of(model: str, inputs: dict, runs: int) -> float:
    interpreter = opened(model, threads=2)
    fit(interpreter, inputs)
    feed(interpreter, inputs)
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        interpreter.invoke()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def fit(interpreter, inputs: dict) -> None:
    """Makes room for inputs of these shapes."""
    details = {detail["name"]: detail for detail in interpreter.get_input_details()}
    for name, array in inputs.items():
        shape = list(np.shape(array))
        if list(details[name]["shape"]) != shape:
            interpreter.resize_tensor_input(details[name]["index"], shape)
    interpreter.allocate_tensors()


def feed(interpreter, inputs: dict) -> None:
    details = {detail["name"]: detail for detail in interpreter.get_input_details()}
    for name, array in inputs.items():
        interpreter.set_tensor(details[name]["index"], np.asarray(array))


def value_of(interpreter, detail: dict) -> np.ndarray:
    """Its Python face gives no tensors without elements."""
    if 0 in detail["shape"]:
        return np.zeros(detail["shape"], detail["dtype"])
    return interpreter.get_tensor(detail["index"])
