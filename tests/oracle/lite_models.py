"""The exported models of models.py as TensorFlow Lite: run by LiteRT and compared with the source in ONNX Runtime.

    python tests/oracle/lite_models.py [--only swin] [--peer onnx2tf]        (needs the evidence environment)

Each model is converted once, and run on all of its input sets, whose sizes differ where the source's are open. Printed:
operators, transposes in all and those that the layout causes, the file's size beside the source's, error, and what LiteRT
needs for a run. With `--peer`, the program at that path converts the same files, and its results are measured alike.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

import models
import remodel
from lite_worker import LiteWorker
from ort_worker import OrtWorker, RuntimeFailure

# The most transposes in a result whose interface is the source's; a model that is not listed has no bound.
MOST_TRANSPOSES = {"deeplabv3_mobilenet_v3_large": 2, "lraspp_mobilenet_v3_large": 2, "swin_t": 25, "vit_b_32": 25}
MOST_TRANSPOSES |= dict.fromkeys(
    "alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3 mnasnet1_0 mobilenet_v2 "
    "mobilenet_v3_small regnet_y_400mf resnet18 resnet50 resnext50_32x4d shufflenet_v2_x1_0 squeezenet1_1".split(),
    1,
)
RUNS = 5


@dataclass
class Row:
    name: str
    operators: int = 0
    transposes: int = 0
    by_layout: int = 0
    size: float = 0.0  # share of the source's
    error: float = 0.0
    milliseconds: float = 0.0  # a run in LiteRT
    seconds: float = 0.0
    sets: int = 0
    faults: list[str] = field(default_factory=list)


def judge(row: Row, source: Path, converted: Path, sets, references, worker: LiteWorker) -> None:
    """Fills in what LiteRT says of a file."""
    row.size = converted.stat().st_size / sum(path.stat().st_size for path in source.parent.glob("model.onnx*"))
    try:
        names = worker.operators(converted)
        row.operators, row.transposes = len(names), names.count("TRANSPOSE")
        for inputs, reference in zip(sets, references):
            results = worker.run(converted, inputs)
            for name, expected in reference.items():
                if name in results and results[name].shape != expected.shape and expected.ndim > 2:
                    results[name] = np.moveaxis(results[name], -1, 1)  # a peer's output
            row.error = max(row.error, models.worst_error(reference, results))
        row.sets = len(sets)
        row.milliseconds = worker.milliseconds(converted, sets[0], RUNS)
    except RuntimeFailure as failure:
        row.error = float("inf")
        row.faults.append(f"LiteRT: {failure}")


def check(name: str, worker: LiteWorker, ort: OrtWorker) -> tuple[Row, list, list]:
    row = Row(name)
    try:
        folder = models.export(name)
    except RuntimeError as error:
        row.faults.append(str(error))
        return row, [], []
    source, sets = folder / "model.onnx", models.input_sets(folder)
    references = [ort.run(source, inputs) for inputs in sets]
    with tempfile.TemporaryDirectory() as temporary:
        converted = Path(temporary) / "model.tflite"
        start = time.perf_counter()
        outcome, report = remodel.call_for_output(source, converted, "--json", timeout=models.TIMEOUT)
        row.seconds = time.perf_counter() - start
        if not outcome.ok:
            row.error = float("inf")
            row.faults.append(f"{outcome.verdict}: {outcome.message}")
            return row, sets, references
        transposes = json.loads(report)["layout"]["transposes"]
        row.by_layout = sum(one["cause"] == "layout" for one in transposes)
        judge(row, source, converted, sets, references, worker)
    most = MOST_TRANSPOSES.get(name.rsplit("-", 1)[0])
    if most is not None and row.transposes > most:
        row.faults.append(f"{row.transposes} transposes, {most} will do")
    if models.TOLERANCE < row.error < float("inf"):
        row.faults.append("error too large")
    return row, sets, references


def check_peer(program: str, name: str, sets, references, worker: LiteWorker) -> Row:
    """onnx2tf on the same file; its inputs are channels last, and are turned for it."""
    row = Row(f"  {Path(program).name}")
    source = models.FOLDER / name / "model.onnx"
    with tempfile.TemporaryDirectory() as temporary:
        start = time.perf_counter()
        command = [program, "-i", str(source), "-o", temporary, "-tb", "flatbuffer_direct", "-n"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=models.TIMEOUT)
        except subprocess.TimeoutExpired:
            row.faults.append(f"not done in {models.TIMEOUT} s")
            return row
        row.seconds = time.perf_counter() - start
        converted = Path(temporary) / "model_float32.tflite"
        if not converted.exists():
            row.error = float("inf")
            row.faults.append(f"refused: {(done.stdout + done.stderr).strip().splitlines()[-1:]}")
            return row
        shapes = worker.shapes(converted)
        turned = [{name: turned_as(array, shapes.get(name, [])) for name, array in inputs.items()} for inputs in sets]
        judge(row, source, converted, turned, references, worker)
    return row


def turned_as(array: np.ndarray, shape: list[int]) -> np.ndarray:
    """With the channels last, where that is the shape that is asked for, but for the batch."""
    last = np.moveaxis(array, 1, -1) if array.ndim > 2 else array
    return last if array.shape[1:] != tuple(shape[1:]) and last.shape[1:] == tuple(shape[1:]) else array


HEADER = (
    f"{'model':38} {'ops':>5} {'transp.':>7} {'layout':>6} {'size':>5} {'error':>8} {'sets':>4} {'ms':>8} {'seconds':>8}  faults"
)


def line(row: Row) -> str:
    counts = f"{row.operators:5} {row.transposes:7} {row.by_layout:6} {row.size:5.2f}"
    times = f"{row.sets:4} {row.milliseconds:8.1f} {row.seconds:8.2f}"
    return f"{row.name:38} {counts} {row.error:8.1e} {times}  {'; '.join(row.faults)[:300]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--peer", help="onnx2tf, to measure beside")
    parser.add_argument("--json", type=Path, help="write the rows there")
    arguments = parser.parse_args()
    worker, ort = LiteWorker(timeout=models.TIMEOUT), OrtWorker(timeout=models.TIMEOUT)
    rows = []
    print(HEADER)
    for name in models.NAMES:
        if arguments.only not in name:
            continue
        row, sets, references = check(name, worker, ort)
        rows.append(row)
        print(line(row), flush=True)
        if arguments.peer and sets:
            rows.append(check_peer(arguments.peer, name, sets, references, worker))
            print(line(rows[-1]), flush=True)
    worker.close()
    ort.close()
    faulty = [row.name for row in rows if row.faults]
    print(f"== whole models in LiteRT: {len(rows)}, faulty: {len(faulty)}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return int(bool(faulty))


if __name__ == "__main__":
    sys.exit(main())
