"""What an exported model is made from, and weights that make a fault visible."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn


@dataclass
class Spec:
    """sets: inputs to run the model on; the first two differ in values only. dynamic: {input: {axis: symbol}}."""

    module: nn.Module
    sets: list[dict[str, np.ndarray]]
    outputs: list[str]
    dynamic: dict[str, dict[int, str]] = field(default_factory=dict)
    opset: int = 17
    metadata: dict[str, str] = field(default_factory=dict)


class Tuple(nn.Module):
    """Gives a model whose call is `function(module, *inputs)`."""

    def __init__(self, module: nn.Module, function):
        super().__init__()
        self.module = module
        self.function = function

    def forward(self, *inputs):
        return self.function(self.module, *inputs)


def reseed(module: nn.Module, seed: int = 0) -> nn.Module:
    """Weights that carry the input's differences to the output, and non-trivial biases, gains and learned factors."""
    generator = torch.Generator().manual_seed(seed)
    tables = {id(m.weight) for m in module.modules() if isinstance(m, nn.Embedding)}
    convolutions = {id(m.weight) for m in module.modules() if isinstance(m, nn.modules.conv._ConvNd)}

    def normal(parameter, deviation):
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation)

    def uniform(parameter, low, high):
        parameter.copy_(torch.rand(parameter.shape, generator=generator) * (high - low) + low)

    with torch.no_grad():
        for name, parameter in module.named_parameters():
            leaf = name.rsplit(".", 1)[-1]
            if leaf in ("layer_scale", "gamma", "lambda1"):
                uniform(parameter, 0.3, 0.8)
            elif "bias" in leaf:
                normal(parameter, 0.1)
            elif parameter.dim() == 1:
                uniform(parameter, 0.6, 1.4)
            elif id(parameter) in tables or not leaf.startswith(("weight", "in_proj")):
                normal(parameter, 0.5)
            else:
                gain = 2.0 if id(parameter) in convolutions else 1.2
                normal(parameter, (gain / parameter[0].numel()) ** 0.5)
    return module


def settle_batch_norms(module: nn.Module, example: tuple, seed: int = 1) -> nn.Module:
    """Running statistics near the data's, so deep networks keep their scale, but not equal to them."""
    generator = torch.Generator().manual_seed(seed)
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    module.train()
    for other in (m for m in module.modules() if "Drop" in type(m).__name__ or "Stochastic" in type(m).__name__):
        other.eval()
    with torch.no_grad():
        if norms:
            module(*example)
        for norm in norms:
            norm.running_mean += torch.randn(norm.running_mean.shape, generator=generator) * 0.1
            norm.running_var *= torch.rand(norm.running_var.shape, generator=generator) * 0.5 + 0.8
            norm.running_var += 0.01
    return module.eval()


def image(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)
