"""Models drawn here after well-known ones: CRNN, U-Net, a YOLO-shaped detector, and a small CNN to quantize."""

import torch
import torchvision
from torch import nn

from zoo.spec import Spec, image, reseed, settle_batch_norms


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, activation=nn.SiLU) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs, eps=1e-3)]
    return nn.Sequential(*layers, activation())


class Crnn(nn.Module):
    """Text lines of height 32 and any width: columns become the steps of two bidirectional LSTMs."""

    def __init__(self, classes: int = 37):
        super().__init__()
        self.features = nn.Sequential(
            conv(1, 16, activation=nn.ReLU),
            nn.MaxPool2d(2, 2),
            conv(16, 32, activation=nn.ReLU),
            nn.MaxPool2d(2, 2),
            conv(32, 48, activation=nn.ReLU),
            nn.MaxPool2d((2, 2), (2, 1), (0, 1)),
            conv(48, 64, activation=nn.ReLU),
            nn.MaxPool2d((2, 2), (2, 1), (0, 1)),
            nn.Conv2d(64, 64, 2),
            nn.ReLU(),
        )
        self.lstm = nn.LSTM(64, 40, num_layers=2, bidirectional=True)
        self.head = nn.Linear(80, classes)

    def forward(self, x):
        steps = self.features(x).squeeze(2).permute(2, 0, 1)
        return self.head(self.lstm(steps)[0]).log_softmax(-1)


def crnn(exporter: str) -> Spec:
    torch.manual_seed(1)
    model = settle_batch_norms(reseed(Crnn()), (torch.from_numpy(image(7, 4, 1, 32, 100)),))
    sets = [{"line": image(seed, 1, 1, 32, width)} for seed, width in ((1, 100), (2, 100), (3, 64), (4, 181))]
    return Spec(model, sets, ["scores"], {"line": {3: "width"}})


class UNet(nn.Module):
    def __init__(self, channels=(16, 32, 48)):
        super().__init__()
        sizes = [3, *channels]
        self.down = nn.ModuleList(self.block(a, b) for a, b in zip(sizes, sizes[1:]))
        self.middle = self.block(channels[-1], channels[-1])
        self.up = nn.ModuleList(nn.ConvTranspose2d(c, c, 2, 2) for c in reversed(channels[1:]))
        self.bilinear = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.merge = nn.ModuleList(
            self.block(c + skip, out) for c, skip, out in ((48, 48, 32), (48 - 16, 32, 32), (32, 16, 16))
        )
        self.head = nn.Conv2d(16, 5, 1)

    @staticmethod
    def block(inputs: int, outputs: int) -> nn.Sequential:
        layers = []
        for a in (inputs, outputs):
            layers += [nn.Conv2d(a, outputs, 3, padding=1), nn.GroupNorm(8, outputs), nn.SiLU()]
        return nn.Sequential(*layers)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.middle(x)
        for up, merge, skip in zip([*self.up, self.bilinear], self.merge, reversed(skips)):
            x = merge(torch.cat([up(x), skip], 1))
        return self.head(x)


def unet(exporter: str) -> Spec:
    torch.manual_seed(2)
    sets = [{"image": image(seed, n, 3, h, w)} for seed, n, h, w in ((1, 1, 64, 48), (2, 1, 64, 48), (3, 2, 40, 72))]
    dynamic = {"image": {0: "batch", 2: "height", 3: "width"}} if exporter == "script" else {"image": {0: "batch"}}
    if exporter != "script":
        sets[2] = {"image": image(3, 3, 3, 64, 48)}
    return Spec(reseed(UNet()), sets, ["mask"], dynamic)


