"""Making small TensorFlow Lite files with the schema's object API of the LiteRT wheel, and running them there."""

from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
import flatbuffers

Type = schema.TensorType
TYPES = {
    "float32": Type.FLOAT32, "float16": Type.FLOAT16, "int32": Type.INT32, "uint8": Type.UINT8, "int64": Type.INT64,
    "bool": Type.BOOL, "int16": Type.INT16, "complex64": Type.COMPLEX64, "int8": Type.INT8, "float64": Type.FLOAT64,
    "complex128": Type.COMPLEX128, "uint64": Type.UINT64, "uint32": Type.UINT32, "uint16": Type.UINT16,
    "int4": Type.INT4, "bfloat16": Type.BFLOAT16, "object": Type.STRING, "string": Type.STRING, "int2": Type.INT2,
    "uint4": Type.UINT4, "float8_e4m3fn": Type.FLOAT8_E4M3FN, "float8_e5m2": Type.FLOAT8_E5M2,
    "resource": Type.RESOURCE, "variant": Type.VARIANT,
}


def type_of(dtype):
    return TYPES[dtype if isinstance(dtype, str) else np.dtype(dtype).name]


def pack(array):
    """The bytes of a constant as the file keeps them."""
    if array.dtype == object:
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in array.ravel()]
        starts = np.cumsum([4 * (len(texts) + 2)] + [len(text) for text in texts])
        return np.array([len(texts), *starts], "<i4").tobytes() + b"".join(texts)
    bits = {"int4": 4, "uint4": 4, "int2": 2}.get(array.dtype.name)
    if bits is None:
        return np.ascontiguousarray(array).tobytes()
    codes = array.astype(np.int8).ravel().view(np.uint8) & (2**bits - 1)
    each = 8 // bits
    codes = np.concatenate([codes, np.zeros(-len(codes) % each, np.uint8)]).reshape(-1, each)
    return bytes(sum(codes[:, i] << (bits * i) for i in range(each)).astype(np.uint8))


@dataclass
class Grid:
    """How a tensor is quantized."""

    scale: object
    zero: object = 0
    axis: int = 0

    def table(self):
        table = schema.QuantizationParametersT()
        table.scale = [float(x) for x in np.atleast_1d(self.scale)]
        table.zeroPoint = [int(x) for x in np.broadcast_to(np.atleast_1d(self.zero), len(table.scale))]
        table.quantizedDimension = self.axis
        return table


@dataclass
class Blocks:
    """Scales in a tensor of their own, one for `size` elements of the last axis."""

    scales: int
    size: int

    def table(self):
        table = schema.QuantizationParametersT()
        table.detailsType = schema.QuantizationDetails.BlockwiseQuantization
        table.details = schema.BlockwiseQuantizationT()
        table.details.scales, table.details.zeroPoints, table.details.blockSize = self.scales, -1, self.size
        return table


class Graph:
    """One sub-graph; tensors are numbers."""

    def __init__(self, model, name):
        self.model = model
        self.table = schema.SubGraphT()
        self.table.name, self.table.tensors, self.table.operators = name, [], []
        self.table.inputs, self.table.outputs = [], []

    def tensor(self, name, shape, dtype, grid=None, signature=None, variable=False, buffer=0):
        table = schema.TensorT()
        table.name, table.shape, table.type = name, list(shape), type_of(dtype)
        table.buffer, table.isVariable, table.hasRank = buffer, variable, True
        table.shapeSignature = signature
        table.quantization = grid.table() if grid else None
        self.table.tensors.append(table)
        return len(self.table.tensors) - 1

    def input(self, name, shape, dtype=np.float32, grid=None, signature=None):
        index = self.tensor(name, shape, dtype, grid, signature)
        self.table.inputs.append(index)
        return index

    def constant(self, array, grid=None, name=None):
        array = np.asarray(array)
        name = name or f"c{len(self.table.tensors)}"
        return self.tensor(name, array.shape, array.dtype, grid, buffer=self.model.buffer(pack(array)))

    def op(self, code, inputs, outputs, options=None, version=1, custom=None, custom_options=b"", intermediates=()):
        """`outputs`: for each result (shape, dtype) or (shape, dtype, grid), or the number of a tensor."""
        table = schema.OperatorT()
        table.opcodeIndex = self.model.code(code, version)
        table.inputs = [-1 if i is None else i for i in inputs]
        made = []
        for out in outputs:
            if isinstance(out, int):
                made.append(out)
            else:
                made.append(self.tensor(f"t{len(self.table.tensors)}", *out))
        table.outputs = made
        if options is not None:
            name = type(options).__name__[:-1]
            union = schema.BuiltinOptions if hasattr(schema.BuiltinOptions, name) else schema.BuiltinOptions2
            if union is schema.BuiltinOptions:
                table.builtinOptionsType, table.builtinOptions = getattr(union, name), options
            else:
                table.builtinOptions2Type, table.builtinOptions2 = getattr(union, name), options
        if custom_options:
            table.customOptions = list(custom_options)
        if intermediates:
            table.intermediates = list(intermediates)
        self.table.operators.append(table)
        return made[0] if len(made) == 1 else made

    def output(self, *tensors):
        self.table.outputs += tensors


