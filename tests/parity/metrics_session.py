# SPDX-License-Identifier: Apache-2.0
"""What scripts/parity-metrics does with scores: ours from unirg-eval, theirs from metrics_peers, and the table of both."""

import hashlib
import json
import math
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent


class ToolFailure(Exception):
    """Our tool or a package's process ended with an error; the text is its own."""


@dataclass
class Row:
    """One metric of one variant over all sets."""
    metric: str
    variant: str
    peer: str
    tolerance: float
    pairs: int = 0
    worst: float = 0.0
    where: str = ""
    left_out: dict = field(default_factory=dict)  # by reason
    problems: list = field(default_factory=list)
    beyond: int = 0

    def leave_out(self, reason):
        self.left_out[reason] = self.left_out.get(reason, 0) + 1

    def add(self, where, ours, theirs, null_is_allowed):
        """One pair. Nulls of both are compared too: neither may hide a number of the other."""
        if isinstance(theirs, str) or theirs is None:
            self.leave_out(theirs or "no value of the package")
        elif ours is None and null_is_allowed:
            self.leave_out("none of ours")
        elif ours is None:
            self.beyond += 1
            self.problems.append(f"{where}: null, not {theirs!r}")
        else:
            self.pairs += 1
            difference = abs(ours - theirs)
            if difference > self.worst or not self.where:
                self.worst, self.where = difference, f"{where}: {ours:.12g}, not {theirs:.12g}" if difference else where
            if not difference <= self.tolerance:
                self.beyond += 1
                self.problems.append(f"{where}: {ours!r}, not {theirs!r}")

    @property
    def passed(self):
        return self.pairs > 0 and not self.beyond


