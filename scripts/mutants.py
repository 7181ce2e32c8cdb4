"""Places in the rows and kernels that can be broken, and the operators that each is about."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FORMATS = ROOT / "src" / "formats"
FOLDERS = (FORMATS / "onnx" / "rows", FORMATS / "tflite" / "rows", ROOT / "src" / "run" / "kernels")

# Types or sizes that must agree, in whichever order they are compared.
REFUSAL = re.compile(r"(==|!=).*\bfail\(")


# Operands whose order means nothing.
EITHER_WAY = re.compile(r"emit\((Add|Mul|And|Or|Equal)\{|scale_product\(node|!node\.(constant|has)\(\d\) (\|\||&&) !node\.")


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
    for match in re.finditer(r'\bnode\.(truth|integer)\("(\w+)"\)', source):
        left_out = "false" if match[1] == "truth" else "int64_t{0}"
        add("attribute dropped", match, f'(node.ignore("{match[2]}"), {left_out})')
    # One that is not written.
    for match in re.finditer(r"\battributes(?=\.push_back\(Attribute::of)", source):
        add("attribute dropped", match, "Attributes{}")
    for match in re.finditer(r"\b(op|params|norm)\.(\w+) (==|!=) ", source):
        add("attribute dropped", match, "!=" if match[3] == "==" else "==", 3)
    for match in re.finditer(r"\bop\.(keep|exclusive|reverse|last|largest|sorted|align|interleaved|causal|ceil|linear_before_reset)\b(?! *=[^=])", source):
        add("attribute dropped", match, f"!{match[0]}")

    # Defaults: the last number of a slot, or of a function that reads.
    default = r'\battr\("\w+", &[\w:]+, (?:int64_t\{)?(-?[\d.]+f?)\}?\)|\bnode\.(?:integer|real)\("\w+", (-?[\d.]+(?:e-?\d+)?f?)\)'
    for match in re.finditer(default, source):
        group = 1 if match[1] else 2
        if is_guarded(source, match) or is_only_written(source, match):
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


def is_only_written(source: str, match: re.Match) -> bool:
    """Whether a default only spares writing what is equal to it."""
    return "write_row" in source[source.rfind(";", 0, match.start()) : match.start()]


def changed_number(text: str) -> str:
    value, suffix = text.rstrip("f"), "f" if text.endswith("f") else ""
    if "." in value or "e" in value:
        return f"{float(value) * 1.5 + 0.25}{suffix}"
    return str(1 - int(value) if value in ("0", "1") else int(value) + 1)  # 2 is as true as 1


# Draws have no fixed values, so what seeds them cannot show.
UNSEEN = re.compile(r"\bseed(ed)?\b|momentum")


def all_mutants(only: str) -> list[Mutant]:
    paths = sorted(path for folder in FOLDERS for path in folder.glob("*.cpp"))
    found = [mutant for path in paths for mutant in mutants_of(path) if only in mutant.path]
    return [mutant for mutant in dict.fromkeys(found) if not UNSEEN.search(mutant.line())]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


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
    if not first or first.endswith(("_rows", "_kernels")):
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
