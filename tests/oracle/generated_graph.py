"""A random ONNX graph that grows node by node.

Every value is kept at two bindings of the symbolic dims, as ONNX Runtime computes it, so proposals need no shape rules
of their own: what the runtime refuses, or what would be ill-conditioned, is rejected and rolled back.
"""

from collections import Counter

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ort_worker import OrtWorker, RuntimeFailure

BINDINGS = 2
MAX_ELEMENTS = 30_000
MAX_MAGNITUDE = 1e4
MARGIN = 2e-4
SIZES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)


class Rejected(Exception):
    """A proposal that does not fit the graph; another one is tried."""


class Graph:
    def __init__(self, seed: int, opset: int, worker: OrtWorker):
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.worker = worker
        self.nodes: list[onnx.NodeProto] = []
        self.values: dict[str, tuple[np.ndarray, ...]] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: list[str] = []
        self.symbols: dict[tuple[int, ...], str] = {}
        self._names = Counter()

    def name(self, stem: str) -> str:
        self._names[stem] += 1
        return f"{stem}_{self._names[stem]}"

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def integer(self, low: int, high: int) -> int:
        """low <= result <= high"""
        return int(self.rng.integers(low, high + 1))

    def choice(self, options):
        options = list(options)
        if not options:
            raise Rejected("nothing to choose from")
        return options[int(self.rng.integers(len(options)))]

    def add_input(self, stem: str, dims: list, dtype=np.float32) -> str:
        """dims: sizes, or tuples with a size for each binding (a symbolic dim)."""
        name = self.name(stem)
        shapes = [tuple(dim[b] if isinstance(dim, tuple) else dim for dim in dims) for b in range(BINDINGS)]
        for dim in dims:
            if isinstance(dim, tuple):
                self.symbols.setdefault(dim, f"s{len(self.symbols)}")
        self.values[name] = tuple(self.random_array(shape, dtype) for shape in shapes)
        self.inputs.append(name)
        return name

    def random_array(self, shape, dtype=np.float32) -> np.ndarray:
        if np.dtype(dtype).kind == "b":
            return self.rng.random(shape) < 0.5
        if np.dtype(dtype).kind in "iu":
            return self.rng.integers(0, 20, shape).astype(dtype)
        return self.rng.normal(0, 1, shape).astype(dtype)

    def constant(self, array: np.ndarray, stem: str = "w") -> str:
        name = self.name(stem)
        self.constants[name] = np.asarray(array)
        return name

    def weight(self, *shape, scale: float = 1.0, offset: float = 0.0) -> str:
        return self.constant((self.rng.normal(0, scale, shape) + offset).astype(np.float32))

    def ints(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64), "k")

    def array(self, name: str, binding: int = 0) -> np.ndarray:
        return self.constants[name] if name in self.constants else self.values[name][binding]

    def shape(self, name: str) -> tuple[int, ...]:
        return self.array(name).shape

    def rank(self, name: str) -> int:
        return self.array(name).ndim

    def is_static(self, name: str, axis: int) -> bool:
        return len({self.array(name, b).shape[axis] for b in range(BINDINGS)}) == 1

    def static_axes(self, name: str) -> list[int]:
        return [axis for axis in range(self.rank(name)) if self.is_static(name, axis)]

    def pick(self, low_rank: int = 0, high_rank: int = 5, kind: str = "f", where=lambda name: True) -> str:
        """A value of the graph; later ones and ones not used yet are likelier."""
        fits = [
            name
            for name, arrays in self.values.items()
            if arrays[0].dtype.kind in kind and low_rank <= arrays[0].ndim <= high_rank and where(name)
        ]
        if not fits:
            raise Rejected("no value fits")
        used = {name for node in self.nodes for name in node.input}
        weights = np.array([(1 + i) * (1 if name in used else 4) for i, name in enumerate(fits)], float)
        return fits[int(self.rng.choice(len(fits), p=weights / weights.sum()))]

    def emit(self, op: str, *inputs: str, outputs: int = 1, captures=(), **attributes):
        """Adds a node; its output's name, or a list of names where it has several."""
        names = [self.name(op.lower()) for _ in range(outputs)]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        node = helper.make_node(op, inputs, names, name=self.name(f"{op}_node"), **attributes)
        results = self.run_node(node, [name for name in (*inputs, *captures) if name])
        for name in names:
            arrays = tuple(result[name] for result in results)
            self.require_sane(arrays)
            self.values[name] = arrays
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def run_node(self, node: onnx.NodeProto, needed: list[str]) -> list[dict]:
        live = [name for name in dict.fromkeys(needed) if name in self.values]
        infos = [typed(name, self.values[name][0]) for name in live]
        constants = [
            numpy_helper.from_array(self.constants[n], n) for n in dict.fromkeys(needed) if n in self.constants
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
        graph = helper.make_graph([node], "step", infos, outputs, constants)
        data = make_model(graph, self.opset).SerializeToString()
        feeds = [{name: self.values[name][b] for name in live} for b in range(BINDINGS)]
        try:
            return self.worker.run_many(data, feeds)
        except RuntimeFailure as failure:
            raise Rejected(str(failure)) from None

    def require_sane(self, arrays) -> None:
        for array in arrays:
            if array.size == 0 or array.size > MAX_ELEMENTS or array.ndim > 6:
                raise Rejected("size")
            if array.dtype.kind == "f":
                if not np.isfinite(array).all() or np.abs(array).max() > MAX_MAGNITUDE:
                    raise Rejected("values too large")

    def require_apart(self, *arrays_of_distances) -> None:
        """For ops that jump: no value may be near the place of the jump."""
        for distances in arrays_of_distances:
            if distances.size and np.abs(distances).min() < MARGIN:
                raise Rejected("near a jump")

    def attempt(self, proposal) -> bool:
        saved = len(self.nodes), dict(self.values), dict(self.constants)
        try:
            proposal(self)
            return True
        except Rejected:
            del self.nodes[saved[0] :]
            self.values, self.constants = saved[1], saved[2]
            return False

    def model(self, outputs: list[str]) -> onnx.ModelProto:
        needed = {name for node in self.nodes for name in reads(node)}
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items() if name in needed]
        infos = [typed(name, self.values[name][0], self.dims(name, True)) for name in self.inputs]
        results = [typed(name, self.values[name][0], self.dims(name, False)) for name in outputs]
        graph = helper.make_graph(self.nodes, "generated", infos, results, constants)
        return make_model(graph, self.opset)

    def dims(self, name: str, symbolic: bool) -> list:
        sizes = zip(*(array.shape for array in self.values[name]))
        return [s[0] if len(set(s)) == 1 else self.symbols[s] if symbolic else None for s in sizes]


def reads(node: onnx.NodeProto) -> set[str]:
    """The names that a node reads, those of its subgraphs included."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node:
            names |= reads(inner)
    return names - {""}


def typed(name: str, array: np.ndarray, dims=None) -> onnx.ValueInfoProto:
    element = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, element, [None] * array.ndim if dims is None else dims)


def make_model(graph: onnx.GraphProto, opset: int) -> onnx.ModelProto:
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8 if opset < 19 else 9 if opset < 21 else 10)
