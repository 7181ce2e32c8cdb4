"""What real exports hold besides: caches of grouped heads, experts, flow, graphs, bags, spectra, states, scripted loops."""

import numpy as np
import torch
import torchvision
import transformers
from torch import nn
from torch._higher_order_ops.scan import scan

from zoo.further import COMMON, GROUPED, WIDTH
from zoo.spec import Spec, Tuple, image, reseed, settle_batch_norms
from zoo.text import HEADS, LAYERS, VOCABULARY, axes, cache, cache_names, mask, present, tokens


def llama_past(exporter: str) -> Spec:
    """A step of generation with rotary positions, which are given, and fewer heads of keys than of queries."""

    def call(module, ids, mask, positions, *tensors):
        result = module(ids, attention_mask=mask, position_ids=positions, past_key_values=cache(tensors), use_cache=True)
        return result.logits, *present(result.past_key_values)

    sets = []
    for i, (batch, length) in enumerate(((1, 5), (1, 5), (2, 3), (3, 8))):
        new = 1 + i // 2
        row = {"input_ids": tokens(i, batch, new), "attention_mask": mask(batch, length + new)}
        row["position_ids"] = np.tile(np.arange(length, length + new), (batch, 1))
        row |= {name: image(i * 10 + j, batch, 2, length, WIDTH // HEADS) for j, name in enumerate(cache_names("past_key_values"))}
        sets.append(row)
    dynamic = {"input_ids": axes("batch", "length"), "attention_mask": axes("batch", "total"), "position_ids": axes("batch", "length")}
    dynamic |= {name: axes("batch", "", "past") for name in cache_names("past_key_values")}
    module = reseed(transformers.LlamaForCausalLM(transformers.LlamaConfig(**GROUPED)))
    return Spec(Tuple(module, call), sets, ["logits", *cache_names("present")], dynamic)


class Experts(nn.Module):
    """Each token goes through the two experts that its router scores best, weighted; all experts see all tokens."""

    def __init__(self, experts: int = 4, inner: int = 40):
        super().__init__()
        self.router = nn.Linear(WIDTH, experts)
        self.into = nn.Parameter(torch.zeros(experts, WIDTH, 2 * inner))
        self.out = nn.Parameter(torch.zeros(experts, inner, WIDTH))

    def forward(self, x):
        flat = x.reshape(-1, WIDTH)
        weights, chosen = self.router(flat).softmax(-1).topk(2, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        routing = torch.zeros(flat.shape[0], self.into.shape[0]).scatter(1, chosen, weights)
        gate, up = torch.einsum("td,edf->etf", flat, self.into).chunk(2, -1)
        each = torch.bmm(nn.functional.silu(gate) * up, self.out)
        return x + (each * routing.t()[:, :, None]).sum(0).view(x.shape)


def experts(exporter: str) -> Spec:
    sets = [{"x": image(i, *size, WIDTH)} for i, size in enumerate(((1, 7), (1, 7), (2, 5)))]
    return Spec(reseed(nn.Sequential(Experts(), nn.LayerNorm(WIDTH), Experts())), sets, ["y"], {"x": axes("batch", "length")})


class Denoiser(nn.Module):
    """A diffusion model's U-Net: sinusoids of the step, residual blocks, attention to the image and to a text."""

    def __init__(self, width: int = 16, text: int = 24):
        super().__init__()
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, 4 * width))
        self.enter = nn.Conv2d(4, width, 3, padding=1)
        self.down1, self.down2 = Residual(width, width), Residual(width, 2 * width)
        self.shrink = nn.Conv2d(width, width, 3, 2, 1)
        self.middle = Attend(2 * width, text)
        self.up2, self.up1 = Residual(4 * width, width), Residual(2 * width, width)
        self.grow = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Sequential(nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1))

    def forward(self, sample, timestep, states):
        half = self.width // 2
        frequencies = torch.exp(-np.log(10000) * torch.arange(half, dtype=torch.float32) / half)
        angles = timestep[:, None].float() * frequencies[None]
        time = self.time(torch.cat([angles.cos(), angles.sin()], -1))
        a = self.down1(self.enter(sample), time)
        b = self.down2(self.shrink(a), time)
        c = self.middle(b, states)
        d = self.up2(torch.cat([c, b], 1), time)
        d = self.grow(nn.functional.interpolate(d, scale_factor=2.0, mode="nearest"))
        return self.leave(self.up1(torch.cat([d, a], 1), time))


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(4, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(64, outputs))
        self.second = nn.Sequential(nn.GroupNorm(4, outputs), nn.SiLU(), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, time):
        return self.skip(x) + self.second(self.first(x) + self.time(time)[:, :, None, None])


