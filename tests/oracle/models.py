"""Whole models exported from PyTorch: converted, then compared with the original in ONNX Runtime.

    python tests/oracle/models.py [--only yolo] [--O0] [--export-only]        (needs the evidence environment)

Exports are kept in build/models. For each input set of a model: the converted file in ONNX Runtime and the source in
`remodel run`, both against the source in ONNX Runtime; error is max|a-b| over the reference's range.
`still` marks a model whose reference hardly moves between the first two sets, so that it would show nothing.
Where ONNX Runtime's own optimiser moves a model by more (steps of a quantized model's grids, nearly equal scores of a
detector), `remodel run` may move by twice that, but not by more than MOST_TOLERANCE.
Node counts are printed, but not judged, where the source has operators of another domain (`*`): the result has those
of ai.onnx alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import onnx

import compare
import executor_cases
import npz
import remodel
from ort_worker import OrtWorker, RuntimeFailure
from roundtrip import operators

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("REMODEL_MODELS", remodel.ROOT / "build" / "models"))
TOLERANCE = 1e-4
MOST_TOLERANCE = 3e-2
MOVES = 100
TIMEOUT = 600
LAST_USUAL_OPSET = 18  # of exporters; above it onnxslim's count is with operators that this one lacks

VISION = (
    "alexnet convnext_tiny deeplabv3_mobilenet_v3_large densenet121 efficientnet_b0 efficientnet_v2_s googlenet "
    "inception_v3 lraspp_mobilenet_v3_large maxvit_t mnasnet1_0 mobilenet_v2 mobilenet_v3_small regnet_y_400mf "
    "resnet18 resnet50 resnext50_32x4d shufflenet_v2_x1_0 squeezenet1_1 swin_t swin_v2_t vit_b_32"
).split()
TEXT = (
    "bert gpt2 gpt2_past llama mobilevit segformer t5 vit whisper_encoder whisper_decoder whisper_step whisper_merged"
).split()
DRAWN = "crnn unet yolo yolo_nms small_cnn".split()
FURTHER = (
    "albert bart beit bloom clip codegen convbert convnextv2 deberta_v2 deit dinov2 distilbert dpt "
    "electra falcon fasterrcnn_mobilenet_v3_large_320_fpn fcos_resnet50_fpn fnet gemma gemma2 glpn gpt_neox gru "
    "gru_both_ways levit lstm mamba marian mc3_18 mistral mobilebert mobilenet_v2_hf modernbert mpnet nystromformer olmo2 "
    "opt pegasus phi poolformer qwen2 qwen3 r3d_18 retinanet_resnet50_fpn rnn_relu roberta squeezebert "
    "ssdlite320_mobilenet_v3_large stablelm swinv2_hf wav2vec2 yolos"
).split()
COMPOSED = "depth_anything detr rt_detr sam".split()
IDIOMS = (
    "bags choice conformer denoiser experts llama_past messages raft scanned scripted spectrum subpixel temporal "
    "transducer vocoder"
).split()
AT_23 = "denoiser_23 gpt2_23 vit_23 whisper_step_23".split()  # opset 23 has attention, and norms of root mean squares
QUANTIZED = "cnn_qdq cnn_qoperator resnet18_qdq bert_dynamic".split()
ONE_EXPORTER = {  # the other refuses
    "choice": "dynamo",
    "fasterrcnn_mobilenet_v3_large_320_fpn": "script",
    "fcos_resnet50_fpn": "script",
    "fnet": "dynamo",
    "retinanet_resnet50_fpn": "script",
    "rnn_relu": "script",
    "scanned": "dynamo",
    "scripted": "script",
    "ssdlite320_mobilenet_v3_large": "script",
}
NAMES = [
    f"{name}-{exporter}"
    for name in VISION + TEXT + FURTHER + COMPOSED + IDIOMS + DRAWN + QUANTIZED
    for exporter in ("script", "dynamo")
    if ONE_EXPORTER.get(name, exporter) == exporter
] + [f"{name}-dynamo" for name in AT_23]


@dataclass
class Row:
    name: str
    nodes: int = 0
    slim: int = 0
    ours: int = 0
    judged: bool = True  # by its node count
    converted_error: float = 0.0
    executor_error: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def export(name: str) -> Path:
    folder = FOLDER / name
    if not (folder / "expected-1.npz").exists():
        command = ["nice", sys.executable, str(HERE / "zoo" / "export.py"), name, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"export failed: {done.stderr.strip().splitlines()[-1]}")
    return folder


def count_nodes(model: onnx.ModelProto) -> int:
    """Nodes of the graph, its subgraphs and local functions; constants are no work."""
    pending, count = [model.graph, *model.functions], 0
    while pending:
        for node in pending.pop().node:
            count += node.op_type != "Constant"
            for attribute in node.attribute:
                pending += [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
    return count


def slim_count(folder: Path, inputs: dict, reference: dict, worker: OrtWorker) -> int:
    """The node count that onnxslim reaches on the same file; 0 where it fails or changes the results."""
    kept = folder / "slim.json"
    if not kept.exists():
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary) / "slim.onnx"
            command = [sys.executable, "-m", "onnxslim", str(folder / "model.onnx"), str(target)]
            subprocess.run(command, capture_output=True)
            try:
                right = worst_error(reference, worker.run(target, inputs)) <= TOLERANCE
            except RuntimeFailure:
                right = False
            kept.write_text(json.dumps(count_nodes(onnx.load(str(target))) if right else 0))
    return json.loads(kept.read_text())


def input_sets(folder: Path) -> list[dict]:
    return [npz.read(path) for path in sorted(folder.glob("inputs-*.npz"))]


def worst_error(expected: dict, actual: dict) -> float:
    return max(
        compare.range_error(value, actual[name]) if name in actual else float("inf") for name, value in expected.items()
    )


def moves(a: dict, b: dict) -> bool:
    """Every floating output differs by far more than the tolerance."""
    floats = [name for name, value in a.items() if compare.is_float(value.dtype)]
    return all(compare.range_error(a[name], b[name]) > MOVES * TOLERANCE for name in floats)


def check(name: str, options: list[str], worker: OrtWorker) -> Row:
    row = Row(name)
    try:
        folder = export(name)
    except RuntimeError as error:
        row.faults.append(str(error))
        return row
    source = folder / "model.onnx"
    original = onnx.load(str(source))
    sets = input_sets(folder)
    references = [worker.run(source, inputs) for inputs in sets]
    row.nodes = count_nodes(original)
    row.slim = slim_count(folder, sets[0], references[0], worker)
    if not moves(references[0], references[1]):
        row.faults.append("still: the reference hardly moves between two inputs")
    run_source(row, source, original, sets, references, worker)
    with tempfile.TemporaryDirectory() as temporary:
        converted = Path(temporary) / "converted.onnx"
        run_converted(row, source, converted, original, sets, references, options, worker)
    return row


def executor_tolerance(original: onnx.ModelProto, sets, references, worker: OrtWorker) -> float:
    """What rounding alone makes of the model: ONNX Runtime without its optimiser."""
    plain = [worker.run_plain(original.SerializeToString(), inputs) for inputs in sets]
    moved = max(worst_error(a, b) for a, b in zip(references, plain))
    return min(max(TOLERANCE, 2 * moved), MOST_TOLERANCE)


def run_source(row: Row, source: Path, original, sets, references, worker: OrtWorker) -> None:
    for inputs, reference in zip(sets, references):
        outcome, actual = executor_cases.execute(source, inputs, timeout=TIMEOUT)
        if not outcome.ok:
            row.executor_error = float("inf")
            row.faults.append(f"run: {outcome.verdict}: {outcome.message}")
            return
        row.executor_error = max(row.executor_error, worst_error(reference, actual))
    if row.executor_error > TOLERANCE:
        tolerance = executor_tolerance(original, sets, references, worker)
        if row.executor_error > tolerance:
            row.faults.append(f"run: error too large, {tolerance:.1e} is allowed")


def run_converted(row: Row, source, converted, original, sets, references, options, worker: OrtWorker) -> None:
    opset = max(entry.version for entry in original.opset_import if not entry.domain)
    if opset > LAST_USUAL_OPSET:
        options = [*options, "--opset", str(opset)]
    start = time.perf_counter()
    outcome = remodel.convert(source, converted, "-q", *options, timeout=TIMEOUT)
    row.seconds = time.perf_counter() - start
    if not outcome.ok:
        row.converted_error = float("inf")
        row.faults.append(f"convert: {outcome.verdict}: {outcome.message}")
        return
    complaint = worker.checker_error(converted)
    if complaint:
        row.faults.append(f"onnx.checker: {complaint}")
    model = onnx.load(str(converted))
    row.ours = count_nodes(model)
    row.judged = "-O0" not in options and not any(domain for domain, _ in operators(original))
    if row.judged and row.slim and row.ours > row.slim:
        row.faults.append(f"{row.ours} nodes, onnxslim has {row.slim}")
    foreign = sorted({domain for domain, _ in operators(model) if domain})
    if foreign:
        row.faults.append(f"operators of {', '.join(foreign)}")
    if len(model.functions) > len(original.functions):
        row.faults.append("local functions")
    for inputs, reference in zip(sets, references):
        try:
            row.converted_error = max(row.converted_error, worst_error(reference, worker.run(converted, inputs)))
        except RuntimeFailure as failure:
            row.converted_error = float("inf")
            row.faults.append(f"ONNX Runtime: {failure}")
            return
    if row.converted_error > TOLERANCE:
        row.faults.append("converted: error too large")


HEADER = f"{'model':38} {'nodes':>6} {'slim':>6} {'ours':>6} {'converted':>10} {'executor':>10} {'seconds':>8}  faults"


def line(row: Row) -> str:
    errors = f"{row.converted_error:10.1e} {row.executor_error:10.1e} {row.seconds:8.2f}"
    counts = f"{row.nodes:6} {row.slim:6} {row.ours:6}{' ' if row.judged else '*'}"
    return f"{row.name:38} {counts}{errors}  {'; '.join(row.faults)[:300]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--O0", action="store_true", help="convert with -O0 (node counts are not judged)")
    parser.add_argument("--export-only", action="store_true")
    parser.add_argument("--json", type=Path, help="write the rows there")
    arguments = parser.parse_args()
    names = [name for name in NAMES if arguments.only in name]
    if arguments.export_only:
        for name in names:
            print(export(name), flush=True)
        return 0
    worker = OrtWorker(timeout=TIMEOUT)
    rows = []
    print(HEADER)
    for name in names:
        rows.append(check(name, ["-O0"] if arguments.O0 else [], worker))
        print(line(rows[-1]), flush=True)
    worker.close()
    faulty = [row.name for row in rows if row.faults]
    print(f"== whole models: {len(rows)}, faulty: {len(faulty)}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return int(bool(faulty))


if __name__ == "__main__":
    sys.exit(main())
