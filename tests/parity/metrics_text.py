# SPDX-License-Identifier: Apache-2.0
"""Text metrics by the published packages: pycocoevalcap (with Java), rouge-score, fast-bleu, textstat.

Every function takes a PairSet and gives {metric: values}, None where the package has no value for a pair.
"""

import contextlib
import io
import subprocess
import threading
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import pyphen
import textstat
from fast_bleu import BLEU
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor import meteor as meteor_package
from pycocoevalcap.meteor.meteor import METEOR_JAR, Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
from rouge_score import rouge_scorer, tokenizers

METEOR_FOLDER = Path(meteor_package.__file__).parent
MOST_REPEATS = 1000  # METEOR tries all ways to align: 2,000 times one word took three minutes, then Java died

textstat.textstat.set_rounding(False)


def hyphenation_file():
    """The dictionary that textstat counts syllables with."""
    return pyphen.LANGUAGES["en_US"]


# ---- ReXrank's BLEU-2: its tokens, fast-bleu's scores

def rexrank_tokens(text):
    return [token for token in text.lower().replace(".", " .").split(" ") if token]


def bleu2(pairs):
    weights = {"bigram": (1 / 2.0, 1 / 2.0)}
    score = lambda truth, text: BLEU([rexrank_tokens(truth)], weights).get_score([rexrank_tokens(text)])["bigram"][0]
    return {"bleu2": [score(*pair) for pair in zip(pairs.references, pairs.predictions)]}


# ---- COCO

def ptb_lines(texts):
    """What PTBTokenizer makes of each, with a mark between any two, to see whether a text became other than one line."""
    captions = {}
    for i, text in enumerate(texts):
        captions[2 * i] = [{"caption": text}]
        captions[2 * i + 1] = [{"caption": f"zqmark{i}"}]
    lines = PTBTokenizer().tokenize(captions)
    broken = next((i for i in range(len(texts)) if lines.get(2 * i + 1) != [f"zqmark{i}"]), None)
    return [lines.get(2 * i, [""])[0] for i in range(len(texts))], broken


def ptb(texts):
    """Tokens of each text by text; None for those that the tokenizer breaks into several lines."""
    tokens, left = {}, list(dict.fromkeys(texts))
    while left:
        lines, broken = ptb_lines(left)
        tokens.update(zip(left[:broken], lines))
        if broken is None:
            break
        tokens[left[broken]] = None
        left = left[broken + 1:]
    return tokens


def whitespace(texts):
    return {text: text for text in texts}


def coco(pairs, tokens):
    """COCO's scores of all pairs that have tokens, computed together, for CIDEr counts the references' n-grams."""
    kept = [i for i in range(len(pairs.ids)) if None not in (tokens[pairs.references[i]], tokens[pairs.predictions[i]])]
    truth = {i: [tokens[pairs.references[i]]] for i in kept}
    text = {i: [tokens[pairs.predictions[i]]] for i in kept}
    with contextlib.redirect_stdout(io.StringIO()):
        _, bleu = Bleu(4).compute_score(truth, text)
        columns = {f"coco-bleu{n + 1}": bleu[n] for n in range(4)}
        columns["coco-rouge-l"] = Rouge().compute_score(truth, text)[1]
        columns["cider-d"] = Cider().compute_score(truth, text)[1]
    place = {i: n for n, i in enumerate(kept)}
    return {name: [float(column[place[i]]) if i in place else None for i in range(len(pairs.ids))]
            for name, column in columns.items()}


class ChosenMeteor(Meteor):
    """The package's METEOR with other matchers than all four."""

    def __init__(self, modules):
        self.meteor_cmd = ["java", "-jar", "-Xmx2G", METEOR_JAR, "-", "-", "-stdio", "-l", "en", "-norm", "-m", modules]
        self.meteor_p = subprocess.Popen(self.meteor_cmd, cwd=METEOR_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL)
        self.lock = threading.Lock()


class JavaMeteor:
    """METEOR 1.5 as COCO runs it, a pair at a time. The package hangs when its Java side has died; this starts another."""

    def __init__(self, modules):
        self.start, self.java = (lambda: ChosenMeteor(modules)) if modules else Meteor, None

    def score(self, truth, text):
        if any(mark in truth + text for mark in ("\n", "\r", "|||")):  # these end a line or a field of what Java reads
            return None
        matches = Counter(truth.split()) & Counter(text.split())
        if max(matches.values(), default=0) > MOST_REPEATS:
            return None
        if self.java is None:
            self.java = self.start()
        try:
            return self.java.compute_score({0: [truth]}, {0: [text]})[1][0]
        except (OSError, ValueError):
            self.java.lock.release()
            self.java = None
            return None


def meteor(pairs, tokens, modules=None):
    java = JavaMeteor(modules)
    known = lambda *both: None if None in both else java.score(*both)
    return {"meteor": [known(tokens[truth], tokens[text]) for truth, text in zip(pairs.references, pairs.predictions)]}


def meteor_files(folder):
    """{name: file} of METEOR's own data, out of its jar."""
    with zipfile.ZipFile(METEOR_FOLDER / METEOR_JAR) as jar:
        for name in ("synsets", "exceptions"):
            (folder / f"english.{name}").write_bytes(jar.read(f"synonym/english.{name}"))
    return {"synsets": str(folder / "english.synsets"), "exceptions": str(folder / "english.exceptions"),
            "paraphrases": str(METEOR_FOLDER / "data/paraphrase-en.gz")}


# ---- rouge-score

def rouge(pairs):
    columns = {}
    for suffix, stem in (("", False), ("-stem", True)):
        scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
        scores = [scorer.score(*pair) for pair in zip(pairs.references, pairs.predictions)]
        for theirs, ours in (("rouge1", "rouge1"), ("rouge2", "rouge2"), ("rougeL", "rouge-l")):
            columns[ours + suffix] = [float(score[theirs].fmeasure) for score in scores]
    return columns


# ---- readability and length

def readability(pairs):
    with warnings.catch_warnings():  # textstat calls two-word sentences suspicious
        warnings.simplefilter("ignore")
        return {"fkgl": [textstat.flesch_kincaid_grade(text) for text in pairs.predictions]}


def words(pairs):
    """Our length is counted in rouge-score's words."""
    words_of = tokenizers.DefaultTokenizer(use_stemmer=False).tokenize
    return {"words": [float(len(words_of(text))) for text in pairs.predictions]}
