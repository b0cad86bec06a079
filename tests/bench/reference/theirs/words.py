"""rapidocr's own way with the weights that it ships: of each path from standard input a line of words
and their corners in shares.
"""

import json
import sys

import numpy as np
from PIL import Image
from rapidocr import RapidOCR

reader = RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False,
                          "Det.limit_type": "max", "Det.limit_side_len": 960})  # fmt: skip
for path in map(str.strip, sys.stdin):
    pixels = np.array(Image.open(path).convert("RGB"))[:, :, ::-1]
    size = np.array(pixels.shape[1::-1])
    read = reader(np.ascontiguousarray(pixels), return_word_box=True)
    lines = read.word_results if read.txts else ()
    found = [
        (text, (np.array(corners) / size).tolist())
        for line in lines
        for text, sure, corners in line
        if sure >= 0.8 and corners is not None
    ]
    print(json.dumps(found), flush=True)
