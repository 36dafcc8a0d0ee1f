# SPDX-License-Identifier: Apache-2.0
"""Random checkpoints in the layouts that published ones have: shapes, weights, files, pictures."""

import copy
import json
import shutil
import zlib
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer

from parity_session import ROOT

SEED = 20260117
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
CHAT_TEMPLATE = ("{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor %}"
                 "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}")


def stream(*names):
    return np.random.Generator(np.random.PCG64([SEED, *(zlib.crc32(n.encode()) for n in names)]))


@torch.no_grad()
def fill_parameters(model, salt, scale=1.6):
    """Weights that all matter: unit variance through each layer, gains and biases off their defaults."""
    for name, weight in sorted(model.named_parameters()):
        z = stream(salt, name).standard_normal(tuple(weight.shape))
        is_table = "embed" in name and "patch_embed" not in name
        if weight.dim() >= 2:
            z = 0.5 * z if is_table else z * scale / np.sqrt(np.prod(weight.shape[1:]))
        elif name.endswith("bias"):
            z = 0.1 * z
        else:
            z = 1.0 + 0.1 * z
        weight.copy_(torch.from_numpy(z.astype(np.float32)))


@torch.no_grad()
def round_parameters(model, dtype):
    for weight in model.parameters():
        weight.copy_(weight.to(dtype))


@torch.no_grad()
def cast_parameters(model, dtype):
    """A copy whose weights have that type; the rotary frequencies stay float32, as from_pretrained leaves them."""
    other = copy.deepcopy(model)
    for module in other.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                module._parameters[name] = torch.nn.Parameter(weight.to(dtype))
    other.tie_weights()
    return other.eval()


# ---------------------------------------------------------------- Qwen3-VL shapes


@dataclass
class Shape:
    """One Qwen3-VL checkpoint; what is not said is the same in all."""
    layers: int = 3
    hidden: int = 64
    heads: tuple = (4, 2)  # query, key/value
    head_dim: int = 16
    mrope: tuple = (4, 2, 2)
    theta: float = 5e6
    tied: bool = False
    attention_bias: bool = False
    depth: int = 3
    vision_hidden: int = 48
    vision_heads: int = 4
    deepstack: tuple = (0, 2)
    table: int = 64  # position embeddings of the vision tower
    patch: int = 16
    dtype: str = "float32"
    shard: str = "5GB"
    config: str = "5.x"  # or 4.57
    names: str = "new"  # "short": without the leading model.; "old": text part as model.layers
    processor: str = "size"  # "pixels": min_pixels, max_pixels; "nested": processor_config.json
    mean: tuple = (0.5, 0.5, 0.5)
    std: tuple = (0.5, 0.5, 0.5)
    pixels: tuple = field(default=(2048, 12288))


SHAPES = {
    "plain": Shape(heads=(4, 4)),
    "tied-4.57": Shape(layers=4, head_dim=32, mrope=(6, 5, 5), tied=True, depth=4, deepstack=(0, 1, 2), config="4.57"),
    "gqa4-bf16-shards": Shape(heads=(8, 2), head_dim=24, mrope=(4, 4, 4), depth=5, deepstack=(0, 1, 4), dtype="bfloat16",
                              shard="120KB", config="4.57", processor="pixels"),
    "deep-text-old-names": Shape(layers=7, hidden=32, heads=(2, 1), head_dim=64, mrope=(12, 10, 10), theta=5e5, depth=2,
                                 vision_hidden=32, vision_heads=2, deepstack=(1,), names="old", config="4.57"),
    "deep-vision-short-names": Shape(layers=2, heads=(6, 3), head_dim=12, mrope=(2, 2, 2), depth=8, deepstack=(2, 6),
                                     table=49, tied=True, names="short", processor="nested", shard="200KB"),
    "mqa-no-deepstack": Shape(heads=(4, 1), depth=1, deepstack=(), vision_heads=2, table=16, processor="nested",
                              mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)),
    "bf16-tied-shards": Shape(layers=2, hidden=48, heads=(4, 2), head_dim=32, mrope=(8, 4, 4), tied=True, depth=3,
                              deepstack=(1, 2), dtype="bfloat16", shard="60KB"),
    "f16-biased-patch-14": Shape(heads=(4, 2), head_dim=40, mrope=(10, 5, 5), attention_bias=True, patch=14, depth=3,
                                 vision_hidden=64, deepstack=(2,), dtype="float16", pixels=(1568, 9408)),
    "deepstack-out-of-order": Shape(layers=4, depth=5, deepstack=(4, 0, 2), heads=(4, 4), head_dim=32, mrope=(6, 5, 5)),
    "more-deepstack-than-layers": Shape(layers=1, depth=4, deepstack=(0, 1, 3), tied=True),
}


