"""Breaks rows and kernels one place at a time, and shows whether the tests notice.

    python scripts/mutate.py [--count 60] [--seed N] [--only kernels/pool] [--list]

A mutant is a copy of the sources, in build/mutants, with one attribute dropped, one default changed, two inputs
swapped or one enum value shifted. It is caught when a case of the operators that the file is about, or a C++ test, comes
out otherwise than with the program as it is. Prints the share that is caught, which is to be 95%, and the survivors.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "mutants"
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import numpy as np  # noqa: E402

import corpus  # noqa: E402
import remodel  # noqa: E402
import sweep  # noqa: E402
from ort_worker import OrtWorker  # noqa: E402

GOAL = 0.95
VARIANTS_EACH = 4  # changed forms of a case, beside the case itself
MOST_CASES = 160
IMPOSSIBLE = "does not compile"


@dataclass(frozen=True)
class Mutant:
    path: str  # from the root
    kind: str
    start: int
    end: int
    text: str  # instead of [start, end)

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
        add("default changed", match, changed_number(match[group]), group)

    # Inputs: two numbers of operands on a line.
    for match in re.finditer(r"[^\n]+", source):
        places = list(re.finditer(r"\b(?:node\.(?:input|in|real|constant)|call\.in|real)\(((?:node, )?)(\d)", match[0]))
        numbers = [place[2] for place in places]
        if len(set(numbers)) < 2:
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
                found.append(Mutant(name, "enum shifted", match.start(1), following.end(1), other + between + match[1]))
            else:
                add("enum shifted", match, other, 1)
    return found


def changed_number(text: str) -> str:
    value, suffix = text.rstrip("f"), "f" if text.endswith("f") else ""
    if "." in value or "e" in value:
        return f"{float(value) * 1.5 + 0.25}{suffix}"
    return str(int(value) + 1)


def all_mutants(only: str) -> list[Mutant]:
    folders = (ROOT / "src" / "formats" / "onnx" / "rows", ROOT / "src" / "run" / "kernels")
    paths = sorted(path for folder in folders for path in folder.glob("*.cpp"))
    found = [mutant for path in paths for mutant in mutants_of(path) if only in mutant.path]
    return list(dict.fromkeys(found))


# Which operators a place in the sources is about.


def operators_by_op() -> dict[str, set[str]]:
    """ONNX's operators for each op of the IR."""
    listing = json.loads(remodel.call_for_output("ops", "--format", "onnx", "--json")[1])
    found = {}
    for operator in listing["operators"]:
        for op in operator["ops"]:
            found.setdefault(op, set()).add(operator["type"])
    return found


def named_in(text: str) -> set[str]:
    return set(re.findall(r'\b(?:row|read_row|write_row|read|softmax_rows)(?:<[\w:]+>)?\([^"();]*"(?:com\.microsoft:)?(\w+)"', text))


def enclosing(source: str, at: int) -> str:
    """The name of the function around a place, or ''."""
    heads = list(re.finditer(r"^(?:[\w:<>*&, ]+?[ &*])(\w+)\([^;{}]*\)(?: const)? \{", source[:at], re.M))
    return heads[-1][1] if heads else ""


def operators_of(mutant: Mutant, source: str, by_op: dict[str, set[str]]) -> set[str]:
    """What the function around the mutant is registered for, or the whole file."""
    line = source[source.rfind("\n", 0, mutant.start) + 1 : source.find("\n", mutant.end)]
    function = enclosing(source, mutant.start)
    if "/rows/" in mutant.path:
        mine = named_in(line)
        if function:
            for statement in re.findall(r"rows\.[^;]*;", source):
                if re.search(rf"\b{function}\b", statement):
                    mine |= named_in(statement)
            statement = source[source.rfind(";", 0, mutant.start) + 1 : source.find(";", mutant.end)]
            mine |= named_in(statement)
        return mine or named_in(source)
    ops = set()
    for op, rest in re.findall(r"kernels\.add<(\w+)>\(([^;]*);", source):
        if re.search(rf"\b{function}\b", rest):
            ops.add(op)
    ops = ops or set(re.findall(r"kernels\.add<(\w+)>", source))
    names = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", op).lower() for op in ops}
    return {operator for name in names for operator in by_op.get(name, ())}


