# SPDX-License-Identifier: Apache-2.0
"""scipy's side of scripts/parity-statistics: the cases, scipy's answers, and whether ours are theirs but for chance."""

import json
import statistics
import subprocess
import sys

import numpy as np
import scipy
from scipy import stats

RESAMPLES, PERMUTATIONS, SEEDS = 20000, 40000, 8
COVERAGE = {"coverage": 6000, "patients": 150, "resamples": 999, "seed": 1}
NOMINAL = (0.94, 0.96)


def sums(*columns):
    return np.stack([np.asarray(column, float) for column in columns], axis=-1)


def of_values(x):
    return sums(x, np.ones(len(x)))


def mean(s):
    return s[..., 0] / s[..., 1]


def variance(s):
    return s[..., 1] / s[..., 2] - (s[..., 0] / s[..., 2]) ** 2


def correlation(s):
    x, y, xx, yy, xy, n = np.moveaxis(s, -1, 0)
    return (n * xy - x * y) / np.sqrt((n * xx - x * x) * (n * yy - y * y))


def f1(s):
    return 2 * s[..., 0] / (2 * s[..., 0] + s[..., 1] + s[..., 2])


STATISTICS = {"mean": mean, "variance": variance, "correlation": correlation, "f1": f1}


def law_school():
    lsat = np.array([576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594], float)
    gpa = np.array([3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96])
    return sums(lsat, gpa, lsat**2, gpa**2, lsat * gpa, np.ones(15))


def spatial():
    a = np.array([48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41], float)
    return sums(a, a**2, np.ones(26))


def zea_mays():
    crossed = [23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12]
    selfed = [17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18]
    return of_values(crossed), of_values(selfed)


def findings():
    """Two systems' findings in 120 patients: right, false, missed."""
    rng = np.random.default_rng(7)
    there = rng.poisson(2, 120)
    right = [rng.binomial(there, p) for p in (0.66, 0.60)]
    return [sums(r, rng.poisson(0.5, 120), there - r) for r in right]


def scores():
    """Two systems' scores over 80 patients of one to four reports each, alike within one."""
    rng = np.random.default_rng(11)
    reports = rng.integers(1, 5, 80)
    base = rng.beta(2, 3, 80)
    return [sums(np.clip(base + rng.normal(shift, 0.12, 80), 0, 1) * reports, reports) for shift in (0.05, 0.02)]


# The first three from Efron and Tibshirani (1993), tables 3.1 and 14.1; the fourth Darwin's, as Fisher (1935) tested it.
CASES = [
    ("law schools: correlation", "correlation", [law_school()]),
    ("spatial test A: variance", "variance", [spatial()]),
    ("Zea mays: difference of means", "mean", list(zea_mays())),
    ("findings: difference of micro F1", "f1", findings()),
    ("scores of clustered reports: difference of means", "mean", scores()),
]


def ask(probe, case):
    run = subprocess.run([probe], input=json.dumps(case), capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"parity-statistics: error: {run.stderr.strip()}")
    return json.loads(run.stdout)


def ours(probe, name, systems, kind, seed):
    answer = ask(probe, {"clusters": [s.tolist() for s in systems], "statistic": name, "kind": kind, "resamples": RESAMPLES,
                         "permutations": PERMUTATIONS, "seed": seed})
    return answer["intervals"][0] if len(systems) == 1 else answer["difference"][1:], answer.get("p")


def theirs(name, systems, kind):
    of = STATISTICS[name]
    clusters = np.arange(len(systems[0]))

    def statistic(chosen, axis=-1):
        values = [of(s[chosen.astype(int)].sum(axis=-2)) for s in systems]
        return values[0] if len(values) == 1 else values[0] - values[1]

    method = {"percentile": "percentile", "bca": "BCa"}[kind]
    result = stats.bootstrap((clusters,), statistic, n_resamples=RESAMPLES, method=method, vectorized=True, batch=500,
                             random_state=np.random.default_rng(3))
    return list(result.confidence_interval)


def their_p(name, systems):
    """A cluster is a pair of rows; scipy swaps rows of the two samples."""
    of = STATISTICS[name]
    rows = np.concatenate(systems)
    n = len(systems[0])

    def statistic(a, b, axis=-1):
        return of(rows[a.astype(int)].sum(axis=-2)) - of(rows[b.astype(int)].sum(axis=-2))

    return stats.permutation_test((np.arange(n), np.arange(n) + n), statistic, permutation_type="samples", vectorized=True,
                                  n_resamples=PERMUTATIONS, batch=500, random_state=np.random.default_rng(5)).pvalue


def compare(probe, title, name, systems):
    """Rows of (what, ours, theirs, largest difference that chance explains)."""
    rows = []
    for kind in ("percentile", "bca"):
        runs = [ours(probe, name, systems, kind, seed) for seed in range(SEEDS)]
        for side, (label, value) in enumerate(zip(("low", "high"), theirs(name, systems, kind))):
            ends = [run[0][side] for run in runs]
            # of our mean over seeds and scipy's one run; rounding where there is no chance
            chance = 5 * statistics.stdev(ends) * (1 + 1 / SEEDS) ** 0.5 + 1e-9
            rows.append((f"{title}, {kind} {label}", statistics.mean(ends), value, chance))
    if len(systems) == 2:
        ps = [run[1] for run in runs]
        p = their_p(name, systems)
        chance = 5 * (2 * p / PERMUTATIONS) ** 0.5 if 2 ** len(systems[0]) > PERMUTATIONS else 1e-9
        rows.append((f"{title}, permutation p", statistics.mean(ps), p, chance))
    return rows


def main():
    probe = sys.argv[1]
    failed = 0
    print(f"scipy {scipy.__version__}, {RESAMPLES} resamples, {PERMUTATIONS} permutations, ours the mean of {SEEDS} seeds\n")
    print("| case | ours | scipy | difference | chance |\n|---|---:|---:|---:|---:|")
    for case in CASES:
        for what, mine, value, chance in compare(probe, *case):
            agrees = abs(mine - value) <= chance
            failed += not agrees
            print(f"| {what} | {mine:.5f} | {value:.5f} | {abs(mine - value):.5f}{'' if agrees else ' **differs**'} | {chance:.5f} |")
    print("\n| interval | nominal | covered |\n|---|---:|---:|")
    for kind in ("percentile", "bca"):
        covered = ask(probe, {**COVERAGE, "kind": kind})["covered"]
        agrees = NOMINAL[0] <= covered <= NOMINAL[1]
        failed += not agrees
        print(f"| {kind} | 0.95 | {covered:.4f}{'' if agrees else ' **outside 0.94 to 0.96**'} |")
    print(f"\n{'all agree' if not failed else f'{failed} differ'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
