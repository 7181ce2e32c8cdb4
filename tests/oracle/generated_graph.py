"""A random ONNX graph that grows node by node.

Every value is kept at two bindings of the symbolic dims, as ONNX Runtime computes it, so proposals need no shape rules
of their own: what the runtime refuses, or what would be ill-conditioned, is rejected and rolled back.
"""

from collections import Counter

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

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
        self.dtype = np.dtype(self.rng.choice(["float32"] * 8 + ["float64", "float16"]))
        self.wild = self.chance(0.1)  # NaN, infinities and tensors without elements are let in
        self._names = Counter()
        self._emits_to_twist = -1

    @property
    def coarseness(self) -> float:
        """How much larger this graph's rounding is than that of float32."""
        return 500.0 if self.dtype == np.float16 else 1.0

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
        dtype = self.dtype if np.dtype(dtype).kind == "f" else dtype
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
        array = np.asarray(array)
        self.constants[name] = array.astype(self.dtype) if array.dtype == np.float32 else array
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
            if isinstance(arrays[0], np.ndarray)
            and arrays[0].dtype.kind in kind
            and (arrays[0].dtype == self.dtype or arrays[0].dtype.kind != "f")
            and low_rank <= arrays[0].ndim <= high_rank and where(name)
        ]
        if not fits:
            raise Rejected("no value fits")
        used = {name for node in self.nodes for name in node.input}
        weights = np.array([(1 + i) * (1 if name in used else 4) for i, name in enumerate(fits)], float)
        return fits[int(self.rng.choice(len(fits), p=weights / weights.sum()))]

    def emit(self, op: str, *inputs: str, outputs: int = 1, captures=(), **attributes):
        """Adds a node; its output's name, or a list of names where it has several."""
        attributes = {key: value for key, value in attributes.items() if value is not None}
        if attributes.get("to") == TensorProto.FLOAT:
            attributes["to"] = helper.np_dtype_to_tensor_dtype(self.dtype)
        self._emits_to_twist -= 1
        if self._emits_to_twist == -1:
            inputs, attributes = twisted(self, op, list(inputs), attributes)
        names = [self.name(op.lower()) for _ in range(outputs)]
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
        if len({array.ndim for array in arrays if isinstance(array, np.ndarray)}) > 1:
            raise Rejected("a rank that depends on sizes")
        for array in arrays:
            if not isinstance(array, np.ndarray):
                continue
            if array.size > MAX_ELEMENTS or array.ndim > 6 or (array.size == 0 and not self.wild):
                raise Rejected("size")
            if array.dtype.kind == "f":
                finite = np.isfinite(array)
                if not self.wild and not finite.all():
                    raise Rejected("not finite")
                if np.abs(array[finite], dtype=np.float64).max(initial=0) > MAX_MAGNITUDE / self.coarseness**0.5:
                    raise Rejected("values too large")

    def require_apart(self, *arrays_of_distances) -> None:
        """For ops that jump: no value may be near the place of the jump."""
        for distances in arrays_of_distances:
            if distances.size and np.abs(distances).min() < MARGIN * self.coarseness:
                raise Rejected("near a jump")

    def attempt(self, proposal) -> bool:
        saved = len(self.nodes), dict(self.values), dict(self.constants)
        self._emits_to_twist = self.integer(0, 9) if self.chance(0.3) else -1
        try:
            proposal(self)
            return True
        except (Rejected, ValueError, IndexError, ZeroDivisionError):  # the others by values without elements
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
        if isinstance(self.values[name][0], list):
            return []
        sizes = zip(*(array.shape for array in self.values[name]))
        return [s[0] if len(set(s)) == 1 else self.symbols[s] if symbolic else None for s in sizes]


def twisted(g: Graph, op: str, inputs: list[str], attributes: dict) -> tuple[list[str], dict]:
    """The node with one thing off, so that an idiom becomes a near miss of itself."""
    constants = [i for i, name in enumerate(inputs) if name in g.constants]
    numbers = [key for key, value in attributes.items() if isinstance(value, (int, float)) and key != "to"]
    kind = g.choice(("constant", "rank", "row", "swap", "between", "used", "attribute"))
    if kind in ("constant", "rank", "row") and constants:
        place = g.choice(constants)
        array = g.constants[inputs[place]]
        if kind == "rank" and array.dtype.kind == "f":
            array = array.reshape(1, *array.shape) if array.ndim == 0 or g.chance(0.5) else array.reshape(-1)
        elif kind == "row" and array.dtype.kind == "f":
            array = np.tile(array, (*[1] * max(array.ndim - 1, 0), g.integer(2, 5)))
        elif array.dtype.kind == "f":
            array = array * g.choice((1.05, 0.5, -1.0, 0.0))
        elif array.dtype.kind in "iu":
            array = (array + g.choice((-1, 1))).astype(array.dtype)
        inputs[place] = g.constant(array)
    elif kind == "attribute" and numbers:
        key = g.choice(numbers)
        value = attributes[key]
        attributes[key] = value * 1.25 if isinstance(value, float) else 1 - value if value in (0, 1) else value + 1
    elif kind == "swap" and len(inputs) > 1:
        inputs[0], inputs[1] = inputs[1], inputs[0]
    elif not inputs or inputs[0] not in g.values or isinstance(g.values[inputs[0]][0], list):
        pass
    elif kind == "between":
        inputs[0] = g.emit(g.choice(("Identity", "Neg", "Relu", "Abs")), inputs[0])
    elif kind == "used" and g.values[inputs[0]][0].dtype.kind == "f":
        g.emit("Tanh", inputs[0])
    return inputs, attributes


def reads(node: onnx.NodeProto) -> set[str]:
    """The names that a node reads, those of its subgraphs included."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node:
            names |= reads(inner)
    return names - {""}


def typed(name: str, array: np.ndarray, dims=None) -> onnx.ValueInfoProto:
    if isinstance(array, list):
        element = helper.np_dtype_to_tensor_dtype(array[0].dtype)
        return helper.make_tensor_sequence_value_info(name, element, None)
    element = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, element, [None] * array.ndim if dims is None else dims)


def make_model(graph: onnx.GraphProto, opset: int) -> onnx.ModelProto:
    imports = [helper.make_opsetid("", opset)]
    if any(node.domain for node in graph.node):
        imports.append(helper.make_opsetid("com.microsoft", 1))
    return helper.make_model(graph, opset_imports=imports, ir_version=8 if opset < 19 else 9 if opset < 21 else 10)
