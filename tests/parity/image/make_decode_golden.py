"""Writes small PNG and JPEG files of every layout and decode.tsv: size, channels and SHA-256 of the 8-bit pixels.

Usage: make_decode_golden.py   (needs Pillow and numpy).
"""
import hashlib
import io
import os

import numpy as np
import PIL
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)
y, x = np.mgrid[0:19, 0:23]
gray16 = ((x * 2731 + y * 997 + rng.integers(0, 2000, (19, 23))) % 65536).astype(np.uint16)
rgb = np.stack([x * 11 % 256, y * 13 % 256, (x * y) % 256], -1).astype(np.uint8)
rows = []


def save(name, image, pixels, **options):
    image.save(os.path.join(HERE, name), **options)
    pixels = np.asarray(pixels, np.uint8)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows.append((name, pixels.shape[1], pixels.shape[0], channels,
                 hashlib.sha256(pixels.tobytes()).hexdigest()))


save("gray16.png", Image.fromarray(gray16), np.floor(gray16 * 255.0 / 65535.0 + 0.5))
palette = Image.fromarray(rgb).quantize(16)
save("palette.png", palette, palette.convert("RGB"))
alpha = np.concatenate([rgb, (x * 7 % 256)[..., None].astype(np.uint8)], -1)
save("rgba.png", Image.fromarray(alpha), rgb)
bits = Image.fromarray(((x + y) % 3 == 0).astype(np.uint8) * 255).convert("1", dither=0)
save("bits.png", bits, bits.convert("L"))
for name, source, extra in [("gray.jpg", Image.fromarray(rgb[..., 0]), {}),
                            ("rgb.jpg", Image.fromarray(rgb), {}),
                            ("progressive.jpg", Image.fromarray(rgb), {"progressive": True})]:
    data = io.BytesIO()
    source.save(data, "JPEG", quality=90, **extra)
    save(name, source, Image.open(io.BytesIO(data.getvalue())), quality=90, **extra)
with open(os.path.join(HERE, "decode.tsv"), "w") as out:
    out.write(f"# Pillow {PIL.__version__}\nfile\twidth\theight\tchannels\tsha256\n")
    for row in rows:
        out.write("\t".join(map(str, row)) + "\n")
