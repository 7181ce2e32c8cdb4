"""Breaks rows and kernels one place at a time, and shows whether the tests notice.

    python scripts/mutate.py [--count 60] [--seed N] [--only kernels/pool] [--list]

A mutant is a copy of the sources, in build/mutants, with one attribute dropped, one default changed, two inputs
swapped or one enum value shifted. It is caught when a case of the operators that the file is about, or a C++ test, comes
out otherwise than with the program as it is. Prints the share that is caught, which is to be 95%, and the survivors.
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
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "mutants"
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import numpy as np  # noqa: E402

import baseline  # noqa: E402
import corpus  # noqa: E402
import executor_cases  # noqa: E402
import operator_cases  # noqa: E402
import remodel  # noqa: E402
import roundtrip  # noqa: E402
import sweep  # noqa: E402
from ort_worker import OrtWorker  # noqa: E402

GOAL = 0.95
MOST_CASES = 300
LARGER_CASES = 40
WAYS = ("O0", "opset9", "opset15", "opset18")
FURTHER_TESTS = ("test_random.py", "test_quantized.py")
IMPOSSIBLE = "does not compile"


# Types or sizes that must agree, in whichever order they are compared.
REFUSAL = re.compile(r"(==|!=).*\bfail\(")


# Operands whose order means nothing.
EITHER_WAY = re.compile(r"emit\((Add|Mul|And|Or|Equal)\{")


@dataclass(frozen=True)
class Mutant:
    path: str  # from the root
    kind: str
    start: int
    end: int
    text: str  # instead of [start, end)

    def line(self) -> str:
        source = (ROOT / self.path).read_text()
        return source[source.rfind("\n", 0, self.start) + 1 : source.find("\n", self.end)]

    def describe(self, source: str) -> str:
        line = source.count("\n", 0, self.start) + 1
        was = " ".join(source[self.start : self.end].split())
        return f"{self.path}:{line} {self.kind}: {was} -> {' '.join(self.text.split())}"


def mutants_of(path: Path) -> list[Mutant]:
    source = path.read_text()
    name = str(path.relative_to(ROOT))
    found = []

    def add(kind: str, match: re.Match, text: str, group: int = 0) -> None:
        if text != match[group]:
            found.append(Mutant(name, kind, match.start(group), match.end(group), text))

    # A slot that is understood and not kept; a field that keeps its default.
    for match in re.finditer(r'\battr\("(\w+)", &[\w:]+(?:, [^(){}]*?)?\)', source):
        add("attribute dropped", match, f'ignore("{match[1]}")')
    for match in re.finditer(r'\bnode\.(integer|real)\("(\w+)", ([^(),]+)\)', source):
        kind = "int64_t" if match[1] == "integer" else "double"
        add("attribute dropped", match, f'(node.ignore("{match[2]}"), static_cast<{kind}>({match[3]}))')
    for match in re.finditer(r"\b(op|params|norm)\.(\w+) (==|!=) ", source):
        add("attribute dropped", match, "!=" if match[3] == "==" else "==", 3)
    for match in re.finditer(r"\bop\.(keep|exclusive|reverse|last|largest|sorted|align|interleaved|causal|ceil|linear_before_reset)\b(?! *=[^=])", source):
        add("attribute dropped", match, f"!{match[0]}")

    # Defaults: the last number of a slot, or of a function that reads.
    default = r'\battr\("\w+", &[\w:]+, (?:int64_t\{)?(-?[\d.]+f?)\}?\)|\bnode\.(?:integer|real)\("\w+", (-?[\d.]+(?:e-?\d+)?f?)\)'
    for match in re.finditer(default, source):
        group = 1 if match[1] else 2
        if is_guarded(source, match):
            continue
        add("default changed", match, changed_number(match[group]), group)

    # Inputs: two numbers of operands on a line.
    for match in re.finditer(r"[^\n]+", source):
        places = list(re.finditer(r"\b(?:node\.(?:input|in|real|constant)|call\.in|real)\(((?:node, )?)(\d)", match[0]))
        numbers = [place[2] for place in places]
        if len(set(numbers)) < 2 or EITHER_WAY.search(match[0]) or REFUSAL.search(match[0], places[-1].end()):
            continue
        first = places[0]
        other = next(place for place in places if place[2] != first[2])
        line = list(match[0])
        line[first.start(2)], line[other.start(2)] = other[2], first[2]
        add("inputs swapped", match, "".join(line))
    for match in re.finditer(r"(const Tensor&? \w+ = call\.in\()(\d)(\), ?&?\w+ = call\.in\()(\d)(\))", source):
        add("inputs swapped", match, match[1] + match[4] + match[3] + match[2] + match[5])

    # Enums: the value that a word stands for, or that a branch is for, becomes the next one.
    tables = [
        r'\{"\w+", (?:int\()?(\w+(?:::\w+)+)\)?\}',
        r"\bcase (\w+(?:::\w+)+):",
        r"(?:==|!=|\?) (\w+(?:::\w+)+)",
    ]
    for pattern in tables:
        matches = list(re.finditer(pattern, source))
        for match in matches:
            prefix = match[1].rsplit("::", 1)[0]
            others = list(dict.fromkeys(m[1] for m in matches if m[1].rsplit("::", 1)[0] == prefix))
            if len(others) < 2 or prefix in ("DType", "Type", "std"):
                continue
            other = others[(others.index(match[1]) + 1) % len(others)]
            if pattern.startswith(r"\bcase"):
                following = next((m for m in matches if m.start() > match.start() and m[1] == other), None)
                if following is None or "switch" in source[match.end() : following.start()]:
                    continue
                between = source[match.end(1) : following.start(1)]
                if re.fullmatch(r":\s*case ", between):
                    continue  # both share a branch
                found.append(Mutant(name, "enum shifted", match.start(1), following.end(1), other + between + match[1]))
            else:
                add("enum shifted", match, other, 1)
    return found


def is_guarded(source: str, match: re.Match) -> bool:
    """Whether a value is read only where it is there, so that its default is never taken."""
    name = re.search(r'"(\w+)"', match[0])[1]
    return bool(re.search(rf'if \(node\.has\("{name}"\)\)[^;]*$', source[: match.start()]))


def changed_number(text: str) -> str:
    value, suffix = text.rstrip("f"), "f" if text.endswith("f") else ""
    if "." in value or "e" in value:
        return f"{float(value) * 1.5 + 0.25}{suffix}"
    return str(1 - int(value) if value in ("0", "1") else int(value) + 1)  # 2 is as true as 1


# Draws have no fixed values, so what seeds them cannot show.
UNSEEN = re.compile(r"\bseed(ed)?\b|momentum")


def all_mutants(only: str) -> list[Mutant]:
    folders = (ROOT / "src" / "formats" / "onnx" / "rows", ROOT / "src" / "run" / "kernels")
    paths = sorted(path for folder in folders for path in folder.glob("*.cpp"))
    found = [mutant for path in paths for mutant in mutants_of(path) if only in mutant.path]
    return [mutant for mutant in dict.fromkeys(found) if not UNSEEN.search(mutant.line())]


# Which cases a place in the sources is about.


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def ops_of_cases(singles: list[sweep.Single]) -> dict[str, set[str]]:
    """The ops of the IR that each case is read as, by the case's name."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for single in singles:
            path = Path(folder) / "model.onnx"
            path.write_bytes(single.model().SerializeToString())
            found[single.name] = ops_of_model(path)
    for case in corpus.all_cases():
        if case.name not in found:
            found[case.name] = ops_of_model(case.model_path)
    with tempfile.TemporaryDirectory() as folder:
        for case in operator_cases.all_cases():
            path = Path(folder) / "model.onnx"
            path.write_bytes(case.model.SerializeToString())
            found.setdefault(case.name, ops_of_model(path))
    return found