class Attend(nn.Module):
    def __init__(self, channels: int, text: int, heads: int = 4):
        super().__init__()
        self.norm = nn.GroupNorm(4, channels, eps=1e-6)
        self.enter, self.leave = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))
        self.own, self.cross = Heads(channels, channels, heads), Heads(channels, text, heads)
        self.wide, self.narrow = nn.Linear(channels, 8 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x, states):
        n, c, h, w = x.shape
        y = self.enter(self.norm(x).permute(0, 2, 3, 1).reshape(n, h * w, c))
        z = self.norms[0](y)
        y = y + self.own(z, z)
        y = y + self.cross(self.norms[1](y), states)
        value, gate = self.wide(self.norms[2](y)).chunk(2, -1)
        y = self.leave(y + self.narrow(value * nn.functional.gelu(gate)))
        return x + y.reshape(n, h, w, c).permute(0, 3, 1, 2)


class Heads(nn.Module):
    def __init__(self, channels: int, text: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.o = nn.Linear(channels, channels, bias=False), nn.Linear(channels, channels)
        self.k, self.v = nn.Linear(text, channels, bias=False), nn.Linear(text, channels, bias=False)

    def forward(self, x, states):
        q, k, v = (
            y.view(y.shape[0], y.shape[1], self.heads, -1).transpose(1, 2) for y in (self.q(x), self.k(states), self.v(states))
        )
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.o(y.transpose(1, 2).reshape(x.shape))


def denoiser(exporter: str) -> Spec:
    sets = [
        {"sample": image(i, n, 4, h, w), "timestep": np.array([7 + 300 * i] * n), "states": image(i + 9, n, 5, 24)}
        for i, (n, h, w) in enumerate(((1, 16, 12), (1, 16, 12), (2, 8, 20)))
    ]
    dynamic = {"sample": axes("batch", "", "height", "width"), "timestep": axes("batch"), "states": axes("batch")}
    if exporter == "dynamo":
        dynamic = {"sample": axes("batch"), "timestep": axes("batch"), "states": axes("batch")}
        sets[2]["sample"] = image(2, 2, 4, 16, 12)
    return Spec(reseed(Denoiser()), sets, ["noise"], dynamic)


class Temporal(nn.Module):
    """A temporal convolutional network: causal dilated convolutions under weight norm."""

    def __init__(self, channels: int = 12):
        super().__init__()
        self.steps = nn.ModuleList(
            nn.utils.parametrizations.weight_norm(nn.Conv1d(5 if i == 0 else channels, channels, 3, dilation=2**i))
            for i in range(3)
        )
        self.skip = nn.Conv1d(5, channels, 1)
        self.head = nn.Linear(channels, 4)

    def forward(self, x):
        y = x
        for i, step in enumerate(self.steps):
            z = torch.relu(step(nn.functional.pad(y, (2 * 2**i, 0))))
            y = z + (self.skip(y) if i == 0 else y)
        return self.head(y.transpose(1, 2))


def temporal(exporter: str) -> Spec:
    sets = [{"x": image(i, n, 5, length)} for i, (n, length) in enumerate(((1, 20), (1, 20), (2, 33)))]
    return Spec(reseed(Temporal()), sets, ["y"], {"x": axes("batch", "", "time")})


def vocoder(exporter: str) -> Spec:
    config = transformers.SpeechT5HifiGanConfig(
        model_in_dim=10, upsample_initial_channel=16, upsample_rates=[4, 2], upsample_kernel_sizes=[8, 4],
        resblock_kernel_sizes=[3, 5], resblock_dilation_sizes=[[1, 3], [1, 3]],
    )
    module = reseed(transformers.SpeechT5HifiGan(config))
    sets = [{"spectrogram": image(i, n, length, 10)} for i, (n, length) in enumerate(((2, 9), (2, 9), (3, 14)))]
    return Spec(module, sets, ["wave"], {"spectrogram": axes("batch", "frames")})


def conformer(exporter: str) -> Spec:
    settings = {k: v for k, v in COMMON.items() if k != "max_position_embeddings"}
    settings |= {"conv_dim": (16, 16), "conv_kernel": (8, 4), "conv_stride": (4, 2), "num_feat_extract_layers": 2}
    settings |= {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4, "mask_time_prob": 0.0}
    settings |= {"conv_depthwise_kernel_size": 7, "max_source_positions": 200, "position_embeddings_type": "relative"}
    module = reseed(transformers.Wav2Vec2ConformerForCTC(transformers.Wav2Vec2ConformerConfig(**settings)))
    settle_batch_norms(module, (torch.from_numpy(image(7, 3, 400)),))
    sets = [{"input_values": image(i, n, length)} for i, (n, length) in enumerate(((1, 200), (1, 200), (2, 333)))]
    return Spec(Tuple(module, lambda m, x: m(x).logits), sets, ["logits"], {"input_values": axes("batch", "samples")})


class Spectrum(nn.Module):
    """Audio to classes: a log mel spectrogram in the graph, then a recurrent net whose state comes in and goes out."""

    def __init__(self, size: int = 64, mels: int = 12):
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size))
        self.register_buffer("mel", torch.rand(size // 2 + 1, mels, generator=torch.Generator().manual_seed(0)))
        self.net, self.head = nn.LSTM(mels, 16, batch_first=True), nn.Linear(16, 3)

    def forward(self, wave, h, c):
        parts = torch.stft(wave, self.size, self.size // 2, window=self.window, return_complex=False, center=True)
        power = parts.pow(2).sum(-1).transpose(1, 2)
        features = torch.log10(torch.clamp(power @ self.mel, min=1e-6))
        features = torch.maximum(features, features.amax((1, 2), keepdim=True) - 8.0)
        y, (h, c) = self.net((features + 4.0) / 4.0, (h, c))
        return self.head(y).sigmoid(), h, c


def spectrum(exporter: str) -> Spec:
    sets = [{"wave": image(i, 2, 640), "h": image(i + 3, 1, 2, 16), "c": image(i + 5, 1, 2, 16)} for i in range(2)]
    return Spec(reseed(Spectrum()), sets, ["chance", "h_out", "c_out"])


class Messages(nn.Module):
    """A graph network: edges gather nodes' features, nodes sum and average what edges send."""

    def __init__(self, width: int = 12):
        super().__init__()
        self.edge, self.node = nn.Linear(2 * width, width), nn.Linear(2 * width, width)
        self.head = nn.Linear(width, 3)

    def forward(self, x, edges):
        source, target = edges[0], edges[1]
        for _ in range(2):
            sent = torch.relu(self.edge(torch.cat([x[source], x[target]], 1)))
            total = torch.zeros_like(x).index_add(0, target, sent)
            count = torch.zeros(x.shape[0]).scatter_add(0, target, torch.ones(target.shape[0])).clamp(min=1)
            x = torch.relu(self.node(torch.cat([x, total / count[:, None]], 1)))
        return self.head(x).log_softmax(-1)


def messages(exporter: str) -> Spec:
    sets = [
        {"x": image(i, nodes, 12), "edges": np.random.default_rng(i).integers(0, nodes, (2, edges))}
        for i, (nodes, edges) in enumerate(((6, 11), (6, 11), (9, 20)))
    ]
    return Spec(reseed(Messages()), sets, ["y"], {"x": axes("nodes"), "edges": axes("", "edges")})


class Bags(nn.Module):
    """A recommender: numbers, and bags of categories, whose vectors meet in all pairs."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.numbers = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, width))
        self.bags = nn.ModuleList(nn.EmbeddingBag(20, width, mode=mode) for mode in ("sum", "mean"))
        self.top = nn.Sequential(nn.Linear(width + 3, 12), nn.ReLU(), nn.Linear(12, 1), nn.Sigmoid())

    def forward(self, numbers, first, second):
        x = self.numbers(numbers)
        parts = torch.stack([x, self.bags[0](first), self.bags[1](second)], 1)
        pairs = torch.bmm(parts, parts.transpose(1, 2))
        row, column = torch.tril_indices(3, 3, -1)
        return self.top(torch.cat([x, pairs[:, row, column]], 1))


def bags(exporter: str) -> Spec:
    draw = [np.random.default_rng(i) for i in range(2)]
    sets = [{"numbers": image(i, 4, 5), "first": d.integers(0, 20, (4, 3)), "second": d.integers(0, 20, (4, 2))} for i, d in enumerate(draw)]
    return Spec(reseed(Bags()), sets, ["y"])


def raft(exporter: str) -> Spec:
    """Optical flow: all pairs' correlation, sampled anew around each estimate."""
    module = reseed(torchvision.models.optical_flow.raft_small(weights=None))
    pictures = [torch.from_numpy(image(seed, 1, 3, 128, 128)).clamp(-1, 1) for seed in (7, 8)]
    settle_batch_norms(module, (*pictures, 1))
    call = Tuple(module, lambda m, a, b: m(a, b, num_flow_updates=2)[-1])
    sets = [{"first": image(i, 1, 3, 128, 128).clip(-1, 1), "second": image(i + 5, 1, 3, 128, 128).clip(-1, 1)} for i in range(2)]
    return Spec(call, sets, ["flow"])


class Subpixel(nn.Module):
    """Four times larger by shuffling channels into pixels."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Sequential(nn.Conv2d(3, 16, 5, padding=2), nn.PReLU(16))
        self.grow = nn.Sequential(nn.Conv2d(16, 64, 3, padding=1, padding_mode="reflect"), nn.PixelShuffle(2), nn.PReLU(), nn.Conv2d(16, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x):
        return self.grow(self.enter(x)) + nn.functional.interpolate(x, scale_factor=4, mode="bicubic", align_corners=False)


def subpixel(exporter: str) -> Spec:
    sets = [{"x": image(i, n, 3, h, w)} for i, (n, h, w) in enumerate(((1, 12, 10), (1, 12, 10), (2, 9, 15)))]
    dynamic = {"x": axes("batch", "", "height", "width")} if exporter == "script" else {"x": axes("batch")}
    if exporter == "dynamo":
        sets[2] = {"x": image(2, 2, 3, 12, 10)}
    return Spec(reseed(Subpixel()), sets, ["y"], dynamic)


class Steps(nn.Module):
    """A loop as long as the batch, which only scripting keeps."""

    def __init__(self):
        super().__init__()
        self.start, self.into, self.over, self.out = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 6)

    def forward(self, x):
        h = self.start(x)
        for i in range(x.shape[0] + 3):
            h = torch.tanh(self.into(x) + self.over(h))
            if bool(h.sum() > 0):
                x = self.out(h)
            else:
                x = x - self.out(h)
        return x


def scripted(exporter: str) -> Spec:
    sets = [{"x": image(i, n, 6)} for i, n in enumerate((2, 2, 4))]
    return Spec(torch.jit.script(reseed(Steps())), sets, ["y"], {"x": axes("batch")})


class Choice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 5), nn.Linear(5, 5)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: torch.relu(self.a(x)), lambda x: self.b(x) - 1, (x,))


def choice(exporter: str) -> Spec:
    return Spec(reseed(Choice()), [{"x": image(i, 2, 5)} for i in range(4)], ["y"])


class Scanned(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(5, 5)

    def forward(self, x):
        def step(carried, row):
            after = torch.tanh(self.a(carried) + row)
            return after, after * 2

        return scan(step, torch.zeros(5), x)[1]


def scanned(exporter: str) -> Spec:
    return Spec(reseed(Scanned()), [{"x": image(i, 6, 5)} for i in range(2)], ["y"])


class Transducer(nn.Module):
    """What was heard joined with what was said, whose state comes in and goes out."""

    def __init__(self):
        super().__init__()
        self.words, self.net = nn.Embedding(12, 8), nn.LSTM(8, 10, 2)
        self.heard, self.said, self.out = nn.Linear(7, 9), nn.Linear(10, 9), nn.Linear(9, 12)

    def forward(self, sound, words, h, c):
        said, (h, c) = self.net(self.words(words).transpose(0, 1), (h, c))
        joint = torch.tanh(self.heard(sound)[:, :, None] + self.said(said.transpose(0, 1))[:, None])
        return self.out(joint).log_softmax(-1), h, c


def transducer(exporter: str) -> Spec:
    sets = [
        {"sound": image(i, n, t, 7), "words": tokens(i, n, u) % 12, "h": image(i + 3, 2, n, 10), "c": image(i + 4, 2, n, 10)}
        for i, (n, t, u) in enumerate(((1, 4, 1), (1, 4, 1), (2, 6, 3)))
    ]
    dynamic = {"sound": axes("batch", "time"), "words": axes("batch", "said"), "h": axes("", "batch"), "c": axes("", "batch")}
    return Spec(reseed(Transducer()), sets, ["y", "h_out", "c_out"], dynamic)


MODELS = {
    "llama_past": llama_past,
    "experts": experts,
    "denoiser": denoiser,
    "temporal": temporal,
    "vocoder": vocoder,
    "conformer": conformer,
    "spectrum": spectrum,
    "messages": messages,
    "bags": bags,
    "raft": raft,
    "subpixel": subpixel,
    "scripted": scripted,
    "choice": choice,
    "scanned": scanned,
    "transducer": transducer,
}
