# SPDX-License-Identifier: Apache-2.0
"""Python packages for the scripts that compare with them: a virtual environment below .deps, made at the first run.

Imported by scripts/parity-* and scripts/bench-*, which run in the system's Python and name what they want.
"""

import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The CPU build where the index has it, as in scripts/bootstrap.
TORCH = ["torch==2.13.0+cpu", "torch==2.13.0"]
UNAVAILABLE = 69

# Of scripts/parity-metrics and scripts/bench-metrics: the published metrics, and versions of what they lean on that work
# together (bert-score and f1chexbert need an older transformers and scikit-learn, textstat's pyphen needs setuptools).
METRIC_PACKAGES = [
    "pycocoevalcap==1.2", "rouge-score==0.1.2", "fast-bleu==0.0.90", "textstat==0.7.3", "pyphen==0.18.1", "bert-score==0.3.13",
    "f1chexbert==0.0.2", "radgraph==0.1.18", "RaTEScore==0.6.0", "medspacy==1.3.1", "PyRuSH==1.0.13", "PyFastNER==1.0.10",
    "spacy==3.7.5", "transformers==4.46.3", "tokenizers==0.20.3", "safetensors==0.8.0", "sentencepiece==0.2.3", "protobuf==7.36.2",
    "scikit-learn==1.5.2", "numpy==1.26.4", "pandas==3.0.6", "nltk==3.10.4", "setuptools==80.10.2",
]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line and ends with 64."""

    def error(self, message):
        self.exit(64, f"{self.prog}: error: {message} (hint: try --help)\n")


def fail(tool, why):
    sys.exit(print(f"{tool}: error: {why}", file=sys.stderr) or UNAVAILABLE)


def install(tool, name, variable, packages, with_torch):
    """The interpreter of .deps/NAME with all packages; a stamp says that they are complete."""
    folder = ROOT / ".deps" / name
    python, stamp = folder / "bin/python", folder / "installed.txt"
    torch = TORCH if with_torch else []
    wanted = "\n".join(torch + packages) + "\n"
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    print(f"{tool}: installing Python packages into {folder.relative_to(ROOT)}", file=sys.stderr)
    if subprocess.run([sys.executable, "-m", "venv", folder]).returncode != 0:
        fail(tool, f"cannot make a virtual environment (hint: {variable}=/path/to/python names one that has the packages)")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not any(subprocess.run([*pip, *first, *packages]).returncode == 0 for first in [[t] for t in torch] or [[]]):
        fail(tool, "cannot install the Python packages (hint: PIP_INDEX_URL or PIP_FIND_LINKS name another source)")
    stamp.write_text(wanted)
    return str(python)


def python_of(tool, name, variable, packages, with_torch=True):
    """The interpreter that the variable names, or the one of .deps/NAME."""
    return os.environ.get(variable) or install(tool, name, variable, packages, with_torch)