def ops_of_model(path: Path) -> set[str]:
    outcome, text = remodel.call_for_output("inspect", path, "--graph")
    return set(re.findall(r"= (\w+)\(", text)) if outcome.ok else set()


def named_in(text: str) -> set[str]:
    """Operators, and ops of the IR, that a registration names."""
    operators = re.findall(r'\b(?:row|read_row|write_row|read|softmax_rows)(?:<[\w:]+>)?\([^"();]*"(?:[\w.]+:)?(\w+)"', text)
    ops = re.findall(r"\b(?:row|write_row|write|tile|add)<(\w+)>", text)
    return {*operators, *map(snake, ops)}


def heads_of(source: str) -> list[re.Match]:
    """Where functions begin."""
    return list(re.finditer(r"^(?=\S)(?:[\w:<>*&, ]+?[ &*])(\w+)\([^;{}]*\)(?: const)? \{", source, re.M))


def enclosing(heads: list[re.Match], at: int) -> str:
    """The name of the function around a place; '' outside of all, and in a head."""
    before = [head for head in heads if head.start() <= at]
    return before[-1][1] if before and before[-1].end() <= at else ""


def callers(source: str, names: list[str]) -> list[str]:
    """These functions and those of a file that call them, one by way of another."""
    heads, found = heads_of(source), list(names)
    for name in found:
        for match in re.finditer(rf"\b{name}\b", source):
            caller = enclosing(heads, match.start())
            if caller and caller not in found:
                found.append(caller)
    return [name for name in found if not name.endswith(("_rows", "_kernels"))]


