#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the encoder goldens of tests/parity/golden from ../shared/golden: copies small enough for the repository.

    tests/parity/copy_encoder_goldens.py ../shared/golden

Weights are copied as they are; of golden.safetensors only the tensors below stay. dygie_tiny holds what needs
a tokenizer: the pieces of the words of each report in metrics/dygie_tiny.json. Needs safetensors, tokenizers
and torch.
"""

import json
import pathlib
import shutil
import sys

from safetensors.torch import load_file, save_file
from tokenizers import BertWordPieceTokenizer

# The last hidden state depends on all others, which are compared where the originals are.
KEPT = {
    "deberta_v2_conv_tiny": ["input_ids", "attention_mask", "hidden3", "token_logits"],
    "mpnet_tiny": ["input_ids", "attention_mask", "hidden3", "pool.cls", "pool.mean", "pool.mean_normalized"],
}


def copy_encoder(source, target, kept):
    target.mkdir(exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(source / name, target / name)
    tensors = load_file(source / "golden.safetensors")
    save_file({name: tensors[name] for name in kept}, target / "golden.safetensors", {"format": "pt"})
    for file in target.iterdir():
        file.chmod(0o644)


def write_word_pieces(source, target):
    target.mkdir(exist_ok=True)
    golden = json.loads((source / "dygie_tiny.json").read_text())
    tokenizer = BertWordPieceTokenizer(str(source / "tiny_dygie" / "vocab.txt"), lowercase=True)
    reports = [[tokenizer.encode(word, add_special_tokens=False).ids for word in report["text"].split(" ")]
               for report in golden["annotations"].values()]
    text = json.dumps({"first": tokenizer.token_to_id("[CLS]"), "last": tokenizer.token_to_id("[SEP]"),
                       "reports": reports}, separators=(",", ":"))
    (target / "word_pieces.json").write_text(text.replace("]],", "]],\n") + "\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).resolve().parent / "golden"
    for name, kept in KEPT.items():
        copy_encoder(source / name, target / name, kept)
    write_word_pieces(source / "metrics", target / "dygie_tiny")


if __name__ == "__main__":
    main()
