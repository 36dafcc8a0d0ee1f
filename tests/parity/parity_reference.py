# SPDX-License-Identifier: Apache-2.0
"""What transformers says about a request, under the names that `unirg-model forward` writes."""

import copy
from dataclasses import dataclass

import torch
from PIL import Image

from parity_session import largest

IGNORED = -100
NEW_TOKENS = 32
# epsilon is large beside the rounding of gradients that are zero or nearly so, which the optimiser would otherwise blow
# up to whole steps in a direction that is chance.
ADAMW = {"steps": 3, "learning_rate": 1e-3, "beta1": 0.85, "beta2": 0.95, "epsilon": 1e-3, "weight_decay": 0.1}


@dataclass
class Request:
    ours: dict  # the JSON request
    ids: torch.Tensor  # [1, T], placeholders expanded
    labels: torch.Tensor
    pixel_values: torch.Tensor = None
    grid: torch.Tensor = None
    image_token: int = -1

    def inputs(self):
        """Arguments of the model's forward pass but for the labels."""
        given = {"input_ids": self.ids, "attention_mask": torch.ones_like(self.ids)}
        if self.image_token >= 0:
            given["mm_token_type_ids"] = (self.ids == self.image_token).to(torch.int32)
        if self.grid is not None:
            given |= {"pixel_values": self.pixel_values, "image_grid_thw": self.grid}
        return given


def image_processor(shape):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    return Qwen2VLImageProcessorPil(
        size={"shortest_edge": shape.pixels[0], "longest_edge": shape.pixels[1]}, patch_size=shape.patch,
        temporal_patch_size=2, merge_size=2, image_mean=list(shape.mean), image_std=list(shape.std))


def vision_request(tok, shape, files, text, reply, chat):
    """A prompt with pictures and its reply. In a chat the pictures come first; else `text` says where, by {}."""
    mark = "<|vision_start|><|image_pad|><|vision_end|>"
    ours = {"text": text if chat else text.format(*[mark] * len(files)), "reply": reply, "chat": chat,
            "images": [str(f) for f in files], "greedy": NEW_TOKENS}
    content = mark * len(files) + text if chat else ours["text"]
    prompt = f"<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n" if chat else content
    answer = reply + "<|im_end|>" if chat else reply
    pixels = image_processor(shape)(images=[Image.open(f) for f in files], return_tensors="pt") if files else {}
    counts = iter((pixels["image_grid_thw"].prod(-1) // 4).tolist() if files else [])
    image = tok.token_to_id("<|image_pad|>")

    def encode(part):
        ids = []
        for token in tok.encode(part, add_special_tokens=False).ids:
            ids += [token] * (next(counts) if token == image else 1)
        return ids

    prompt_ids, reply_ids = encode(prompt), encode(answer)
    ids = torch.tensor([prompt_ids + reply_ids])
    labels = ids.clone()
    labels[:, :len(prompt_ids)] = IGNORED
    return Request(ours, ids, labels, pixels["pixel_values"].float() if files else None,
                   pixels["image_grid_thw"] if files else None, image)


def text_request(ids, n_prompt):
    ids = torch.tensor([ids])
    labels = ids.clone()
    labels[:, :n_prompt] = IGNORED
    return Request({"input_ids": ids[0].tolist(), "labels": labels[0].tolist(), "greedy": NEW_TOKENS}, ids, labels)


@torch.no_grad()
def describe(model, request):
    """Positions, logits, loss, and the scores of every next token."""
    out = {"input_ids": request.ids[0]}
    if request.image_token >= 0:
        types = request.inputs()["mm_token_type_ids"]
        out["position_ids"] = model.model.get_rope_index(request.ids, types, request.grid)[0][:, 0]
        model.model.rope_deltas = None
    else:
        out["position_ids"] = torch.arange(request.ids.shape[1]).expand(3, -1)
    answer = model(**request.inputs(), labels=request.labels, use_cache=False)
    logits = answer.logits[0].float()
    logp = torch.log_softmax(logits[:-1], -1)
    out |= {"logits": logits, "loss": answer.loss.float().reshape(1), "entropy": -(logp.exp() * logp).sum(-1),
            "next_token_logprobs": logp.gather(-1, request.ids[0, 1:, None]).squeeze(-1)}
    return out


@torch.no_grad()
def greedy(model, request):
    """Tokens after the request, and by how much the first choice led the second at each."""
    answer = model.generate(**request.inputs(), max_new_tokens=NEW_TOKENS, do_sample=False, output_logits=True,
                            return_dict_in_generate=True)
    if hasattr(model, "model") and hasattr(model.model, "rope_deltas"):
        model.model.rope_deltas = None
    top = torch.stack(answer.logits, 1)[0].float().topk(2, -1).values
    return answer.sequences[0, request.ids.shape[1]:], top[:, 0] - top[:, 1]


def loss_of(model, request):
    return model(**request.inputs(), labels=request.labels, use_cache=False).loss


def trained(model):
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]


def gradient_norms(model, request):
    model.zero_grad()
    loss_of(model, request).backward()
    norms = {name: 0.0 if weight.grad is None else weight.grad.double().norm().item() for name, weight in trained(model)}
    model.zero_grad()
    return norms


def adamw(model, request, steps, learning_rate, beta1, beta2, epsilon, weight_decay):
    """Losses before each step, and the tensors after the last."""
    model = copy.deepcopy(model)
    decayed = [w for _, w in trained(model) if w.dim() >= 2]
    plain = [w for _, w in trained(model) if w.dim() < 2]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=(beta1, beta2), eps=epsilon)
    losses = []
    for _ in range(steps):
        loss = loss_of(model, request)
        losses.append(loss.item())
        loss.backward()
        for _, weight in trained(model):  # our optimiser decays tensors that the loss does not reach, too
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        optimizer.step()
        optimizer.zero_grad()
    return torch.tensor(losses), {name: weight.detach().clone() for name, weight in trained(model)}