def registered(source: str, names: list[str]) -> set[str]:
    """The operators and ops that a file registers with one of these functions; with none given, all."""
    statements = re.findall(r"(?:rows\.|kernels\.add|softmax_rows)[^;]*;", source)
    pattern = re.compile(rf"\b({'|'.join(names)})\b" if names else "")
    return {name for statement in statements if pattern.search(statement) for name in named_in(statement)}


def subjects_of(mutant: Mutant, source: str) -> set[str]:
    """The operators and ops that the place is registered for, here or in files that call it, or those of the whole file."""
    first = enclosing(heads_of(source), mutant.start)
    if not first:
        found = named_in(source[source.rfind(";", 0, mutant.start) + 1 : source.find(";", mutant.end) + 1])
        return found or registered(source, [])
    functions = callers(source, [first])
    found = registered(source, functions)
    for path in (ROOT / mutant.path).parent.glob("*.cpp"):
        text = path.read_text()
        apart = {head[1] for head in heads_of(text)}
        shared = [name for name in functions if name not in apart]
        if shared and path != ROOT / mutant.path:
            used = callers(text, shared)
            found |= registered(text, used)
    return found or registered(source, [])


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
    if failed := failed_further_tests(remodel.PROGRAM):
        raise SystemExit(f"the sources fail {failed[0]} as they are")


def failed_tests() -> list[str]:
    done = subprocess.run([str(TREE / "build" / "remodel_tests"), "--gtest_brief=1"], cwd=TREE, capture_output=True, text=True)
    return re.findall(r"\[  FAILED  \] (\S+)", done.stdout) or (["a crash"] if done.returncode else [])


