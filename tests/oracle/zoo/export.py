"""Exports one model into a folder: model.onnx, inputs-N.npz and expected-N.npz (ONNX Runtime's outputs).

python tests/oracle/zoo/export.py NAME-script|NAME-dynamo FOLDER
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import onnx
import torch

import npz
from ort_worker import run_model
from zoo.spec import Spec, Tuple

warnings.filterwarnings("ignore")


def export(spec: Spec, path: Path, exporter: str) -> None:
    example = spec.sets[-1 if spec.dynamic else 0]  # sizes other than 1: torch.export takes those for fixed
    arguments = tuple(torch.from_numpy(array) for array in example.values())
    names = list(example)
    options = {"input_names": names, "output_names": spec.outputs, "opset_version": spec.opset}
    if exporter == "script":
        options |= {"dynamo": False, "dynamic_axes": spec.dynamic}
    else:
        shapes = tuple(spec.dynamic.get(name, {}) for name in names) if spec.dynamic else None
        shapes = (shapes,) if shapes and isinstance(spec.module, Tuple) else shapes
        options |= {"dynamo": True, "external_data": False, "verbose": False, "dynamic_shapes": shapes}
        options["opset_version"] = max(spec.opset, 18)
    with torch.no_grad():
        torch.onnx.export(spec.module.eval(), arguments, str(path), **options)
    if spec.metadata:
        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, spec.metadata)
        onnx.save(model, str(path))


def write_expected(model: Path, sets: list) -> None:
    for i, inputs in enumerate(sets):
        npz.write(model.parent / f"inputs-{i}.npz", inputs)
        npz.write(model.parent / f"expected-{i}.npz", run_model(str(model), inputs))


def main() -> None:
    from zoo import composed, drawn, further, idioms, merged, quantized, text, vision

    full_name, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    name, exporter = full_name.rsplit("-", 1)
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # the TorchScript exporter does not know its operator
    derived = quantized.MODELS | merged.MODELS
    if name in derived:
        write_expected(folder / "model.onnx", derived[name](folder / "model.onnx", exporter))
        return
    builders = vision.MODELS | drawn.MODELS | text.MODELS | further.MODELS | idioms.MODELS | composed.MODELS
    spec = builders[name.removesuffix("_23")](exporter)
    if name.endswith("_23"):
        spec.opset = 23
    export(spec, folder / "model.onnx", exporter)
    write_expected(folder / "model.onnx", spec.sets)


if __name__ == "__main__":
    main()
