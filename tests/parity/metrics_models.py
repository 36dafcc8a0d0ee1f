# SPDX-License-Identifier: Apache-2.0
"""Networks with random weights, and tokenizers made from the reports, as the published packages want to find them.

No weights of these metrics can be downloaded freely, and none are needed: what is compared is the arithmetic.
SIZES has one set of sizes for comparing (tiny) and one for timing (the published models' layers and widths).
"""

import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import (AutoModel, BertConfig, BertModel, DebertaV2Config, DebertaV2ForTokenClassification, DebertaV2TokenizerFast,
                          MPNetConfig, MPNetModel, RobertaConfig, RobertaModel, RobertaTokenizer)

ROOT = Path(__file__).resolve().parents[2]
SEED = 20260117

TINY = {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96}
BASE = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
SIZES = {
    "tiny": {"roberta": {**TINY, "num_hidden_layers": 6}, "bert": {**TINY, "num_hidden_layers": 3},
             "deberta": {**TINY, "num_hidden_layers": 3}, "mpnet": {**TINY, "num_hidden_layers": 3}, "pieces": 1500},
    "real": {"roberta": {**BASE, "num_hidden_layers": 6}, "bert": {**BASE, "num_hidden_layers": 12},
             "deberta": {**BASE, "num_hidden_layers": 12}, "mpnet": {**BASE, "num_hidden_layers": 12}, "pieces": 4000},
}
RADGRAPH_LABELS = {
    "radgraph": ["ANAT-DP", "OBS-DP", "OBS-DA", "OBS-U"],
    "radgraph-xl": ["Observation::definitely present", "Anatomy::definitely present", "Observation::definitely absent",
                    "Observation::uncertain", "Anatomy::definitely absent", "Anatomy::uncertain",
                    "Observation::measurement::definitely present", "Anatomy::measurement::definitely present"],
}
RATE_TYPES = ["ABNORMALITY", "NON-ABNORMALITY", "ANATOMY", "DISEASE", "NON-DISEASE"]
RATE_LABELS = ["O"] + [f"{place}-{kind}" for kind in RATE_TYPES for place in "BI"]


def fill(model, salt):
    """Weights by name and seed: matrices of variance 1.4/inputs, so that no term is too small to be seen."""
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            rng = np.random.Generator(np.random.PCG64([SEED, salt, zlib.crc32(name.encode())]))
            value = rng.standard_normal(tuple(parameter.shape), dtype=np.float32)
            if parameter.dim() >= 2:
                value *= 0.5 if "embed" in name.lower() else 1.2 / np.sqrt(np.prod(parameter.shape[1:]))
            else:
                value = 0.1 * value + (0.0 if name.lower().endswith("bias") else 1.0)
            parameter.copy_(torch.from_numpy(value))
    return model.eval()


def save_model(model, folder):
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    save_file({name: tensor.contiguous() for name, tensor in sorted(model.state_dict().items())},
              folder / "model.safetensors", {"format": "pt"})


# ---- tokenizers

def counted_pieces(texts, most, lowercase=True):
    """WordPiece: all letters, then the most frequent words, beginnings and endings; ties by spelling."""
    words, heads, tails = Counter(), Counter(), Counter()
    for text in texts:
        for word in re.findall(r"\w+|[^\w\s]", text.lower() if lowercase else text):
            words[word] += 1
            for k in range(2, min(len(word), 7)):
                heads[word[:k]] += 1
                tails["##" + word[-k:]] += 1
    best = lambda counts, n: [piece for piece, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]]
    letters = sorted({c for word in words for c in word})
    pieces = letters + ["##" + c for c in letters] + best(words, most // 2) + best(heads, most // 4) + best(tails, most // 4)
    return list(dict.fromkeys(pieces))


def write_lines(file, lines):
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def write_bert_vocabulary(folder, texts, pieces):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + counted_pieces(texts, pieces)
    write_lines(folder / "vocab.txt", vocabulary)
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"do_lower_case": True, "model_max_length": 512, "tokenizer_class": "BertTokenizer"}))
    return len(vocabulary)


def write_mpnet_vocabulary(folder, texts, pieces):
    special = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>", "pad_token": "<pad>",
               "sep_token": "</s>", "unk_token": "[UNK]"}
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]"] + counted_pieces(texts, pieces) + ["<mask>"]
    write_lines(folder / "vocab.txt", vocabulary)
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {**special, "do_lower_case": True, "model_max_length": 512, "tokenizer_class": "MPNetTokenizer"}))
    return len(vocabulary)


def write_roberta_vocabulary(folder, texts, pieces):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trained.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=pieces, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    model = json.loads(trained.to_str())["model"]
    vocabulary = {**model["vocab"], "<mask>": len(model["vocab"])}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "vocab.json").write_text(json.dumps(vocabulary))
        write_lines(Path(scratch) / "merges.txt", ["#version: 0.2"] + merges)
        RobertaTokenizer.from_pretrained(scratch, model_max_length=512).save_pretrained(folder)
    return len(vocabulary)