def tokenizer_folder():
    shared = ROOT / "../shared/golden/qwen3_vl_tiny"
    return shared if shared.exists() else ROOT / "tests/parity/golden/qwen3_vl_tiny_tied"


def load_tokenizer():
    return Tokenizer.from_file(str(tokenizer_folder() / "tokenizer.json"))


def qwen3_vl_config(shape):
    from transformers.models.qwen3_vl import Qwen3VLConfig
    tok = load_tokenizer()
    token = {name: tok.token_to_id(f"<|{name}|>") for name in
             ("endoftext", "im_end", "image_pad", "video_pad", "vision_start", "vision_end")}
    rope = dict(rope_type="default", rope_theta=shape.theta, mrope_section=list(shape.mrope), mrope_interleaved=True)
    return Qwen3VLConfig(
        text_config=dict(
            vocab_size=tok.get_vocab_size(with_added_tokens=True) + 6,  # rows beyond the tokenizer, as in the real ones
            hidden_size=shape.hidden, intermediate_size=shape.hidden + 32, num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads[0], num_key_value_heads=shape.heads[1], head_dim=shape.head_dim,
            max_position_embeddings=4096, rms_norm_eps=1e-6, attention_bias=shape.attention_bias,
            tie_word_embeddings=shape.tied, bos_token_id=token["endoftext"], eos_token_id=token["im_end"],
            rope_parameters=rope),
        vision_config=dict(
            depth=shape.depth, hidden_size=shape.vision_hidden, intermediate_size=shape.vision_hidden + 32,
            num_heads=shape.vision_heads, patch_size=shape.patch, out_hidden_size=shape.hidden,
            num_position_embeddings=shape.table, deepstack_visual_indexes=list(shape.deepstack)),
        image_token_id=token["image_pad"], video_token_id=token["video_pad"],
        vision_start_token_id=token["vision_start"], vision_end_token_id=token["vision_end"],
        tie_word_embeddings=shape.tied)


