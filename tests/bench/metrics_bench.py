# SPDX-License-Identifier: Apache-2.0
"""Times every metric of unirg-eval beside the published package, turn by turn; scripts/bench-metrics gives the arguments."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parity"))
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", OMP_NUM_THREADS="1",
                  JAVA_TOOL_OPTIONS="-Dfile.encoding=UTF-8 -XX:ActiveProcessorCount=1 -XX:+UseSerialGC")

import metrics_pairs

TEXT_GOAL, NET_GOAL = 30.0, 1.5


# ---- the packages: each function loads what it needs once and gives a function of a PairSet

def rouge_peer(stem):
    from rouge_score import rouge_scorer
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    return lambda pairs: [scorer.score(*pair) for pair in zip(pairs.references, pairs.predictions)]


def coco_peer(*names):
    """Scorers of pycocoevalcap on texts split at white space; with "ptb" among the names, on PTB tokens (Java each time)."""
    import contextlib
    import io
    import metrics_text
    scorers = {"bleu": lambda: metrics_text.Bleu(4), "rouge": metrics_text.Rouge, "cider": metrics_text.Cider}

    def score(pairs):
        texts = [pairs.references, pairs.predictions]
        if "ptb" in names:
            lines, _ = metrics_text.ptb_lines(texts[0] + texts[1])
            texts = [lines[:len(pairs.ids)], lines[len(pairs.ids):]]
        truth, text = ({i: [line] for i, line in enumerate(side)} for side in texts)
        with contextlib.redirect_stdout(io.StringIO()):
            for name in names:
                if name in scorers:
                    scorers[name]().compute_score(truth, text)
    return score


def meteor_peer():
    import metrics_text
    java = metrics_text.Meteor()

    def score(pairs):
        java.compute_score(dict(enumerate([text.replace("\n", " ")] for text in pairs.references)),
                           dict(enumerate([text.replace("\n", " ")] for text in pairs.predictions)))
    score.children = [java.meteor_p.pid]
    return score


def text_peer(name):
    import metrics_text
    return getattr(metrics_text, name)


def bertscore_peer(models):
    import metrics_bertscore
    return metrics_bertscore.BertScore(models / "ours/distilroberta-base", False, True)


def chexbert_peer(models):
    import metrics_chexbert
    chexbert = metrics_chexbert.CheXbert()

    def score(pairs):
        chexbert.seen.clear()
        chexbert(pairs)
    return score


def radgraph_peer(models):
    import contextlib
    import io
    import torch
    from radgraph import F1RadGraph
    with contextlib.redirect_stdout(io.StringIO()):
        scorer = F1RadGraph(reward_level="all", model_type="radgraph", model_cache_dir=str(models / "theirs/cache"), cuda=-1)

    def score(pairs):
        with torch.no_grad():
            scorer(refs=pairs.references, hyps=pairs.predictions)
    return score


def ratescore_peer(models):
    import metrics_ratescore
    rate = metrics_ratescore.Rate(models / "ours/rate-ner-deberta", models / "ours/biolord-2023-c", "long", batch_size=1)
    metrics_ratescore.RaTEScore.score.sentence_split = rate.sentences.split  # as published: every text split anew
    return lambda pairs: rate.score(pairs.predictions, pairs.references)


@dataclass
class Case:
    name: str
    metrics: str
    options: list
    peer_name: str
    load: object  # function of the models' folder
    learned: bool = False

    @property
    def goal(self):
        """None where the package is no Python: fast-bleu is C++; or where both look words up in a table: textstat."""
        if self.learned:
            return NET_GOAL
        return None if self.peer_name.startswith(("fast-bleu", "textstat")) else TEXT_GOAL


WHITESPACE, PTB = ["--coco-tokens", "whitespace"], ["--coco-tokens", "ptb"]
BLEU = "coco-bleu1,coco-bleu2,coco-bleu3,coco-bleu4"
CASES = [
    Case("bleu-2 (ReXrank)", "bleu2", [], "fast-bleu 0.0.90", lambda _: text_peer("bleu2")),
    Case("rouge-1/2/l", "rouge1,rouge2,rouge-l", [], "rouge-score 0.1.2", lambda _: rouge_peer(False)),
    Case("rouge-1/2/l, stemmed", "rouge1-stem,rouge2-stem,rouge-l-stem", [], "rouge-score 0.1.2", lambda _: rouge_peer(True)),
    Case("coco bleu-1..4", BLEU, WHITESPACE, "pycocoevalcap 1.2", lambda _: coco_peer("bleu")),
    Case("coco rouge-l", "coco-rouge-l", WHITESPACE, "pycocoevalcap 1.2", lambda _: coco_peer("rouge")),
    Case("cider-d", "cider-d", WHITESPACE, "pycocoevalcap 1.2", lambda _: coco_peer("cider")),
    Case("coco on PTB tokens", BLEU + ",coco-rouge-l,cider-d", PTB, "pycocoevalcap 1.2, Java",
         lambda _: coco_peer("ptb", "bleu", "rouge", "cider")),
    Case("meteor", "meteor", WHITESPACE, "METEOR 1.5, Java", lambda _: meteor_peer()),
    Case("fkgl", "fkgl", [], "textstat 0.7.3", lambda _: text_peer("readability")),
    Case("bertscore", "bertscore", [], "bert-score 0.3.13", bertscore_peer, True),
    Case("chexbert, sembscore", "sembscore,chexbert-f1-14,chexbert-f1-5", [], "f1chexbert 0.0.2", chexbert_peer, True),
    Case("radgraph", "radgraph-simple,radgraph-partial,radgraph-complete", [], "radgraph 0.1.18", radgraph_peer, True),
    Case("ratescore", "ratescore", [], "ratescore 0.6.0", ratescore_peer, True),
]


# ---- clocks

def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(children=()):
    """Of this process, its ended children, and some that still run."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in spent) + sum(map(cpu_of, children))


