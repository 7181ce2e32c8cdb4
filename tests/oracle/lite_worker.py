"""LiteRT in a child process: it may crash on a model, and the tests must go on."""

import numpy as np

from ort_worker import Worker


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

    def operators(self, model) -> list[str]:
        return self._call(operators_of, str(model))


def opened(model: str, reference: bool):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    return Interpreter(model_path=model, num_threads=1, experimental_op_resolver_type=resolver)


def operators_of(model: str) -> list[str]:
    return [one["op_name"] for one in opened(model, True)._get_ops_details()]


def run_model(model: str, inputs: dict, reference: bool = False, calls: int = 1) -> dict:
    interpreter = opened(model, reference)
    details = {detail["name"]: detail for detail in interpreter.get_input_details()}
    for name, array in inputs.items():
        shape = list(np.shape(array))
        if list(details[name]["shape"]) != shape:
            interpreter.resize_tensor_input(details[name]["index"], shape)
    interpreter.allocate_tensors()
    details = {detail["name"]: detail for detail in interpreter.get_input_details()}
    for _ in range(calls):
        for name, array in inputs.items():
            interpreter.set_tensor(details[name]["index"], np.asarray(array))
        interpreter.invoke()
    return {detail["name"]: value_of(interpreter, detail) for detail in interpreter.get_output_details()}


def value_of(interpreter, detail: dict) -> np.ndarray:
    """Its Python face gives no tensors without elements."""
    if 0 in detail["shape"]:
        return np.zeros(detail["shape"], detail["dtype"])
    return interpreter.get_tensor(detail["index"])
