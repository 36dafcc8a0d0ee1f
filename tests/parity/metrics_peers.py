# SPDX-License-Identifier: Apache-2.0
"""Runs one published package on all pairs, in a process of its own; metrics_main starts it.

    python metrics_peers.py WORK GROUP     WORK/sets.json and WORK/models in, WORK/peers/GROUP.json out

The answer: {"columns": {variant: {set: {metric: [value, or why there is none, or null]}}}, "seconds": {...}, "files": {...}}.
"""

import importlib.metadata
import json
import math
import os
import resource
import sys
import time
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false",
                  JAVA_TOOL_OPTIONS="-Dfile.encoding=UTF-8")  # Java 17 writes ASCII under LC_ALL=C otherwise

from metrics_pairs import PairSet

MEMORY = 10 << 30  # bytes a package may ask for: it fails then, not its neighbours
FEW = 400  # pairs of each set where a variant differs from another in little


def few(pairs):
    return pairs if pairs.name == "degenerate" else pairs.only(lambda i: i < FEW)


def same(pairs):
    return pairs


def text_group(models):
    import metrics_text
    yield "text", same, lambda pairs: {**metrics_text.bleu2(pairs), **metrics_text.rouge(pairs),
                                       **metrics_text.readability(pairs), **metrics_text.words(pairs)}


def coco_group(models):
    import metrics_text

    def with_ptb(pairs):
        tokens = metrics_text.ptb(pairs.references + pairs.predictions)
        return {**metrics_text.coco(pairs, tokens), **metrics_text.meteor(pairs, tokens)}
    def with_modules(modules):
        return lambda pairs: metrics_text.meteor(pairs, metrics_text.ptb(pairs.references + pairs.predictions), modules)
    yield "coco-ptb", same, with_ptb
    yield "meteor-stems", few, with_modules("exact stem")
    yield "meteor-synonyms", few, with_modules("exact stem synonym")
    yield "coco-whitespace", same, lambda pairs: metrics_text.coco(pairs, metrics_text.whitespace(
        pairs.references + pairs.predictions))


def bertscore_group(models):
    import metrics_bertscore
    folder = models / "ours/distilroberta-base"
    yield "bertscore", same, metrics_bertscore.BertScore(folder, False, False)
    yield "bertscore-rescaled", few, metrics_bertscore.BertScore(folder, False, True)
    # Not of a few: document frequencies are those of all references.
    yield "bertscore-idf-rescaled", same, metrics_bertscore.BertScore(folder, True, True)


def chexbert_group(models):
    import metrics_chexbert
    yield "chexbert", same, metrics_chexbert.CheXbert()


def radgraph_group(models, name="radgraph", part=same):
    import metrics_radgraph
    graphs = metrics_radgraph.Graphs(name, models / "theirs/cache")

    def checked(pairs):
        some = pairs.only(lambda i: i < 20 and pairs.references[i].strip() and pairs.predictions[i].strip())
        if not metrics_radgraph.check_rewards(graphs, some):
            raise RuntimeError("F1RadGraph itself gives other rewards")
        return graphs(pairs)
    yield name, part, checked


def radgraph_xl_group(models):
    yield from radgraph_group(models, "radgraph-xl", few)


def ratescore_group(models):
    import metrics_ratescore
    folders = (models / "ours/rate-ner-deberta", models / "ours/biolord-2023-c")
    yield "ratescore-long", same, metrics_ratescore.Rate(*folders, "long")
    yield "ratescore-short", few, metrics_ratescore.Rate(*folders, "short")


GROUPS = {"text": text_group, "coco": coco_group, "bertscore": bertscore_group, "chexbert": chexbert_group,
          "radgraph": radgraph_group, "radgraph-xl": radgraph_xl_group, "ratescore": ratescore_group}
PACKAGES = ["bert-score", "f1chexbert", "fast-bleu", "medspacy", "nltk", "numpy", "pycocoevalcap", "pyphen", "pyrush", "radgraph",
            "ratescore", "rouge-score", "scikit-learn", "spacy", "textstat", "tokenizers", "torch", "transformers"]


def versions():
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def plain(value):
    """A number JSON has, why there is none, or null."""
    return value if isinstance(value, str) or value is not None and math.isfinite(value) else None


def main():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    work, group = Path(sys.argv[1]).resolve(), sys.argv[2]
    sets = [PairSet(**fields) for fields in json.loads((work / "sets.json").read_text())]
    if group not in ("text", "coco"):
        os.environ["XDG_CACHE_HOME"] = str(work / "models/theirs/cache")  # where f1chexbert has its checkpoint
        import torch
        import transformers
        torch.set_num_threads(1)
        transformers.logging.set_verbosity_error()
        os.chdir(work / "models/theirs")  # where "bert-base-uncased" is a folder
    columns, seconds = {}, {}
    for variant, part, score in GROUPS[group](work / "models"):
        columns[variant], begin = {}, time.monotonic()
        for pairs in map(part, sets):
            scores = score(pairs)
            columns[variant][pairs.name] = {name: list(map(plain, values)) for name, values in scores.items()}
        seconds[variant] = time.monotonic() - begin
    answer = {"columns": columns, "seconds": seconds}
    if group in ("text", "coco"):
        import metrics_text
        answer["files"] = {"hyphenation": str(metrics_text.hyphenation_file()), **metrics_text.meteor_files(work)}
    output = work / "peers" / f"{group}.json"
    output.with_suffix(".part").write_text(json.dumps(answer))
    output.with_suffix(".part").rename(output)


if __name__ == "__main__":
    main()
