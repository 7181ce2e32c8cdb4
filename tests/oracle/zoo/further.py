"""More architectures of transformers and torchvision, each by a row: a class, its tiny configuration, what it reads."""

import numpy as np
import torch
import torchvision
import transformers
from torch import nn

from zoo.spec import Spec, Tuple, image, reseed, settle_batch_norms
from zoo.text import HEADS, LAYERS, SIZES, VOCABULARY, axes, mask, tokens

WIDTH = HEADS * 8
COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
GROUPED = COMMON | {"num_key_value_heads": 2}
ENCODERS = {
    "roberta": ("Roberta", "ForSequenceClassification", COMMON),
    "distilbert": ("DistilBert", "ForSequenceClassification", {"vocab_size": VOCABULARY, "dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": 64}),
    "albert": ("Albert", "ForSequenceClassification", COMMON | {"embedding_size": 16}),
    "electra": ("Electra", "ForTokenClassification", COMMON | {"embedding_size": 16}),
    "mpnet": ("MPNet", "ForTokenClassification", COMMON),
    "deberta_v2": ("DebertaV2", "ForTokenClassification", COMMON | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 32}),
    "squeezebert": ("SqueezeBert", "ForTokenClassification", COMMON | {"embedding_size": WIDTH}),
    "mobilebert": ("MobileBert", "ForTokenClassification", COMMON | {"embedding_size": 16, "intra_bottleneck_size": WIDTH, "true_hidden_size": WIDTH}),
    "convbert": ("ConvBert", "ForTokenClassification", COMMON | {"embedding_size": 16}),
    "nystromformer": ("Nystromformer", "ForTokenClassification", COMMON | {"segment_means_seq_len": 64, "num_landmarks": 64}),
    "fnet": ("FNet", "ForTokenClassification", COMMON),
    "modernbert": ("ModernBert", "ForTokenClassification", COMMON | {"pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2, "attn_implementation": "eager", "reference_compile": False}),
}
DECODERS = {
    "mistral": ("Mistral", GROUPED | {"sliding_window": 8}),
    "qwen2": ("Qwen2", GROUPED),
    "qwen3": ("Qwen3", GROUPED | {"head_dim": 8}),
    "gemma": ("Gemma", GROUPED | {"head_dim": 8}),
    "gemma2": ("Gemma2", GROUPED | {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 8}),
    "phi": ("Phi", GROUPED),
    "gpt_neox": ("GPTNeoX", COMMON),
    "opt": ("OPT", COMMON | {"ffn_dim": 64, "word_embed_proj_dim": WIDTH, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}),
    "bloom": ("Bloom", {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "n_layer": LAYERS, "n_head": HEADS}),
    "falcon": ("Falcon", COMMON | {"alibi": False, "new_decoder_architecture": False}),
    "codegen": ("CodeGen", {"vocab_size": VOCABULARY, "n_positions": 64, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "rotary_dim": 4}),
    "stablelm": ("StableLm", GROUPED),
    "olmo2": ("Olmo2", GROUPED),
    "mamba": ("Mamba", {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "state_size": 4}),
}
SEQUENCES = {
    "bart": ("Bart", "ForConditionalGeneration"),
    "marian": ("Marian", "MTModel"),
    "pegasus": ("Pegasus", "ForConditionalGeneration"),
}
PICTURES = {
    "deit": ("DeiT", "ForImageClassification", {}, 48),
    "beit": ("Beit", "ForImageClassification", {"use_relative_position_bias": True}, 48),
    "dinov2": ("Dinov2", "ForImageClassification", {}, 48),
    "convnextv2": ("ConvNextV2", "ForImageClassification", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]}, 64),
    "swinv2_hf": ("Swinv2", "ForImageClassification", {"image_size": 64, "patch_size": 4, "embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4}, 64),
    "poolformer": ("PoolFormer", "ForImageClassification", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}, 64),
    "levit": ("Levit", "ForImageClassification", {"image_size": 64, "hidden_sizes": [16, 24, 32], "num_attention_heads": [2, 3, 4], "depths": [1, 1, 1], "key_dim": [8, 8, 8], "down_ops": [["Subsample", 8, 2, 4, 2, 2], ["Subsample", 8, 3, 4, 2, 2]]}, 64),
    "mobilenet_v2_hf": ("MobileNetV2", "ForImageClassification", {"image_size": 64, "depth_multiplier": 0.35}, 64),
    "dpt": ("DPT", "ForDepthEstimation", {"image_size": 48, "patch_size": 8, "num_hidden_layers": 4, "backbone_out_indices": [0, 1, 2, 3], "neck_hidden_sizes": [8, 8, 8, 8], "fusion_hidden_size": 8, "reassemble_factors": [4, 2, 1, 0.5], "is_hybrid": False}, 48),
    "yolos": ("Yolos", "ForObjectDetection", {"image_size": [48, 64], "patch_size": 8, "num_detection_tokens": 5}, (48, 64)),
    "glpn": ("GLPN", "ForDepthEstimation", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 4], "decoder_hidden_size": 8}, 64),
}
PATCHES = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": 64, "image_size": 48, "patch_size": 8}
RECURRENT = {
    "lstm": (nn.LSTM, {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    "gru": (nn.GRU, {"num_layers": 2, "batch_first": True}),
    "gru_both_ways": (nn.GRU, {"bidirectional": True, "bias": False}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}),
}
VIDEO = ("r3d_18", "mc3_18")
DETECTORS = ("ssdlite320_mobilenet_v3_large", "retinanet_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn", "fcos_resnet50_fpn")


def encoder(name: str, exporter: str) -> Spec:
    family, head, settings = ENCODERS[name]
    config = getattr(transformers, family + "Config")(**settings)
    model = reseed(getattr(transformers, family + head)(config))
    if name == "fnet":
        sets = [{"input_ids": tokens(i, batch, 16)} for i, (batch, _) in enumerate(SIZES)]
        return Spec(Tuple(model, lambda m, ids: m(ids).logits), sets, ["logits"], {"input_ids": axes("batch")})
    sizes = SIZES if name != "nystromformer" else ((1, 64), (1, 64), (2, 64))
    sets = [{"input_ids": tokens(i, *size), "attention_mask": mask(*size)} for i, size in enumerate(sizes)]
    free = axes("batch") if name == "nystromformer" else axes("batch", "length")
    dynamic = {name: free for name in sets[0]}
    return Spec(Tuple(model, lambda m, ids, mask: m(ids, attention_mask=mask).logits), sets, ["logits"], dynamic)


def decoder(name: str, exporter: str) -> Spec:
    family, settings = DECODERS[name]
    config = getattr(transformers, family + "Config")(**settings)
    model = reseed(getattr(transformers, family + "ForCausalLM")(config))
    if name == "mamba":
        sets = [{"input_ids": tokens(i, n, 9)} for i, n in enumerate((1, 1, 2))]
        return Spec(Tuple(model, lambda m, ids: m(ids, use_cache=False).logits), sets, ["logits"], {"input_ids": axes("batch")})
    sets = [{"input_ids": tokens(i, *size), "attention_mask": mask(*size)} for i, size in enumerate(SIZES)]
    call = Tuple(model, lambda m, ids, mask: m(ids, attention_mask=mask, use_cache=False).logits)
    return Spec(call, sets, ["logits"], {name: axes("batch", "length") for name in sets[0]})


def sequence(name: str, exporter: str) -> Spec:
    family, head = SEQUENCES[name]
    settings = {"vocab_size": VOCABULARY, "d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": LAYERS, "max_position_embeddings": 64}
    settings |= {"encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    settings |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1, "forced_eos_token_id": None}
    model = reseed(getattr(transformers, family + head)(getattr(transformers, family + "Config")(**settings)))
    call = Tuple(model, lambda m, ids, mask, later: m(ids, attention_mask=mask, decoder_input_ids=later, use_cache=False).logits)
    sets = [
        {"input_ids": tokens(i, *size), "attention_mask": mask(*size), "decoder_input_ids": tokens(i + 5, size[0], size[1] - 2)}
        for i, size in enumerate(SIZES)
    ]
    dynamic = {name: axes("batch", "decoded" if "decoder" in name else "length") for name in sets[0]}
    return Spec(call, sets, ["logits"], dynamic)


def picture(name: str, exporter: str) -> Spec:
    family, head, settings, size = PICTURES[name]
    if name in ("deit", "beit", "dinov2", "yolos", "dpt"):
        settings = PATCHES | settings
    config = getattr(transformers, family + "Config")(**settings)
    model = reseed(getattr(transformers, family + head)(config))
    height, width = size if isinstance(size, tuple) else (size, size)
    settle_batch_norms(model, (torch.from_numpy(image(7, 4, 3, height, width)),))
    call = {
        "dpt": lambda m, x: m(x).predicted_depth,
        "glpn": lambda m, x: m(x).predicted_depth,
        "yolos": lambda m, x: (m(x).logits, m(x).pred_boxes),
    }.get(name, lambda m, x: m(x).logits)
    sets = [{"pixel_values": image(i, n, 3, height, width)} for i, n in enumerate((1, 1, 2))]
    outputs = ["logits", "boxes"] if name == "yolos" else ["logits"]
    return Spec(Tuple(model, call), sets, outputs, {"pixel_values": axes("batch")})


def clip(exporter: str) -> Spec:
    text = COMMON | {"max_position_embeddings": 32, "eos_token_id": VOCABULARY - 1}
    config = transformers.CLIPConfig(text_config=text, vision_config=PATCHES, projection_dim=16)
    model = reseed(transformers.CLIPModel(config))
    call = Tuple(model, lambda m, ids, pixels, mask: m(input_ids=ids, pixel_values=pixels, attention_mask=mask).logits_per_image)
    sets = [
        {"input_ids": tokens(i, n, length), "pixel_values": image(i, n + 1, 3, 48, 48), "attention_mask": mask(n, length)}
        for i, (n, length) in enumerate(((2, 9), (2, 9), (3, 12)))
    ]
    dynamic = {"input_ids": axes("texts", "length"), "pixel_values": axes("pictures"), "attention_mask": axes("texts", "length")}
    return Spec(call, sets, ["logits"], dynamic)


def wav2vec2(exporter: str) -> Spec:
    settings = {k: v for k, v in COMMON.items() if k != "max_position_embeddings"}
    settings |= {"conv_dim": (16, 16, 16), "conv_kernel": (8, 4, 3), "conv_stride": (4, 2, 2), "num_feat_extract_layers": 3}
    settings |= {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4, "mask_time_prob": 0.0}
    model = reseed(transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**settings)))
    sets = [{"input_values": image(i, n, length)} for i, (n, length) in enumerate(((1, 400), (1, 400), (2, 523)))]
    return Spec(Tuple(model, lambda m, x: m(x).logits), sets, ["logits"], {"input_values": axes("batch", "samples")})


