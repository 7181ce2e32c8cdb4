"""Each single-operator case of ONNX's backend tests with one or two things changed, against ONNX Runtime.

    python tests/oracle/sweep.py [--only conv] [--count 2000] [--seed N] [--variant dtype]

A change is another dtype, attribute, rank or order of axes, symbolic dims, constant operands, no elements, or values
such as NaN, infinities and the limits of integers. What ONNX Runtime refuses, or computes otherwise without its own
optimiser, is not comparable. The executor and the converted file must give what ONNX Runtime gives on the changed model.
"""

import argparse
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import onnx
import onnx.reference
from onnx import helper, numpy_helper

import compare
import corpus
import executor_cases
import microsoft_cases
import npz
import operator_cases
import remodel
import report
from ort_worker import OrtWorker, RuntimeFailure
from report import Result

GOOD = ("right", "not comparable", "known")
KNOWN = {
    "microsoft_embed_norm* without x1*": "ONNX Runtime reads segment ids that are not there",
    "microsoft_qgemm* without x[78]*": "a scale and a zero point have a meaning together",
    "test_attention_* symbolic*": "heads of a size that only running finds out",
    "stft_2_* onesided=*": "ONNX has no one side of a transform of complex values",
    "test_split_* num_outputs=*": "ONNX asks for as many outputs as num_outputs says",
    "microsoft_attention_* empty *": "ONNX Runtime fuses a product of no rows with its bias and cannot run that",
    "test_cast*int4*": "ONNX Runtime has no Identity of four bits",
    "test_cast*INT4*": "ONNX Runtime has no Identity of four bits",
    "test_transpose_* T=*int4": "ONNX Runtime has no Identity of four bits",
    "test_isnan *bfloat16*": "ONNX Runtime looks for NaN in bfloat16 since opset 20 alone",
    "test_reshape_* T=float8*": "ONNX Runtime has no Reshape of 8-bit floats in opset 19",
    "microsoft_qlinear_softmax_* opset=12": "a softmax over several axes of codes",
    "*_of_doubles T=*": "numbers so far from 0 leave narrower floats no digits",
    "max_roi_pool* values*": "ONNX Runtime's largest of a NaN and numbers is now the one, now the other",
    "test_col2im symbolic*": "a rank that only running finds out",
    "test_rnn_seq_length symbolic*": "hidden states of a size that only running finds out",
    "test_tensorscatter empty axis 3*": "ONNX Runtime does not scatter rows without elements",
    "microsoft_multi_head* symbolic*": "heads of a size that only running finds out",
    "microsoft_matmul_nbits_* fed*": "packed weights are constants",
    "microsoft_matmul_nbits_* first constant*": "packed weights are constants",
    "microsoft_transpose_matmul empty *": "ONNX Runtime leaves a product over no elements unwritten",
    "microsoft_fused_gemm_relu empty *": "ONNX Runtime leaves a product over no elements unwritten",
}
KEPT = remodel.ROOT / "build" / "sweep"
ENUMS = {
    "mode": ("constant", "reflect", "edge", "wrap", "nearest", "linear", "cubic", "bilinear", "DCR", "CRD", "avg", "max"),
    "coordinate_transformation_mode": (
        "half_pixel align_corners asymmetric pytorch_half_pixel tf_crop_and_resize half_pixel_symmetric "
        "output_half_pixel"
    ).split(),
    "nearest_mode": ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
    "padding_mode": ("zeros", "border", "reflection"),
    "reduction": ("none", "add", "mul", "max", "min"),
    "direction": ("forward", "reverse", "LEFT", "RIGHT"),
    "auto_pad": ("SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"),
    "approximate": ("none", "tanh"),
    "keep_aspect_ratio_policy": ("stretch", "not_larger", "not_smaller"),
}
NUMBERS = ("group", "num_heads", "blocksize", "k", "p", "batch_dims", "allowzero", "axis", "block_size")


