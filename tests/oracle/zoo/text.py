"""Text, speech and vision models from transformers, with tiny configurations."""

import numpy as np
import torch
import transformers
from transformers import DynamicCache, EncoderDecoderCache

from zoo.spec import Spec, Tuple, image, reseed

VOCABULARY = 97
LAYERS = 2
HEADS = 4
HEAD_SIZE = 8
SIZES = ((1, 11), (1, 11), (2, 7), (3, 16))


def tokens(seed: int, batch: int, length: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, VOCABULARY, (batch, length))


def mask(batch: int, length: int) -> np.ndarray:
    """Ones, with the tail of the last row padded where there is more than one row."""
    array = np.ones((batch, length), np.int64)
    if batch > 1:
        array[-1, length - 3 :] = 0
    return array


def axes(*names: str) -> dict:
    return {i: name for i, name in enumerate(names) if name}


def bert(exporter: str) -> Spec:
    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=64
    )
    module = Tuple(
        reseed(transformers.BertForTokenClassification(config)),
        lambda m, ids, mask, types: m(ids, attention_mask=mask, token_type_ids=types).logits,
    )
    sets = [
        {"input_ids": tokens(i, *size), "attention_mask": mask(*size), "token_type_ids": tokens(i + 9, *size) % 2}
        for i, size in enumerate(SIZES)
    ]
    dynamic = {name: axes("batch", "length") for name in sets[0]}
    return Spec(module, sets, ["logits"], dynamic)


def gpt2_config():
    return transformers.GPT2Config(
        vocab_size=VOCABULARY, n_positions=64, n_embd=HEADS * HEAD_SIZE, n_layer=LAYERS, n_head=HEADS
    )


def gpt2(exporter: str) -> Spec:
    module = Tuple(
        reseed(transformers.GPT2LMHeadModel(gpt2_config())),
        lambda m, ids, mask: m(ids, attention_mask=mask, use_cache=False).logits,
    )
    sets = [{"input_ids": tokens(i, *size), "attention_mask": mask(*size)} for i, size in enumerate(SIZES)]
    return Spec(module, sets, ["logits"], {name: axes("batch", "length") for name in sets[0]})


def cache(tensors) -> DynamicCache:
    return DynamicCache([(k, v) for k, v in zip(tensors[0::2], tensors[1::2])])


def cache_names(stem: str, kinds=("key", "value")) -> list[str]:
    return [f"{stem}.{layer}.{kind}" for layer in range(LAYERS) for kind in kinds]


def past(seed: int, batch: int, length: int) -> np.ndarray:
    return image(seed, batch, HEADS, length, HEAD_SIZE)


