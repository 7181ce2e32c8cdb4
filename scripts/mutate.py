"""Breaks rows and kernels one place at a time, and shows whether the tests notice.

    python scripts/mutate.py [--count 60] [--seed N] [--only kernels/pool] [--list]

A mutant is a copy of the sources, in build/mutants, with one attribute dropped, one default changed, two inputs
swapped or one enum value shifted. It is caught when a case of the operators that the place is about, or a C++ test,
comes out otherwise than with the program as it is: cases of ONNX for its rows, of TensorFlow Lite for its own, of both
for the kernels. Prints the share that is caught, which is to be 95%, and the survivors.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "mutants"
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import numpy as np  # noqa: E402

import baseline  # noqa: E402
import corpus  # noqa: E402
import executor_cases  # noqa: E402
import lite_operators  # noqa: E402
import onnx_to_tflite  # noqa: E402
import operator_cases  # noqa: E402
import remodel  # noqa: E402
import roundtrip  # noqa: E402
import sweep  # noqa: E402
import tflite_cases  # noqa: E402
from mutants import Mutant, all_mutants, subjects_of  # noqa: E402
from ort_worker import OrtWorker  # noqa: E402

GOAL = 0.95
MOST_CASES = 300
LARGER_CASES = 40
WAYS = ("O0", "opset9", "opset15", "opset18")
FURTHER_TESTS = {
    "onnx": ("test_random.py", "test_quantized.py", "test_messages.py", "test_recurrent.py"),
    "tflite": ("test_random.py", "test_tflite.py", "test_tflite_quantized.py", "test_recurrent.py"),
}
IMPOSSIBLE = "does not compile"


def ops_of_model(path: Path) -> set[str]:
    outcome, text = remodel.call_for_output("inspect", path, "--graph")
    return set(re.findall(r"= (\w+)\(", text)) if outcome.ok else set()


# Trying a mutant.


def prepare() -> None:
    """A tree like this one; what is the same there keeps its time, so that little is built."""
    listing = ["git", "ls-files", "src", "tests", "demo", "CMakeLists.txt", "CMakePresets.json"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for path in [path for path in (TREE / "src").rglob("*") if path.is_file()]:
        if str(path.relative_to(TREE)) not in names:
            path.unlink()
    for name in names:
        source, place = ROOT / name, TREE / name
        if not place.exists() or place.read_bytes() != source.read_bytes():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(source.read_bytes())
    subprocess.run(["cmake", "--preset", "release"], cwd=TREE, check=True, stdout=subprocess.DEVNULL)
    if not build("all") or failed_tests():
        raise SystemExit("the sources do not build, or fail their C++ tests, as they are")
    shutil.copy(TREE / "build" / "remodel", TREE / "sound")
    remodel.PROGRAM = TREE / "sound"
    if failed := failed_further_tests(remodel.PROGRAM, FURTHER_TESTS):
        raise SystemExit(f"the sources fail {failed[0]} as they are")


def failed_tests() -> list[str]:
    done = subprocess.run([str(TREE / "build" / "remodel_tests"), "--gtest_brief=1"], cwd=TREE, capture_output=True, text=True)
    return re.findall(r"\[  FAILED  \] (\S+)", done.stdout) or (["a crash"] if done.returncode else [])


def build(target: str) -> bool:
    command = ["cmake", "--build", "--preset", "release", "--target", target]
    return subprocess.run(command, cwd=TREE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class OnnxCases:
    """Models of ONNX, and what shows a mutant on them."""

    def __init__(self):
        self.worker, self.singles = OrtWorker(), sweep.singles() + sweep.suite()
        self.base, self.known = baseline.baseline(), {}
        self.others, self.corpus, self.ops = operator_cases.all_cases(), corpus.all_cases(), {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            for name, model in [(case.name, case.model) for case in self.others] + [(s.name, s.model()) for s in self.singles]:
                path.write_bytes(model.SerializeToString())
                self.ops[name] = ops_of_model(path)
        for case in self.corpus:
            if case.name not in self.ops:
                self.ops[case.name] = ops_of_model(case.model_path)

    def caught_by(self, subjects: set[str], mutated: Path, sound: Path, rng) -> str:
        for case in self.others:
            if subjects & (self.ops[case.name] | {op for _, op in roundtrip.operators(case.model)}):
                if self.of_operator(case, mutated) != self.before(case, sound):
                    return case.name
        for single in self.relevant(subjects, rng):
            results = self.of_single(single, mutated)
            if any(verdict not in sweep.GOOD for _, verdict in results) and results != self.of_single(single, sound):
                return single.name
        for case in self.larger(subjects):
            if self.of_case(case, mutated) != "right" and self.of_case(case, sound) == "right":
                return case.id
        return ""

    def relevant(self, subjects: set[str], rng) -> list[sweep.Single]:
        """In an order by chance."""
        mine = [case for case in self.singles if subjects & {case.node.op_type, *self.ops[case.name]}]
        return [mine[i] for i in rng.permutation(len(mine))][:MOST_CASES]

    def larger(self, subjects: set[str]) -> list[corpus.Case]:
        """First those that are no single nodes (several nodes, graphs inside, lists), then those with the operator itself."""
        done = {single.name for single in self.singles}
        named = {case.name: {op for _, op in roundtrip.operators(case.model)} for case in self.corpus}
        found = [case for case in self.corpus if subjects & (self.ops[case.name] | named[case.name])]
        singles = [case for case in found if case.name in done and subjects & named[case.name]]
        return [case for case in found if case.name not in done][:LARGER_CASES] + singles[:LARGER_CASES]

    def before(self, case: operator_cases.Case, program: Path) -> list:
        if case.name not in self.known:
            self.known[case.name] = self.of_operator(case, program)
        return self.known[case.name]

    def of_operator(self, case: operator_cases.Case, program: Path) -> list:
        remodel.PROGRAM = program
        return [(result.name, result.verdict) for result in operator_cases.check(case, self.worker)]

    def of_single(self, single: sweep.Single, program: Path) -> list:
        remodel.PROGRAM = program
        return [(result.name, result.verdict) for result in sweep.check(single, self.worker)]

    def of_case(self, case: corpus.Case, program: Path) -> str:
        remodel.PROGRAM = program
        result = executor_cases.check(case)
        if result.verdict not in executor_cases.GOOD:
            return result.verdict
        found = (roundtrip.check(case, way, self.base[case.id], self.worker).verdict for way in WAYS)
        return next((verdict for verdict in found if verdict not in roundtrip.ACCEPTABLE), "right")

    def close(self) -> None:
        self.worker.close()


class LiteCases:
    """Models of TensorFlow Lite, and those of ONNX that become such."""

    def __init__(self):
        self.workers, self.cases, self.ops = lite_operators.Workers(), list(tflite_cases.all_cases()), {}
        self.operators = operator_cases.all_cases()
        self.onnx = corpus.all_cases(groups=("node",))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            for number, case in enumerate(self.cases):
                path.write_bytes(case.content)
                self.ops[number] = {case.name.split("/")[0].upper(), *ops_of_model(path)}

    def caught_by(self, subjects: set[str], mutated: Path, sound: Path, rng) -> str:
        for number, case in enumerate(self.cases):
            if subjects & self.ops[number]:
                now, before = self.of_model(case, mutated), self.of_model(case, sound)
                if now != before and before[0] == "right":
                    return case.name
        return ""

    def caught_written(self, subjects: set[str], ops: dict, mutated: Path, sound: Path) -> str:
        """By a model of ONNX with one of these ops that becomes one of TensorFlow Lite."""
        for case in self.operators:
            if subjects & ops[case.name]:
                now, before = self.of_operator(case, mutated), self.of_operator(case, sound)
                if now != before and before[0] == "right":
                    return f"{case.name} in TensorFlow Lite"
        for case in self.onnx:
            if subjects & ops[case.name]:
                now, before = self.of_written(case, mutated), self.of_written(case, sound)
                if now != before and before[0] == "right":
                    return f"{case.id} in TensorFlow Lite"
        return ""

    def of_model(self, case: tflite_cases.Case, program: Path) -> tuple[str, str]:
        """As it is read, and as it is written again."""
        remodel.PROGRAM = program
        with tempfile.TemporaryDirectory() as folder:
            read = tflite_cases.verdict(Path(folder), case)[0]
            return read, read if case.refused else tflite_cases.verdict_through(Path(folder), case, "tflite")[0]

    def of_operator(self, case: operator_cases.Case, program: Path) -> tuple[str, str]:
        """The verdict, and how many operators there are where it is right."""
        remodel.PROGRAM = program
        return next(((result.verdict, result.detail) for result in lite_operators.check(case, self.workers)), ("kept", ""))

    def of_written(self, case: corpus.Case, program: Path) -> tuple[str, str]:
        remodel.PROGRAM = program
        result = onnx_to_tflite.check(case, self.workers)
        return result.verdict, result.detail

    def close(self) -> None:
        self.workers.close()


class Judge:
    def __init__(self, rng):
        self.onnx, self.lite, self.rng = OnnxCases(), LiteCases(), rng
        self.mutated, self.sound = TREE / "build" / "remodel", TREE / "sound"

    def caught_by(self, mutant: Mutant, subjects: set[str]) -> str:
        """What notices the mutant, or ''."""
        if not build("remodel"):
            return IMPOSSIBLE
        programs = self.mutated, self.sound
        lite = "formats/tflite" in mutant.path
        found = "" if lite else self.onnx.caught_by(subjects, *programs, self.rng)
        if not found and "formats/onnx" not in mutant.path:
            found = self.lite.caught_by(subjects, *programs, self.rng)
        if not found and lite:
            found = self.lite.caught_written(subjects, self.onnx.ops, *programs)
        if found:
            return found
        if not build("all"):
            return IMPOSSIBLE
        formats = ["tflite"] if lite else ["onnx"] if "formats/onnx" in mutant.path else list(FURTHER_TESTS)
        failed = failed_tests() or failed_further_tests(self.mutated, formats)
        return failed[0] if failed else ""

    def close(self) -> None:
        self.onnx.close()
        self.lite.close()


def failed_further_tests(program: Path, formats) -> list[str]:
    """Those that fail twice: on a busy machine one may time out."""
    names = dict.fromkeys(f"tests/oracle/{name}" for one in formats for name in FURTHER_TESTS[one])
    failed = failed_oracle_tests(program, names)
    return failed and failed_oracle_tests(program, failed)


def failed_oracle_tests(program: Path, names) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rf", *names]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "REMODEL": str(program)}, capture_output=True, text=True)
    return re.findall(r"^FAILED (\S+)", done.stdout, re.M) or ([*names] if done.returncode else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="so many, by chance; 0: all")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--only", default="", help="files whose path contains this")
    parser.add_argument("--list", action="store_true", help="print the mutants and do nothing")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    mutants = all_mutants(arguments.only)
    print(f"seed {arguments.seed}; {len(mutants)} mutants: {dict(Counter(m.kind for m in mutants))}", flush=True)
    if arguments.count:
        mutants = [mutants[i] for i in rng.permutation(len(mutants))[: arguments.count]]
    if arguments.list:
        for mutant in mutants:
            print(mutant.describe((ROOT / mutant.path).read_text()))
        return 0
    prepare()
    judge = Judge(rng)
    counts, survivors = Counter(), []
    for number, mutant in enumerate(mutants):
        place = TREE / mutant.path
        source = place.read_text()
        place.write_text(source[: mutant.start] + mutant.text + source[mutant.end :])
        start = time.monotonic()
        try:
            by = judge.caught_by(mutant, subjects_of(mutant, source))
        finally:
            place.write_text(source)
        verdict = "impossible" if by == IMPOSSIBLE else "caught" if by else "survived"
        counts[verdict] += 1
        text = f"{verdict:10} {mutant.describe(source)}"
        print(f"{number + 1}/{len(mutants)} {text}  [{by}] {time.monotonic() - start:.0f} s", flush=True)
        if verdict == "survived":
            survivors.append(text)
    judge.close()
    tried = counts["caught"] + counts["survived"]
    share = counts["caught"] / tried if tried else 0.0
    print(f"== caught {counts['caught']} of {tried} ({share:.1%}, goal {GOAL:.0%}); {counts['impossible']} do not compile")
    print("\n".join(survivors))
    return int(share < GOAL)


if __name__ == "__main__":
    sys.exit(main())
