"""The shipped models, really pulled, against the engines that their authors run them in."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dlib
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import skimage.data
from onnx.tools.update_model_dims import update_inputs_outputs_dims
from PIL import Image

from beholden.catalog.convert.converters import convert
from beholden.catalog.entries import ModelEntry, PackageSource, load_catalog
from beholden.catalog.fetch import Fetched, NoSourceError, fetch
from beholden.catalog.pull import pull
from beholden.catalog.reports import Outcome
from beholden.catalog.repository import available, verify
from tests.pictures import archives

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[3]
CATALOG = load_catalog(ROOT / "models" / "catalog.yaml")
MIRROR = Path(os.environ.get("BEHOLDEN_MODEL_MIRROR") or ROOT.parent / "shared" / "models")
DATA = Path(os.environ.get("BEHOLDEN_TEST_DATA") or ROOT.parent / "shared" / "data")
TFJS = ("core", "layers", "converter", "backend-wasm")
TFJS_VERSION = "4.22.0"


def unobtainable(reason: str) -> None:
    """Skip, or fail where everything is meant to be obtainable."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fetched]:
    """Every model's own files, from the first source that has them."""
    found = {}
    for entry in CATALOG.models:
        try:
            found[entry.name] = fetch(
                entry, tmp_path_factory.mktemp(entry.name), MIRROR, lambda _: None, archives()
            )
        except NoSourceError as error:
            unobtainable(f"{entry.name}: {error.attempts}")
    return found


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, upstream: dict[str, Fetched]) -> Path:
    """A repository pulled from a mirror of those files."""
    mirror, repository = tmp_path_factory.mktemp("mirror"), tmp_path_factory.mktemp("repository")
    for fetched in upstream.values():
        for path in fetched.paths.values():
            shutil.copy(path, mirror)
    accepted = {entry.licence for entry in CATALOG.models}
    for report in pull(CATALOG, list(upstream), repository, mirror=mirror, accept=accepted):
        assert report.outcome is Outcome.PULLED, report
    return repository