class Split(nn.Module):
    """YOLOv8's C2f: halves, a chain of bottlenecks, all parts joined."""

    def __init__(self, inputs: int, outputs: int, depth: int, shortcut: bool):
        super().__init__()
        half = outputs // 2
        self.enter = conv(inputs, outputs, 1)
        self.leave = conv(half * (2 + depth), outputs, 1)
        self.chain = nn.ModuleList(nn.Sequential(conv(half, half), conv(half, half)) for _ in range(depth))
        self.shortcut = shortcut

    def forward(self, x):
        parts = list(self.enter(x).chunk(2, 1))
        for step in self.chain:
            parts.append(step(parts[-1]) + parts[-1] if self.shortcut else step(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Pyramid(nn.Module):
    """YOLOv8's SPPF."""

    def __init__(self, channels: int):
        super().__init__()
        self.enter = conv(channels, channels // 2, 1)
        self.leave = conv(channels * 2, channels, 1)

    def forward(self, x):
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(nn.functional.max_pool2d(parts[-1], 5, 1, 2))
        return self.leave(torch.cat(parts, 1))


class Yolo(nn.Module):
    """The plan of YOLOv8 at a small width; output [batch, 4 + classes, anchors] in pixels and probabilities."""

    BINS = 16

    def __init__(self, classes: int = 6):
        super().__init__()
        self.classes = classes
        self.stem = nn.Sequential(conv(3, 8, 3, 2), conv(8, 16, 3, 2), Split(16, 16, 1, True))
        self.p3 = nn.Sequential(conv(16, 32, 3, 2), Split(32, 32, 2, True))
        self.p4 = nn.Sequential(conv(32, 48, 3, 2), Split(48, 48, 2, True))
        self.p5 = nn.Sequential(conv(48, 64, 3, 2), Split(64, 64, 1, True), Pyramid(64))
        self.up4, self.up3 = Split(64 + 48, 48, 1, False), Split(48 + 32, 32, 1, False)
        self.low4, self.down4 = conv(32, 32, 3, 2), Split(32 + 48, 48, 1, False)
        self.low5, self.down5 = conv(48, 48, 3, 2), Split(48 + 64, 64, 1, False)
        self.upsample = nn.Upsample(scale_factor=2.0, mode="nearest")
        levels = (32, 48, 64)
        self.boxes = nn.ModuleList(
            nn.Sequential(conv(c, 16), conv(16, 16), nn.Conv2d(16, 4 * self.BINS, 1)) for c in levels
        )
        self.scores = nn.ModuleList(nn.Sequential(conv(c, 16), conv(16, 16), nn.Conv2d(16, classes, 1)) for c in levels)
        self.expectation = nn.Conv2d(self.BINS, 1, 1, bias=False)

    def forward(self, x):
        a = self.p3(self.stem(x))
        b = self.p4(a)
        c = self.p5(b)
        d = self.up4(torch.cat([self.upsample(c), b], 1))
        e = self.up3(torch.cat([self.upsample(d), a], 1))
        f = self.down4(torch.cat([self.low4(e), d], 1))
        g = self.down5(torch.cat([self.low5(f), c], 1))
        levels = [e, f, g]
        raw = [torch.cat([box(y), score(y)], 1) for box, score, y in zip(self.boxes, self.scores, levels)]
        anchors, strides = self.anchors(levels)
        joined = torch.cat([y.flatten(2) for y in raw], 2)
        box, score = joined.split((4 * self.BINS, self.classes), 1)
        n, _, count = box.shape
        box = self.expectation(box.view(n, 4, self.BINS, count).transpose(2, 1).softmax(1)).view(n, 4, count)
        low, high = box.chunk(2, 1)
        start, end = anchors - low, anchors + high
        return torch.cat([torch.cat([(start + end) / 2, end - start], 1) * strides, score.sigmoid()], 1)

    @staticmethod
    def anchors(levels):
        points, strides = [], []
        for level, stride in zip(levels, (8, 16, 32)):
            h, w = level.shape[2:]
            y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
            points.append(torch.stack([x.flatten(), y.flatten()]))
            strides.append(torch.full((1, h * w), float(stride)))
        return torch.cat(points, 1)[None], torch.cat(strides, 1)


class YoloWithNms(nn.Module):
    """One image in; the kept boxes (corners), scores and classes out."""

    def __init__(self, yolo: Yolo):
        super().__init__()
        self.yolo = yolo

    def forward(self, x):
        found = self.yolo(x)[0].transpose(0, 1)
        centre, size, scores = found[:, :2], found[:, 2:4], found[:, 4:]
        boxes = torch.cat([centre - size / 2, centre + size / 2], 1)
        best, label = scores.max(1)
        offset = label.to(boxes.dtype)[:, None] * 4096
        kept = torchvision.ops.nms(boxes + offset, best, 0.5)[:20]
        return boxes[kept], best[kept], label[kept]


def yolo_model() -> Yolo:
    torch.manual_seed(3)
    model = reseed(Yolo())
    model.expectation.weight.data = torch.arange(Yolo.BINS, dtype=torch.float32).reshape(1, -1, 1, 1)
    return settle_batch_norms(model, (torch.from_numpy(image(7, 4, 3, 64, 96)),))


METADATA = {
    "names": str({i: name for i, name in enumerate(("person", "bicycle", "car", "dog", "cat", "bus"))}),
    "stride": "32",
    "task": "detect",
}


def yolo(exporter: str) -> Spec:
    sets = [{"images": image(seed, 1, 3, 64, 96)} for seed in (1, 2)]
    dynamic = {}
    if exporter == "script":
        dynamic = {"images": {0: "batch"}}
        sets.append({"images": image(3, 2, 3, 64, 96)})
    return Spec(yolo_model(), sets, ["output0"], dynamic, metadata=METADATA)


def yolo_nms(exporter: str) -> Spec:
    sets = [{"images": image(seed, 1, 3, 64, 96)} for seed in (1, 2)]
    return Spec(YoloWithNms(yolo_model()), sets, ["boxes", "scores", "labels"], metadata=METADATA)


class SmallCnn(nn.Module):
    """Conv, depthwise conv, residual, pools and a head: what static quantization covers."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 16, 3, 2, nn.ReLU6)
        self.wide = conv(16, 24, 1, activation=nn.ReLU)
        depthwise = nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False)
        self.deep = nn.Sequential(depthwise, nn.BatchNorm2d(24), nn.ReLU6(), nn.Conv2d(24, 24, 1))
        self.head = nn.Linear(24, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.wide(self.stem(x)), 2)
        x = torch.cat([x + self.deep(x), x], 1)[:, :24]
        return self.head(x.mean((2, 3)))


def small_cnn(exporter: str) -> Spec:
    torch.manual_seed(4)
    model = settle_batch_norms(reseed(SmallCnn()), (torch.from_numpy(image(7, 8, 3, 32, 40)),))
    sets = [{"image": image(seed, 1, 3, 32, 40)} for seed in (1, 2)]
    return Spec(model, sets, ["logits"])


MODELS = {"crnn": crnn, "unet": unet, "yolo": yolo, "yolo_nms": yolo_nms, "small_cnn": small_cnn}