@dataclass
class Single:
    """One node, its operands by name, and which of them are constants of the graph."""

    name: str
    node: onnx.NodeProto
    opsets: dict
    operands: dict
    constants: set = field(default_factory=set)
    symbolic: bool = False

    def schema(self):
        op, version = self.node.op_type, self.opsets.get("", 1)
        return onnx.defs.get_schema(op, version) if self.node.domain == "" and onnx.defs.has(op) else None

    def model(self, outputs: dict | None = None) -> onnx.ModelProto:
        infos = [self.info(name) for name in self.operands if name not in self.constants]
        weights = [numpy_helper.from_array(np.asarray(self.operands[name]), name) for name in self.constants]
        results = [
            helper.make_empty_tensor_value_info(name)
            if outputs is None
            else helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(outputs[name].dtype), [None] * outputs[name].ndim
            )
            for name in self.node.output
            if name
        ]
        graph = helper.make_graph([self.node], "single", infos, results, weights)
        imports = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        return helper.make_model(graph, opset_imports=imports, ir_version=10)

    def info(self, name: str) -> onnx.ValueInfoProto:
        array = self.operands[name]
        dims = [f"{name}_{axis}" for axis in range(array.ndim)] if self.symbolic else array.shape
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), dims)

    def feeds(self) -> dict:
        return {name: array for name, array in self.operands.items() if name not in self.constants}

    def first(self) -> np.ndarray:
        return next(iter(self.operands.values()))

    def changed(self, tag: str, **changes) -> "Single":
        node = onnx.NodeProto.FromString(self.node.SerializeToString())
        other = Single(f"{self.name} {tag}", node, self.opsets, dict(self.operands), set(self.constants), self.symbolic)
        for key, value in changes.items():
            setattr(other, key, value)
        return other

    def with_attribute(self, attribute: str, value) -> "Single":
        other = self.changed(f"{attribute}={value}")
        kept = [a for a in other.node.attribute if a.name != attribute]
        del other.node.attribute[:]
        other.node.attribute.extend(kept)
        if value is not None:
            other.node.attribute.append(helper.make_attribute(attribute, value))
        return other


def singles(only: str = "") -> list[Single]:
    """The cases with one node whose values are all tensors."""
    found = []
    for case in corpus.all_cases(only, ("node", "pytorch-operator")):
        if "ai_onnx_ml" in case.name:
            continue  # trees whose numbers are changed are no trees
        graph = case.model.graph
        if len(graph.node) != 1 or any(a.HasField("g") for a in graph.node[0].attribute):
            continue
        operands = case.inputs()
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        operands = {n: np.asarray(v, object) if isinstance(v, str) else v for n, v in operands.items()}
        if not operands or not all(isinstance(value, np.ndarray) for value in operands.values()):
            continue
        if any(info.type.WhichOneof("value") != "tensor_type" for info in [*graph.input, *graph.output]):
            continue
        opsets = {"" if o.domain == "ai.onnx" else o.domain: o.version for o in case.model.opset_import}
        node = graph.node[0]
        found.append(Single(case.name, node, opsets, operands | constants, set(constants)))
    found += [Single(*case) for case in microsoft_cases.all_cases() if only in case[0]]
    for case in operator_cases.all_cases():
        nodes, plain = case.model.graph.node, all(isinstance(value, np.ndarray) for value in case.inputs.values())
        if only in case.name and len(nodes) == 1 and nodes[0].domain != "ai.onnx.ml" and plain and case.inputs:
            constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in case.model.graph.initializer}
            opsets = {o.domain: o.version for o in case.model.opset_import}
            found.append(Single(case.name, nodes[0], opsets, case.inputs | constants, set(constants)))
    return found


# Changes: each gives variants of a case.


def dtypes(case: Single, rng) -> list[Single]:
    schema = case.schema()
    if schema is None or case.node.op_type == "CastLike":
        return []
    types = {constraint.type_param_str: constraint.allowed_type_strs for constraint in schema.type_constraints}
    formals = list(schema.inputs)
    variables = {}
    for position, name in enumerate(case.node.input):
        formal = formals[min(position, len(formals) - 1)]
        if name:
            variables.setdefault(formal.type_str, []).append(name)
    found = []
    for variable, names in variables.items():
        old = case.operands[names[0]].dtype
        for text in types.get(variable, ()):
            dtype = dtype_of(text)
            if dtype is None or dtype == old or old.kind in "OU":
                continue
            other = case.changed(f"{variable}={dtype}")
            for name in names:
                other.operands[name] = recast(case.operands[name], dtype)
            found.append(other)
    return found


