"""How the cases use the attributes that rows read, and operands that may be left out.

    python tests/oracle/attribute_uses.py

Prints what no case sets to another value than the default, or gives, and what no case leaves out.
"""

import json
import re
import sys
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import onnx
from onnx import helper
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

import corpus
import exclusions
import microsoft_cases
import operator_cases
import remodel

ROWS = remodel.ROOT / "src" / "formats" / "onnx" / "rows"
NO_DEFAULT = "none"


class Known(NamedTuple):
    default: str  # as text_of gives it
    required: bool


class Use(NamedTuple):
    operator: str  # "domain.Type"
    attribute: str
    value: str  # as text_of gives it


def domain_of(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def full_name(domain: str, op: str) -> str:
    return f"{domain_of(domain)}.{op}".lstrip(".")


def text_of(value) -> str:
    """Enough to tell a default from another value."""
    return repr(value)[:200]


@cache
def optional_inputs() -> dict[str, dict[int, str]]:
    """The names of those that an operator may lack, by place."""
    found = defaultdict(dict)
    for schema in [*onnx.defs.get_all_schemas_with_history(), *runtime_schemas()]:
        for place, formal in enumerate(schema.inputs):
            if formal.option.name == "Optional":
                found[full_name(schema.domain, schema.name)][place] = formal.name
    return found


def runtime_schemas() -> list:
    """Of operators that ONNX Runtime alone has."""
    known = {full_name(schema.domain, schema.name) for schema in onnx.defs.get_all_schemas_with_history()}
    return [schema for schema in runtime.get_all_operator_schema() if full_name(schema.domain, schema.name) not in known]


@cache
def schemas() -> dict[str, dict[int, dict[str, Known]]]:
    """The attributes of each operator by the version that it has since."""
    found = defaultdict(dict)
    for schema in onnx.defs.get_all_schemas_with_history():
        attributes = {}
        for name, known in schema.attributes.items():
            given = known.default_value.type != onnx.AttributeProto.UNDEFINED
            default = text_of(helper.get_attribute_value(known.default_value)) if given else NO_DEFAULT
            attributes[name] = Known(default, known.required)
        found[full_name(schema.domain, schema.name)][schema.since_version] = attributes
    for schema in runtime_schemas():
        attributes = {}
        for attribute, known in schema.attributes.items():
            proto = onnx.AttributeProto.FromString(known._default_value)
            given = proto.type != onnx.AttributeProto.UNDEFINED
            attributes[attribute] = Known(text_of(helper.get_attribute_value(proto)) if given else NO_DEFAULT, known.required)
        found[full_name(schema.domain, schema.name)][schema.since_version] = attributes
    return found


@cache
def named_in_rows() -> frozenset[str]:
    return frozenset(word for path in ROWS.glob("*.cpp") for word in re.findall(r'"(\w+)"', path.read_text()))


@cache
def operators_read() -> frozenset[str]:
    listing = json.loads(remodel.call_for_output("ops", "--format", "onnx", "--json")[1])
    return frozenset(full_name(row["domain"], row["type"]) for row in listing["operators"] if row["read"])


def attributes_at(operator: str, version: int) -> dict[str, Known]:
    """Those that some row may read."""
    versions = schemas().get(operator, {})
    since = max((v for v in versions if v <= version), default=0)
    return {name: known for name, known in versions.get(since, {}).items() if name in named_in_rows()}


class Uses:
    def __init__(self):
        self.set, self.left_out = set(), set()  # left_out: with the default as the value
        self.inputs = set()  # (operator, place, whether it is given)

    def visit(self, nodes, opsets: dict[str, int]) -> None:
        for node in nodes:
            domain = domain_of(node.domain)
            operator, present = full_name(domain, node.op_type), set()
            for attribute in node.attribute:
                present.add(attribute.name)
                value = None if attribute.type == attribute.GRAPH else helper.get_attribute_value(attribute)
                self.set.add(Use(operator, attribute.name, text_of(value)))
                for graph in [attribute.g, *attribute.graphs]:
                    self.visit(graph.node, opsets)
            for name, known in attributes_at(operator, opsets.get(domain, 1)).items():
                if name not in present:
                    self.left_out.add(Use(operator, name, known.default))
            for place in optional_inputs().get(operator, ()):
                self.inputs.add((operator, place, place < len(node.input) and node.input[place] != ""))


@cache
def uses() -> Uses:
    """Of the cases that are compared with ONNX's stored outputs, ONNX Runtime or another computation."""
    found, known = Uses(), exclusions.load("executor")
    models = [case.model for case in corpus.all_cases() if not exclusions.find(known, case.id)]
    models += [case.model for case in operator_cases.all_cases()]
    for model in models:
        for part in [model, *model.functions]:
            opsets = {domain_of(opset.domain): opset.version for opset in part.opset_import or model.opset_import}
            found.visit(part.graph.node if part is model else part.node, opsets)
    for _, node, opsets, *_ in microsoft_cases.all_cases():
        found.visit([node], opsets)
    return found


def gaps() -> list[str]:
    """`operator attribute: never ...`, for each that a row reads, and `operator input name: never ...`."""
    set_values, found = defaultdict(set), set()
    for use in uses().set:
        set_values[use.operator, use.attribute].add(use.value)
    for operator in operators_read():
        for place, name in optional_inputs().get(operator, {}).items():
            for given, text in ((True, "never given"), (False, "never left out")):
                if (operator, place, given) not in uses().inputs:
                    found.add(f"{operator} input {name}: {text}")
        for attributes in schemas().get(operator, {}).values():
            for name, known in attributes.items():
                if name not in named_in_rows():
                    continue
                if not set_values[operator, name] - {known.default}:
                    found.add(f"{operator} {name}: never another value than {known.default}")
                if not known.required and Use(operator, name, known.default) not in uses().left_out:
                    found.add(f"{operator} {name}: never left out, so that it is {known.default}")
    return sorted(found)


if __name__ == "__main__":
    print("\n".join(gaps()))
    sys.exit(bool(gaps()))