def session(repository: Path, name: str) -> ort.InferenceSession:
    return ort.InferenceSession(repository / name / "1" / "model.onnx")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Real pictures, RGB; people among them."""
    shipped = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    faces = sorted(DATA.glob("faces/*.jpg"))
    return shipped + [np.asarray(Image.open(path).convert("RGB")) for path in faces]


def squared(pictures: list[np.ndarray], side: int) -> np.ndarray:
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side))) for one in pictures])


def test_everything_pulled_is_intact_and_served(repository: Path) -> None:
    assert all(report.ok for report in verify(CATALOG, repository))
    for role in CATALOG.roles:
        spec = available(CATALOG, repository, role)
        assert spec is not None
        assert len(spec.digest) == 64


def test_conversion_gives_the_same_bytes_in_another_process(
    repository: Path, upstream: dict[str, Fetched]
) -> None:
    files = {
        model: {name: str(path) for name, path in fetched.paths.items()}
        for model, fetched in upstream.items()
    }
    code = (
        "import hashlib, pathlib\n"
        "from beholden.catalog.convert.converters import convert\n"
        "from beholden.catalog.entries import load_catalog\n"
        f"catalog = load_catalog(pathlib.Path({str(CATALOG.root / 'catalog.yaml')!r}))\n"
        f"for model, files in {files!r}.items():\n"
        "    paths = {name: pathlib.Path(path) for name, path in files.items()}\n"
        "    print(model, hashlib.sha256(convert(catalog.model(model), paths)).hexdigest())\n"
    )
    again = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert dict(line.split() for line in again.splitlines()) == {
        model: hashlib.sha256((repository / model / "1" / "model.onnx").read_bytes()).hexdigest()
        for model in upstream
    }


@pytest.mark.parametrize("entry", CATALOG.models, ids=lambda entry: entry.name)
def test_a_batch_answers_as_its_pictures_do_one_by_one(
    repository: Path, pictures: list[np.ndarray], entry: ModelEntry
) -> None:
    (tensor,) = entry.inputs
    batch = squared(pictures[:3], tensor.shape[1] if tensor.shape[1] > 0 else 320)
    model = session(repository, entry.name)
    together = model.run(None, {tensor.name: batch})
    for number in range(len(batch)):
        alone = model.run(None, {tensor.name: batch[number : number + 1]})
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], all_of_them[number], rtol=1e-3, atol=1e-4)


def test_embeddings_are_dlibs_own(
    repository: Path, upstream: dict[str, Fetched], pictures: list[np.ndarray]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 150, 150, 3), dtype=np.uint8)
    chips = np.concatenate([squared(pictures, 150), noise, np.zeros_like(noise)])
    (path,) = upstream["dlib_resnet_v1"].paths.values()
    reference = dlib.face_recognition_model_v1(str(path))
    theirs = np.array([reference.compute_face_descriptor(chip) for chip in chips])
    (ours,) = session(repository, "dlib_resnet_v1").run(None, {"chips": chips})
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    assert ((ours * theirs).sum(1) / lengths).min() >= 0.99999
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(512, 512), (320, 480), (32, 64)])
def test_centerface_answers_as_the_published_graph_does(
    repository: Path,
    upstream: dict[str, Fetched],
    pictures: list[np.ndarray],
    height: int,
    width: int,
) -> None:
    published = onnx.load(upstream["centerface"].paths["centerface.onnx"])
    inputs = {value.name: dimensions(value) for value in published.graph.input}
    outputs = {value.name: dimensions(value) for value in published.graph.output}
    inputs["input.1"] = ["n", 3, "h", "w"]
    outputs = {name: ["n", sizes[1], "y", "x"] for name, sizes in outputs.items()}
    options = ort.SessionOptions()
    options.log_severity_level = 3  # it lists its constants as inputs, which is warned of
    reference = ort.InferenceSession(
        update_inputs_outputs_dims(published, inputs, outputs).SerializeToString(), options
    )
    images = np.stack(
        [np.asarray(Image.fromarray(one).resize((width, height))) for one in pictures[:2]]
    )
    planes = images.transpose(0, 3, 1, 2).astype(np.float32)
    heatmap, size, offset, landmarks = reference.run(None, {"input.1": planes})
    model = session(repository, "centerface")
    assert [value.name for value in model.get_outputs()] == [
        "heatmap",
        "size",
        "offset",
        "landmarks",
    ]
    ours = model.run(None, {"image": images})
    for answer, want in zip(ours, [heatmap, np.exp(size) * 4, offset, landmarks], strict=True):
        np.testing.assert_allclose(answer, want, rtol=1e-3, atol=1e-3)


def dimensions(value: onnx.ValueInfoProto) -> list[int | str]:
    return [size.dim_value for size in value.type.tensor_type.shape.dim]


def test_centerface_finds_the_astronaut(repository: Path) -> None:
    """At the strongest cell, read as the catalogue describes it, is her face."""
    picture = skimage.data.astronaut()
    heatmap, size, offset, landmarks = session(repository, "centerface").run(
        None, {"image": picture[None]}
    )
    y, x = np.unravel_index(heatmap[0, 0].argmax(), heatmap.shape[2:])
    height, width = size[0, :, y, x]
    centre_y, centre_x = (np.array([y, x]) + offset[0, :, y, x] + 0.5) * 4
    top, left = centre_y - height / 2, centre_x - width / 2
    assert heatmap[0, 0, y, x] > 0.9
    np.testing.assert_allclose(
        [left, top, left + width, top + height], [181.5, 58.2, 269.9, 177.8], atol=1
    )
    points = landmarks[0, :, y, x].reshape(5, 2)[:, ::-1] * [width, height] + [left, top]
    eyes_nose_mouth = [(203, 102), (247, 105), (223, 125), (203, 142), (241, 144)]
    np.testing.assert_allclose(points, eyes_nose_mouth, atol=1)


@pytest.fixture(scope="module")
def tfjs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with TensorFlow.js, out of the npm registry."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        unobtainable("node and npm are not on PATH")
    folder = tmp_path_factory.mktemp("tfjs")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    command += [f"@tensorflow/tfjs-{part}@{TFJS_VERSION}" for part in TFJS]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=120, capture_output=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        unobtainable(f"TensorFlow.js cannot be installed: {error}")
    yield folder
    shutil.rmtree(folder)


def test_nsfwjs_answers_as_tensorflow_js_does(
    repository: Path, upstream: dict[str, Fetched], pictures: list[np.ndarray], tfjs: Path
) -> None:
    fetched = upstream["nsfwjs_mobilenet_v2"]
    if "model.json" not in fetched.paths:
        unobtainable(f"{fetched.source} holds no model.json that TensorFlow.js reads")
    images = squared([pictures[0], pictures[2]], 224)
    images.tofile(tfjs / "images.bin")
    shutil.copy(Path(__file__).with_name("nsfwjs_reference.mjs"), tfjs)
    folder = fetched.paths["model.json"].parent
    answer = subprocess.run(
        ["node", "nsfwjs_reference.mjs", folder, "images.bin"],
        cwd=tfjs,
        check=True,
        capture_output=True,
        text=True,
    )
    theirs = np.array(json.loads(answer.stdout.splitlines()[-1]))
    (ours,) = session(repository, "nsfwjs_mobilenet_v2").run(None, {"image": images})
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours.sum(1), 1, atol=1e-5)


LUMA = np.float32([0.2989, 0.5870, 0.1140])
GRAPH_MODELS = {
    "centernet_mobilenet_v3": ("tower_0/keypoints,tower_0/wh", lambda rgb: rgb),
    "faceres": (
        "age_pred/Softmax,gender_pred/Sigmoid",
        lambda rgb: rgb[..., ::-1] - np.float32([103.939, 116.779, 123.68]),
    ),
    "face_emotion": ("Identity", lambda rgb: ((rgb / 255 * LUMA).sum(-1, keepdims=True) - 0.5) * 2),
    "face_antispoof": ("Identity", lambda rgb: rgb / 255),
    "face_liveness": ("Identity", lambda rgb: rgb / 255),
    "movenet_lightning": ("Identity", lambda rgb: rgb),
}
"""The graph models: the nodes that are asked, and the pixels as their authors prepare them."""

LOOSER = {"movenet_lightning": 5e-4}  # upstream has the width of a cell in half precision
ALONE = {"centernet_mobilenet_v3", "movenet_lightning"}


@pytest.mark.parametrize("name", GRAPH_MODELS)
def test_graph_models_answer_as_tensorflow_js_does(
    repository: Path,
    upstream: dict[str, Fetched],
    pictures: list[np.ndarray],
    tfjs: Path,
    name: str,
) -> None:
    nodes, prepared = GRAPH_MODELS[name]
    (tensor,) = CATALOG.model(name).inputs
    side = tensor.shape[1]
    images = squared(pictures[: 1 if name in ALONE else 4], side)
    values = prepared(images.astype(np.float32)).astype("<f4")
    values.tofile(tfjs / "values.bin")
    shutil.copy(Path(__file__).with_name("tfjs_graph_reference.mjs"), tfjs)
    topology, weights = upstream[name].paths.values()
    shape = ",".join(map(str, values.shape))
    answer = subprocess.run(
        ["node", "tfjs_graph_reference.mjs", topology, weights, "values.bin", shape, nodes],
        cwd=tfjs,
        check=True,
        capture_output=True,
        text=True,
    )
    theirs = json.loads(answer.stdout.splitlines()[-1])
    ours = session(repository, name).run(None, {tensor.name: images})
    for one, want in zip(ours, theirs, strict=True):
        last = one.transpose(0, 2, 3, 1) if one.ndim == 4 else one
        wanted = np.array(want["values"]).reshape(last.shape)
        rtol, atol = LOOSER.get(name, 1e-4), 1e-5 * max(1, wanted.max())
        np.testing.assert_allclose(last, wanted, rtol=rtol, atol=atol)


def test_both_forms_of_nsfwjs_give_the_same_model(repository: Path, tmp_path: Path) -> None:
    entry = CATALOG.model("nsfwjs_mobilenet_v2")
    packaged = only(entry, "npm")
    try:
        fetched = fetch(packaged, tmp_path, None, lambda _: None, archives())
    except NoSourceError as error:
        unobtainable(f"{error.attempts}")
    laid_out = repository / entry.name / "1" / "model.onnx"
    assert convert(entry, fetched.paths) == laid_out.read_bytes()


def only(entry: ModelEntry, kind: str) -> ModelEntry:
    """The model with its package source alone."""
    sources = [
        source
        for source in entry.sources
        if isinstance(source, PackageSource) and source.kind == kind
    ]
    return entry.model_copy(update={"sources": tuple(sources)})