# Trying a mutant.


def prepare() -> None:
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, TREE / folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        shutil.copy(ROOT / name, TREE / name)
    subprocess.run(["cmake", "--preset", "release"], cwd=TREE, check=True, stdout=subprocess.DEVNULL)
    build("all")


def build(target: str) -> bool:
    command = ["cmake", "--build", "--preset", "release", "--target", target]
    return subprocess.run(command, cwd=TREE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def relevant(operators: set[str], singles: list[sweep.Single], rng) -> list[sweep.Single]:
    """Cases with these operators, and a few changed forms of each, in an order by chance."""
    mine = [single for single in singles if single.node.op_type in operators]
    changed = []
    for single in mine:
        others = sweep.variants(single, rng, list(sweep.CHANGES))[1:]
        changed += [others[i] for i in rng.permutation(len(others))[:VARIANTS_EACH]]
    mine = [mine[i] for i in rng.permutation(len(mine))]
    return (mine + changed)[:MOST_CASES]


def outcomes(single: sweep.Single, worker: OrtWorker, program: Path) -> list:
    remodel.PROGRAM = program
    return [(result.name, result.verdict) for result in sweep.check(single, worker)]


def caught_by(mutant: Mutant, operators: set[str], singles: list, worker: OrtWorker, rng) -> str:
    """What notices the mutant, or ''."""
    if not build("remodel"):
        return IMPOSSIBLE
    mutated, sound = TREE / "build" / "remodel", ROOT / "build" / "remodel"
    for single in relevant(operators, singles, rng):
        results = outcomes(single, worker, mutated)
        if any(verdict not in sweep.GOOD for _, verdict in results) and results != outcomes(single, worker, sound):
            return single.name
    for case in larger_cases(operators):
        if verdict_of(case, mutated, worker) != "right" and verdict_of(case, sound, worker) == "right":
            return case.id
    if not build("all"):
        return IMPOSSIBLE
    done = subprocess.run(["ctest", "--preset", "release"], cwd=TREE, stdout=subprocess.PIPE, text=True)
    failed = re.findall(r"\d+ - (\S+) \(Failed", done.stdout)
    return failed[0] if failed else ""


def larger_cases(operators: set[str]) -> list[corpus.Case]:
    """Cases of more than one node, or with graphs inside."""
    found = []
    for case in corpus.all_cases():
        nodes = case.model.graph.node
        plain = len(nodes) == 1 and not any(a.HasField("g") for a in nodes[0].attribute)
        if operators & {node.op_type for node in nodes} and (not plain or case.group != "node"):
            found.append(case)
    return found[:40]


def verdict_of(case: corpus.Case, program: Path, worker: OrtWorker) -> str:
    import baseline
    import executor_cases
    import roundtrip

    remodel.PROGRAM = program
    result = executor_cases.check(case)
    if result.verdict not in executor_cases.GOOD:
        return result.verdict
    base = baseline.baseline()[case.id]
    result = roundtrip.check(case, "default", base, worker)
    return "right" if result.verdict in roundtrip.acceptable("default") else result.verdict


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
    by_op, singles, worker = operators_by_op(), sweep.singles(), OrtWorker()
    counts, survivors = Counter(), []
    for number, mutant in enumerate(mutants):
        source = (ROOT / mutant.path).read_text()
        place = TREE / mutant.path
        place.write_text(source[: mutant.start] + mutant.text + source[mutant.end :])
        start = time.monotonic()
        try:
            by = caught_by(mutant, operators_of(mutant, source, by_op), singles, worker, rng)
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