def timed(function, *arguments, children=()):
    """(wall, CPU) seconds."""
    cpu, wall = cpu_seconds(children), time.monotonic()
    function(*arguments)
    return time.monotonic() - wall, cpu_seconds(children) - cpu


class Bench:
    def __init__(self, options, reports):
        self.options, self.work = options, Path(options["work"])
        self.tool = Path(options["bin"]) / "unirg-eval"
        self.pairs = metrics_pairs.shuffled(reports)
        self.filled = self.pairs.only(lambda i: self.pairs.references[i] and self.pairs.predictions[i])
        self.scratch = tempfile.TemporaryDirectory(prefix="unirg-bench-")

    def sizes(self, case):
        """Pairs that only start a run, and pairs that are timed beside them."""
        return (8, self.options["net_pairs"]) if case.learned else (200, self.options["text_pairs"])

    def first(self, count):
        return self.filled.only(lambda i: i < count)

    def files(self, count):
        """Both sides of the first `count` pairs as unirg-eval reads them."""
        paths = [Path(self.scratch.name) / f"{side}-{count}.jsonl" for side in ("references", "predictions")]
        pairs = self.first(count)
        for path, texts in zip(paths, (pairs.references, pairs.predictions)):
            if not path.exists():
                path.write_text("".join(json.dumps({"study_id": study, "text": text}) + "\n" for study, text in zip(pairs.ids, texts)))
        return paths

    def run_ours(self, case, count):
        references, predictions = self.files(count)
        command = [self.tool, "--quiet", "--references", references, "--predictions", predictions, "--metrics", case.metrics, "--scores",
                   Path(self.scratch.name) / "scores.jsonl", "--resamples", "0", "--format", "none", "--threads", "1", *case.options]
        if case.learned:
            command += ["--models", self.work / "models/ours", "--batch-size", self.options["batch_size"]]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {run.returncode}: {run.stderr.strip()[-1000:]}")

    def loop(self, case):
        """(wall, CPU) of the calls alone, texts in memory, as the package is timed."""
        begin, timed_pairs = self.sizes(case)
        references, predictions = self.files(begin + timed_pairs)
        tokens = case.options[1] if case.options else "ptb"
        command = [self.options["loop"], case.metrics, tokens, references, predictions, begin]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {run.returncode}: {run.stderr.strip()[-1000:]}")
        return [float(seconds) for seconds in run.stdout.split()[:2]]

    def ours(self, case):
        """(wall, CPU) of the timed pairs alone, and the wall time of a whole run with them."""
        begin, timed_pairs = self.sizes(case)
        large = timed(self.run_ours, case, begin + timed_pairs)
        if not case.learned:
            return self.loop(case), large[0]
        small = timed(self.run_ours, case, begin)  # beside a network's time, reading and writing are nothing
        return [max(b - a, 1e-6) for a, b in zip(small, large)], large[0]

    def whole_peer(self, case):
        """Seconds of a fresh process that imports, loads and scores as many pairs."""
        given = json.dumps({**self.options, "alone": case.name})
        return timed(subprocess.run, [sys.executable, "-W", "ignore", __file__, given])[0]

    def row(self, case):
        begin, count = self.sizes(case)
        peer = case.load(self.work / "models")
        children = getattr(peer, "children", ())
        chosen = self.first(begin + count).only(lambda i: i >= begin)
        peer(self.first(min(begin, 50)))  # warm
        theirs, ours, whole = [], [], []
        for _ in range(self.options["repeats"]):
            spent, whole_run = self.ours(case)
            ours.append(spent)
            whole.append(whole_run)
            theirs.append(timed(peer, chosen, children=children))
        median = lambda values: statistics.median(values)
        ratios = [[t[clock] / o[clock] for t, o in zip(theirs, ours)] for clock in (0, 1)]
        return {"name": case.name, "ours": count / median([o[0] for o in ours]), "peer": count / median([t[0] for t in theirs]),
                "peer_name": case.peer_name, "ratio": median(ratios[0]), "goal": case.goal, "unit": "pairs/s", "threads": 1,
                "repeats": self.options["repeats"], "pairs": count, "ratio_least": min(ratios[0]), "ratio_most": max(ratios[0]),
                "cpu_ratio": median(ratios[1]), "ours_whole_s": median(whole), "peer_whole_s": self.whole_peer(case)}


