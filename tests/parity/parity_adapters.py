# SPDX-License-Identifier: Apache-2.0
"""LoRA adapters: those of Python's peft read by us, ours read by peft."""

import copy
import logging
import warnings

import peft
import torch
import transformers

import parity_decoders as decoders
import parity_models as models
import parity_reference as reference
from parity_reference import ADAMW, check_adamw, check_gradients, check_greedy
from parity_session import largest
from parity_written import CLOSE, TRAINING, Messages, load, one_picture, studies

TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

# name: (shape, LoraConfig's options): layers of both towers, lists, patterns
PEFT_CASES = {
    "language": ("plain", dict(r=4, lora_alpha=8, target_modules=TEXT_LAYERS)),
    "both-towers": ("tied-4.57", dict(r=3, lora_alpha=12, target_modules=["q_proj", "v_proj", "qkv", "attn.proj", "linear_fc1",
                                                                          "linear_fc2"])),
    "all-linear-rslora": ("gqa4-bf16-shards", dict(r=2, lora_alpha=6, use_rslora=True, target_modules="all-linear")),
    "pattern": ("deep-text-old-names", dict(r=5, lora_alpha=5, target_modules=r".*language_model.*\.(q_proj|down_proj)")),
}
# name: (shape, targets of unirg-sft, rank)
OUR_CASES = {
    "default-targets": ("plain", None, 4),
    "both-towers": ("tied-4.57", "q_proj,v_proj,qkv,attn.proj,linear_fc1,linear_fc2", 4),
    "all-linear": ("gqa4-bf16-shards", "all-linear", 2),
    "pattern": ("deep-vision-short-names", "model.language_model.layers.1.*,model.visual.merger.*", 4),
}


def our_name(name):
    """A tensor of a PeftModel under the name that `unirg-model forward` gives it."""
    return name.removeprefix("base_model.model.").replace(".default.", ".")


@torch.no_grad()
def randomise(model, salt):
    """The same adapter whatever ran before; peft starts with B = 0, which would hide everything."""
    for name, weight in sorted(model.named_parameters()):
        if "lora_" in name:
            z = models.stream(salt, name).standard_normal(tuple(weight.shape)).astype("float32")
            weight.copy_(torch.from_numpy((0.08 if "lora_B" in name else weight.shape[1] ** -0.5) * z))


def check_theirs(session, base, model, request, options, what=""):
    """peft's adapter on our side: logits, gradients, optimiser steps, greedy tokens, merge."""
    folder = session.work / "peft" / session.case.rpartition("/")[2]
    adapted = peft.get_peft_model(copy.deepcopy(model), peft.LoraConfig(task_type="CAUSAL_LM", **options)).eval()
    randomise(adapted, session.case)
    adapted.peft_config["default"].base_model_name_or_path = str(base)
    adapted.save_pretrained(folder)
    ours = session.forward(folder, request.ours | {"gradients": True, "adamw": ADAMW}, "--dtype", "float32")
    inner = adapted.base_model.model
    plain = reference.describe(model, request)["logits"]
    theirs = reference.describe(inner, request)
    session.record("the adapter moves the logits", (theirs["logits"] - plain).abs().max().item(), "over 0.01",
                   (theirs["logits"] - plain).abs().max().item() > 0.01)
    reference.check_description(session, ours, theirs)
    check_gradients(session, ours, {our_name("base_model.model." + n): v for n, v in
                                    reference.gradient_norms(inner, request).items()})
    losses, after = reference.adamw(inner, request, **ADAMW)
    check_adamw(session, ours, losses, {our_name(n): w for n, w in after.items()})
    check_greedy(session, ours, *reference.greedy(inner, request))
    check_merge(session, folder, adapted, request)


def held_exactly(adapted, dtype):
    """Whether the base's weights lose nothing in that type."""
    return all(torch.equal(w, w.to(dtype).float()) for n, w in adapted.named_parameters() if "lora_" not in n)


