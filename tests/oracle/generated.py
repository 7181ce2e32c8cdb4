"""Random graphs: `remodel run` and the round trip against ONNX Runtime.

    python tests/oracle/generated.py [--count 500] [--seed N]        a new seed each run, printed
    python tests/oracle/generated.py --seed N --index I              one graph again

A failing graph is kept in build/generated and cut down to the part that still fails.
"""

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx

import compare
import executor_cases
import generated_foreign  # noqa: F401  (fills PROPOSALS, as the next two)
import generated_idioms  # noqa: F401
import generated_pairs  # noqa: F401
import layout_pass
import npz
import remodel
import report
from generated_graph import BINDINGS, Graph, SIZES, make_model, reads, typed
from generated_ops import PROPOSALS
from lite_worker import LiteWorker
from ort_worker import OrtWorker, RuntimeFailure

TOLERANCE = 1e-4
OPSETS = (13, 14, 15, 16, 17, 17, 17, 18, 19, 20, 21, 22, 23, 24)
TARGETS = (9, 11, 13, 15, 18, 21, 24)
WAYS = {"executor": None, "layout": None, "tflite": [], "default": [], "O0": ["-O0"], **{f"opset{n}": ["--opset", str(n)] for n in TARGETS}}
COMPARED = ("right", "not comparable", "not expressible")
FIRED = Counter()
KEPT = remodel.ROOT / "build" / "generated"


class Runtimes(OrtWorker):
    """ONNX Runtime, and LiteRT beside it."""

    def __init__(self):
        super().__init__()
        self.lite = LiteWorker()

    def close(self) -> None:
        super().close()
        self.lite.close()


def grow(seed: int, worker: OrtWorker) -> tuple[Graph, list[str]]:
    """A graph of 5-40 ops and its outputs."""
    start = np.random.default_rng(seed)
    g = Graph(seed, int(start.choice(OPSETS)), worker)
    sizes = iter(int(size) for size in g.rng.permutation(SIZES))
    symbol = (next(sizes), next(sizes))
    inputs = [
        [symbol, next(sizes), next(sizes), next(sizes)],
        [next(sizes), symbol, next(sizes)] if g.chance(0.5) else [symbol, next(sizes), next(sizes)],
        [symbol, next(sizes)],
    ]
    for dims in inputs[: g.integer(1, 3)]:
        fixed = [max(dim) if isinstance(dim, tuple) else dim for dim in dims]
        g.add_input("input", fixed if g.chance(0.3) else dims)
    if g.chance(0.4):
        g.add_input("ids", [symbol, next(sizes)], np.int64)
    target = g.integer(5, 40)
    for _ in range(20 * target):
        if len(g.nodes) >= target:
            break
        g.attempt(g.choice(PROPOSALS))
    return g, choose_outputs(g)


def choose_outputs(g: Graph) -> list[str]:
    """What nobody reads, but not all of it, and sometimes a value in the middle."""
    used = {name for node in g.nodes for name in reads(node)}
    made = [name for node in g.nodes for name in node.output]
    ends = [name for name in made if name not in used]
    outputs = [name for name in ends if g.chance(0.85)] or ends[-1:]
    if g.chance(0.5):
        outputs.append(g.choice(made))
    return well_conditioned(g, list(dict.fromkeys(outputs)))


def well_conditioned(g: Graph, outputs: list[str]) -> list[str]:
    """The outputs that inputs changed in their last digits hardly move; others cannot be compared."""
    nudged = []
    for b in range(BINDINGS):
        feed = {name: g.values[name][b] for name in g.inputs}
        noise = {
            n: (1 + 2e-6 * g.coarseness * g.rng.choice((-1, 1), a.shape)).astype(a.dtype)
            for n, a in feed.items()
            if a.dtype.kind == "f"
        }
        nudged.append({n: a * noise[n] if n in noise else a for n, a in feed.items()})
    try:
        results = g.worker.run_many(g.model(outputs).SerializeToString(), nudged)
    except RuntimeFailure:
        return []  # each node ran alone, so it is the runtime's own optimiser that fails
    return [
        name
        for name in outputs
        if isinstance(g.values[name][0], np.ndarray)
        and not any(flat_and_small(array) for array in g.values[name])
        and all(
            compare.range_error(g.values[name][b], results[b][name]) < g.coarseness * TOLERANCE / 5
            for b in range(BINDINGS)
        )
    ]


def flat_and_small(array: np.ndarray) -> bool:
    """One number, so small that it may be the rest of a difference: there is no range to measure errors by."""
    return array.dtype.kind == "f" and array.size > 0 and np.ptp(array) == 0 and 0 < abs(array.flat[0]) < 1e-2