def legacy_config(config, dtype):
    """config.json as the checkpoints published with transformers 4.57 have it."""
    whole = config.to_dict()
    text, vision = dict(whole["text_config"]), dict(whole["vision_config"])
    rope = text.pop("rope_parameters")
    vision.pop("rope_parameters", None)
    text.update(model_type="qwen3_vl_text", dtype=dtype, rope_theta=rope["rope_theta"],
                rope_scaling={k: rope[k] for k in ("mrope_interleaved", "mrope_section", "rope_type")})
    vision["model_type"] = "qwen3_vl"
    tokens = {k: whole[k] for k in ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")}
    return {"architectures": ["Qwen3VLForConditionalGeneration"], "model_type": "qwen3_vl",
            "tie_word_embeddings": config.tie_word_embeddings, "text_config": text, "vision_config": vision,
            "transformers_version": "4.57.0.dev0", **tokens}


def processor_json(shape):
    values = {"patch_size": shape.patch, "temporal_patch_size": 2, "merge_size": 2, "image_mean": shape.mean,
              "image_std": shape.std, "image_processor_type": "Qwen2VLImageProcessorFast"}
    if shape.processor == "pixels":
        return values | {"min_pixels": shape.pixels[0], "max_pixels": shape.pixels[1]}
    return values | {"size": {"shortest_edge": shape.pixels[0], "longest_edge": shape.pixels[1]}}


def rename_tensors(folder, rename):
    """Rewrites a checkpoint's files with other tensor names, as old exports have them."""
    index = folder / "model.safetensors.index.json"
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as opened:
            tensors = {rename(name): opened.get_tensor(name) for name in opened.keys()}
        save_file(tensors, file, {"format": "pt"})
    if index.exists():
        content = json.loads(index.read_text())
        content["weight_map"] = {rename(name): file for name, file in content["weight_map"].items()}
        index.write_text(json.dumps(content))


def short_name(name):
    return name.removeprefix("model.")


def old_name(name):
    return short_name(name).replace("language_model.", "model.", 1)


def write_side_files(folder, shape):
    """Tokenizer, chat template, image processor and end tokens."""
    shutil.copyfile(tokenizer_folder() / "tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None,
        "add_prefix_space": False, "clean_up_tokenization_spaces": False, "model_max_length": 4096}))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    tok = load_tokenizer()
    ends = [tok.token_to_id("<|im_end|>"), tok.token_to_id("<|endoftext|>")]
    (folder / "generation_config.json").write_text(json.dumps({"do_sample": False, "eos_token_id": ends, "pad_token_id": ends[1]}))
    if shape.processor == "nested":
        (folder / "processor_config.json").write_text(json.dumps({"image_processor": processor_json(shape)}))
    else:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor_json(shape)))


def no_end_tokens(model):
    """generate() then goes on to the last of max_new_tokens, whatever is drawn."""
    from transformers import GenerationConfig
    model.generation_config = GenerationConfig(do_sample=False, pad_token_id=0)
    return model


def make_qwen3_vl(folder, name):
    """Writes a shape's checkpoint. Returns the model in float32, its weights rounded as they are stored."""
    from transformers.models.qwen3_vl import Qwen3VLForConditionalGeneration
    shape = SHAPES[name]
    config = qwen3_vl_config(shape)
    model = no_end_tokens(Qwen3VLForConditionalGeneration(config).eval())
    fill_parameters(model, name)
    dtype = DTYPES[shape.dtype]
    round_parameters(model, dtype)
    stored = model if dtype == torch.float32 else cast_parameters(model, dtype)
    stored.config.dtype = dtype
    stored.save_pretrained(folder, max_shard_size=shape.shard)
    if shape.config == "4.57":
        (folder / "config.json").write_text(json.dumps(legacy_config(config, shape.dtype), indent=1))
    if shape.names != "new":
        rename_tensors(folder, short_name if shape.names == "short" else old_name)
    write_side_files(folder, shape)
    return model


# ---------------------------------------------------------------- pictures


def picture(width, height, name, mode="RGB"):
    """Ramps, a disc, bars and noise: smooth and sharp places both."""
    y, x = np.mgrid[0:height, 0:width]
    waves = 127.5 + 127.5 * np.sin(x * 0.35) * np.cos(y * 0.21)
    array = np.stack([255.0 * x / (width - 1), 255.0 * y / (height - 1), waves], -1)
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2
    array[disc] = 255.0 - array[disc]
    array[(x // 5 + y // 7) % 6 == 0] = 0.0
    array = np.clip(array + stream(name).normal(0, 12, array.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(array if mode == "RGB" else array[..., 0])


def make_pictures(folder):
    """Three PNG files of different sizes, one grey."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for width, height, mode in ((100, 70, "RGB"), (61, 150, "L"), (200, 190, "RGB")):
        files.append(folder / f"{width}x{height}.png")
        picture(width, height, files[-1].name, mode).save(files[-1])
    return files
