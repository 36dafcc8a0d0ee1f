# SPDX-License-Identifier: Apache-2.0
"""Compares every metric of unirg-eval with published packages; scripts/parity-metrics gives the arguments."""

import fnmatch
import json
import os
import sys
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import metrics_pairs
import metrics_peers
from metrics_radcliq import radcliq
from metrics_session import Session, ToolFailure

TEXT, NET = 1e-9, 1e-5
ROUGE = [f"rouge{n}{stem}" for stem in ("", "-stem") for n in ("1", "2", "-l")]
COCO = [f"coco-bleu{n}" for n in range(1, 5)] + ["coco-rouge-l", "cider-d"]
REWARDS = [f"radgraph-{level}{version}" for version in ("", "-0.1.18") for level in ("simple", "partial", "complete")]
BERTSCORE = ["bertscore", "bertscore-p", "bertscore-r"]


def compare_text(session):
    hyphenation = ["--hyphenation", session.files["hyphenation"]]
    session.compare("text", ["bleu2"], [], TEXT, "fast-bleu 0.0.90, tokens as CXR-Report-Metric")
    session.compare("text", ROUGE, [], TEXT, "rouge-score 0.1.2")
    session.compare("text", ["fkgl"], hyphenation, TEXT, "textstat 0.7.3", may_be_null=["fkgl"])
    session.compare("text", ["words"], [], TEXT, "rouge-score 0.1.2, its words")


def compare_coco(session):
    session.compare("coco-ptb", COCO[:-1], ["--coco-tokens", "ptb"], TEXT, "pycocoevalcap 1.2")
    session.compare("coco-ptb", ["cider-d"], ["--coco-tokens", "ptb"], TEXT, "pycocoevalcap 1.2", fitted=True)
    synonyms = ["--meteor-synsets", session.files["synsets"], "--meteor-exceptions", session.files["exceptions"]]
    paraphrases = ["--meteor-paraphrases", session.files["paraphrases"]]
    for variant, files in (("coco-ptb", synonyms + paraphrases), ("meteor-stems", []), ("meteor-synonyms", synonyms)):
        session.compare(variant, ["meteor"], ["--coco-tokens", "ptb", *files], TEXT, "pycocoevalcap 1.2 (METEOR 1.5)")
    session.compare("coco-whitespace", COCO, ["--coco-tokens", "whitespace"], TEXT, "pycocoevalcap 1.2")


def compare_bertscore(session):
    for variant in [name for name in session.peers if name.startswith("bertscore")]:
        options = ["--models", session.models, "--bertscore-model", "distilroberta-base", "--bertscore-layer", 5,
                   "--bertscore-baseline", "built-in" if "rescaled" in variant else "none"]
        session.compare(variant, BERTSCORE, options + (["--bertscore-idf"] if "idf" in variant else []), NET, "bert-score 0.3.13")


def compare_chexbert(session):
    session.compare("chexbert", ["sembscore"], ["--models", session.models], NET, "f1chexbert 0.0.2, its encoder")
    session.compare("chexbert", ["chexbert-f1-14", "chexbert-f1-5"], ["--models", session.models], NET,
                    "f1chexbert 0.0.2, scikit-learn")


def compare_radgraph(session, name="radgraph"):
    metrics = REWARDS + ["radgraph"]  # a ratio of small whole numbers: any other graph shows
    session.compare(name, metrics, ["--models", session.models, "--radgraph-model", name], TEXT, "radgraph 0.1.18")


def compare_radgraph_xl(session):
    compare_radgraph(session, "radgraph-xl")


def compare_ratescore(session):
    for matrix in ("long", "short"):
        session.compare(f"ratescore-{matrix}", ["ratescore"], ["--models", session.models, "--ratescore-matrix", matrix], NET,
                        "ratescore 0.6.0")


def compare_radcliq(session):
    """Of the parts that the packages give."""
    parts = lambda name: {**session.peers["text"][name], **session.peers["chexbert"][name], **session.peers["radgraph"][name],
                          **session.peers["bertscore-rescaled"][name]}
    columns = {name: radcliq(parts(name)) for name in session.sets}
    session.compare("radcliq", ["radcliq-v0", "radcliq-v1"], ["--models", session.models], NET, "the parts' packages", columns)


# name: (groups of packages, function)
PARTS = {
    "text": (["text"], compare_text), "coco": (["coco"], compare_coco), "bertscore": (["bertscore"], compare_bertscore),
    "chexbert": (["chexbert"], compare_chexbert), "radgraph": (["radgraph"], compare_radgraph),
    "radgraph-xl": (["radgraph-xl"], compare_radgraph_xl), "ratescore": (["ratescore"], compare_ratescore),
    "radcliq": (["text", "bertscore", "chexbert", "radgraph"], compare_radcliq),
}


def wanted(name, only):
    return not only or any(fnmatch.fnmatch(name, pattern) for pattern in only.split(","))


def make_models(work, reports):
    import torch
    import metrics_models
    torch.set_num_threads(1)
    metrics_models.make_all(work / "models", [text for _, text in reports], "tiny")


def main():
    options = json.loads(sys.argv[1])
    work = Path(options["work"])
    reports = metrics_pairs.read_reports(Path(options["data"]))
    if options["limit"]:
        reports = reports[:options["limit"]]
    every = [metrics_pairs.shuffled(reports), metrics_pairs.perturbed(reports), metrics_pairs.degenerate()]
    sets = [pairs.only(lambda i: pairs.references[i]) for pairs in every]
    print(f"{len(reports)} reports, each with a shuffled and a perturbed partner, and {len(every[-1].ids)} degenerate pairs; "
          f"{sum(len(pairs.ids) for pairs in every) - sum(len(pairs.ids) for pairs in sets)} pairs have an empty reference, which "
          "unirg-eval does not score", flush=True)
    parts = [name for name in PARTS if wanted(name, options["only"])]
    if not parts:
        print(f"parity-metrics: error: no part fits '{options['only']}' (hint: {', '.join(PARTS)})", file=sys.stderr)
        return 64
    session = Session(options["bin"], work, sets, options["threads"])
    session.models = work / "models/ours"
    versions = metrics_peers.versions()
    groups = list(dict.fromkeys(group for name in parts for group in PARTS[name][0]))
    try:
        if any(group not in ("text", "coco") for group in groups):
            make_models(work, reports)
        session.run_peers(groups, versions, options["jobs"], options["fresh"])
    except ToolFailure as error:
        print(f"parity-metrics: error: {error}", file=sys.stderr)
        return 1
    if options["peers_only"]:
        return 0
    for name in parts:
        PARTS[name][1](session)
    summary = session.summary(versions)
    output = Path(options["json"])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    print()
    for row in session.rows:
        if row.left_out:
            print(f"left out of {row.metric} ({row.variant}): " + ", ".join(f"{n} {reason}" for reason, n in row.left_out.items()))
        if not row.passed:
            print(f"FAIL  {row.metric} ({row.variant}): {row.beyond} beyond {row.tolerance:g}; " + "; ".join(row.problems[:5]))
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"{len(session.rows) - summary['failed']} of {len(session.rows)} rows passed; all in {output}")
    return 1 if summary["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
