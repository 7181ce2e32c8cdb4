"""One input gives one output, byte for byte: for any number of threads and jobs, and on any CPU.

Every node case of ONNX is converted with all of its inputs made constants, so that folding runs every kernel and its
results stand in the files. An older CPU is emulated: it has other vector units, and the C library takes other ways on it.
"""

import json
import os
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import corpus
import remodel

OLD_CPU = ["qemu-x86_64", "-cpu", "Nehalem"]  # SSE4.2: neither AVX nor FMA nor F16C


def with_constant_inputs(case: corpus.Case) -> onnx.ModelProto:
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    open_inputs = []
    for index, info in enumerate(corpus.graph_inputs(model.graph)):
        data = case.folder / "test_data_set_0" / f"input_{index}.pb"
        if info.type.HasField("tensor_type") and data.exists():
            tensor = TensorProto.FromString(data.read_bytes())
            tensor.name = info.name
            model.graph.initializer.append(tensor)
        else:
            open_inputs.append(info)
    del model.graph.input[:]
    model.graph.input.extend(open_inputs)
    return model


def large_constants() -> onnx.ModelProto:
    """Work that threads share: a product, a convolution, and a factor that is applied while writing."""
    random = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array(random.standard_normal(shape, np.float32), name)

    weights = [
        *(weight("a", 400, 300), weight("b", 300, 200), weight("c", 2, 64, 24, 24), weight("k", 16, 64, 3, 3)),
        *(weight("w", 512, 512), weight("f", 512, 1)),
    ]
    nodes = [
        helper.make_node("MatMul", ["a", "b"], ["product"]),
        helper.make_node("Conv", ["c", "k"], ["convolved"]),
        helper.make_node("Mul", ["w", "f"], ["scaled"]),
        helper.make_node("Exp", ["w"], ["exponents"]),
    ]
    outputs = [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None) for node in nodes]
    graph = helper.make_graph(nodes, "large", [], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    for case in corpus.all_cases("node/"):
        onnx.save(with_constant_inputs(case), str(folder / f"{case.name}.onnx"))
    onnx.save(large_constants(), str(folder / "large.onnx"))
    return sorted(folder.iterdir())


def convert_all(sources, folder, jobs: int, runner=()) -> dict[str, bytes]:
    targets = [folder / source.name for source in sources]
    listed = [
        {"convert_from": str(source), "convert_to": str(target), "onnx_opset": 21}
        for source, target in zip(sources, targets)
    ]
    (folder / "jobs.json").write_text(json.dumps(listed))
    command = [*runner, remodel.PROGRAM, "-f", folder / "jobs.json", "-j", jobs, "--no-verify", "-q"]
    subprocess.run(list(map(str, command)), capture_output=True, timeout=600)
    return {target.name: target.read_bytes() for target in targets if target.exists()}


@pytest.fixture(scope="module")
def one_job(sources, tmp_path_factory):
    files = convert_all(sources, tmp_path_factory.mktemp("one_job"), 1)
    assert len(files) > 0.99 * len(sources)  # a few use types that opset 21 lacks
    return files


def different(a: dict, b: dict) -> list[str]:
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def test_the_constants_are_folded(one_job):
    model = onnx.load_from_string(one_job["large.onnx"])
    assert not model.graph.node or {node.op_type for node in model.graph.node} == {"Identity"}


def test_jobs_in_parallel(sources, one_job, tmp_path):
    assert different(one_job, convert_all(sources, tmp_path, 4)) == []


def test_threads_of_one_conversion(sources, one_job, tmp_path):
    (source,) = (path for path in sources if path.name == "large.onnx")
    one_cpu = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    for name, runner in ("one", one_cpu), ("all", []):
        subprocess.run([*runner, remodel.PROGRAM, source, tmp_path / name, "--to", "onnx", "--no-verify", "--opset", "21"])
        assert (tmp_path / name).read_bytes() == one_job[source.name]


def test_an_older_cpu(sources, one_job, tmp_path):
    assert different(one_job, convert_all(sources, tmp_path, 2, OLD_CPU)) == []