def gpt2_past(exporter: str) -> Spec:
    """A step of generation: new tokens, the keys and values of those before, and their successors."""

    def call(module, ids, mask, *tensors):
        result = module(ids, attention_mask=mask, past_key_values=cache(tensors), use_cache=True)
        return result.logits, *present(result.past_key_values)

    sets = []
    for i, (batch, length) in enumerate(((1, 5), (1, 5), (2, 3), (3, 8))):
        row = {"input_ids": tokens(i, batch, 1 + i // 2), "attention_mask": mask(batch, length + 1 + i // 2)}
        row |= {name: past(i * 10 + j, batch, length) for j, name in enumerate(cache_names("past_key_values"))}
        sets.append(row)
    dynamic = {"input_ids": axes("batch", "length"), "attention_mask": axes("batch", "total")}
    dynamic |= {name: axes("batch", "", "past") for name in cache_names("past_key_values")}
    module = Tuple(reseed(transformers.GPT2LMHeadModel(gpt2_config())), call)
    return Spec(module, sets, ["logits", *cache_names("present")], dynamic)


def present(store) -> list:
    return [tensor for layer in store.layers for tensor in (layer.keys, layer.values)]


def vit(exporter: str) -> Spec:
    config = transformers.ViTConfig(
        hidden_size=32,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=64,
        image_size=48,
        patch_size=8,
    )
    module = Tuple(
        reseed(transformers.ViTForImageClassification(config)),
        lambda m, x: m(x, interpolate_pos_encoding=exporter == "script").logits,
    )
    sizes = ((1, 48, 48), (1, 48, 48), (2, 48, 48), (3, 48, 48))
    dynamic = axes("batch")
    if exporter == "script":
        sizes = ((1, 64, 48), (1, 64, 48), (2, 40, 72), (3, 48, 48))
        dynamic = axes("batch", "", "height", "width")
    sets = [{"pixel_values": image(i, n, 3, h, w)} for i, (n, h, w) in enumerate(sizes)]
    return Spec(module, sets, ["logits"], {"pixel_values": dynamic})


MELS = 10


def whisper_model():
    torch.manual_seed(5)
    config = transformers.WhisperConfig(
        vocab_size=VOCABULARY,
        num_mel_bins=MELS,
        encoder_layers=LAYERS,
        decoder_layers=LAYERS,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        d_model=HEADS * HEAD_SIZE,
        max_source_positions=20,
        max_target_positions=32,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    return reseed(transformers.WhisperForConditionalGeneration(config)).eval()


def whisper_encoder(exporter: str) -> Spec:
    module = Tuple(whisper_model(), lambda m, x: m.model.encoder(x).last_hidden_state)
    sets = [{"input_features": image(i, n, MELS, 40)} for i, n in enumerate((1, 1, 2, 3))]
    return Spec(module, sets, ["last_hidden_state"], {"input_features": axes("batch")})


KINDS = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")


def both_caches(store) -> list:
    return [
        t
        for a, b in zip(store.self_attention_cache.layers, store.cross_attention_cache.layers)
        for t in (a.keys, a.values, b.keys, b.values)
    ]


def whisper_decoder(exporter: str) -> Spec:
    """The first step: no keys and values yet, those of both attentions come out."""

    def call(module, ids, states):
        store = EncoderDecoderCache(DynamicCache(), DynamicCache())
        result = module.model.decoder(ids, encoder_hidden_states=states, past_key_values=store, use_cache=True)
        return module.proj_out(result.last_hidden_state), *both_caches(result.past_key_values)

    sets = [
        {"input_ids": tokens(i, batch, length), "encoder_hidden_states": image(i, batch, 20, HEADS * HEAD_SIZE)}
        for i, (batch, length) in enumerate(SIZES)
    ]
    dynamic = {"input_ids": axes("batch", "length"), "encoder_hidden_states": axes("batch")}
    return Spec(Tuple(whisper_model(), call), sets, ["logits", *cache_names("present", KINDS)], dynamic)


def whisper_step(exporter: str) -> Spec:
    """A later step: one token, the keys and values of both attentions go in, the decoder's come out longer."""

    def call(module, ids, *tensors):
        own = cache([t for i in range(0, len(tensors), 4) for t in tensors[i : i + 2]])
        cross = cache([t for i in range(0, len(tensors), 4) for t in tensors[i + 2 : i + 4]])
        store = EncoderDecoderCache(own, cross)
        for layer in range(LAYERS):
            store.is_updated[layer] = True
        unused = tensors[2].new_zeros(tensors[2].shape[0], tensors[2].shape[2], HEADS * HEAD_SIZE)
        result = module.model.decoder(ids, encoder_hidden_states=unused, past_key_values=store, use_cache=True)
        return module.proj_out(result.last_hidden_state), *present(result.past_key_values.self_attention_cache)

    sets = []
    for i, (batch, length) in enumerate(((1, 5), (1, 5), (2, 3), (3, 8))):
        row = {"input_ids": tokens(i, batch, 1)}
        for j, name in enumerate(cache_names("past_key_values", KINDS)):
            row[name] = past(i * 10 + j, batch, 20 if "encoder" in name else length)
        sets.append(row)
    dynamic = {"input_ids": axes("batch")}
    for name in cache_names("past_key_values", KINDS):
        dynamic[name] = axes("batch") if "encoder" in name else axes("batch", "", "past")
    outputs = ["logits", *cache_names("present", KINDS[:2])]
    return Spec(Tuple(whisper_model(), call), sets, outputs, dynamic)


def llama(exporter: str) -> Spec:
    """Heads that share keys, rotary positions, a gated feed-forward part."""
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=2,
        max_position_embeddings=64,
    )
    module = Tuple(
        reseed(transformers.LlamaForCausalLM(config)),
        lambda m, ids, mask: m(ids, attention_mask=mask, use_cache=False).logits,
    )
    sets = [{"input_ids": tokens(i, *size), "attention_mask": mask(*size)} for i, size in enumerate(SIZES)]
    return Spec(module, sets, ["logits"], {name: axes("batch", "length") for name in sets[0]})


def t5(exporter: str) -> Spec:
    """Learned biases of relative positions, attention to another length."""
    config = transformers.T5Config(
        vocab_size=VOCABULARY,
        d_model=32,
        d_kv=HEAD_SIZE,
        d_ff=48,
        num_layers=LAYERS,
        num_heads=HEADS,
        decoder_start_token_id=0,
    )

    def call(module, ids, mask, target):
        return module(input_ids=ids, attention_mask=mask, decoder_input_ids=target, use_cache=False).logits

    sets = [
        {
            "input_ids": tokens(i, batch, length),
            "attention_mask": mask(batch, length),
            "decoder_input_ids": tokens(i + 5, batch, length - 2),
        }
        for i, (batch, length) in enumerate(SIZES)
    ]
    dynamic = {name: axes("batch", "length") for name in ("input_ids", "attention_mask")}
    dynamic["decoder_input_ids"] = axes("batch", "target")
    return Spec(Tuple(reseed(transformers.T5ForConditionalGeneration(config)), call), sets, ["logits"], dynamic)


def segformer(exporter: str) -> Spec:
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 2, 2, 4],
        decoder_hidden_size=16,
        num_labels=4,
    )
    module = Tuple(reseed(transformers.SegformerForSemanticSegmentation(config)), lambda m, x: m(x).logits)
    return Spec(module.eval(), [{"x": image(i, 1, 3, 64, 96)} for i in (1, 2)], ["logits"])


def mobilevit(exporter: str) -> Spec:
    """Images folded into patches and back between convolutions."""
    config = transformers.MobileViTConfig(
        hidden_sizes=[16, 24, 32],
        neck_hidden_sizes=[8, 8, 8, 16, 16, 24, 32],
        num_attention_heads=HEADS,
        image_size=64,
    )
    module = Tuple(reseed(transformers.MobileViTForImageClassification(config)), lambda m, x: m(x).logits)
    return Spec(module.eval(), [{"x": image(i, 1, 3, 64, 64)} for i in (1, 2)], ["logits"])


MODELS = {
    "bert": bert,
    "gpt2": gpt2,
    "gpt2_past": gpt2_past,
    "llama": llama,
    "mobilevit": mobilevit,
    "segformer": segformer,
    "t5": t5,
    "vit": vit,
    "whisper_encoder": whisper_encoder,
    "whisper_decoder": whisper_decoder,
    "whisper_step": whisper_step,
}
