#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests scripts/convert-weights on the goldens and on archives made from them.

    tests/parity/check_convert.py ../shared/golden [--command COMMAND]

COMMAND (see check_encoders.py) also runs our forward pass on what was converted; without it only files are
compared. Needs torch and safetensors.
"""

import argparse
import json
import os
import pathlib
import pickle
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import torch
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
UMASK = os.umask(0)
os.umask(UMASK)
OPTIONS = None


def convert(*arguments):
    return subprocess.run([sys.executable, ROOT / "scripts/convert-weights", *map(str, arguments)], capture_output=True,
                          text=True)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.output = self.folder / "out"

    def convert(self, *arguments):
        run = convert(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run

    def refused(self, status, text, *arguments):
        run = convert(*arguments)
        self.assertEqual(run.returncode, status, run.stderr)
        self.assertIn(text, run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertFalse(self.output.exists())
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(".")], [])

    def assert_tensors_equal(self, left, right):
        self.assertEqual(set(left), set(right))
        for name, tensor in left.items():
            self.assertTrue(torch.equal(tensor, right[name]), name)

    def runs(self, folder):
        """Our encoder loads it and gives finite numbers."""
        if OPTIONS.command is None:
            return
        request = self.folder / "request.json"
        request.write_text(json.dumps({"input_ids": [[2, 7, 3], [2, 3]]}))
        places = {"model": folder, "request": request, "output": self.folder / "hidden.safetensors"}
        subprocess.run([part.format(**places) for part in shlex.split(OPTIONS.command)], check=True)
        for tensor in load_file(places["output"]).values():
            self.assertTrue(torch.isfinite(tensor).all())


class Chexbert(Case):
    def setUp(self):
        super().setUp()
        self.golden = OPTIONS.golden / "chexbert_tiny"

    def test_the_golden_checkpoint_gives_the_golden_weights(self):
        run = self.convert(self.golden / "checkpoint.pth", self.output, "--encoder", self.golden)
        self.assert_tensors_equal(load_file(self.output / "model.safetensors"), load_file(self.golden / "model.safetensors"))
        config, original = (json.loads((f / "config.json").read_text()) for f in (self.output, self.golden))
        self.assertEqual(config, original)
        self.assertIn("module.linear_heads.13.bias\ttaken\tlinear_heads.13.bias float32 [2]\n", run.stdout)

    def test_old_files_with_buffers_and_training_state(self):
        state = torch.load(self.golden / "checkpoint.pth", weights_only=True)["model_state_dict"]
        state["module.bert.embeddings.position_ids"] = torch.arange(64).unsqueeze(0)
        old = self.folder / "old.pth"
        torch.save({"epoch": 3, "model_state_dict": state}, old, _use_new_zipfile_serialization=False)
        run = self.convert(old, self.output, "--encoder", self.golden)
        self.assertIn("epoch\tleft out\ttraining state\n", run.stdout)
        self.assertIn("module.bert.embeddings.position_ids\tleft out\ta buffer, counted anew\n", run.stdout)
        self.assertEqual(len(load_file(self.output / "model.safetensors")), len(state) - 1)

    def test_unknown_and_missing_tensors_stop_it(self):
        state = torch.load(self.golden / "checkpoint.pth", weights_only=True)["model_state_dict"]
        changed = self.folder / "changed.pth"
        torch.save({"model_state_dict": {**state, "module.extra.weight": torch.zeros(2)}}, changed)
        self.refused(65, "unknown entries: module.extra.weight", changed, self.output, "--encoder", self.golden)
        torch.save({"model_state_dict": state, "ema": {}}, changed)
        self.refused(65, "unknown entries: ema", changed, self.output, "--encoder", self.golden)
        del state["module.linear_heads.7.weight"]
        torch.save({"model_state_dict": state}, changed)
        self.refused(65, "linear_heads.7.weight", changed, self.output, "--encoder", self.golden)

    def test_an_encoder_of_another_size_needs_its_configuration(self):
        self.refused(65, "--encoder", self.golden / "checkpoint.pth", self.output)
        wrong = self.folder / "wrong"
        wrong.mkdir()
        config = json.loads((self.golden / "config.json").read_text())
        (wrong / "config.json").write_text(json.dumps({**config, "vocab_size": 7}))
        self.refused(65, "vocab_size is 7, the weights have 420", self.golden / "checkpoint.pth", self.output, "--encoder", wrong)

    def test_a_pickle_that_runs_code_is_refused(self):
        class Call:
            def __reduce__(self):
                return os.mkdir, (str(marker),)

        marker = self.folder / "ran"
        evil = self.folder / "evil.pth"
        evil.write_bytes(pickle.dumps({"model_state_dict": Call()}))
        self.refused(65, "is no pickle of plain tensors", evil, self.output)
        self.assertFalse(marker.exists())


class Radgraph(Case):
    def setUp(self):
        super().setUp()
        self.golden = OPTIONS.golden / "metrics" / "tiny_dygie"
        self.weights = load_file(self.golden / "model.safetensors")
        self.encoder = self.folder / "encoder"
        self.encoder.mkdir()
        shutil.copyfile(self.golden / "bert_config.json", self.encoder / "config.json")
        shutil.copyfile(self.golden / "vocab.txt", self.encoder / "vocab.txt")

    def archive(self, weights, prefix=""):
        torch.save(weights, self.folder / "weights.th")
        path = self.folder / "radgraph.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            tar.add(self.folder / "weights.th", prefix + "weights.th")
            tar.add(self.golden / "config.json", prefix + "config.json")
            tar.add(self.golden / "vocabulary", prefix + "vocabulary")
        return path

    def test_an_archive_gives_the_golden_folder(self):
        for prefix in ("", "./", "radgraph/"):
            with self.subTest(prefix=prefix):
                run = self.convert(self.archive(self.weights, prefix), self.output, "--encoder", self.encoder)
                written = load_file(self.output / "model.safetensors")
                used = {n: t for n, t in self.weights.items() if not n.startswith(("_coref.", "_events."))}
                self.assert_tensors_equal(written, used)
                self.assertIn("_coref._distance_embedding.weight\tleft out\ta head RadGraph does not use\n", run.stdout)
                for name in ("config.json", "bert_config.json"):
                    self.assertEqual(*(json.loads((f / name).read_text()) for f in (self.output, self.golden)))
                for name in ("vocab.txt", "vocabulary/radgraph__ner_labels.txt", "vocabulary/radgraph__relation_labels.txt"):
                    self.assertEqual(*((f / name).read_bytes() for f in (self.output, self.golden)))
                if OPTIONS.keep and not prefix:
                    shutil.copytree(self.output, OPTIONS.keep, dirs_exist_ok=True)
                shutil.rmtree(self.output)

    def test_an_unpacked_archive_is_read_too(self):
        folder = self.folder / "unpacked"
        shutil.copytree(self.golden, folder)
        torch.save(self.weights, folder / "weights.th")
        self.convert(folder, self.output, "--encoder", self.encoder)
        self.assertTrue((self.output / "model.safetensors").exists())

    def test_what_does_not_fit_stops_it(self):
        path = self.archive({**self.weights, "_adjective._scorer.weight": torch.zeros(2)})
        self.refused(65, "unknown entries: _adjective._scorer.weight", path, self.output, "--encoder", self.encoder)
        path = self.archive(self.weights)
        self.refused(64, "--encoder", path, self.output)
        path.write_bytes(path.read_bytes()[:1000])
        self.refused(65, "no readable tar archive", path, self.output, "--encoder", self.encoder)


class Transformers(Case):
    def setUp(self):
        super().setUp()
        self.golden = OPTIONS.golden / "bert_tiny"
        self.weights = load_file(self.golden / "model.safetensors")
        self.source = self.folder / "source"
        self.source.mkdir()
        shutil.copyfile(self.golden / "config.json", self.source / "config.json")

    def test_one_file(self):
        torch.save({**self.weights, "bert.embeddings.position_ids": torch.arange(64)}, self.source / "pytorch_model.bin")
        self.convert(self.source, self.output)
        self.assert_tensors_equal(load_file(self.output / "model.safetensors"), self.weights)
        self.assertTrue((self.output / "config.json").exists())
        self.assertEqual((self.output / "model.safetensors").stat().st_mode & 0o777, 0o666 & ~UMASK)
        self.runs(self.output)

    def test_shards_and_tied_weights(self):
        names = sorted(self.weights)
        words = self.weights["bert.embeddings.word_embeddings.weight"]
        parts = {"pytorch_model-1.bin": {n: self.weights[n] for n in names[:20]},
                 "pytorch_model-2.bin": {**{n: self.weights[n] for n in names[20:]}, "cls.predictions.decoder.weight": words}}
        for name, part in parts.items():
            torch.save(part, self.source / name)
        weight_map = {n: name for name, part in parts.items() for n in part}
        (self.source / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
        self.convert(self.source, self.output)
        self.assertEqual(len(load_file(self.output / "model.safetensors")), len(names) + 1)
        self.runs(self.output)

    def test_paths_outside_the_folder_are_not_followed(self):
        (self.source / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": {"a": "../a.bin"}}))
        self.refused(65, "not a file of the folder", self.source, self.output)


class CommandLine(Case):
    def test_help_errors_and_existing_outputs(self):
        self.assertIn("Exit status:", convert("--help").stdout)
        self.assertEqual(convert().returncode, 64)
        self.refused(66, "no such file", self.folder / "none.pth", self.output)
        self.refused(66, "holds neither", self.folder, self.output)
        self.output.mkdir()
        self.assertEqual(convert(self.folder / "none.pth", self.output).returncode, 73)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("golden", type=pathlib.Path, help="../shared/golden")
    parser.add_argument("--command", help="how to run our forward pass on a folder")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the converted RadGraph folder here")
    OPTIONS = parser.parse_args()
    if not OPTIONS.golden.exists():
        print(f"check_convert: skipped: needs {OPTIONS.golden}", file=sys.stderr)
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
