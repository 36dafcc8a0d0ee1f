#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast the report page opens: score and study records of many made-up studies, the page of unirg-eval, and headless
Chromium's time from opening the file to the drawn and laid out leaderboard.

    UNIRG_BIN=build/release/bin tests/bench/report_page.sh [--studies 10000] [--systems 4] [--images link|none|embed]

Prints one line a run; asserts nothing.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import tempfile
import time
import zlib

FINDINGS = ["Small left pleural effusion.", "No pneumothorax.", "The heart is mildly enlarged.", "Mild pulmonary edema.",
            "Linear atelectasis at the right base.", "The lungs are clear.", "Opacity in the left upper lobe concerning for pneumonia.",
            "Right internal jugular catheter in unchanged position.", "The osseous structures are intact.", "No acute fracture."]
CONDITIONS = ["Cardiomegaly", "Edema", "Atelectasis", "Pneumonia", "Pleural Effusion", "Support Devices"]
CLOCK = """<script>
document.querySelector('table.leaderboard').getBoundingClientRect();
document.documentElement.dataset.drawn = performance.now();
document.documentElement.replaceChildren();  // or the browser prints all of it
</script>"""


def png(rng):
    """A grey 128 x 128 image that does not compress to nothing."""
    rows = b"".join(b"\0" + bytes(rng.randrange(60, 130) for _ in range(128)) for _ in range(128))
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 128, 128, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def report(rng):
    return "Findings: %s Impression: %s" % (" ".join(rng.sample(FINDINGS, 6)), rng.choice(FINDINGS))


def study(index, image):
    patient, first = "p%06d" % (index // 2), index % 2 == 0
    return {"schema": "unirg.study/1", "study_id": "%s-%d" % (patient, 1 + index % 2), "patient_id": patient, "dataset": "made",
            "site": "ABCD"[index // 2 % 4], "split": "test", "date": "2020-01-31",
            "images": [{"id": "i", "view": "PA", "shard": "images.tar", "offset": image * index, "bytes": image, "width": 128,
                        "height": 128, "sha256": "", "decoder": "png", "source": "", "pixels_sha256": ""}],
            "age": 60, "sex": "F", "race": None, "indication": "Cough.", "technique": None, "comparison": None,
            "findings": "No pneumothorax.", "impression": "Edema.", "prior": None if first else patient + "-1",
            "encounter": 1 if first else 2, "labels": None, "modality": None, "style": None, "source": {"path": "", "sha256": ""}}


def score(rng, record, system, reference):
    numbers = {name: rng.random() for name in ("bleu2", "rouge-l", "label-f1", "entity-f1")}
    return {"schema": "unirg.score/1", "study_id": record["study_id"], "system": system, "split": "test", "seed": "", **numbers,
            "errors": rng.randrange(6), "words": rng.randrange(20, 60), "patient_id": record["patient_id"], "site": record["site"],
            "sex": "F", "race": None, "age": 60, "encounter": record["encounter"], "called": rng.sample(CONDITIONS, 2),
            "present": sorted(rng.sample(CONDITIONS, 2)), "text": report(rng), "reference": reference}


def make_inputs(folder, studies, systems):
    rng = random.Random(0)
    image = png(rng)
    # told apart by a byte behind the image, as by their pixels they would be: linked images are named by their bytes
    (folder / "images.tar").write_bytes(b"".join(image + struct.pack(">I", k) for k in range(studies)))
    records = [study(k, len(image) + 4) for k in range(studies)]
    (folder / "studies.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    references = [report(rng) for _ in records]
    files = []
    for k in range(systems):
        files.append(folder / ("system%d.jsonl" % k))
        files[-1].write_text("".join(json.dumps(score(rng, r, "system%d" % k, t)) + "\n" for r, t in zip(records, references)))
    return files


def build(folder, files, images):
    tool = os.path.join(os.environ["UNIRG_BIN"], "unirg-eval")
    begin = time.monotonic()
    subprocess.run([tool, "compare", *map(str, files), "--quiet", "--format", "none", "--resamples", "20", "--html", str(folder / "page.html"),
                    "--studies", str(folder / "studies.jsonl"), "--shown-studies", "0", "--images", images],
                   check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


def open_page(folder, browser):
    """Milliseconds from the start of the navigation."""
    page = folder / "timed.html"
    page.write_text((folder / "page.html").read_text() + CLOCK)
    dom = subprocess.run([browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                          "--user-data-dir=%s" % (folder / "profile"), "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", page.as_uri()],
                         check=True, capture_output=True, text=True, timeout=300).stdout
    return float(re.search(r'data-drawn="([0-9.]+)"', dom).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10000)
    parser.add_argument("--systems", type=int, default=4)
    parser.add_argument("--images", default="link", choices=["embed", "link", "none"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", help="writes the numbers there, too")
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        print("report_page: no Chromium, nothing measured (hint: apt-get install chromium)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        seconds = build(folder, make_inputs(folder, options.studies, options.systems), options.images)
        size = (folder / "page.html").stat().st_size / 1e6
        print("%d studies, %d systems, images %s: %.1f MB in %.1f s" % (options.studies, options.systems, options.images, size, seconds))
        drawn = []
        for _ in range(options.runs):
            drawn.append(open_page(folder, browser))
            print("leaderboard drawn after %.0f ms" % drawn[-1], flush=True)
    if options.json:
        pathlib.Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(options.json).write_text(json.dumps({
            "studies": options.studies, "systems": options.systems, "images": options.images, "page_mb": size,
            "build_s": seconds, "drawn_ms": drawn}) + "\n")


if __name__ == "__main__":
    main()
