# SPDX-License-Identifier: Apache-2.0
"""Text-only decoders of the Llama family through the same door."""

import json

import transformers

import parity_models as models
import parity_reference as reference
from parity_qwen3_vl import check_half_compute, check_request

TINY = dict(vocab_size=211, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=4, max_position_embeddings=512, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=2.5)

# name: (family, configuration, type stored, layout of the rope keys in config.json)
CASES = {
    "llama": ("Llama", {}, "float32", "5.x"),
    "llama-gqa-theta": ("Llama", dict(num_key_value_heads=1, rope_parameters=dict(rope_type="default", rope_theta=5e5),
                                      rms_norm_eps=1e-5), "float32", "4.57"),
    "llama-biases": ("Llama", dict(attention_bias=True, mlp_bias=True, num_key_value_heads=2), "float32", "5.x"),
    "llama3-rope-5.x": ("Llama", dict(rope_parameters=LLAMA3, head_dim=32), "float32", "5.x"),
    "llama3-rope-4.57-tied": ("Llama", dict(rope_parameters=LLAMA3, head_dim=32, tie_word_embeddings=True), "float32",
                              "4.57"),
    "llama-linear-rope": ("Llama", dict(rope_parameters=LINEAR), "float32", "5.x"),
    "llama-linear-rope-4.57": ("Llama", dict(rope_parameters=LINEAR), "float32", "4.57"),
    "llama-bf16-tied": ("Llama", dict(num_key_value_heads=2, tie_word_embeddings=True), "bfloat16", "4.57"),
    "qwen2": ("Qwen2", dict(num_key_value_heads=2), "float32", "5.x"),
    "qwen2-tied-4.57": ("Qwen2", dict(tie_word_embeddings=True, num_hidden_layers=2), "bfloat16", "4.57"),
    "qwen3": ("Qwen3", dict(num_key_value_heads=2, head_dim=24), "float32", "5.x"),
    "qwen3-biased-4.57": ("Qwen3", dict(head_dim=16, attention_bias=True, tie_word_embeddings=True), "float32", "4.57"),
    "mistral": ("Mistral", dict(num_key_value_heads=2, sliding_window=None), "float32", "5.x"),
    "mistral-head-dim-4.57": ("Mistral", dict(num_key_value_heads=1, head_dim=20, sliding_window=None), "float32", "4.57"),
}


def legacy_json(folder):
    """Rope keys as transformers 4.57 wrote them."""
    file = folder / "config.json"
    config = json.loads(file.read_text())
    rope = config.pop("rope_parameters", None) or {}
    config["rope_theta"] = rope.pop("rope_theta", 10000.0)
    config["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    config["torch_dtype"] = config.pop("dtype", "float32")
    file.write_text(json.dumps(config, indent=1))


def make_decoder(folder, name):
    family, options, dtype, layout = CASES[name]
    config = getattr(transformers, family + "Config")(**(TINY | options))
    model = models.no_end_tokens(getattr(transformers, family + "ForCausalLM")(config).eval())
    models.fill_parameters(model, name)
    models.round_parameters(model, models.DTYPES[dtype])
    stored = model if dtype == "float32" else models.cast_parameters(model, models.DTYPES[dtype])
    stored.config.dtype = models.DTYPES[dtype]
    stored.save_pretrained(folder, max_shard_size="5GB" if dtype == "float32" else "40KB")
    if layout == "4.57":
        legacy_json(folder)
    return model


def check_decoder(session, name):
    folder = session.work / "decoder" / name
    model = make_decoder(folder, name)
    ids = models.stream(name, "ids").integers(3, TINY["vocab_size"], 150).tolist()
    request = reference.text_request(ids, 90)
    check_request(session, folder, model, request, "")
    dtype = CASES[name][2]
    if dtype == "bfloat16":
        check_half_compute(session, folder, model, request, dtype, "")


def run(session):
    for name in CASES:
        session.run_case(f"decoder/{name}", lambda s, name=name: check_decoder(s, name))