def fault(model: onnx.ModelProto, feeds: list[dict], way: str, worker: Runtimes, coarseness: float) -> str:
    """What is wrong with this way of running the model, or ''."""
    with tempfile.TemporaryDirectory() as folder:
        source, converted = Path(folder) / "model.onnx", Path(folder) / f"out.{'tflite' if way == 'tflite' else 'onnx'}"
        onnx.save(model, str(source))
        if way == "layout":
            return "".join(f"wrong: {text}" for text in layout_pass.faults([source])[:1])
        try:
            references = worker.run_many(model.SerializeToString(), feeds)
            if way != "executor":
                outcome = remodel.convert(source, converted, "-q", *WAYS[way])
                if outcome.verdict == "refused" and (older(model, way) or way == "tflite"):
                    return f"not expressible: {outcome.message}"
                if not outcome.ok:
                    return f"{outcome.verdict}: {outcome.message}"
                complaint = "" if way == "tflite" else worker.checker_error(converted)
                if complaint:
                    return f"invalid: onnx.checker: {complaint}"
        except RuntimeFailure as failure:
            raise ValueError(f"the graph itself does not run: {failure}") from None
        made = source if way == "executor" else converted
        for feed, reference in zip(feeds, references):
            text = run_once(made, feed, reference, way, worker, coarseness)
            if text.startswith("wrong") and not run_once(made, feed, run_plain(source, feed, worker), f"plain {way}", worker, coarseness):
                text = "not comparable: the runtime's own optimiser changes what it gives"
            if text:
                return text
    return ""


def older(model: onnx.ModelProto, way: str) -> bool:
    return way.startswith("opset") and int(way[5:]) < model.opset_import[0].version


def run_once(path: Path, feed: dict, reference: dict, way: str, worker: Runtimes, coarseness: float) -> str:
    if way.endswith("executor"):
        outcome, actual = executor_cases.execute(path, feed)
        if not outcome.ok:
            return f"{outcome.verdict}: {outcome.message}"
        return difference(reference, actual, coarseness)
    if way.endswith("tflite"):
        try:
            return difference(reference, worker.lite.run(path, feed), coarseness)
        except RuntimeFailure as failure:
            return f"unloadable: {failure}"
    if way.startswith("plain"):
        return difference(reference, run_plain(path, feed, worker), coarseness)
    try:
        return difference(reference, worker.run(path, feed), coarseness)
    except RuntimeFailure as failure:
        try:
            actual = run_plain(path, feed, worker)
        except RuntimeFailure:
            return f"unloadable: {failure}"
        return difference(reference, actual, coarseness) or "not comparable: the runtime's own optimiser fails"


def difference(reference: dict, actual: dict, coarseness: float) -> str:
    for name, expected in reference.items():
        error = compare.range_error(expected, actual[name]) if name in actual else float("inf")
        if error > tolerance_of(expected, coarseness):
            detail = compare.difference({name: expected}, actual, TOLERANCE, TOLERANCE)
            return f"wrong: error {error:.1e} of the range, {detail}"
    return ""


def run_plain(path: Path, feed: dict, worker: OrtWorker) -> dict:
    """Without the runtime's optimiser."""
    return worker.run_plain(path.read_bytes(), feed)


def tolerance_of(reference: np.ndarray, coarseness: float) -> float:
    return max(TOLERANCE * (coarseness if reference.dtype.kind == "f" else 1), compare.rounding_error(reference))


def feeds_of(g: Graph) -> list[dict]:
    return [{name: g.values[name][b] for name in g.inputs} for b in range(BINDINGS)]


def kind(text: str) -> str:
    """Shrinking keeps the kind of a fault: a wrong value must not become a refusal."""
    return text.split(":", 1)[0]


def shrink(g: Graph, outputs: list[str], way: str, text: str, worker: OrtWorker) -> tuple[onnx.ModelProto, list[dict]]:
    """Cuts from the end, then from the front, as long as the fault stays of its kind."""

    def fails(names, inputs):
        try:
            model = cut(g, names, inputs)
            feeds = [{name: g.values[name][b] for name in inputs} for b in range(BINDINGS)]
            return kind(fault(model, feeds, way, worker, g.coarseness)) == kind(text)
        except ValueError:
            return False

    made = [name for node in g.nodes for name in node.output if isinstance(g.values[name][0], np.ndarray)]
    target = next((name for name in [*made, *outputs] if fails([name], g.inputs)), None)
    ends = [target] if target else outputs
    inputs = list(g.inputs)
    for name in reversed(made):
        if name not in ends and fails(ends, [*inputs, name]):
            inputs.append(name)
    needed = {n for node in cut(g, ends, inputs).graph.node for n in reads(node)}
    inputs = [name for name in inputs if name in needed]
    return cut(g, ends, inputs), [{name: g.values[name][b] for name in inputs} for b in range(BINDINGS)]


