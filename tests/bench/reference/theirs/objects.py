"""YOLOX's own steps before and after the published weights: class, score, box in shares.

The first argument is the unpacked source distribution of `yolox` 0.3.0, of which two files are read
that need no PyTorch; the second the weights.
"""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import numpy as np
import onnxruntime
from PIL import Image

SIDE = (416, 416)


def read(name):
    """The package's module, without the package."""
    spec = spec_from_file_location(name.rpartition("/")[2], f"{package}/yolox/{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


package, weights, *paths = sys.argv[1:]
sys.modules["yolox"] = ModuleType("yolox")
sys.modules["yolox.utils"] = ModuleType("yolox.utils")
sys.modules["yolox.utils"].xyxy2cxcywh = None
preproc = read("data/data_augment").preproc
steps, classes = read("utils/demo_utils"), read("data/datasets/coco_classes").COCO_CLASSES
session = onnxruntime.InferenceSession(weights)
(given,) = session.get_inputs()
found = {}
for path in paths:
    picture = np.array(Image.open(path).convert("RGB"))[:, :, ::-1]
    tensor, ratio = preproc(picture, SIDE)
    (cells,) = session.run(None, {given.name: tensor[None]})
    rows = steps.demo_postprocess(cells, SIDE)[0]
    corners = np.hstack((rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2)) / ratio
    told = steps.multiclass_nms(corners, rows[:, 4:5] * rows[:, 5:], 0.45, 0.1)
    height, width = picture.shape[:2]
    found[path] = [
        (classes[int(row[5])], row[4], (row[:4] / (width, height, width, height)).tolist())
        for row in (() if told is None else told)
    ]
print(json.dumps(found))