def dtype_of(text: str) -> np.dtype | None:
    """Of "tensor(float16)"; None for what is no number."""
    names = {"float": "float32", "double": "float64"}
    inner = text.removeprefix("tensor(").removesuffix(")")
    if not text.startswith("tensor(") or inner in ("string", "complex64", "complex128"):
        return None
    number = getattr(onnx.TensorProto, {"float": "FLOAT", "double": "DOUBLE"}.get(inner, inner.upper()), None)
    return np.dtype(names.get(inner) or helper.tensor_dtype_to_np_dtype(number)) if number else None


@np.errstate(all="ignore")
def recast(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "b":
        return array.astype(np.float32) > 0.5
    wide = array.astype(np.float64)
    if compare.is_float(dtype):
        return wide.astype(np.float32).astype(dtype) if dtype != np.float64 else wide
    whole = np.round(wide * 3 if compare.is_float(array.dtype) else wide)
    low = 0 if dtype.kind == "u" or dtype.name.startswith("uint") else -100
    return np.clip(whole, low, 100).astype(np.int64).astype(dtype)


def attributes(case: Single, rng) -> list[Single]:
    present = {a.name: helper.get_attribute_value(a) for a in case.node.attribute}
    schema = case.schema()
    known = schema.attributes if schema else {}
    found = [case.with_attribute(name, None) for name in present]
    for name in sorted({*present, *known}):
        kind = known[name].type if name in known else None
        value = present.get(name)
        if name in ("to", "dtype", "output_dtype", "output_datatype", "saturate", "seed", "round_mode", "stash_type", "training_mode", "softcap"):
            continue
        if name == "axis":
            rank = case.first().ndim
            found += [case.with_attribute(name, axis) for axis in range(-rank, rank)]
        elif name in ENUMS:
            found += [case.with_attribute(name, option) for option in ENUMS[name]]
        elif isinstance(value, int) or kind == onnx.defs.OpSchema.AttrType.INT:
            usual = value if value is not None else known[name].default_value.i
            options = (0, 1) if usual in (0, 1) and name not in NUMBERS else (usual - 1, usual + 1)
            found += [case.with_attribute(name, option) for option in options if option != value]
        elif isinstance(value, float) or kind == onnx.defs.OpSchema.AttrType.FLOAT:
            found += [case.with_attribute(name, option) for option in (0.0, 0.3, 1.7, -0.6)]
        elif isinstance(value, list) and value and isinstance(value[0], int):
            found += [case.with_attribute(name, value[::-1]), case.with_attribute(name, [v + 1 for v in value])]
            found.append(case.with_attribute(name, [max(v - 1, 0) for v in value]))
    return found


def symbolic(case: Single, rng) -> list[Single]:
    return [case.changed("symbolic", symbolic=True)]


def constants(case: Single, rng) -> list[Single]:
    names = [name for name in case.operands if case.operands[name].dtype.kind not in "OU"]
    found = [case.changed("constant", constants=set(names)), case.changed("fed", constants=set())]
    if len(names) > 1:
        found += [
            case.changed("weights", constants=set(names[1:])),
            case.changed("first constant", constants={names[0]}),
            case.changed("weights symbolic", constants=set(names[1:]), symbolic=True),
        ]
    return found


SPECIAL = (np.nan, np.inf, -np.inf, -0.0, 0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 100.0, -100.0)


def values(case: Single, rng) -> list[Single]:
    found = []
    loose = ("Cast", "ArgM", "MaxPool", "Q", "Resize", "TopK", "DynamicQuantize", "Attention", "MultiHeadAttention")
    if case.node.op_type.startswith(loose):
        return found  # what is out of range, or NaN, has no one meaning there
    for name, array in case.operands.items():
        other = case.changed(f"values of {name}")
        flat = np.array(array).reshape(-1)
        places = rng.permutation(flat.size)[: max(1, flat.size // 2)]
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                flat[places] = rng.choice(SPECIAL, len(places)).astype(array.dtype)
        elif array.dtype.kind in "iu":
            limits = np.iinfo(array.dtype)
            flat[places] = rng.choice(np.array([limits.min, limits.max, 0, 1], array.dtype), len(places))
        else:
            continue
        other.operands[name] = flat.reshape(array.shape)
        found.append(other)
    return found


def empty(case: Single, rng) -> list[Single]:
    """An axis without elements, in every operand that has its size there."""
    first, found = case.first(), []
    for axis in range(first.ndim):
        other = case.changed(f"empty axis {axis}")
        for name, array in case.operands.items():
            back = axis - first.ndim
            if array.ndim == first.ndim and array.shape[axis] == first.shape[axis]:
                other.operands[name] = np.take(array, [], axis)
            elif -array.ndim <= back and array.shape[back] == first.shape[axis]:
                other.operands[name] = np.take(array, [], back)
        found.append(other)
    return found


def ranks(case: Single, rng) -> list[Single]:
    found = []
    everyone = case.changed("rank + 1")
    for name, array in case.operands.items():
        everyone.operands[name] = np.stack([array, array[..., ::-1] if array.ndim else array])
    first = case.changed("rank + 1 of the first")
    name = next(iter(case.operands))
    first.operands[name] = everyone.operands[name]
    found += [everyone, first]
    if case.first().ndim:
        fewer = case.changed("rank - 1 of the first")
        if case.first().shape[0]:
            fewer.operands[name] = np.asarray(case.first()[0], case.first().dtype)
            found.append(fewer)
        turned = case.changed("transposed first")
        turned.operands[name] = np.ascontiguousarray(case.first().T)
        found.append(turned)
    return found


def optional(case: Single, rng) -> list[Single]:
    """Operands left out, each alone and all that follow."""
    found = []
    for position, name in enumerate(case.node.input):
        if not name or list(case.node.input).count(name) > 1:
            continue
        other = case.changed(f"without {name}")
        other.node.input[position] = ""
        while other.node.input and not other.node.input[-1]:
            del other.node.input[-1]
        other.operands.pop(name, None)
        other.constants.discard(name)
        if other.operands:
            found.append(other)
    return found


CHANGES = {c.__name__: c for c in (dtypes, attributes, symbolic, constants, values, empty, ranks, optional)}


def variants(case: Single, rng, kinds) -> list[Single]:
    """One change, and now and then a second."""
    found = [case] + [other for kind in kinds for other in CHANGES[kind](case, rng)]
    twice = []
    for other in found[1:]:
        if rng.random() < 0.3:
            kind = CHANGES[str(rng.choice(list(CHANGES)))]
            more = kind(other, rng)
            if more:
                twice.append(more[int(rng.integers(len(more)))])
    return found + twice


# Verdicts.


def tolerance_of(reference: np.ndarray) -> float:
    """Small floats: a few of their steps."""
    bits = {"float16": 10, "bfloat16": 7}.get(reference.dtype.name)
    return 2.0 ** (2 - bits) if bits else max(1e-4, compare.rounding_error(reference))


def difference(case: Single, references: dict, actual: dict) -> str:
    quantized = case.node.op_type.startswith(("Q", "Dynamic"))
    for name, reference in references.items():
        if name not in actual:
            return f"output '{name}' is missing"
        if quantized and one_step_apart(reference, actual[name]):
            continue
        error = compare.range_error(reference, actual[name])
        if error > tolerance_of(reference):
            detail = compare.difference({name: reference}, {name: actual[name]}, 1e-5, 0)
            return f"error {error:.1e}, {detail}"
    return ""


def one_step_apart(a: np.ndarray, b: np.ndarray) -> bool:
    """Sums of quantized values are rounded in one order or another."""
    if a.shape != b.shape or a.dtype != b.dtype or a.dtype.kind not in "iu":
        return False
    return bool((np.abs(a.astype(np.int64) - b.astype(np.int64)) <= 1).all())


def check(case: Single, worker: OrtWorker) -> list[Result]:
    try:
        data = case.model().SerializeToString()
        references, plain = worker.run_bytes(data, case.feeds()), worker.run_plain(data, case.feeds())
        if not all(isinstance(value, np.ndarray) for value in references.values()) or difference(case, plain, references):
            return [Result(case.name, "not comparable")]
        model = case.model(references)
        onnx.checker.check_model(model, full_check=True)
    except (RuntimeFailure, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, TypeError,
            OverflowError, IndexError, KeyError, AttributeError):
        return [Result(case.name, "not comparable")]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        source, converted = Path(folder) / "model.onnx", Path(folder) / "out.onnx"
        source.write_bytes(model.SerializeToString())
        outcome, actual = executor_cases.execute(source, case.feeds())
        verdict, detail = outcome.verdict, outcome.message
        if outcome.ok:
            detail = difference(case, references, actual)
            verdict = "wrong" if detail else "right"
        results.append(Result(f"{case.name} [executor]", verdict, detail))
        outcome = remodel.convert(source, converted, "-q")
        verdict, detail = outcome.verdict, outcome.message
        if outcome.ok:
            try:
                detail = difference(case, references, worker.run(converted, case.feeds()))
                verdict = "wrong" if detail else "right"
            except RuntimeFailure as failure:
                verdict, detail = "unloadable", str(failure)
        results.append(Result(f"{case.name} [converted]", verdict, detail))
        if any(result.verdict not in GOOD for result in results) and not agreed(case, model, references):
            return [Result(case.name, "not comparable")]
        reason = next((why for pattern, why in KNOWN.items() if fnmatchcase(case.name, pattern)), "")
        if reason:
            results = [r if r.verdict in GOOD else Result(r.name, "known", reason) for r in results]
        if any(result.verdict not in GOOD for result in results):
            KEPT.mkdir(parents=True, exist_ok=True)
            stem = KEPT / "".join(c if c.isalnum() else "_" for c in case.name)[:120]
            stem.with_suffix(".onnx").write_bytes(source.read_bytes())
            npz.write(stem.with_suffix(".npz"), case.feeds())
    return results


def agreed(case: Single, model: onnx.ModelProto, references: dict) -> bool:
    """Whether ONNX's own reference, where it has the operator, gives what ONNX Runtime gives."""
    if case.node.domain or not onnx.defs.has(case.node.op_type):
        return True
    try:
        values = onnx.reference.ReferenceEvaluator(model).run(None, case.feeds())
    except NotImplementedError:
        return True
    except Exception:  # it refuses in many ways
        return False
    names = [name for name in case.node.output if name]
    return not difference(case, references, dict(zip(names, map(np.asarray, values))))


def choose(only: str, kinds, count: int, seed: int) -> list[Single]:
    rng = np.random.default_rng(seed)
    found = [other for case in singles(only) for other in variants(case, rng, kinds)]
    if count and count < len(found):
        found = [found[i] for i in sorted(rng.permutation(len(found))[:count])]
    return found


def suite() -> list[Single]:
    """What the tests run: each change of each operator once, where an attribute is left out or has another word, several times.

    Always the same ones, so that what fails is the change under test.
    """
    times = Counter()
    found = []
    for case in singles():
        for change in CHANGES.values():
            for other in change(case, np.random.default_rng(zlib.crc32(case.name.encode()))):
                text = other.name.removeprefix(case.name)
                word = text.split("=")[0].strip() in ENUMS
                key = case.node.op_type, text
                if times[key] < (3 if word else 2 if is_left_out(text) else 1):
                    times[key] += 1
                    found.append(other)
    return list({case.name: case for case in found}.values())


def is_left_out(name: str) -> bool:
    return name.endswith("=None") or " without " in name


def run(cases: list[Single], jobs: int = 2, show=lambda result: None) -> list[Result]:
    return report.run_beside(check, cases, jobs, GOOD, show)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--variant", action="append", choices=list(CHANGES), help="kinds of changes; may be repeated")
    parser.add_argument("--count", type=int, default=0, help="so many of the variants, by chance; 0: all")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    cases = choose(arguments.only, arguments.variant or list(CHANGES), arguments.count, arguments.seed)
    results = run(cases, arguments.jobs, lambda r: print(f"{r.verdict:10} {r.name}  {r.detail}", flush=True))
    report.print_results(f"sweep, seed {arguments.seed}", results, {result.verdict for result in results})
    return int(any(result.verdict not in GOOD for result in results))


if __name__ == "__main__":
    sys.exit(main())
