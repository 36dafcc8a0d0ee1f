#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our encoders with transformers on random checkpoints of several shapes.

    tests/parity/check_encoders.py [--command COMMAND] [--only NAME] [--keep FOLDER]

COMMAND runs our forward pass; {model}, {request} and {output} stand for the checkpoint folder, a JSON file
{"input_ids": ..., "token_type_ids": ...} and the safetensors file to write. Every hidden state, the pooler's
output and the token logits must agree within 1e-5 (absolute, at tokens), relative to the largest value where
that is above 1. Needs torch, transformers and safetensors; exits 1 if a shape disagrees.
"""

import argparse
import json
import math
import pathlib
import shlex
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file

TOLERANCE = 1e-5
COMMAND = "build/release/bin/unirg-model forward --model {model} --output {output} {request}"

TINY = dict(vocab_size=97, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
            max_position_embeddings=66)
SMALL = dict(vocab_size=300, hidden_size=64, num_hidden_layers=4, num_attention_heads=4, intermediate_size=160,
             max_position_embeddings=140)
WIDE = dict(vocab_size=1000, hidden_size=384, num_hidden_layers=3, num_attention_heads=12, intermediate_size=1536,
            max_position_embeddings=514)
V3 = dict(relative_attention=True, position_buckets=16, max_relative_positions=-1, norm_rel_ebd="layer_norm",
          share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False, type_vocab_size=0)

# name: (class, configuration, lengths of the batch)
CASES = {
    "bert-tiny": ("BertModel", dict(TINY), [9, 20, 1]),
    "bert-masked-lm": ("BertForMaskedLM", dict(SMALL, hidden_act="gelu_new", type_vocab_size=3), [40, 7]),
    "bert-wide": ("BertModel", dict(WIDE, hidden_act="relu", layer_norm_eps=1e-5), [514, 100]),
    "bert-tokens": ("BertForTokenClassification", dict(SMALL, num_labels=5), [31, 64, 8]),
    "roberta-tiny": ("RobertaModel", dict(TINY, type_vocab_size=1, layer_norm_eps=1e-5), [9, 20, 2]),
    "roberta-masked-lm": ("RobertaForMaskedLM", dict(SMALL, pad_token_id=3, hidden_act="silu"), [40, 136]),
    "roberta-wide": ("RobertaModel", dict(WIDE, type_vocab_size=1), [512, 77]),
    "roberta-tokens": ("XLMRobertaForTokenClassification", dict(SMALL, num_labels=3), [12, 50]),
    "mpnet-tiny": ("MPNetModel", dict(TINY, layer_norm_eps=1e-5), [9, 20, 2]),
    "mpnet-masked-lm": ("MPNetForMaskedLM", dict(SMALL, hidden_act="gelu_pytorch_tanh"), [40, 138]),
    "mpnet-wide": ("MPNetModel", dict(WIDE), [512, 300]),
    "mpnet-tokens": ("MPNetForTokenClassification", dict(SMALL, num_labels=4), [12, 50]),
    "deberta-tiny": ("DebertaV2Model", dict(TINY, **V3), [9, 60, 1]),
    "deberta-own-keys": ("DebertaV2ForMaskedLM", dict(SMALL, **{**V3, "share_att_key": False, "type_vocab_size": 2,
                                                                "position_biased_input": True}), [40, 130]),
    "deberta-wide": ("DebertaV2Model", dict(WIDE, **{**V3, "position_buckets": 256, "max_position_embeddings": 512}),
                     [600, 512, 90]),
    "deberta-tokens": ("DebertaV2ForTokenClassification", dict(SMALL, num_labels=11, **V3), [31, 64]),
    "deberta-classifier": ("DebertaV2ForSequenceClassification", dict(SMALL, **V3), [31, 64]),
    "deberta-one-term": ("DebertaV2Model", dict(TINY, **{**V3, "pos_att_type": ["c2p"], "share_att_key": False,
                                                         "position_buckets": -1, "max_relative_positions": 12,
                                                         "norm_rel_ebd": "none"}), [9, 40]),
    "deberta-other-term": ("DebertaV2Model", dict(TINY, **{**V3, "pos_att_type": ["p2c"], "share_att_key": False}),
                           [9, 40]),
    "deberta-absolute": ("DebertaV2Model", dict(TINY, relative_attention=False, position_biased_input=True,
                                                pos_att_type=["c2p"]), [9, 40]),
    "deberta-projected": ("DebertaV2Model", dict(TINY, embedding_size=16, **V3), [9, 40]),
    "deberta-conv-tiny": ("DebertaV2Model", dict(TINY, conv_kernel_size=3, **V3), [9, 40, 1]),
    "deberta-conv-groups": ("DebertaV2ForTokenClassification",
                            dict(SMALL, num_labels=7, conv_kernel_size=5, conv_groups=4, conv_act="gelu", **V3),
                            [60, 33]),
    "deberta-conv-wide": ("DebertaV2Model", dict(WIDE, conv_kernel_size=3, conv_act="relu",
                                                 **{**V3, "share_att_key": False}), [512, 40]),
}


@torch.no_grad()
def random_model(class_name, options, generator):
    """A model whose every weight matters: unit variance through each layer, norms and biases off their defaults."""
    model_class = getattr(transformers, class_name)
    model = model_class(model_class.config_class(**options)).eval()
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if weight.dim() == 1:
            centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            weight.copy_(centre + 0.2 * noise)
        else:
            is_table = "embeddings" in name or "relative_attention_bias" in name
            weight.copy_(noise if is_table else 1.2 * noise / weight[0].numel() ** 0.5)
    return model


def random_request(model, lengths, generator):
    config = model.config
    low = config.pad_token_id + 1
    ids = [torch.randint(low, config.vocab_size, (n,), generator=generator).tolist() for n in lengths]
    request = {"input_ids": ids}
    n_types = getattr(config, "type_vocab_size", 0)
    if n_types > 1:
        request["token_type_ids"] = [torch.randint(0, n_types, (n,), generator=generator).tolist() for n in lengths]
    return request


def padded(rows, value):
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


@torch.no_grad()
def their_outputs(model, request):
    """Outputs by our names, and the mask of tokens [B, T]."""
    ids = request["input_ids"]
    mask = padded([[1] * len(row) for row in ids], 0)
    inputs = dict(input_ids=padded(ids, model.config.pad_token_id), attention_mask=mask)
    if "token_type_ids" in request:
        inputs["token_type_ids"] = padded(request["token_type_ids"], 0)
    base = model.base_model(**inputs, output_hidden_states=True)
    outputs = {f"hidden.{i}": h for i, h in enumerate(base.hidden_states)}
    if getattr(base, "pooler_output", None) is not None:
        outputs["pooler"] = base.pooler_output
    if type(model).__name__.endswith("ForTokenClassification"):
        outputs["token_logits"] = model(**inputs).logits
    return outputs, mask


def compare(ours, theirs, mask):
    """Largest difference over the largest value (at least 1), or why the outputs cannot be compared."""
    if set(ours) != set(theirs):
        return f"outputs {sorted(ours)} instead of {sorted(theirs)}"
    worst = 0.0
    for name, expected in theirs.items():
        if ours[name].shape != expected.shape:
            return f"{name} is {list(ours[name].shape)} instead of {list(expected.shape)}"
        at = mask.bool() if expected.dim() == 3 else slice(None)
        difference = (ours[name][at] - expected[at]).abs().max().item()
        if not math.isfinite(difference):
            return f"{name} holds values that are not finite"
        worst = max(worst, difference / max(1.0, expected[at].abs().max().item()))
    return worst


def check(name, command, folder):
    class_name, options, lengths = CASES[name]
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    model = random_model(class_name, options, generator)
    request = random_request(model, lengths, generator)
    model.save_pretrained(folder)
    (folder / "request.json").write_text(json.dumps(request))
    places = {"model": folder, "request": folder / "request.json", "output": folder / "ours.safetensors"}
    run = subprocess.run([part.format(**places) for part in shlex.split(command)], capture_output=True, text=True)
    if run.returncode != 0:
        return run.stderr.strip() or f"exit status {run.returncode}"
    theirs, mask = their_outputs(model, request)
    return compare(load_file(places["output"]), theirs, mask)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default=COMMAND, help="how to run our forward pass (default: %(default)s)")
    parser.add_argument("--only", default="", help="run only the shapes whose name contains this")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the checkpoints in this folder")
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    failed = 0
    names = [name for name in CASES if options.only in name]
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (options.keep or pathlib.Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            result = check(name, options.command, folder)
        good = isinstance(result, float) and result <= TOLERANCE
        failed += not good
        detail = f"worst difference {result:.1e}" if isinstance(result, float) else result
        print(f"{'ok' if good else 'FAILED':8}{name:22}{detail}", flush=True)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}: {len(names) - failed} of {len(names)} "
          "shapes agree")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