def prepare(work):
    import torch
    import transformers
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    os.environ["XDG_CACHE_HOME"] = str(work / "models/theirs/cache")
    os.chdir(work / "models/theirs")


def make_models(work, reports):
    import torch
    import metrics_models
    torch.set_num_threads(1)
    if not (work / "models/made.txt").exists():
        print("bench-metrics: making networks of the published sizes", file=sys.stderr)
    metrics_models.make_all(work / "models", [text for _, text in reports], "real", radgraphs=["radgraph"])


def markdown(rows):
    lines = ["| metric | ours, pairs/s | package, pairs/s | package | ratio | CPU ratio | goal | whole run, ours / theirs |",
             "|---|---:|---:|---|---:|---:|---:|---:|"]
    for row in rows:
        lines.append(f"| {row['name']} | {row['ours']:,.1f} | {row['peer']:,.1f} | {row['peer_name']} | {row['ratio']:.1f} | "
                     f"{row['cpu_ratio']:.1f} | {row['goal'] or '-'} | {row['ours_whole_s']:.2f} s / {row['peer_whole_s']:.1f} s |")
    return "\n".join(lines)


def keep_to_one_processor():
    """For this process and those it starts: a Java machine of one processor still compiles and collects on others."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main():
    keep_to_one_processor()
    options = json.loads(sys.argv[1])
    work = Path(options["work"])
    reports = metrics_pairs.read_reports(Path(options["data"]))
    bench = Bench(options, reports)
    if options.get("alone"):
        (case,) = [case for case in CASES if case.name == options["alone"]]
        if case.learned:
            prepare(work)
        case.load(work / "models")(bench.first(sum(bench.sizes(case))))
        return 0
    chosen = [case for case in CASES if any(word in case.name for word in options["only"].split(","))]
    if not chosen:
        print(f"bench-metrics: error: no metric fits '{options['only']}'", file=sys.stderr)
        return 64
    if any(case.learned for case in chosen):
        make_models(work, reports)
        prepare(work)
    rows = []
    for case in chosen:
        rows.append(bench.row(case))
        print(f"bench-metrics: {case.name}: {rows[-1]['ratio']:.1f} times {case.peer_name}", file=sys.stderr, flush=True)
    output = Path(options["json"])
    output.parent.mkdir(parents=True, exist_ok=True)
    how = ("wall time of scoring texts in memory, one thread, both sides kept to one processor, after a warm-up; of our networks: of a run with all "
           "pairs less that of one with the first few; turn by turn, medians; whole runs start, load, read, score and write")
    output.write_text(json.dumps({"schema": "unirg.bench-metrics/1", "machine": platform.processor() or platform.machine(), "how": how,
                                  "batch_size": options["batch_size"], "rows": rows}, indent=1) + "\n")
    print(markdown(rows))
    aimed = [row for row in rows if row["goal"]]
    short = [row["name"] for row in aimed if row["ratio"] < row["goal"]]
    print(f"\n{len(aimed) - len(short)} of {len(aimed)} reach their goal" + (f"; short of it: {', '.join(short)}" if short else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
