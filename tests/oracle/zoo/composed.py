"""Architectures of transformers whose configuration holds another's: detectors, depth, segments around points."""

import numpy as np
import torch
import transformers

from zoo.further import PATCHES, WIDTH
from zoo.spec import Spec, Tuple, image, reseed, settle_batch_norms
from zoo.text import axes

STAGES = {"embedding_size": 8, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "layer_type": "basic"}
SMALL = {"use_timm_backbone": False, "backbone": None, "d_model": 32, "num_labels": 5, "decoder_layers": 2}
SMALL |= {f"{part}_{size}": value for part in ("encoder", "decoder") for size, value in (("ffn_dim", 32), ("attention_heads", 2))}


def detr() -> transformers.DetrConfig:
    stages = transformers.ResNetConfig(**STAGES, out_features=["stage4"])
    return transformers.DetrConfig(backbone_config=stages, encoder_layers=1, num_queries=6, **SMALL)


def rt_detr() -> transformers.RTDetrConfig:
    stages = transformers.RTDetrResNetConfig(**STAGES, out_features=["stage2", "stage3", "stage4"])
    sizes = {"encoder_hidden_dim": 32, "encoder_in_channels": [16, 24, 32], "decoder_in_channels": [32, 32, 32]}
    return transformers.RTDetrConfig(backbone_config=stages, num_queries=10, num_denoising=0, **sizes, **SMALL)


def depth_anything() -> transformers.DepthAnythingConfig:
    stages = [f"stage{i + 1}" for i in range(4)]
    vision = PATCHES | {"num_hidden_layers": 4, "out_features": stages, "reshape_hidden_states": False}
    sizes = {"reassemble_hidden_size": WIDTH, "neck_hidden_sizes": [8, 8, 16, 16], "fusion_hidden_size": 8, "head_hidden_size": 8}
    return transformers.DepthAnythingConfig(backbone_config=transformers.Dinov2Config(**vision), patch_size=8, **sizes)


def boxes(module, pixels):
    result = module(pixels)
    return result.logits, result.pred_boxes


PICTURES = {
    "detr": (detr, transformers.DetrForObjectDetection, 64, ["logits", "boxes"], boxes),
    "rt_detr": (rt_detr, transformers.RTDetrForObjectDetection, 64, ["logits", "boxes"], boxes),
    "depth_anything": (depth_anything, transformers.DepthAnythingForDepthEstimation, 48, ["depth"], lambda m, x: m(x).predicted_depth),
}


def picture(name: str, exporter: str) -> Spec:
    config, kind, size, outputs, call = PICTURES[name]
    module = reseed(kind(config()))
    settle_batch_norms(module, (torch.from_numpy(image(7, 4, 3, size, size)),))
    sets = [{"pixel_values": image(i, n, 3, size, size)} for i, n in enumerate((1, 1, 2))]
    return Spec(Tuple(module, call), sets, outputs, {"pixel_values": axes("batch")})


def sam(exporter: str) -> Spec:
    """A picture and points in it; masks and how good they are."""
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64, "patch_size": 8}
    vision |= {"output_channels": 16, "mlp_dim": 64, "window_size": 3, "global_attn_indexes": [1], "num_pos_feats": 8}
    prompt = {"hidden_size": 16, "image_size": 64, "patch_size": 8, "mask_input_channels": 4, "image_embedding_size": 8}
    decoder = {"hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    config = transformers.SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)

    def call(module, pixels, points):
        result = module(pixel_values=pixels, input_points=points)
        return result.iou_scores, result.pred_masks

    points = [np.random.default_rng(i).uniform(0, 64, (1, 1, 2, 2)).astype(np.float32) for i in range(2)]
    sets = [{"pixel_values": image(i, 1, 3, 64, 64), "input_points": at} for i, at in enumerate(points)]
    return Spec(Tuple(reseed(transformers.SamModel(config)), call), sets, ["scores", "masks"])


MODELS = {name: (lambda exporter, name=name: picture(name, exporter)) for name in PICTURES} | {"sam": sam}
