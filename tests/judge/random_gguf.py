#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a random Qwen3 of about a million parameters as GGUF, for scripts/test-judge-server: a judge that talks nonsense.

    random_gguf.py TOKENIZER.json OUT.gguf      needs the packages gguf and numpy
"""

import json
import sys

import gguf
import numpy

WIDTH, FFN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, VOCABULARY, CONTEXT = 64, 128, 2, 2, 1, 32, 8192, 8192


def tokens(path):
    """Spelling and kind of each id, the merges, and the ids of the added tokens."""
    file = json.load(open(path, encoding="utf-8"))
    spelled = {i: (token, gguf.TokenType.NORMAL) for token, i in file["model"]["vocab"].items()}
    added = {t["content"]: t["id"] for t in file["added_tokens"]}
    spelled.update({i: (token, gguf.TokenType.CONTROL) for token, i in added.items()})
    rows = [spelled.get(i, (f"[PAD{i}]", gguf.TokenType.UNUSED)) for i in range(VOCABULARY)]
    merges = [m if isinstance(m, str) else " ".join(m) for m in file["model"]["merges"]]
    return rows, merges, added


def shapes():
    yield "token_embd.weight", (VOCABULARY, WIDTH)
    yield "output.weight", (VOCABULARY, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    for i in range(LAYERS):
        for name, shape in (("attn_norm", (WIDTH,)), ("ffn_norm", (WIDTH,)), ("attn_q_norm", (HEAD_DIM,)),
                            ("attn_k_norm", (HEAD_DIM,)), ("attn_q", (HEADS * HEAD_DIM, WIDTH)),
                            ("attn_k", (KV_HEADS * HEAD_DIM, WIDTH)), ("attn_v", (KV_HEADS * HEAD_DIM, WIDTH)),
                            ("attn_output", (WIDTH, HEADS * HEAD_DIM)), ("ffn_gate", (FFN, WIDTH)),
                            ("ffn_up", (FFN, WIDTH)), ("ffn_down", (WIDTH, FFN))):
            yield f"blk.{i}.{name}.weight", shape


def main(tokenizer, out):
    rows, merges, added = tokens(tokenizer)
    w = gguf.GGUFWriter(out, "qwen3")
    w.add_name("random-qwen3")
    w.add_block_count(LAYERS)
    w.add_context_length(CONTEXT)
    w.add_embedding_length(WIDTH)
    w.add_feed_forward_length(FFN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_key_length(HEAD_DIM)
    w.add_value_length(HEAD_DIM)
    w.add_rope_freq_base(1e6)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_vocab_size(VOCABULARY)
    w.add_file_type(gguf.LlamaFileType.ALL_F32)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list([token for token, _ in rows])
    w.add_token_types([kind for _, kind in rows])
    w.add_token_merges(merges)
    w.add_eos_token_id(added["<|im_end|>"])
    w.add_pad_token_id(added["<|endoftext|>"])
    w.add_add_bos_token(False)
    random = numpy.random.default_rng(1)
    for name, shape in shapes():
        values = numpy.ones(shape) if len(shape) == 1 else random.normal(0, 0.05, shape)
        w.add_tensor(name, values.astype(numpy.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
