# SPDX-License-Identifier: Apache-2.0
"""The pairs of reports that scripts/parity-metrics and scripts/bench-metrics score: real ones and degenerate ones."""

import random
import re
import tarfile
import xml.etree.ElementTree
from dataclasses import dataclass

SEED = 20260117
SECTIONS = ("FINDINGS", "IMPRESSION")


@dataclass
class PairSet:
    """Reports by study: what is true, and what a model might have written."""
    name: str
    ids: list
    references: list
    predictions: list

    def only(self, keep):
        """The pairs i for which keep(i)."""
        kept = [i for i in range(len(self.ids)) if keep(i)]
        pick = lambda values: [values[i] for i in kept]
        return PairSet(self.name, pick(self.ids), pick(self.references), pick(self.predictions))


def archive_of(data):
    return data / "iu-xray/iu_xray_reports.tgz"


def read_reports(data):
    """(study, findings and impression) of every report of Open-i, in the order of their numbers."""
    reports = []
    with tarfile.open(archive_of(data)) as archive:
        for member in archive:
            if not member.name.endswith(".xml"):
                continue
            root = xml.etree.ElementTree.parse(archive.extractfile(member)).getroot()
            texts = {t.get("Label"): (t.text or "").strip() for t in root.iter("AbstractText")}
            number = int(re.search(r"(\d+)\.xml$", member.name).group(1))
            reports.append((number, " ".join(texts[s] for s in SECTIONS if texts.get(s))))
    return [(f"CXR{number}", text) for number, text in sorted(reports)]


def shuffled(reports, name="shuffled"):
    """Every report beside another one."""
    ids, texts = (list(column) for column in zip(*reports))
    order = list(range(len(texts)))
    random.Random(SEED).shuffle(order)
    partner = dict(zip(order, order[1:] + order[:1]))
    return PairSet(name, ids, texts, [texts[partner[i]] for i in range(len(texts))])


def perturb(text, rng):
    """The text with about a quarter of its words dropped, swapped with the next, or in another case."""
    words, out, i = text.split(), [], 0
    while i < len(words):
        draw = rng.random()
        if draw < 0.08:
            pass
        elif draw < 0.16 and i + 1 < len(words):
            out += [words[i + 1], words[i]]
            i += 1
        elif draw < 0.24:
            out.append(rng.choice([str.upper, str.lower, str.capitalize])(words[i]))
        else:
            out.append(words[i])
        i += 1
    return " ".join(out)


def perturbed(reports, name="perturbed"):
    rng = random.Random(SEED + 1)
    ids, texts = (list(column) for column in zip(*reports))
    return PairSet(name, ids, texts, [perturb(text, rng) for text in texts])


REPORT = ("The heart is mildly enlarged. There is a small left pleural effusion, with adjacent atelectasis. "
          "No pneumothorax is seen. Impression: Mild cardiomegaly and a small effusion.")


def long_texts():
    rng = random.Random(SEED + 2)
    vocabulary = sorted(set(re.findall(r"[A-Za-z]+", REPORT)))
    sentences = [" ".join(rng.choice(vocabulary) for _ in range(8)).capitalize() + "." for _ in range(250)]
    return {"600-words": " ".join(sentences[:75]), "2000-words": " ".join(sentences),
            "2000-times-one-word": "effusion " * 1999 + "effusion"}


DEGENERATE = {
    "empty": "", "space": "   ", "newline": "\n", "tabs": "\t\t", "one-word": "Normal", "one-letter": "a", "period": ".",
    "punctuation": "... ,,, ;;; ??? !!! ()[]{} -- ''``\"", "two-words": "No effusion", "unknown-words": "zqxv wqzk vvxq",
    "number": "12", "numbers": "1. 2.5 cm 3,000 4/5 10% 7-mm 1:2 #3 $4.50 1st 2nd 12:30", "upper": REPORT.upper(),
    "lower": REPORT.lower(), "repeated": "No effusion. " * 40, "no-space": "Heart.Lungs,clear;No(effusion)seen:yes/no",
    "hyphens": "left-sided follow-up x-ray -- well-defined mid- and lower-lung", "quotes": "It's the patient's \"own\" `x` ''y'' can't won't they're",
    "spaces": "  The   heart  is    normal.   ", "lines": "FINDING one\nThe heart is normal.\n\nNo effusion.\n", "windows-lines": "Heart normal.\r\nLungs clear.\r\n",
    "list": "1. Heart normal. 2. Lungs clear. 3. No effusion.", "abbreviations": "Dr. Smith saw 2.5 cm a.m. vs. e.g. No. 5 approx. T5-T6 C-spine s/p CABG",
    "xxxx": "XXXX XXXX XXXX. There are XXXX of XXXX.", "accents": "Épanchement pleural na\u00efve caf\u00e9 \u00c5ngstr\u00f6m M\u00fcller stra\u00dfe",
    "combining": "e\u0301panchement cafe\u0301 A\u030angstro\u0308m", "chinese": "\u80ba\u90e8\u6e05\u6670\uff0c\u672a\u89c1\u5f02\u5e38\u3002",
    "arabic": "\u0627\u0644\u0642\u0644\u0628 \u0637\u0628\u064a\u0639\u064a \u0648\u0627\u0644\u0631\u0626\u062a\u0627\u0646 \u0633\u0644\u064a\u0645\u062a\u0627\u0646.",
    "emoji": "Heart \u2764\ufe0f normal \U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467", "no-break": "heart\u00a0size\u2003is\u2009normal\u200b.",
    "symbols": "2 \u00d7 3 cm \u00b1 1 \u00b5m \u2264 5 \u00b0C \u00bd \u2013 \u2014 \u2018left\u2019 \u201cright\u201d \u2026 \u2022 \u00ae\u2122",
    "turkish": "\u0130stanbul \u0131\u015f\u0131k \ufb01ne \ufb02uid \u1e9e \u03a3\u03c2", "line-separators": "heart\u2028normal\u2029lungs\x85clear\x0bno\x0ceffusion",
    "controls": "heart\x01 normal\x1f\x7f lungs", "markup": "<b>Heart</b> &amp; lungs <br/> are [clear] {yes}", "pipes": "heart ||| lungs || clear | no",
    "specials": "[CLS] heart [SEP] lungs <s> clear </s> [MASK] <unk> [PAD]", "escapes": "heart \\n normal \\f lungs \\u2122 clear \\\" end",
    "long-word": "a" * 300, "very-long-word": "effusion" * 200,
}


def degenerate():
    """Each odd text as prediction, as reference, and on both sides; and some beside each other."""
    texts = DEGENERATE | long_texts()
    rows = []
    for name, text in texts.items():
        rows += [(f"{name}-predicted", REPORT, text), (f"{name}-true", text, REPORT), (f"{name}-identical", text, text)]
    names = list(texts)
    rows += [(f"{a}-beside-{b}", texts[a], texts[b]) for a, b in zip(names, names[1:])]
    rows.append(("identical", REPORT, REPORT))
    return PairSet("degenerate", *(list(column) for column in zip(*rows)))
