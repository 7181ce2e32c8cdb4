"""The models that the benchmark converts, with random weights: every tensor's bytes differ."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = [helper.make_opsetid("", 17)]
BLOCK = 1 << 24  # elements of a square matrix of 4096


class Layers:
    """A graph under construction; weights scaled so that values keep their size through the layers."""

    def __init__(self, seed: int = 0):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def weight(self, *shape: int, scale: float | None = None, offset: float = 0) -> str:
        if scale is None:
            scale = (2 / np.prod(shape[1:])) ** 0.5
        name = f"weight_{len(self.weights)}"
        values = self.random.standard_normal(shape, np.float32) * np.float32(scale) + np.float32(offset)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def add(self, op: str, *inputs: str, **attributes) -> str:
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def save(self, path: Path, shape: list[int | str], output: str, result: list[int | str]) -> None:
        self.nodes[-1].output[0] = output
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
        wanted = helper.make_tensor_value_info(output, TensorProto.FLOAT, result)
        graph = helper.make_graph(self.nodes, path.stem, [given], [wanted], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=OPSET, ir_version=8), path)


def one_op(path: Path) -> dict:
    layers = Layers()
    layers.add("Relu", "x")
    layers.save(path, [1, 16], "y", [1, 16])
    return {"x": layers.random.standard_normal((1, 16), np.float32)}


def resnet50(path: Path, batch_norms: bool = False) -> dict:
    """As exporters write it: batch norms folded into the convolutions, or left beside them."""
    layers = Layers()

    def conv(x: str, wide: int, deep: int, kernel: int, stride: int = 1, gain: float = 1) -> str:
        settings = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}
        weight = layers.weight(wide, deep, kernel, kernel, scale=gain * (2 / (deep * kernel * kernel)) ** 0.5)
        if not batch_norms:
            return layers.add("Conv", x, weight, layers.weight(wide, scale=0.1), **settings)
        y = layers.add("Conv", x, weight, **settings)
        mean, shift = layers.weight(wide, scale=0.1), layers.weight(wide, scale=0.1)
        factor, variance = layers.weight(wide, scale=0.05, offset=1), layers.weight(wide, scale=0.05, offset=1)
        return layers.add("BatchNormalization", y, factor, shift, mean, variance, epsilon=1e-5)

    x = layers.add("Relu", conv("x", 64, 3, 7, 2))
    x = layers.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    deep = 64
    for stage, blocks in enumerate([3, 4, 6, 3]):
        wide = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            y = layers.add("Relu", conv(x, wide, deep, 1))
            y = layers.add("Relu", conv(y, wide, wide, 3, stride))
            y = conv(y, 4 * wide, wide, 1, gain=0.3)
            if block == 0:
                x = conv(x, 4 * wide, deep, 1, stride)
            x = layers.add("Relu", layers.add("Add", y, x))
            deep = 4 * wide
    x = layers.add("Flatten", layers.add("GlobalAveragePool", x), axis=1)
    layers.add("Gemm", x, layers.weight(1000, deep), layers.weight(1000, scale=0.1), transB=1)
    layers.save(path, ["batch", 3, 224, 224], "scores", ["batch", 1000])
    return {"x": layers.random.standard_normal((1, 3, 224, 224), np.float32)}


def many_nodes(path: Path, count: int = 40_000) -> dict:
    """Small nodes of several kinds, with weights of their own and shared ones, in chains that meet."""
    layers = Layers()
    shared = layers.weight(16, 16)
    x, skip = "x", "x"
    while len(layers.nodes) < count - 8:
        x = layers.add("MatMul", x, layers.weight(16, 16) if len(layers.nodes) % 80 else shared)
        x = layers.add("Relu", layers.add("Add", x, layers.weight(16, scale=0.1)))
        x = layers.add("Transpose", x, perm=[0, 2, 1])
        x = layers.add("Sigmoid", layers.add("Transpose", x, perm=[0, 2, 1]))
        x = layers.add("Mul", layers.add("Sub", x, layers.weight(16, scale=0.1)), skip)
        x = layers.add("ReduceMean", x, axes=[2], keepdims=1)
        x = skip = layers.add("Tanh", layers.add("Add", x, skip))
    layers.add("Relu", x)
    layers.save(path, ["batch", 4, 16], "y", ["batch", 4, 16])
    return {"x": layers.random.standard_normal((2, 4, 16), np.float32)}


def large(path: Path, matrices: int = 64) -> dict:
    """Square matrices of 64 MiB each in an external file."""
    layers = Layers()
    values = layers.random.standard_normal(BLOCK, np.float32) * np.float32(4096**-0.5)
    data = path.with_suffix(".data")
    x = "x"
    with open(data, "wb") as file:
        for index in range(matrices):
            tensor = TensorProto(name=f"matrix_{index}", data_type=TensorProto.FLOAT, dims=[4096, 4096])
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in ("location", data.name), ("offset", file.tell()), ("length", 4 * BLOCK):
                tensor.external_data.add(key=key, value=str(value))
            file.write(np.roll(values, 4099 * index).tobytes())
            layers.weights.append(tensor)
            y = layers.add("MatMul", x, tensor.name)
            y = layers.add("Tanh", layers.add("Add", y, layers.weight(4096, scale=0.1)))
            x = layers.add("Add", x, y)
    layers.add("Relu", x)
    layers.save(path, ["batch", 4096], "y", ["batch", 4096])
    return {"x": layers.random.standard_normal((4, 4096), np.float32)}
