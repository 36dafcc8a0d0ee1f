# SPDX-License-Identifier: Apache-2.0
"""What the checks of scripts/parity-transformers share: our tools, folders, and the table of verdicts."""

import fnmatch
import json
import math
import subprocess
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]


class ToolFailure(Exception):
    """One of our tools ended with an error; the text is its own."""


def worst_of(ours, theirs, absolute, relative=0.0):
    """Largest absolute difference, and whether every value is within `absolute`, or within `relative` of its size."""
    if tuple(ours.shape) != tuple(theirs.shape):
        raise ValueError(f"shape {list(ours.shape)} instead of {list(theirs.shape)}")
    if theirs.numel() == 0:
        return 0.0, True
    expected = theirs.detach().double()
    difference = (ours.detach().double() - expected).abs()
    good = bool(((difference <= absolute) | (difference <= relative * expected.abs())).all())
    return difference.max().item(), good  # a NaN is not good


def largest(differences):
    """(difference, name) of the largest of a dictionary; NaN is larger than all."""
    return max(((math.inf if math.isnan(d) else d, name) for name, d in differences.items()), default=(0.0, ""))


class Session:
    """Runs named cases and collects their checks."""

    def __init__(self, bin_folder, work, only):
        self.bin = Path(bin_folder).resolve()
        self.work = Path(work)
        self.only = only
        self.rows = []
        self.case = ""
        self.shown_header = False

    # ---- our tools

    def run_tool(self, tool, *arguments):
        command = [str(self.bin / tool), *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if run.returncode != 0:
            shown = " ".join([tool, *command[1:]])
            raise ToolFailure(f"{shown}: exit {run.returncode}: {run.stderr.strip()[-1500:]}")
        return run.stdout

    def forward(self, model, request, *options):
        """The tensors of `unirg-model forward` for a request."""
        folder = Path(tempfile.mkdtemp(prefix="request-", dir=self.work))
        (folder / "request.json").write_text(json.dumps(request))
        self.run_tool("unirg-model", "forward", "--quiet", "--device", "cpu", "-m", model, "-o", folder / "answer.safetensors",
                      *options, folder / "request.json")
        return load_file(folder / "answer.safetensors")

    # ---- verdicts

    def record(self, check, worst, tolerance, good, note=""):
        """One line of the table. `worst` is a number, or words where there is none."""
        if isinstance(worst, float) and not math.isfinite(worst):
            worst = str(worst)  # JSON has no such number
        row = {"check": check, "shape": self.case, "worst": worst, "tolerance": tolerance,
               "verdict": "ok" if good else "FAILED", "note": note}
        self.rows.append(row)
        if not self.shown_header:
            print(f"{'check':40}{'shape':46}{'worst difference':>16}  {'tolerance':26}verdict")
            self.shown_header = True
        shown = f"{worst:.2e}" if isinstance(worst, float) else str(worst)
        print(f"{check:40}{self.case:46}{shown:>16}  {tolerance:26}{row['verdict']}" + (f"  ({note})" if note else ""),
              flush=True)

    def within(self, check, ours, theirs, absolute, relative=0.0, note=""):
        worst, good = worst_of(ours, theirs, absolute, relative)
        tolerance = f"{absolute:g}" + (f" or {relative:g} relative" if relative else "")
        self.record(check, worst, tolerance, good, note)

    def equal(self, check, ours, theirs, note=""):
        """Exact equality of anything; tells what differs."""
        if torch.is_tensor(ours) and torch.is_tensor(theirs):
            same = ours.shape == theirs.shape
            different = int((ours != theirs).sum()) if same else -1
            self.record(check, different if same else f"{list(ours.shape)}, not {list(theirs.shape)}", "exact",
                        same and different == 0, note)
            return
        good = ours == theirs
        self.record(check, "none" if good else "differs", "exact", good, note if good else f"{note} {ours!r:.300}, not {theirs!r:.300}".strip())

    def wanted(self, name):
        if any(c in self.only for c in "*?["):
            return fnmatch.fnmatch(name, self.only)
        return self.only in name

    def run_case(self, name, function):
        """Runs function(self); whatever it throws is a failed check."""
        if not self.wanted(name):
            return
        self.case = name
        begin = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(self)
        except ToolFailure as error:
            self.record("runs", "error", "exit status 0", False, str(error))
        except Exception as error:  # the other cases are worth running
            self.record("runs", "error", "no exception", False, f"{type(error).__name__}: {error}")
            (self.work / "trace.txt").open("a").write(f"{name}\n{traceback.format_exc()}\n")
        print(f"{name}: {time.monotonic() - begin:.1f} s", flush=True)

    def summary(self, versions):
        failed = [row for row in self.rows if row["verdict"] != "ok"]
        return {"schema": "unirg.parity/1", "versions": versions, "checks": self.rows, "failed": len(failed)}
