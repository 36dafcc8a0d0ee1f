#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies a Qwen3-VL golden of make_golden.py into tests/parity/golden, without what the tests can do without.

usage: copy_golden.py SOURCE_FOLDER TARGET_FOLDER

Kept: the checkpoint, tokenizer, images, golden.json, and of golden.safetensors the tensors named below. pixel_values
becomes pixel_levels: the 8-bit levels it was made of, (level / 255 - 0.5) / 0.5 = pixel value, a quarter of the size.
"""
import json
import shutil
import struct
import sys
from array import array
from pathlib import Path

KEPT = ("input_ids", "labels", "position_ids", "rope_deltas", "image_grid_thw", "loss", "next_token_logprobs", "entropy",
        "text.norm", "text.rotary.cos", "greedy.tokens", "greedy.logits", "vision.merger", "vision.deepstack0", "vision.deepstack1",
        "vision.deepstack2", "batch.attention_mask", "batch.greedy.tokens", "batch.image_grid_thw", "batch.input_ids",
        "batch.last_logits", "batch.position_ids", "batch.rope_deltas")


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    for entry in header.values():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        entry["bytes"] = data[begin:end]
    return header


def write(path, tensors):
    header, offset = {}, 0
    for name, tensor in sorted(tensors.items()):
        end = offset + len(tensor["bytes"])
        header[name] = {"dtype": tensor["dtype"], "shape": tensor["shape"], "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":"))
    text += " " * (-len(text) % 8)
    body = b"".join(tensor["bytes"] for _, tensor in sorted(tensors.items()))
    path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + body)


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.name not in ("golden.safetensors", "gradients.safetensors"):
            shutil.copyfile(file, target / file.name)
    tensors = read(source / "golden.safetensors")
    kept = {name: tensors[name] for name in KEPT if name in tensors}
    pixels = array("f", tensors["pixel_values"]["bytes"])
    levels = bytes(round((value * 0.5 + 0.5) * 255) for value in pixels)
    kept["pixel_levels"] = {"dtype": "U8", "shape": tensors["pixel_values"]["shape"], "bytes": levels}
    write(target / "golden.safetensors", kept)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
