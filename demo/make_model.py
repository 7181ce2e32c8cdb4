"""Trains the demo's model: a small network that tells drawn shapes apart. Needs torch and onnx.

The shapes are drawn by this script, so no data set is needed. The results are demo/shapes.onnx and images to test it with,
demo/shapes.npz.
"""

import pathlib

import numpy as np
import onnx
import torch
from torch import nn

CLASSES = ["circle", "square", "triangle", "cross"]
SIZE = 32


def draw(kind, rng, noise=0.08):
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    cx, cy = rng.uniform(11, 21, 2)
    r = rng.uniform(6, 10)
    dx, dy = x - cx, y - cy
    if kind == 0:
        mask = dx**2 + dy**2 < r**2
    elif kind == 1:
        mask = (abs(dx) < r * 0.85) & (abs(dy) < r * 0.85)
    elif kind == 2:
        mask = (dy < r * 0.8) & (dy > -r) & (abs(dx) < (dy + r) * 0.6)
    else:
        mask = ((abs(dx) < r * 0.3) | (abs(dy) < r * 0.3)) & (abs(dx) < r) & (abs(dy) < r)
    ink, paper = rng.uniform(0.5, 1.0, 3), rng.uniform(0.0, 0.4, 3)
    image = np.where(mask[None], ink[:, None, None], paper[:, None, None])
    return (image + rng.normal(0, noise, image.shape)).clip(0, 1).astype(np.float32)


def batch(count, rng):
    labels = rng.integers(0, len(CLASSES), count)
    return torch.tensor(np.stack([draw(k, rng) for k in labels])), torch.tensor(labels)


def write_test_images(count=400):
    rng = np.random.default_rng(8)
    labels = rng.integers(0, len(CLASSES), count)
    images = np.stack([draw(kind, rng, noise=0) for kind in labels])
    np.savez_compressed(pathlib.Path(__file__).with_name("shapes.npz"), image=images, labels=labels)


def block(inputs, outputs, stride):
    return nn.Sequential(nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs),
                         nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.Hardswish())


def main():
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    model = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
                          block(8, 16, 1), block(16, 24, 2), block(24, 32, 2),
                          nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, len(CLASSES)), nn.Softmax(1))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(600):
        images, labels = batch(64, rng)
        loss = nn.functional.nll_loss(torch.log(model(images) + 1e-9), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    images, labels = batch(1000, rng)
    print("accuracy", (model(images).argmax(1) == labels).float().mean().item())

    path = pathlib.Path(__file__).with_name("shapes.onnx")
    torch.onnx.export(model, torch.zeros(1, 3, SIZE, SIZE), path, dynamo=False, opset_version=13, training=torch.onnx.TrainingMode.PRESERVE,
                      do_constant_folding=False, input_names=["image"], output_names=["probabilities"],
                      dynamic_axes={"image": {0: "batch"}, "probabilities": {0: "batch"}})
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, {"names": str(dict(enumerate(CLASSES)))})
    onnx.save(proto, path)
    write_test_images()


if __name__ == "__main__":
    main()
