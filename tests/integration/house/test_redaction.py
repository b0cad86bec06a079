"""What is hidden stays hidden: from the detectors, from the embedder, and from who reads metadata."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from beholden.catalog.entries import load_catalog
from beholden.core.errors import Unavailable
from beholden.core.geometry import Box
from beholden.core.redaction import RedactionKind, RedactionStyle, Unsafe
from beholden.detection.redaction import RedactionPipeline
from beholden.detection.settings import DetectionSettings
from beholden.embedding.settings import EmbeddingSettings
from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2, redaction_pb2, text_pb2
from beholden.vision.align import chips, mirror
from beholden.vision.templates import cosine_for, mirror_sum
from tests.house import MODELS, ROOT, House
from tests.pictures import encode, landmarks, path, pixels

FACE, TEXT, UNSAFE = (
    redaction_pb2.REDACTION_KIND_FACE,
    redaction_pb2.REDACTION_KIND_TEXT,
    redaction_pb2.REDACTION_KIND_UNSAFE,
)
STYLES = [
    redaction_pb2.REDACTION_STYLE_BLUR,
    redaction_pb2.REDACTION_STYLE_BOX,
    redaction_pb2.REDACTION_STYLE_PIXELATE,
]
PEOPLE = ["astronaut", "faces/knn_examples/train/kit_harington/john2.jpeg"]
EMBEDDER = load_catalog(ROOT / "models" / "catalog.yaml").model("dlib_resnet_v1")
ALIKE = cosine_for(
    EmbeddingSettings().min_similarity,
    EMBEDDER.parameters["similarity_midpoint"],
    EMBEDDER.parameters["similarity_slope"],
)
Ask = Callable[..., detection_pb2.RedactImageResponse]


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[detection_pb2_grpc.DetectionServiceStub]:
    with house.channel() as channel:
        yield detection_pb2_grpc.DetectionServiceStub(channel)


@pytest.fixture(scope="module")
def redact(house: House, stub: detection_pb2_grpc.DetectionServiceStub) -> Ask:
    def ask(content: bytes, *kinds: int, **options) -> detection_pb2.RedactImageResponse:
        request = detection_pb2.RedactImageRequest(
            image=image_pb2.Image(content=content), kinds=kinds, **options
        )
        return stub.RedactImage(request, metadata=house.headers("daily-herald"))

    return ask


@pytest.fixture(scope="module")
def template() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    embedder = ort.InferenceSession(MODELS / "dlib_resnet_v1" / "1" / "model.onnx")

    def run(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        cut = chips(picture, points)
        both = np.concatenate((cut, mirror(cut)))
        return mirror_sum(*np.split(embedder.run(None, {"chips": both})[0], 2))[0]

    return run


def opened(answer: detection_pb2.RedactImageResponse) -> Image.Image:
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("name", "style"),
    [*((PEOPLE[0], style) for style in STYLES), *((name, STYLES[0]) for name in PEOPLE[1:])],
)
def test_a_hidden_face_is_nobodys(redact: Ask, stub, house, template, name: str, style) -> None:
    """Cut out where the face was, as one who knows would, it is not like the person any more."""
    picture = pixels(name)
    answer = redact(encode(picture), FACE, style=style)
    assert answer.redactions
    hidden = np.array(opened(answer).convert("RGB"))
    was = template(picture, landmarks(name))
    cosine = float(was @ template(hidden, landmarks(name)))
    assert cosine < ALIKE
    found = stub.DetectFaces(
        detection_pb2.DetectFacesRequest(image=image_pb2.Image(content=answer.content)),
        metadata=house.headers("daily-herald"),
    )
    assert not found.faces
    height, width = picture.shape[:2]
    outside = np.ones((height, width), bool)
    for one in answer.redactions:
        box = one.bounding_box
        outside[
            max(0, int(box.y_min * height) - 2) : int(box.y_max * height) + 3,
            max(0, int(box.x_min * width) - 2) : int(box.x_max * width) + 3,
        ] = False
    assert outside.mean() > 0.3
    assert np.array_equal(hidden[outside], picture[outside]), "a PNG is changed nowhere else"


def test_a_crowd_is_hidden_face_by_face(redact: Ask, stub, house) -> None:
    answer = redact(path("groups/8.jpg").read_bytes(), FACE)
    assert len(answer.redactions) >= 67
    found = stub.DetectFaces(
        detection_pb2.DetectFacesRequest(image=image_pb2.Image(content=answer.content)),
        metadata=house.headers("daily-herald"),
    )
    assert len(found.faces) <= 2


def test_text_is_hidden_wholly(redact: Ask, stub, house) -> None:
    page = Image.open(path("text/phototest.tif")).convert("RGB").rotate(7, fillcolor="white")
    answer = redact(encode(page), TEXT)
    assert len(answer.redactions) >= 8
    assert all(len(one.polygon) == 4 for one in answer.redactions)
    assert not any(one.HasField("confidence") for one in answer.redactions)
    request = detection_pb2.DetectTextRequest(
        image=image_pb2.Image(content=answer.content),
        word_filter=text_pb2.WordFilter(min_confidence=0.0),
    )
    read = stub.DetectText(request, metadata=house.headers("daily-herald"))
    assert not any(len(one.text) > 3 for one in read.texts), [one.text for one in read.texts]
    ink = np.array(opened(answer).convert("L"))
    assert ink.min() > 100, "no stroke is left"


def test_unsafe_pictures_are_hidden_whole_where_no_model_tells_the_place(redact: Ask) -> None:
    content = path("faces/carell.jpg").read_bytes()
    safe = redact(content, UNSAFE, min_unsafe_confidence=1)
    assert not safe.redactions
    assert np.array_equal(
        np.array(opened(safe)).shape, np.array(Image.open(io.BytesIO(content))).shape
    )
    answer = redact(content, UNSAFE, min_unsafe_confidence=0, style=STYLES[2])
    assert {one.label for one in answer.redactions} >= {"Explicit"}
    assert all(one.whole_image and one.bounding_box.x_max == 1 for one in answer.redactions)
    small = opened(answer).convert("RGB").resize((4, 4), Image.Resampling.NEAREST)
    large = small.resize(opened(answer).size, Image.Resampling.NEAREST)
    assert np.abs(np.array(large, int) - np.array(opened(answer), int)).mean() < 6
    assert answer.models[0].name == "nsfwjs_mobilenet_v2"


def loaded(kind: str) -> bytes:
    """A picture that lies on its side, with everything around it that tells more than it shows."""
    picture = Image.fromarray(pixels("astronaut")).resize((320, 240))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SECRET camera"
    exif.get_ifd(0x8825)[1] = "N SECRET"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict = {"exif": exif, "icc_profile": profile}
    if kind == "JPEG":
        options |= {"comment": "SECRET", "xmp": b"<x:xmpmeta>SECRET</x:xmpmeta>", "quality": 82}
    else:
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Author", "SECRET", zip=False)
    return encode(picture, kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_nothing_but_pixels_leaves(redact: Ask, kind: str) -> None:
    content = loaded(kind)
    assert b"SECRET" in content
    answer = redact(content, TEXT)
    assert (answer.mime_type, opened(answer).format) == (f"image/{kind.lower()}", kind)
    assert opened(answer).size == (240, 320) == (answer.image_size.width, answer.image_size.height)
    assert b"SECRET" not in answer.content
    assert not opened(answer).getexif()
    assert set(opened(answer).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    if kind == "JPEG":
        came = Image.open(io.BytesIO(content))
        assert opened(answer).quantization == came.quantization, "as fine as it came"
        assert b"\xff\xe1" not in answer.content[:20]


@pytest.mark.parametrize("kinds", [[], [0], [FACE, 0]])
def test_nothing_to_hide_is_said_by_name(redact: Ask, kinds: list[int]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        redact(encode(np.zeros((64, 64, 3), np.uint8)), *kinds)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "kinds" in caught.value.details()


class Finder:
    """A moderator that answers what it is told to."""

    models = ()

    def __init__(self, answer: Unsafe | Exception) -> None:
        self._answer = answer

    async def find_unsafe(self, image: bytes, *, min_confidence: float | None):
        if isinstance(self._answer, Exception):
            raise self._answer
        return (self._answer,)


async def hidden(finder: Finder):
    with ThreadPoolExecutor(1) as workers:
        pipeline = RedactionPipeline(None, None, finder, workers, DetectionSettings())
        picture = encode(pixels("astronaut"))
        return await pipeline.redact(picture, [RedactionKind.UNSAFE], RedactionStyle.BOX)


async def test_unsafe_content_with_a_place_is_hidden_there_only() -> None:
    done = await hidden(Finder(Unsafe("Weapons", 0.9, Box(0.25, 0.25, 0.5, 0.5))))
    (one,) = done.redactions
    assert (one.label, one.whole, one.upright) == ("Weapons", False, True)
    after = np.array(Image.open(io.BytesIO(done.content)))
    assert not after[128:256, 128:256].any()
    assert np.array_equal(after[:120], pixels("astronaut")[:120])


async def test_where_one_look_fails_there_is_no_picture() -> None:
    with pytest.raises(Unavailable):
        await hidden(Finder(Unavailable("inference", "gone")))