def recurrent(name: str, exporter: str) -> Spec:
    kind, settings = RECURRENT[name]
    model = reseed(kind(7, 6, **settings))
    call = Tuple(model, lambda m, x: m(x)[0])
    first, second = ("batch", "time") if settings.get("batch_first") else ("time", "batch")
    sets = [{"x": image(i, *size, 7)} for i, size in enumerate(((2, 5), (2, 5), (3, 9)))]
    return Spec(call, sets, ["y"], {"x": axes(first, second)})


def video(name: str, exporter: str) -> Spec:
    model = reseed(torchvision.models.get_model(name, weights=None))
    settle_batch_norms(model, (torch.from_numpy(image(7, 2, 3, 16, 64, 64)),))
    return Spec(model, [{"clip": image(i, 1, 3, 16, 64, 64)} for i in (1, 2)], ["logits"])


def spread_scores(model: nn.Module) -> None:
    """Logits of deviation 1: far from where many a score is 1 and rounding decides which come first."""
    found = {}
    for name, layer in model.named_modules():
        if name.endswith(("cls_logits", "cls_score", "bbox_ctrness")):
            layer.register_forward_hook(lambda layer, _, result: found.setdefault(layer, []).append(result.flatten()))
    with torch.no_grad():
        model([torch.rand(3, 320, 320, generator=torch.Generator().manual_seed(0))])
        for layer, results in found.items():
            layer._forward_hooks.clear()
            layer.weight /= torch.cat(results).std()


def detector(name: str, exporter: str) -> Spec:
    """So few boxes that no two have nearly the same score."""
    few = {"box_detections_per_img": 8, "rpn_post_nms_top_n_test": 20} if name.startswith("faster") else {"detections_per_img": 8}
    model = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=5, **few)
    reseed(model)
    settle_batch_norms(model.backbone, (torch.from_numpy(image(7, 2, 3, 320, 320)),))
    spread_scores(model.eval())
    call = Tuple(model, lambda m, x: tuple(m([x])[0][key] for key in ("boxes", "scores", "labels")))
    sets = [{"picture": np.random.default_rng(i).random((3, 320, 320)).astype(np.float32)} for i in (1, 2)]
    return Spec(call, sets, ["boxes", "scores", "labels"])


BUILDERS = {encoder: ENCODERS, decoder: DECODERS, sequence: SEQUENCES, picture: PICTURES, recurrent: RECURRENT, video: VIDEO, detector: DETECTORS}
MODELS = {
    name: (lambda exporter, build=build, name=name: build(name, exporter)) for build, names in BUILDERS.items() for name in names
} | {"clip": clip, "wav2vec2": wav2vec2}