def cut(g: Graph, outputs: list[str], inputs: list[str]) -> onnx.ModelProto:
    """The part of the graph between inputs and outputs."""
    needed, kept = set(outputs) - set(inputs), []
    for node in reversed(g.nodes):
        if needed & set(node.output):
            kept.append(node)
            needed |= reads(node) - set(inputs)
            needed -= set(node.output)
    used = {name for node in kept for name in reads(node)}
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in g.constants.items() if name in used]
    infos = [typed(name, g.values[name][0], g.dims(name, name in g.inputs)) for name in inputs]
    results = [typed(name, g.values[name][0], g.dims(name, False)) for name in outputs]
    return make_model(onnx.helper.make_graph(kept[::-1], "cut", infos, results, constants), g.opset)


def check(seed: int, worker: Runtimes, keep: bool = True) -> list[report.Result]:
    """One graph, all ways."""
    g, outputs = grow(seed, worker)
    if not outputs:
        return [report.Result(f"seed {seed}", "not comparable")]
    model, feeds = g.model(outputs), feeds_of(g)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        return [report.Result(f"seed {seed}", "not comparable")]
    results = []
    ways = ["executor", "layout", "default", "O0"]
    if not g.wild:  # decompositions may spread a NaN
        ways += [f"opset{g.choice(TARGETS)}", "tflite"]
    for way in ways:
        try:
            text = fault(model, feeds, way, worker, g.coarseness)
        except ValueError:
            return [report.Result(f"seed {seed}", "not comparable")]
        if text and keep and kind(text) not in COMPARED:
            text += save(g, outputs, way, text, worker)
        name = f"seed {seed} ({len(g.nodes)} ops, opset {g.opset}) {way}"
        results.append(report.Result(name, kind(text) if text else "right", text))
    FIRED.update(fired(model))
    return results


def fired(model: onnx.ModelProto) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.onnx"
        onnx.save(model, str(source))
        return remodel.rewrites(source, Path(folder) / "out.onnx")


def known_rules() -> set[str]:
    """The names in the sources of the passes."""
    found = set()
    for path in sorted((remodel.ROOT / "src" / "passes").glob("*.cpp")):
        text = path.read_text()
        found |= set(re.findall(r'(?:rules\.add\(\s*|associate\()"([^"]+)"(?! \+)', text))
        found |= {f"drop {name}" for name in re.findall(r'drop_where_equal\(rules, "([^"]+)"', text)}
        for stem in re.findall(r'rules\.add\(\s*"([^"]+ into )" \+ name', text):
            found |= {stem + op for op in ("conv", "transposed conv")}
        found |= set(re.findall(r'^ *\{"([^"]+)", \w+\}', text, re.M)) if path.name == "loops.cpp" else set()
    return found


def save(g: Graph, outputs: list[str], way: str, text: str, worker: OrtWorker) -> str:
    small, feeds = shrink(g, outputs, way, text, worker)
    KEPT.mkdir(parents=True, exist_ok=True)
    stem = KEPT / f"{g.seed}-{way}"
    onnx.save(g.model(outputs), f"{stem}-whole.onnx")
    onnx.save(small, f"{stem}.onnx")
    npz.write(Path(f"{stem}.npz"), feeds[0])
    nodes = "\n".join(f"      {describe(node)}" for node in small.graph.node)
    return f"\n    cut down to {stem}.onnx:\n{nodes}"


def describe(node: onnx.NodeProto) -> str:
    attributes = [onnx.helper.printable_attribute(a) for a in node.attribute if not a.HasField("g")]
    return f"{', '.join(node.output)} = {node.op_type}({', '.join(node.input)}) {' '.join(attributes)}"


def run(seeds, jobs: int = 2, show=lambda result: None) -> list[report.Result]:
    return report.run_beside(check, seeds, jobs, COMPARED, show, Runtimes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--index", type=int, help="only this graph of the run")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    indices = [arguments.index] if arguments.index is not None else range(arguments.count)
    seeds = [arguments.seed * 1000 + index for index in indices]
    results = run(seeds, arguments.jobs, lambda r: print(f"{r.verdict:10} {r.name}  {r.detail}", flush=True))
    report.print_results(f"generated, seed {arguments.seed}", results, {result.verdict for result in results})
    print("rules that fired:", ", ".join(f"{name} {count}" for name, count in FIRED.most_common()))
    print("rules that did not:", ", ".join(sorted(known_rules() - set(FIRED))) or "none")
    return int(any(result.verdict not in COMPARED for result in results))


if __name__ == "__main__":
    sys.exit(main())
