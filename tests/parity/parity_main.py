# SPDX-License-Identifier: Apache-2.0
"""Runs every check of scripts/parity-transformers, which gives the arguments and explains them."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import peft
import torch
import transformers

import parity_adapters
import parity_decoders
import parity_qwen3_vl
import parity_written
from parity_session import ROOT, Session


def run_script(session, case, *command):
    """A check that is a program of its own: its verdict is its exit status, 77 is no verdict."""
    def check(s):
        run = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, cwd=ROOT)
        print(run.stdout, end="")
        last = (run.stdout.strip().splitlines() or [""])[-1]
        if run.returncode == 77:
            print(f"{case}: no verdict: {run.stderr.strip()}")  # not counted among the checks
            return
        s.record("the script's own", f"exit {run.returncode}", "exit status 0", run.returncode == 0,
                 last if run.returncode == 0 else (run.stderr.strip() or last)[-1500:])
    session.run_case(case, check)


def run_scripts(session):
    here = ROOT / "tests/parity"
    forward = f"{session.bin}/unirg-model forward --quiet --device cpu --model {{model}} --output {{output}} {{request}}"
    run_script(session, "encoders", here / "check_encoders.py", "--command", forward)
    run_script(session, "tokenizers", here / "check_tokenizers.py", "--binary",
               session.bin.parent / "tests/parity/tokenizers/tokenize_lines")
    run_script(session, "convert-weights", here / "check_convert.py", ROOT / "../shared/golden")


def run_all(options, work):
    session = Session(options["bin"], work, options["only"])
    for folder in ("qwen3-vl", "decoder", "convert", "peft", "merged", "lora", "sft"):
        (work / folder).mkdir()
    for part in (parity_qwen3_vl, parity_written, parity_adapters, parity_decoders):
        part.run(session)
    run_scripts(session)
    return session


def main():
    options = json.loads(sys.argv[1])
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__,
                "peft": peft.__version__}
    if options["keep"]:
        work = Path(options["keep"]).resolve()
        work.mkdir(parents=True, exist_ok=True)
        session = run_all(options, work)
    else:
        with tempfile.TemporaryDirectory(prefix="unirg-parity-") as work:
            session = run_all(options, Path(work))
    summary = session.summary(versions)
    output = Path(options["json"])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    for row in summary["checks"]:
        if row["verdict"] != "ok":
            print(f"FAILED  {row['shape']}: {row['check']}: {row['worst']} (tolerance {row['tolerance']}) {row['note']}")
    if not summary["checks"]:
        print(f"parity-transformers: error: no check was made for '{options['only']}'", file=sys.stderr)
    print(", ".join(f"{k} {v}" for k, v in versions.items()))
    print(f"{len(summary['checks']) - summary['failed']} of {len(summary['checks'])} checks passed; all in {output}")
    return 1 if summary["failed"] or not summary["checks"] else 0


if __name__ == "__main__":
    sys.exit(main())