class Session:
    """Folder WORK: sets.json, models, peers/; the sets as unirg-eval reads them; the rows."""

    def __init__(self, bin_folder, work, sets, threads):
        self.tool = Path(bin_folder).resolve() / "unirg-eval"
        self.work, self.sets, self.threads = work, {pairs.name: pairs for pairs in sets}, threads
        self.rows, self.peers, self.seconds, self.files = [], {}, {}, {}
        (work / "peers").mkdir(parents=True, exist_ok=True)
        (work / "sets.json").write_text(json.dumps([asdict(pairs) for pairs in sets]))
        for pairs in sets:
            self.write_set(pairs, pairs.name)

    # ---- the packages

    def digest(self, group, versions):
        """Of all that a group's answer depends on."""
        module = "text" if group == "coco" else group.split("-")[0]
        sha = hashlib.sha256(json.dumps([group, versions]).encode())
        files = [self.work / "sets.json", HERE / "metrics_peers.py", HERE / f"metrics_{module}.py"]
        if module != "text":
            files += sorted(file for file in (self.work / "models").rglob("*")
                            if file.suffix in (".safetensors", ".th", ".pth", ".txt", ".json", ".model"))
        for file in files:
            sha.update(hashlib.sha256(file.read_bytes()).digest())
        return sha.hexdigest()

    def run_peers(self, groups, versions, jobs, fresh):
        """Each group in a process of its own, `jobs` at once; answers of the same inputs and packages are kept."""
        waiting, running = [], {}
        for group in groups:
            stamp, answer = self.work / f"peers/{group}.digest", self.work / f"peers/{group}.json"
            digest = self.digest(group, versions)
            if not fresh and answer.exists() and stamp.exists() and stamp.read_text() == digest:
                print(f"{group}: the packages' scores of an earlier run", flush=True)
            else:
                stamp.unlink(missing_ok=True)
                waiting.append((group, stamp, digest))
        while waiting or running:
            while waiting and len(running) < jobs:
                group, stamp, digest = waiting.pop(0)
                log = (self.work / f"peers/{group}.log").open("w+")
                process = subprocess.Popen([sys.executable, "-W", "ignore", HERE / "metrics_peers.py", self.work, group],
                                           stdout=log, stderr=log)
                running[process] = (group, stamp, digest, log, time.monotonic())
            time.sleep(0.2)
            for process in [p for p in running if p.poll() is not None]:
                group, stamp, digest, log, begin = running.pop(process)
                if process.returncode != 0:
                    log.seek(0)
                    for other in running:
                        other.kill()
                        other.wait()
                    raise ToolFailure(f"metrics_peers.py {group}: exit {process.returncode}: {log.read()[-3000:]}")
                stamp.write_text(digest)
                print(f"{group}: the packages took {time.monotonic() - begin:.0f} s", flush=True)
        for group in groups:
            answer = json.loads((self.work / f"peers/{group}.json").read_text())
            self.peers.update(answer["columns"])
            self.seconds.update(answer["seconds"])
            self.files.update(answer.get("files", {}))

    # ---- our tool

    def write_set(self, pairs, name):
        """Both sides as unirg-eval reads them."""
        for side, texts in (("references", pairs.references), ("predictions", pairs.predictions)):
            with (self.work / f"{name}-{side}.jsonl").open("w", encoding="utf-8") as lines:
                for study, text in zip(pairs.ids, texts):
                    lines.write(json.dumps({"study_id": study, "text": text}, ensure_ascii=False) + "\n")

    def ours(self, variant, set_name, metrics, options):
        """{study: {metric: value}} of unirg-eval."""
        scores = self.work / f"{set_name}-{variant}.jsonl"
        scores.unlink(missing_ok=True)
        command = [self.tool, "--quiet", "--references", self.work / f"{set_name}-references.jsonl", "--predictions",
                   self.work / f"{set_name}-predictions.jsonl", "--metrics", ",".join(metrics), "--scores", scores, "--resamples",
                   "0", "--format", "none", "--threads", self.threads, *options]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if run.returncode != 0:
            shown = " ".join(map(str, command))
            raise ToolFailure(f"{shown}: exit {run.returncode}: {run.stderr.strip()[-1500:]}")
        with scores.open(encoding="utf-8") as lines:
            return {record["study_id"]: record for record in map(json.loads, lines)}

    # ---- verdicts

    def compare(self, variant, metrics, options, tolerance, peer, columns=None, may_be_null=(), fitted=False):
        """One row for each metric. `columns`: theirs as {set: {metric: values}}, if not the variant's own. `fitted`: the metric
        hangs on all references of a set, so that ours sees those only that the package could take."""
        rows = {metric: Row(metric, variant, peer, tolerance) for metric in metrics}
        columns = columns or self.peers[variant]
        begin = time.monotonic()
        for set_name, pairs in self.sets.items():
            seen = set_name
            if fitted:
                seen = f"{set_name}-taken"
                taken = columns[set_name][metrics[0]]
                self.write_set(pairs.only(lambda i: i < len(taken) and not isinstance(taken[i], str)), seen)
            try:
                ours = self.ours(variant, seen, metrics, options)
            except ToolFailure as error:
                for row in rows.values():
                    row.beyond += 1
                    row.problems.append(str(error))
                continue
            for metric, row in rows.items():
                theirs = columns[set_name][metric]
                for study, value in zip(pairs.ids, theirs):
                    row.add(f"{set_name} {study}", ours.get(study, {}).get(metric), value, metric in may_be_null)
        self.seconds[f"ours: {variant}"] = time.monotonic() - begin
        for row in rows.values():
            self.show(row)
        self.rows += rows.values()

    def show(self, row):
        if len(self.rows) == 0 and not getattr(self, "headed", False):
            print(f"\n{'metric':26}{'variant':28}{'pairs':>6}{'left out':>10}{'largest difference':>20}{'tolerance':>11}  verdict")
            self.headed = True
        out = sum(row.left_out.values())
        print(f"{row.metric:26}{row.variant:28}{row.pairs:6}{out:10}{row.worst:20.2e}{row.tolerance:11g}  "
              f"{'PASS' if row.passed else 'FAIL'}  {row.where if row.worst else ''}", flush=True)

    def summary(self, versions):
        as_dict = lambda row: {**asdict(row), "worst": row.worst if math.isfinite(row.worst) else str(row.worst),
                               "problems": row.problems[:50], "verdict": "PASS" if row.passed else "FAIL"}
        return {"schema": "unirg.parity-metrics/1", "versions": versions, "rows": [as_dict(row) for row in self.rows],
                "failed": sum(not row.passed for row in self.rows), "seconds": self.seconds}
