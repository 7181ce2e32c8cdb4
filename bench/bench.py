"""Compares the program with `cp` and with its peers on models made here: time, memory and what it leaves on the disk.

    python bench/bench.py [--only resnet50] [--rounds 9] [--peer-rounds 3] [--folder build/bench]

Every round runs all programs in turn, so that what else the machine does falls on all alike; numbers are medians. Judged
is processor time (user and system); wall time stands beside it. The program's check and ONNX Runtime get the same inputs.
Memory is anonymous and shared memory at its peak, in a run of its own; pages of mapped files do not count.
"""

import argparse
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx

import files
import measure
import models

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "remodel"
MODELS = {
    "one_op": models.one_op,
    "resnet50": models.resnet50,
    "resnet50_bn": lambda path: models.resnet50(path, batch_norms=True),
    "nodes_40000": models.many_nodes,
    "large": models.large,
}
COPIES = {"resnet50", "large"}  # the others compute on weights, or are hardly any
COPY_FACTOR, CHECK_FACTOR, PEER_FACTOR, ERROR = 1.5, 3, 50, 1e-4
SMALL_CPU, SPARE_MEMORY = 0.010, 64 << 20
LARGE, LONG = 1 << 31, 60  # bytes and seconds from which on each peer runs once, where memory allows
PATIENCE = 120  # seconds
PEER_MEMORY = 5  # times the model's size: it is held as messages, as arrays and as bytes


