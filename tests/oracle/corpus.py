"""ONNX's own backend cases as stored in the onnx wheel: a model, its inputs and the outputs it must give.

A value is a numpy array (ml_dtypes for what numpy lacks, object arrays for strings), a list of values (a sequence),
or None (an empty optional).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import onnx
from onnx import numpy_helper

GROUPS = ("node", "simple", "pytorch-operator", "pytorch-converted")
DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"


@dataclass(frozen=True)
class Case:
    group: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def folder(self) -> Path:
        return DATA / self.group / self.name

    @property
    def model_path(self) -> Path:
        return self.folder / "model.onnx"

    @cached_property
    def model(self) -> onnx.ModelProto:
        return onnx.load(str(self.model_path))

    @property
    def opset(self) -> int:
        """The ai.onnx version, or 0 where the model imports other domains only."""
        return next((o.version for o in self.model.opset_import if o.domain in ("", "ai.onnx")), 0)

    def inputs(self) -> dict:
        return self._load("input", graph_inputs(self.model.graph))

    def outputs(self) -> dict:
        return self._load("output", self.model.graph.output)

    def _load(self, kind: str, infos) -> dict:
        folder = self.folder / "test_data_set_0"
        count = len(list(folder.glob(f"{kind}_*.pb")))
        if count > len(infos):
            raise ValueError(f"{self.id}: {count} {kind} files for {len(infos)} values")
        return {info.name: read_value(folder / f"{kind}_{i}.pb", info.type) for i, info in zip(range(count), infos)}


def graph_inputs(graph: onnx.GraphProto) -> list:
    """The inputs a caller feeds: initializers repeated as inputs (IR version < 4) are not among them."""
    constants = {tensor.name for tensor in graph.initializer}
    return [info for info in graph.input if info.name not in constants]


def read_value(path: Path, value_type: onnx.TypeProto):
    data = path.read_bytes()
    if value_type.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if value_type.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def all_cases(only: str = "", groups=GROUPS) -> list[Case]:
    cases = [Case(group, path.name) for group in groups for path in sorted((DATA / group).iterdir()) if path.is_dir()]
    return [case for case in cases if only in case.id]