def build(target: str) -> bool:
    command = ["cmake", "--build", "--preset", "release", "--target", target]
    return subprocess.run(command, cwd=TREE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def relevant(subjects: set[str], cases: list[sweep.Single], ops: dict[str, set[str]], rng) -> list[sweep.Single]:
    """Cases with these operators or ops, in an order by chance."""
    mine = [case for case in cases if subjects & {case.node.op_type, *ops.get(case.name, ())}]
    return [mine[i] for i in rng.permutation(len(mine))][:MOST_CASES]


def outcomes(single: sweep.Single, worker: OrtWorker, program: Path) -> list:
    remodel.PROGRAM = program
    return [(result.name, result.verdict) for result in sweep.check(single, worker)]


def caught_by(mutant: Mutant, subjects: set[str], singles: list, ops: dict, worker: OrtWorker, rng) -> str:
    """What notices the mutant, or ''."""
    if not build("remodel"):
        return IMPOSSIBLE
    mutated, sound = TREE / "build" / "remodel", TREE / "sound"
    for single in relevant(subjects, singles, ops, rng):
        results = outcomes(single, worker, mutated)
        if any(verdict not in sweep.GOOD for _, verdict in results) and results != outcomes(single, worker, sound):
            return single.name
    for case in operator_cases_of(subjects, ops):
        if verdicts(case, mutated, worker) != verdicts(case, sound, worker):
            return case.name
    for case in larger_cases(subjects, {single.name for single in singles}, ops):
        if verdict_of(case, mutated, worker) != "right" and verdict_of(case, sound, worker) == "right":
            return case.id
    if not build("all"):
        return IMPOSSIBLE
    failed = failed_tests() or failed_further_tests(mutated)
    return failed[0] if failed else ""


def failed_further_tests(program: Path) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rf", *(f"tests/oracle/{name}" for name in FURTHER_TESTS)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "REMODEL": str(program)}, capture_output=True, text=True)
    return re.findall(r"^FAILED (\S+)", done.stdout, re.M) or (["pytest"] if done.returncode else [])


def operator_cases_of(subjects: set[str], ops: dict) -> list[operator_cases.Case]:
    found = []
    for case in operator_cases.all_cases():
        if subjects & (ops[case.name] | {op for _, op in roundtrip.operators(case.model)}):
            found.append(case)
    return found


def verdicts(case: operator_cases.Case, program: Path, worker: OrtWorker) -> list:
    remodel.PROGRAM = program
    return [(result.name, result.verdict) for result in operator_cases.check(case, worker)]


def larger_cases(subjects: set[str], done: set[str], ops: dict) -> list[corpus.Case]:
    """ONNX's cases that hold them, first those that are no single nodes: several nodes, graphs inside, lists."""
    found = []
    for case in corpus.all_cases():
        held = ops.get(case.name, set()) | {op for _, op in roundtrip.operators(case.model)}
        if subjects & held:
            found.append(case)
    return sorted(found, key=lambda case: case.name in done)[:LARGER_CASES]


def verdict_of(case: corpus.Case, program: Path, worker: OrtWorker) -> str:
    remodel.PROGRAM = program
    result = executor_cases.check(case)
    if result.verdict not in executor_cases.GOOD:
        return result.verdict
    base = baseline.baseline()[case.id]
    found = (roundtrip.check(case, way, base, worker).verdict for way in WAYS)
    return next((verdict for verdict in found if verdict not in roundtrip.ACCEPTABLE), "right")


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
    singles, worker = sweep.singles() + sweep.suite(), OrtWorker()
    ops = ops_of_cases(singles)
    counts, survivors = Counter(), []
    for number, mutant in enumerate(mutants):
        place = TREE / mutant.path
        source = place.read_text()
        place.write_text(source[: mutant.start] + mutant.text + source[mutant.end :])
        start = time.monotonic()
        try:
            by = caught_by(mutant, subjects_of(mutant, source), singles, ops, worker, rng)
        finally:
            place.write_text(source)
        verdict = "impossible" if by == IMPOSSIBLE else "caught" if by else "survived"
        counts[verdict] += 1
        text = f"{verdict:10} {mutant.describe(source)}"
        print(f"{number + 1}/{len(mutants)} {text}  [{by}] {time.monotonic() - start:.0f} s", flush=True)
        if verdict == "survived":
            survivors.append(text)
    worker.close()
    tried = counts["caught"] + counts["survived"]
    share = counts["caught"] / tried if tried else 0.0
    print(f"== caught {counts['caught']} of {tried} ({share:.1%}, goal {GOAL:.0%}); {counts['impossible']} do not compile")
    print("\n".join(survivors))
    return int(share < GOAL)


if __name__ == "__main__":
    sys.exit(main())
