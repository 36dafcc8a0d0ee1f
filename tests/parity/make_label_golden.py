#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the goldens of label F1 and of correlations with scikit-learn and scipy.

    python3 -m venv VENV && VENV/bin/pip install scikit-learn scipy
    VENV/bin/python tests/parity/make_label_golden.py [--check]

Writes label_report.json and correlation.json under tests/unit/metrics/golden/; with --check it compares instead (to
1e-12) and exits 1 on a difference. Random data only, with all-zero columns and rows, ties and constants; None stands for
"no value".
"""
import argparse
import json
import math
import random
import sys
import warnings
from pathlib import Path

import scipy
import sklearn
from scipy import stats
from sklearn.metrics import accuracy_score, classification_report

FOLDER = Path(__file__).resolve().parents[1] / "unit/metrics/golden"
SETS = {"all": list(range(14)), "five": [1, 4, 5, 7, 9]}


def rows(rng, count, density, zero_columns):
    return [[int(c not in zero_columns and rng.random() < density) for c in range(14)] for _ in range(count)]


def averages(reference, hypothesis, columns):
    y = [[row[c] for c in columns] for row in reference]
    p = [[row[c] for c in columns] for row in hypothesis]
    report = classification_report(y, p, output_dict=True, zero_division=0)
    scores = {}
    for name, value in report.items():
        scores[name] = [value["precision"], value["recall"], value["f1-score"], int(value["support"])]
    scores["accuracy"] = accuracy_score(y, p)
    return scores


def label_cases():
    rng = random.Random(20260211)
    shapes = [(40, 0.3, 0.3, (), ()), (25, 0.2, 0.4, (3, 8), (8, 12)), (12, 0.1, 0.1, (1, 4), ()),
              (7, 0.5, 0.0, (), ()), (6, 0.0, 0.4, (), ()), (1, 0.4, 0.5, (), ()), (5, 0.0, 0.0, (), ())]
    cases = []
    for count, dense_r, dense_h, zero_r, zero_h in shapes:
        reference = rows(rng, count, dense_r, zero_r)
        hypothesis = rows(rng, count, dense_h, zero_h)
        expected = {name: averages(reference, hypothesis, columns) for name, columns in SETS.items()}
        pack = lambda matrix: ["".join(map(str, row)) for row in matrix]
        cases.append({"reference": pack(reference), "hypothesis": pack(hypothesis), "expected": expected})
    return {"made_with": f"scikit-learn {sklearn.__version__}", "cases": cases}


def value(result):
    number = float(result.statistic if hasattr(result, "statistic") else result[0])
    return None if math.isnan(number) else number


def correlation_cases():
    rng = random.Random(20260212)
    lists = [([1.0, 2.0], [2.0, 1.0]), ([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]), ([4.0, 4.0], [1.0, 2.0]),
             ([1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 1.0, 2.0]), ([1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 9.0, 16.0])]
    for count, levels in ((10, 3), (50, 5), (200, 9), (120, 0), (333, 40), (60, 2)):
        x = [rng.gauss(0, 1) for _ in range(count)]
        y = [0.6 * a + rng.gauss(0, 1) for a in x]
        if levels:
            x = [float(round(a * levels / 4)) for a in x]
            y = [float(round(b * levels / 4)) for b in y]
        lists.append(([round(a, 6) for a in x], [round(b, 6) for b in y]))
    lists.append(([1e6 + i * 1e-3 for i in range(30)], [float((i * 7) % 30) for i in range(30)]))
    cases = []
    for x, y in lists:
        cases.append({"x": x, "y": y, "pearson": value(stats.pearsonr(x, y)),
                      "spearman": value(stats.spearmanr(x, y)), "kendall": value(stats.kendalltau(x, y))})
    return {"made_with": f"scipy {scipy.__version__}", "cases": cases}


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a if k != "made_with")
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-12
    return a == b


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    made = {"label_report.json": label_cases(), "correlation.json": correlation_cases()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for name, content in made.items():
        if options.check:
            equal = same(content, json.loads((FOLDER / name).read_text()))
            print(f"{name}: {'same' if equal else 'DIFFERS'}")
            wrong += not equal
        else:
            (FOLDER / name).write_text(json.dumps(content, separators=(",", ":")).replace("},{", "},\n{") + "\n")
            print(f"{name}: written")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
