# SPDX-License-Identifier: Apache-2.0
"""The peer of scripts/bench-ingest: DICOM files to 8-bit PNG in a tar, by pydicom, NumPy and Pillow.

    ingest_peer.py convert FOLDER FILES.json TAR LONGEST_SIDE PROCESSES    prints {"seconds", "peak_rss_mib"}
    ingest_peer.py compare TAR FOLDER FILES.json                           prints {"mean", "most"} grey levels between TAR
                                                                           and the output FOLDER of unirg-ingest

Written as a user of these packages would: pydicom's pixel_array, apply_modality_lut and apply_voi_lut, the range mapped
to 0..255, MONOCHROME1 inverted, Image.resize with BICUBIC, PNG as Pillow writes it by default. Seconds are those of the
work, interpreter and imports left out.
"""

import io
import json
import multiprocessing
import resource
import sys
import tarfile
import time
from pathlib import Path

import numpy
from PIL import Image


def output_range(data, values):
    """What apply_voi_lut maps to: all that the stored bits, rescaled, can say where there is a window; else what is there."""
    if "VOILUTSequence" in data:
        return 0, 2 ** data.VOILUTSequence[0].LUTDescriptor[2] - 1
    if "WindowWidth" not in data or data.WindowWidth in (None, ""):
        return values.min(), values.max()
    bits, signed = data.BitsStored, data.PixelRepresentation == 1
    stored = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
    if "ModalityLUTSequence" in data:
        return 0, 2 ** data.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    slope, intercept = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
    return tuple(sorted(value * slope + intercept for value in stored))


def convert_file(path, longest):
    import pydicom
    from pydicom.pixels import apply_modality_lut, apply_voi_lut
    data = pydicom.dcmread(path)
    values = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data)
    low, high = output_range(data, values)
    levels = (values - low) * (255.0 / (high - low))
    if data.PhotometricInterpretation == "MONOCHROME1":
        levels = 255 - levels
    picture = Image.fromarray((levels + 0.5).astype(numpy.uint8))
    scale = longest / max(picture.size)
    if scale < 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def convert(folder, files, tar, longest, processes):
    import pydicom.pixels  # noqa: F401  its imports are no work
    begin = time.perf_counter()
    jobs = [(str(Path(folder) / file), longest) for file in files]
    with tarfile.open(tar, "w") as archive:
        def add(file, png):
            entry = tarfile.TarInfo(file)
            entry.size = len(png)
            archive.addfile(entry, io.BytesIO(png))
        if processes == 1:
            for file, job in zip(files, jobs):
                add(file, convert_file(*job))
        else:
            with multiprocessing.Pool(processes) as pool:
                for file, png in zip(files, pool.starmap(convert_file, jobs, chunksize=1)):
                    add(file, png)
    seconds = time.perf_counter() - begin
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "peak_rss_mib": peak / 1024}


def our_pictures(folder):
    for line in open(Path(folder) / "studies.jsonl"):
        for image in json.loads(line)["images"]:
            with open(Path(folder) / image["shard"], "rb") as shard:
                shard.seek(image["offset"])
                yield image["source"], shard.read(image["bytes"])


def compare(tar, folder, files):
    ours = dict(our_pictures(folder))
    means, most = [], 0
    with tarfile.open(tar) as archive:
        for file in files:
            pair = [numpy.asarray(Image.open(io.BytesIO(png)), dtype=int) for png in (ours[file], archive.extractfile(file).read())]
            difference = abs(pair[0] - pair[1])
            means.append(difference.mean())
            most = max(most, int(difference.max()))
    return {"mean": float(numpy.mean(means)), "most": most}


def main():
    if sys.argv[1] == "convert":
        folder, files, tar, longest, processes = sys.argv[2:]
        print(json.dumps(convert(folder, json.load(open(files)), tar, int(longest), int(processes))))
    else:
        tar, folder, files = sys.argv[2:]
        print(json.dumps(compare(tar, folder, json.load(open(files)))))


if __name__ == "__main__":
    main()
