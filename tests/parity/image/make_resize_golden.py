"""Writes resize.tsv: the SHA-256 of what Pillow's bicubic resize makes of the pictures beside this script.

Usage: make_resize_golden.py > resize.tsv   (needs Pillow and numpy; the PNG files are procedural pictures)
"""
import hashlib
import os

import numpy as np
import PIL
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {  # width, height; the first of each is the size smart_resize chooses for it
    "up": [(96, 64), (17, 13), (50, 74)],
    "tall": [(32, 224), (5, 31), (40, 8)],
    "exact": [(96, 64), (31, 64), (96, 21)],
    "half_even": [(64, 64), (7, 5), (160, 96)],
    "gray": [(64, 96), (20, 13), (73, 1), (1, 91)],
    "qwen2_clip": [(112, 84), (37, 20), (3, 2)],
}

print(f"# Pillow {PIL.__version__}")
print("file\twidth\theight\tsha256")
for name, sizes in SIZES.items():
    image = Image.open(os.path.join(HERE, name + ".png"))
    for size in sizes:
        got = np.asarray(image.resize(size, Image.BICUBIC)).tobytes()
        print(name, *size, hashlib.sha256(got).hexdigest(), sep="\t")