def write_deberta_vocabulary(folder, texts, pieces):
    import sentencepiece
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "lines.txt"
        write_lines(lines, texts)
        sentencepiece.SentencePieceTrainer.train(
            input=str(lines), model_prefix=str(folder / "spm"), vocab_size=pieces, model_type="unigram", num_threads=1,
            hard_vocab_limit=False, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]",
            unk_piece="[UNK]", minloglevel=2, byte_fallback=False)
    (folder / "spm.vocab").unlink()
    tokenizer = DebertaV2TokenizerFast(vocab_file=str(folder / "spm.model"), do_lower_case=False, model_max_length=512)
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


# ---- models

def make_roberta(folder, texts, size):
    vocabulary = write_roberta_vocabulary(folder, texts, size["pieces"])
    save_model(fill(RobertaModel(RobertaConfig(vocab_size=vocabulary, max_position_embeddings=514, type_vocab_size=1,
                                               layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2,
                                               **size["roberta"])), 13), folder)


def make_bert(folder, texts, size, salt=11):
    vocabulary = write_bert_vocabulary(folder, texts, size["pieces"])
    save_model(fill(BertModel(BertConfig(vocab_size=vocabulary, **size["bert"])), salt), folder)


@torch.no_grad()
def first_tokens(model, tokenizer, texts):
    """The last layer's first token of some texts: what a head must be centred on to give more than one answer."""
    batch = tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
    return model(**batch).last_hidden_state[:, 0]


def centre(linear, vectors, favour=None):
    """Moves the bias so that the answers to `vectors` differ."""
    with torch.no_grad():
        scores = vectors @ linear.weight.T
        linear.weight /= scores.std()
        linear.bias.copy_(-(scores.mean(0) / scores.std()))
        if favour is not None:
            linear.bias[favour] += 1.0


def make_chexbert(encoder, checkpoint, texts):
    """The checkpoint as published: a pickle with model_state_dict, names with "module." before them."""
    from transformers import BertTokenizer
    bert = AutoModel.from_pretrained(encoder)
    labeler = torch.nn.Module()
    labeler.bert = bert
    labeler.linear_heads = torch.nn.ModuleList([torch.nn.Linear(bert.config.hidden_size, 4) for _ in range(13)] +
                                               [torch.nn.Linear(bert.config.hidden_size, 2)])
    fill(labeler, 12)
    vectors = first_tokens(bert, BertTokenizer.from_pretrained(encoder), texts[:64])
    for head in labeler.linear_heads:
        centre(head, vectors)
    torch.save({"model_state_dict": {"module." + name: tensor.clone() for name, tensor in labeler.state_dict().items()}}, checkpoint)


def radgraph_config(encoder):
    bert = {"type": "pretrained_transformer_mismatched", "model_name": str(encoder), "max_length": 512}
    return {
        "dataset_reader": {"type": "dygie", "max_span_width": 8, "token_indexers": {"bert": bert}},
        "model": {"type": "dygie", "embedder": {"token_embedders": {"bert": bert}}, "initializer": {}, "module_initializer": {},
                  "feature_size": 20, "max_span_width": 8, "target_task": "relation",
                  "loss_weights": {"ner": 0.2, "relation": 1.0, "coref": 0.0, "events": 0.0},
                  "feedforward_params": {"num_layers": 2, "hidden_dims": 150, "dropout": 0.4},
                  "modules": {"coref": {"spans_per_word": 0.3, "max_antecedents": 100, "coref_prop": 0}, "ner": {},
                              "relation": {"spans_per_word": 0.5},
                              "events": {"trigger_spans_per_word": 0.3, "argument_spans_per_word": 0.8,
                                         "loss_weights": {"trigger": 0.2, "arguments": 1.0}}}},
    }


def share_out(model, tagger, texts):
    """Makes graphs like true ones: an entity and a relation a word on the whole, entities what relations look at."""
    def move(bias, count, wanted):
        low, high = -12.0, 12.0
        for _ in range(9 if words > 200 else 6):
            bias.fill_((low + high) / 2)
            low, high = (bias[0].item(), high) if count() < wanted else (low, bias[0].item())
    entities = lambda: [entity for graph in tagger(texts).values() for entity in graph["entities"].values()]
    words = sum(len(text.split()) for text in texts)
    with torch.no_grad():
        for layer in model.modules():
            # Words keep more of themselves than they take from places and neighbours.
            if type(layer).__name__ == "BertSelfOutput":
                layer.dense.weight *= 0.1
            if type(layer).__name__ == "BertEmbeddings":
                layer.position_embeddings.weight *= 0.1
        (ner,), (pruner,) = model._ner._ner_scorers.values(), model._relation._mention_pruners.values()
        pruner._scorer[0].load_state_dict(ner[0].state_dict())
        pruner._scorer[1]._module.weight.copy_(0.1 * ner[1]._module.weight.sum(0, keepdim=True))
        (scorer,) = model._relation._relation_scorers.values()
        scorer.bias.fill_(-12.0)
        move(ner[1]._module.bias, lambda: len(entities()), words)
        move(scorer.bias, lambda: sum(len(entity["relations"]) for entity in entities()), words)