def check_merge(session, folder, adapted, request):
    """unirg-model merge against merge_and_unload."""
    merged_folder = session.work / "merged" / f"{folder.parent.name}-{folder.name}"
    session.run_tool("unirg-model", "merge", "--quiet", "-m", folder, "-o", merged_folder, "--dtype", "float32")
    merged = copy.deepcopy(adapted).merge_and_unload()
    sees = hasattr(merged.config, "vision_config")
    loader = transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM
    loaded, problems = load(merged_folder, loader, dtype=torch.float32)
    session.equal("merged tensors fit", problems, {})
    theirs = dict(merged.named_parameters())
    worst, name = largest({n: (w - theirs[n]).abs().max().item() for n, w in loaded.named_parameters()})
    session.record("merged tensors", worst, "2e-06", worst <= 2e-6, name if worst > 0 else "")
    half_folder = session.work / "merged" / f"{folder.parent.name}-{folder.name}-bfloat16"
    session.run_tool("unirg-model", "merge", "--quiet", "-m", folder, "-o", half_folder, "--dtype", "bfloat16")
    half, _ = load(half_folder, loader)
    if held_exactly(adapted, torch.bfloat16):
        session.equal("merged in bfloat16", [n for n, w in half.named_parameters() if not torch.equal(w, theirs[n].bfloat16())],
                      [], "float32 arithmetic, rounded once")
    ours = session.forward(merged_folder, request.ours, "--dtype", "float32")
    session.within("merged logits", ours["logits"], reference.describe(merged, request)["logits"], CLOSE)


def check_their_vision(session, name):
    shape, options = PEFT_CASES[name]
    base = session.work / "qwen3-vl" / shape
    model = models.make_qwen3_vl(base, shape)
    request = one_picture(session, models.SHAPES[shape])
    request.ours["greedy"] = reference.NEW_TOKENS
    check_theirs(session, base, model, request, options)


def check_their_text(session, decoder):
    base = session.work / "decoder" / decoder
    model = decoders.make_decoder(base, decoder)
    ids = models.stream(decoder, "peft").integers(3, decoders.TINY["vocab_size"], 60).tolist()
    check_theirs(session, base, model, reference.text_request(ids, 30), dict(r=4, lora_alpha=16, target_modules=TEXT_LAYERS))


def check_ours(session, name):
    """An adapter that unirg-sft trained, taken by peft without a word about keys."""
    shape, targets, rank = OUR_CASES[name]
    base = session.work / "qwen3-vl" / shape
    model = models.make_qwen3_vl(base, shape)
    request = one_picture(session, models.SHAPES[shape])
    out = session.work / "lora" / name
    arguments = ["--lora-targets", targets] if targets else []
    session.run_tool("unirg-sft", "--quiet", "--studies", studies(session), "-m", base, "-o", out, "--lora-rank", rank, *TRAINING,
                     *arguments)
    messages = Messages()
    loggers = [logging.getLogger(name) for name in ("peft", "transformers", "root")]
    for logger in loggers:
        logger.addHandler(messages)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adapted = peft.PeftModel.from_pretrained(copy.deepcopy(model), out / "best").eval()
    for logger in loggers:
        logger.removeHandler(messages)
    said = [text for text in messages.texts + [str(w.message) for w in caught] if "deprecated" not in text]
    session.equal("warnings of PeftModel.from_pretrained", [text[:200] for text in said], [])
    theirs = reference.describe(adapted.base_model.model, request)
    ours = session.forward(out / "best", request.ours, "--dtype", "float32")
    session.within("logits", ours["logits"], theirs["logits"], CLOSE)
    moved = (theirs["logits"] - reference.describe(model, request)["logits"]).abs().max().item()
    session.record("training moved the logits", moved, "over 0.001", moved > 1e-3)
    file = peft.utils.load_peft_weights(str(out / "best"), device="cpu")
    held = peft.get_peft_model_state_dict(adapted)
    session.equal("every tensor taken", sorted(file), sorted(held))
    session.equal("values", [n for n in file if n in held and not torch.equal(file[n].float(), held[n].float())], [])
    check_merge(session, out / "best", adapted, request)


def run(session):
    for name in PEFT_CASES:
        session.run_case(f"peft/theirs-{name}", lambda s, name=name: check_their_vision(s, name))
    for name in ("llama-biases", "qwen3"):
        session.run_case(f"peft/theirs-{name}", lambda s, name=name: check_their_text(s, name))
    for name in OUR_CASES:
        session.run_case(f"peft/ours-{name}", lambda s, name=name: check_ours(s, name))
