"""Whisper's two decoders as one graph: an If on `use_cache_branch`, weights shared in the outer graph."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from zoo import text
from zoo.export import export


def whisper_merged(path: Path, exporter: str) -> list:
    first, step = text.whisper_decoder(exporter), text.whisper_step(exporter)
    with tempfile.TemporaryDirectory() as folder:
        models = []
        for spec in (first, step):
            export(spec, Path(folder) / "part.onnx", exporter)
            models.append(onnx.load(str(Path(folder) / "part.onnx")))
    onnx.save(merge(*models), str(path))
    cached = [dict(row, encoder_hidden_states=hidden(row), use_cache_branch=np.array([True])) for row in step.sets]
    fresh = [dict(row, **no_past(row), use_cache_branch=np.array([False])) for row in first.sets]
    return [*cached, *fresh]


def hidden(row: dict) -> np.ndarray:
    return np.zeros((row["input_ids"].shape[0], 20, text.HEADS * text.HEAD_SIZE), np.float32)


def no_past(row: dict) -> dict:
    batch = row["input_ids"].shape[0]
    names = text.cache_names("past_key_values", text.KINDS)
    return {
        name: np.zeros((batch, text.HEADS, 20 if "encoder" in name else 1, text.HEAD_SIZE), np.float32)
        for name in names
    }


def merge(first: onnx.ModelProto, step: onnx.ModelProto) -> onnx.ModelProto:
    weights: dict[tuple, onnx.TensorProto] = {}
    outputs = [info.name for info in first.graph.output]
    branches = []
    for stem, model in (("else", first), ("then", step)):
        branch = rename(model.graph, stem, weights)
        made = {info.name for info in branch.output}
        for name in outputs:
            inside = f"{stem}/{name}"
            if inside not in made:
                source = name.replace("present", "past_key_values")
                branch.node.append(helper.make_node("Identity", [source], [inside]))
        ordered = [helper.make_tensor_value_info(f"{stem}/{name}", TensorProto.FLOAT, None) for name in outputs]
        del branch.output[:]
        branch.output.extend(ordered)
        branches.append(branch)
    node = helper.make_node(
        "If", ["use_cache_branch"], outputs, "branch", else_branch=branches[0], then_branch=branches[1]
    )
    inputs = {info.name: info for graph in (step.graph, first.graph) for info in graph.input}
    inputs["input_ids"] = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
    flag = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    results = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * (3 if name == "logits" else 4))
        for name in outputs
    ]
    graph = helper.make_graph([node], "merged", [*inputs.values(), flag], results, list(weights.values()))
    return helper.make_model(graph, opset_imports=first.opset_import, ir_version=first.ir_version)


def rename(graph: onnx.GraphProto, stem: str, weights: dict) -> onnx.GraphProto:
    """The graph as a branch: its values under `stem/`, its weights in `weights`, equal ones once."""
    names = {info.name: info.name for info in graph.input}
    for tensor in graph.initializer:
        key = tensor.data_type, tuple(tensor.dims), onnx.numpy_helper.to_array(tensor).tobytes()
        if key not in weights:
            weights[key] = onnx.TensorProto()
            weights[key].CopyFrom(tensor)
            weights[key].name = f"weight_{len(weights)}"
        names[tensor.name] = weights[key].name
    branch = helper.make_graph([], stem, [], [])
    rename_nodes(graph, branch, stem, names)
    return branch


def rename_nodes(graph: onnx.GraphProto, branch: onnx.GraphProto, stem: str, names: dict) -> None:
    for node in graph.node:
        copy = branch.node.add()
        copy.CopyFrom(node)
        copy.name = f"{stem}/{node.name}"
        copy.input[:] = [names.get(name, f"{stem}/{name}") if name else "" for name in node.input]
        copy.output[:] = [f"{stem}/{name}" if name else "" for name in node.output]
        for attribute in copy.attribute:
            if attribute.HasField("g"):
                inner = onnx.GraphProto()
                inner.CopyFrom(attribute.g)
                del attribute.g.node[:]
                rename_nodes(inner, attribute.g, stem, names)
                for info, old in zip(attribute.g.output, inner.output):
                    info.name = names.get(old.name, f"{stem}/{old.name}")
    for info in graph.output:
        branch.output.add().CopyFrom(info)
        branch.output[-1].name = f"{stem}/{info.name}"


MODELS = {"whisper_merged": whisper_merged}