def make_radgraph(cache, name, encoder, texts):
    """cache/NAME as the archive unpacks to. The package builds the model; its weights are filled instead of loaded."""
    import radgraph
    from radgraph.dygie.models import dygie
    folder = cache / name
    (folder / "vocabulary").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(radgraph_config(encoder), indent=1))
    write_lines(folder / "vocabulary/non_padded_namespaces.txt", ["*tags", "*labels"])
    write_lines(folder / f"vocabulary/{name}__ner_labels.txt", ["", *RADGRAPH_LABELS[name]])
    write_lines(folder / f"vocabulary/{name}__relation_labels.txt", ["modify", "located_at", "suggestive_of"])
    with mock.patch.object(dygie.DyGIE, "load_state_dict", lambda model, state, strict: fill(model, 17)), \
            mock.patch("torch.load", lambda *_, **__: {}), contextlib.redirect_stdout(io.StringIO()):
        (folder / "weights.th").touch()
        tagger = radgraph.RadGraph(model_type=name, model_cache_dir=str(cache), cuda=-1)
    short = [text for text in texts if 20 < len(text.split()) < 40]
    share_out(tagger.model, tagger, short[:16 if tagger.model._embedder.get_output_dim() < 256 else 4])
    torch.save(tagger.model.state_dict(), folder / "weights.th")


def make_rate_ner(folder, texts, size):
    from transformers import AutoTokenizer
    vocabulary = write_deberta_vocabulary(folder, texts, size["pieces"])
    labels = dict(enumerate(RATE_LABELS))
    config = DebertaV2Config(vocab_size=vocabulary, type_vocab_size=0, relative_attention=True, max_relative_positions=-1,
                             position_buckets=256, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p",
                             position_biased_input=False, layer_norm_eps=1e-7, pad_token_id=0, id2label=labels,
                             label2id={label: i for i, label in labels.items()}, **size["deberta"])
    model = fill(DebertaV2ForTokenClassification(config), 19)
    batch = AutoTokenizer.from_pretrained(folder)(texts[:64], padding=True, truncation=True, max_length=512, return_tensors="pt")
    with torch.no_grad():
        states = model.deberta(**batch).last_hidden_state[batch["attention_mask"].bool()]
    centre(model.classifier, states, favour=0)
    save_model(model, folder)


def make_biolord(folder, texts, size):
    vocabulary = write_mpnet_vocabulary(folder, texts, size["pieces"])
    save_model(fill(MPNetModel(MPNetConfig(vocab_size=vocabulary, max_position_embeddings=514, layer_norm_eps=1e-5,
                                           relative_attention_num_buckets=32, **size["mpnet"])), 23), folder)


def convert(source, output, encoder):
    run = subprocess.run([sys.executable, ROOT / "scripts/convert-weights", source, output, "--encoder", encoder],
                         capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"scripts/convert-weights {source}: exit {run.returncode}: {run.stderr.strip()[-1000:]}")


def make_all(folder, texts, size_name, radgraphs=tuple(RADGRAPH_LABELS)):
    """Everything below `folder`: theirs/ for the packages, ours/ for --models. Leaves what is there already."""
    stamp = folder / "made.txt"
    if stamp.exists():
        return
    size = SIZES[size_name]
    theirs, ours = folder / "theirs", folder / "ours"
    texts = sorted({text for text in texts if text})
    for name in ("distilroberta-base", "rate-ner-deberta", "biolord-2023-c"):
        (ours / name).mkdir(parents=True)
    for name in ("bert-base-uncased", "radgraph-encoder", "cache/chexbert"):
        (theirs / name).mkdir(parents=True)
    make_roberta(ours / "distilroberta-base", texts, size)
    make_rate_ner(ours / "rate-ner-deberta", texts, size)
    make_biolord(ours / "biolord-2023-c", texts, size)
    make_bert(theirs / "bert-base-uncased", texts, size)
    make_bert(theirs / "radgraph-encoder", texts, size, salt=15)
    checkpoint = theirs / "cache/chexbert/chexbert.pth"
    make_chexbert(theirs / "bert-base-uncased", checkpoint, texts)
    convert(checkpoint, ours / "chexbert", theirs / "bert-base-uncased")
    for name in radgraphs:
        make_radgraph(theirs / "cache", name, theirs / "radgraph-encoder", texts)
        convert(theirs / "cache" / name, ours / name, theirs / "radgraph-encoder")
    stamp.write_text(size_name + "\n")