class Model:
    def __init__(self, description="made for a test"):
        self.table = schema.ModelT()
        self.table.version, self.table.description = 3, description
        self.table.operatorCodes, self.table.subgraphs = [], []
        self.table.buffers, self.table.metadata = [schema.BufferT()], None
        self.codes, self.graphs = {}, []
        self.main = self.graph("main")

    def graph(self, name):
        graph = Graph(self, name)
        self.graphs.append(graph)
        self.table.subgraphs.append(graph.table)
        return graph

    def buffer(self, data):
        table = schema.BufferT()
        table.data = np.frombuffer(data, np.uint8)
        self.table.buffers.append(table)
        return len(self.table.buffers) - 1

    def code(self, name, version):
        """`name` is a builtin's, or "custom:Name"."""
        if (name, version) not in self.codes:
            table = schema.OperatorCodeT()
            if name.startswith("custom:"):
                table.builtinCode, table.customCode = schema.BuiltinOperator.CUSTOM, name[len("custom:") :]
            else:
                table.builtinCode = getattr(schema.BuiltinOperator, name)
            table.deprecatedBuiltinCode, table.version = min(table.builtinCode, 127), version
            self.codes[name, version] = len(self.table.operatorCodes)
            self.table.operatorCodes.append(table)
        return self.codes[name, version]

    def metadata(self, name, data):
        table = schema.MetadataT()
        table.name, table.buffer = name, self.buffer(data)
        self.table.metadata = (self.table.metadata or []) + [table]

    def signature(self, key, inputs, outputs, graph=0):
        table = schema.SignatureDefT()
        table.signatureKey, table.subgraphIndex = key, graph

        def ports(pairs):
            made = []
            for name, index in pairs.items():
                port = schema.TensorMapT()
                port.name, port.tensorIndex = name, index
                made.append(port)
            return made

        table.inputs, table.outputs = ports(inputs), ports(outputs)
        self.table.signatureDefs = (self.table.signatureDefs or []) + [table]

    def bytes(self):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.table.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def operators(content):
    """The types of a file's operators."""
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model, found = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0)), set()
    for code in model.operatorCodes:
        found.add(code.customCode.decode() if code.customCode else names[max(code.builtinCode, code.deprecatedBuiltinCode)])
    return found


def size(content):
    """How many operators a file has."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    return sum(len(graph.operators) for graph in model.subgraphs if graph.operators is not None)


def options(name, **fields):
    made = getattr(schema, name + "OptionsT")()
    for key, value in fields.items():
        assert hasattr(made, key), f"{name} has no option {key}"
        setattr(made, key, value)
    return made


class Session:
    """LiteRT's reference kernels, or its optimised ones without delegates: those are all that some operators have."""

    def __init__(self, content, reference=True):
        resolvers = [OpResolverType.BUILTIN_REF] * reference + [OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES]
        for resolver in resolvers:
            try:
                self.interpreter = Interpreter(
                    model_content=content, experimental_op_resolver_type=resolver,
                    experimental_preserve_all_tensors=False, num_threads=1)
                break
            except ValueError:
                if resolver is resolvers[-1]:
                    raise
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()
        self.interpreter.allocate_tensors()

    def run(self, feeds):
        resized = False
        for detail, array in zip(self.inputs, feeds):
            if tuple(detail["shape"]) != array.shape:
                self.interpreter.resize_tensor_input(detail["index"], array.shape)
                resized = True
        if resized:
            self.interpreter.allocate_tensors()
        for detail, array in zip(self.inputs, feeds):
            self.interpreter.set_tensor(detail["index"], array)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(detail["index"]) for detail in self.outputs]


def litert(content, feeds):
    return Session(content).run(feeds)