@dataclass
class Bench:
    source: Path
    inputs: Path
    folder: Path
    costs: dict[str, list[measure.Cost]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)

    @property
    def target(self) -> Path:
        return self.folder / "result.onnx"

    def fresh(self) -> Path:
        """An empty folder for outputs."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return self.folder

    def note(self, name: str, cost: measure.Cost) -> None:
        self.costs.setdefault(name, []).append(cost)

    def time(self, name: str, *command) -> measure.Cost:
        cost = measure.run(list(command))
        self.note(name, cost)
        return cost

    def copy(self) -> None:
        self.time("cp", "cp", "--reflink=never", *files.of_model(self.source), self.fresh())

    def convert(self) -> None:
        self.fresh()
        self.time("remodel --no-verify", PROGRAM, self.source, self.target, "--no-verify", "-q")
        self.fresh()
        done = self.time("remodel", PROGRAM, self.source, self.target, "--json", "--data", self.inputs)
        report = json.loads(done.text)
        if report["check"]["status"] != "passed":
            self.misses.append(f"the check says {report['check']['status']}")
        (check,) = (phase for phase in report["phases"] if phase["name"] == "check")
        self.note("its check alone", measure.Cost(check["cpu_seconds"], check["seconds"], ""))

    def run_onnxruntime(self) -> None:
        done = measure.run([sys.executable, ROOT / "bench" / "ort_time.py", self.inputs, self.source, self.target])
        took = json.loads(done.text)
        self.note("ONNX Runtime, both", measure.Cost(took["cpu"], took["wall"], ""))
        if not took["error"] <= ERROR:
            self.misses.append(f"ONNX Runtime's results differ by {took['error']:.1e} of the range")

    def run_peers(self) -> None:
        need = PEER_MEMORY * files.sizes(self.source)[0]
        for name in ("onnxslim", "onnxsim"):
            if name in self.failures or any(cost.wall > LONG for cost in self.costs.get(name, [])):
                continue
            if measure.available_memory() < need:
                self.failures[name] = f"not run: it might take {need / 1e9:.0f} GB of memory"
                continue
            target = self.fresh() / "peer.onnx"
            try:
                self.time(name, "timeout", str(PATIENCE), sys.executable, "-m", name, self.source, target)
            except measure.Failed as failure:
                late = "ended with 124" in str(failure)
                self.failures[name] = f"stopped after {PATIENCE} s" if late else str(failure)

    def round(self, with_peers: bool) -> None:
        self.copy()
        self.convert()
        self.run_onnxruntime()
        if with_peers:
            self.run_peers()

    def watch(self, *options) -> int:
        """Peak memory of a run, which leaves nothing but the output behind."""
        self.fresh()
        watched = measure.Watched()
        measure.run([PROGRAM, self.source, self.target, "-q", *options], watched)
        outputs = files.of_model(self.target)
        written = {name.removesuffix(" (deleted)") for name in watched.written}
        # Until it is renamed, an output has a temporary name beside its place.
        if {Path(name).parent for name in written} - {self.folder} or len(written) > 2 * len(outputs):
            self.misses.append(f"wrote {', '.join(sorted(written))}")
        if sorted(self.folder.iterdir()) != sorted(outputs):
            self.misses.append(f"left {', '.join(path.name for path in self.folder.iterdir())}")
        self.misses += files.shared_with(outputs, files.of_model(self.source))
        return watched.peak

    def cpu(self, name: str) -> float:
        return measure.median(self.costs[name])[0]

    def limit(self, what: str, value: float, most: float, form: str) -> None:
        print(f"  {'holds' if value <= most else 'MISSED'}: {what}: {form.format(value)}, at most {form.format(most)}")
        if value > most:
            self.misses.append(what)

    def report(self, plain_peak: int, check_peak: int) -> None:
        copy_cpu, copy_wall = measure.median(self.costs["cp"])
        print(f"  {'':22} {'cpu ms':>10} {'/ cp':>8} {'wall ms':>10} {'/ cp':>8}  runs")
        for name, costs in self.costs.items():
            cpu, wall = measure.median(costs)
            ratios = f"{cpu / copy_cpu:8.1f} {wall * 1e3:10.1f} {wall / copy_wall:8.1f}"
            print(f"  {name:22} {cpu * 1e3:10.1f} {ratios}  {len(costs)}")
        for name, failure in self.failures.items():
            print(f"  {name:22} {failure}")
        size, metadata = files.sizes(self.source)
        peaks = f"{plain_peak / 1e6:.1f} MB, with the check {check_peak / 1e6:.1f} MB"
        print(f"  memory: {peaks}; the graph's own metadata {metadata / 1e6:.1f} MB")
        if size < 1 << 20:
            self.limit("cpu seconds without the check", self.cpu("remodel --no-verify"), SMALL_CPU, "{:.4f}")
        else:
            ratio = self.cpu("remodel --no-verify") / copy_cpu
            if self.source.stem in COPIES:
                self.limit("cpu without the check / cp", ratio, COPY_FACTOR, "{:.2f}")
            self.limit("memory without the check", plain_peak, metadata + SPARE_MEMORY, "{:.0f}")
            both = self.cpu("its check alone") / self.cpu("ONNX Runtime, both")
            self.limit("cpu of the check / ONNX Runtime's", both, CHECK_FACTOR, "{:.2f}")
        for name in ("onnxslim", "onnxsim"):
            if name in self.costs:
                ratio = self.cpu("remodel --no-verify") / self.cpu(name)
                self.limit(f"cpu without the check / {name}'s", ratio, 1 / PEER_FACTOR, "{:.4f}")
        for miss in sorted(set(self.misses)):
            print(f"  MISSED: {miss}")


def bench(name: str, folder: Path, rounds: int, peer_rounds: int) -> bool:
    source = folder / f"{name}.onnx"
    inputs = folder / f"{name}.npz"
    np.savez(inputs, **MODELS[name](source))
    it = Bench(source, inputs, folder / "out")
    size, _ = files.sizes(source)
    print(f"{name}: {size / 1e6:.1f} MB", flush=True)
    peers = peer_rounds if size < LARGE else min(peer_rounds, 1)
    for index in range(rounds):
        it.round(index < peers)
    it.report(it.watch("--no-verify"), it.watch("--data", inputs))
    for path in [*files.of_model(source), inputs]:
        path.unlink()
    shutil.rmtree(it.folder)
    print(flush=True)
    return not it.misses


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="on the disk to measure")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = arguments.folder.resolve()
    chosen = [name for name in MODELS if arguments.only in name]
    good = [bench(name, folder, arguments.rounds, arguments.peer_rounds) for name in chosen]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
