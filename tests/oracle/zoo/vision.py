"""torchvision's models with weights drawn here."""

import torch
import torchvision

from zoo.spec import Spec, Tuple, image, reseed, settle_batch_norms

SIZES = {
    "alexnet": (224, 224),
    "squeezenet1_1": (96, 128),
    "resnet18": (96, 128),
    "resnet50": (224, 224),
    "resnext50_32x4d": (96, 128),
    "densenet121": (96, 128),
    "googlenet": (96, 128),
    "inception_v3": (107, 139),
    "mobilenet_v2": (96, 128),
    "mobilenet_v3_small": (96, 128),
    "mnasnet1_0": (96, 128),
    "shufflenet_v2_x1_0": (96, 128),
    "efficientnet_b0": (96, 128),
    "efficientnet_v2_s": (96, 128),
    "regnet_y_400mf": (96, 128),
    "convnext_tiny": (96, 128),
    "swin_t": (96, 128),
    "swin_v2_t": (96, 128),
    "maxvit_t": (224, 224),
    "vit_b_32": (224, 224),
    "deeplabv3_mobilenet_v3_large": (96, 128),
    "lraspp_mobilenet_v3_large": (96, 128),
}
SEGMENTATION = ("deeplabv3", "lraspp")
PLAIN = ("googlenet", "inception_v3")


def make(name: str, exporter: str) -> Spec:
    """The TorchScript exporter gets a symbolic batch, the other one fixed sizes."""
    torch.manual_seed(len(name))
    options = {"weights": None}
    if name.startswith(SEGMENTATION):
        options["weights_backbone"] = None
    if name in PLAIN:
        options |= {"init_weights": True, "aux_logits": False}
    model = reseed(torchvision.models.get_model(name, **options))
    height, width = SIZES[name]
    settle_batch_norms(model, (torch.from_numpy(image(7, 4, 3, height, width)),))
    if name.startswith(SEGMENTATION):
        model = Tuple(model, lambda module, x: module(x)["out"])
    sets = [{"image": image(seed, 1, 3, height, width)} for seed in (1, 2)]
    dynamic = {}
    if exporter == "script":
        dynamic = {"image": {0: "batch"}}
        sets.append({"image": image(3, 3, 3, height, width)})
    return Spec(model, sets, ["logits"], dynamic)


MODELS = {name: (lambda exporter, name=name: make(name, exporter)) for name in SIZES}
