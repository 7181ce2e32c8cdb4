"""Models quantized by onnxruntime.quantization: QDQ and QOperator with calibration, and dynamic."""

import tempfile
from pathlib import Path

from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from zoo import drawn, text, vision
from zoo.export import export
from zoo.spec import image


class Images(CalibrationDataReader):
    def __init__(self, shape, count: int = 8):
        self.feeds = iter([{"image": image(100 + i, *shape)} for i in range(count)])

    def get_next(self):
        return next(self.feeds, None)


def static(path: Path, exporter: str, spec, layout: QuantFormat, activations: QuantType, per_channel: bool) -> list:
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        export(spec, plain, exporter)
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(path),
            Images(spec.sets[0]["image"].shape),
            quant_format=layout,
            activation_type=activations,
            weight_type=QuantType.QInt8,
            per_channel=per_channel,
        )
    return spec.sets


def qdq(path: Path, exporter: str) -> list:
    return static(path, exporter, drawn.small_cnn(exporter), QuantFormat.QDQ, QuantType.QInt8, True)


def qoperator(path: Path, exporter: str) -> list:
    return static(path, exporter, drawn.small_cnn(exporter), QuantFormat.QOperator, QuantType.QUInt8, False)


def resnet18_qdq(path: Path, exporter: str) -> list:
    return static(path, exporter, vision.make("resnet18", exporter), QuantFormat.QDQ, QuantType.QUInt8, True)


def bert_dynamic(path: Path, exporter: str) -> list:
    spec = text.bert(exporter)
    with tempfile.TemporaryDirectory() as folder:
        export(spec, Path(folder) / "plain.onnx", exporter)
        quantize_dynamic(str(Path(folder) / "plain.onnx"), str(path), weight_type=QuantType.QInt8)
    return spec.sets


MODELS = {"cnn_qdq": qdq, "cnn_qoperator": qoperator, "resnet18_qdq": resnet18_qdq, "bert_dynamic": bert_dynamic}