# ---------------------------------------------------------------- comparison

LOGITS = (2e-4, 1e-5)


def check_description(session, ours, theirs, what=""):
    session.equal(f"{what}token ids", ours["input_ids"], theirs["input_ids"])
    session.equal(f"{what}position ids", ours["position_ids"], theirs["position_ids"])
    session.within(f"{what}logits", ours["logits"], theirs["logits"], *LOGITS)
    session.within(f"{what}loss", ours["loss"], theirs["loss"], 1e-5, 1e-5)
    session.within(f"{what}next-token log-probabilities", ours["next_token_logprobs"], theirs["next_token_logprobs"], 1e-4)
    session.within(f"{what}entropy", ours["entropy"], theirs["entropy"], 1e-4)


def check_greedy(session, ours, theirs, margins, what="", logits=LOGITS[0]):
    """Exact; but where the reference's own first two choices are as close as logits may differ, either is right."""
    differing = (ours["greedy"] != theirs).nonzero().flatten().tolist() if ours["greedy"].shape == theirs.shape else [0]
    note = f"smallest margin {margins.min().item():.1e}"
    tie = bool(differing) and margins[differing[0]].item() <= 2 * logits
    if tie:
        note = f"a tie at token {differing[0]}: margin {margins[differing[0]].item():.1e}"
    session.record(f"{what}{NEW_TOKENS} greedy tokens", len(differing), "exact", not differing or tie, note)


def check_gradients(session, ours, theirs, what=""):
    prefix = "gradient_norm."
    mine = {name.removeprefix(prefix): value.item() for name, value in ours.items() if name.startswith(prefix)}
    session.equal(f"{what}names of gradients", sorted(mine), sorted(theirs))
    floor = 1e-6 * sum(v * v for v in theirs.values()) ** 0.5
    off = {name: abs(mine[name] - value) / max(value, floor) for name, value in theirs.items() if name in mine}
    worst, name = largest(off)
    session.record(f"{what}gradient norms", worst, "0.001 relative", worst <= 1e-3, f"{len(off)}, worst {name}")


def check_adamw(session, ours, losses, after, what=""):
    session.within(f"{what}AdamW losses", ours["adamw.losses"], losses, 1e-5, 1e-5)
    worst, name = largest({n: (ours["after." + n] - tensor).abs().max().item() for n, tensor in after.items()})
    session.record(f"{what}tensors after AdamW", worst, "1e-05", worst <= 1e-5, name)
