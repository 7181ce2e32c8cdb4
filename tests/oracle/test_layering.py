"""Includes follow the layers: base <- wire, and base <- ir <- ops <- run <- passes <- formats <- app."""

import pathlib
import re

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

MAY_SEE = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "ir": {"base", "ir"},
    "ops": {"base", "ir", "ops"},
    "run": {"base", "ir", "ops", "run"},
    "passes": {"base", "ir", "ops", "run", "passes"},
    "formats": {"base", "wire", "ir", "ops", "run", "passes", "formats"},
    "app": {"base", "wire", "ir", "ops", "run", "passes", "formats", "app"},
}


def includes():
    for path in sorted(SRC.rglob("*")):
        if path.suffix in {".h", ".cpp", ".inc"}:
            for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
                yield path.relative_to(SRC), name


def test_every_include_points_down():
    found = list(includes())
    assert len(found) > 100
    wrong = [f"{path} includes {name}" for path, name in found if name.split("/")[0] not in MAY_SEE[path.parts[0]]]
    assert wrong == []


def test_no_format_sees_another():
    wrong = [
        f"{path} includes {name}"
        for path, name in includes()
        if path.parts[0] == "formats"
        and name.startswith("formats/")
        and name.count("/") > 1
        and name.split("/")[1] != path.parts[1]
    ]
    assert wrong == []


def test_no_op_or_pass_names_a_format():
    """In what it does or says; comments may tell where a rule comes from."""
    wrong = [
        str(path.relative_to(SRC))
        for layer in ("ops", "run", "passes")
        for path in sorted((SRC / layer).rglob("*.*"))
        if re.search(r"onnx|opset|tflite|tensorflow|keras|torch", re.sub("//.*", "", path.read_text()), re.I)
    ]
    assert wrong == []


def test_only_the_app_prints_or_exits():
    wrong = [
        str(path.relative_to(SRC))
        for path in SRC.rglob("*.cpp")
        if path.relative_to(SRC).parts[0] != "app"
        and re.search(r"\b(std::cout|std::cerr|printf|std::exit|std::abort|getenv)\b", path.read_text())
    ]
    assert wrong == []
