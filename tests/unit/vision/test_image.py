import io
import random
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from beholden.core.errors import InvalidArgument
from beholden.vision.image import decode
from tests.pictures import ROOT, bombs, chunk, encode, path, pixels, png

ASTRONAUT = pixels("astronaut")
SMALL = np.ascontiguousarray(ASTRONAUT[40:200:2, 150:310:2])
WHITE = (255, 255, 255)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal to noise ratio in decibels: 30 is alike, 40 hardly to be told apart."""
    return float(cv2.PSNR(one, other))


class TestRefuses:
    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "is empty"),
            (bytes(5 * 2**20 + 1), "is 5,242,881 bytes; at most 5,242,880"),
            (b"GIF89a" + bytes(100), "this is a GIF"),
            (b"<svg/>", "this is an SVG drawing"),
            (b"%PDF-1.4", "this is a PDF"),
            (b"<html>", "this is an HTML page"),
            (b"not a picture", "no kind of picture"),
            (encode(SMALL, "WEBP"), "this is a WebP"),
            (encode(SMALL, "BMP"), "this is a BMP"),
            (encode(SMALL, "TIFF"), "this is a TIFF"),
            (png(0, 0, b""), "0 x 0 pixels; at least 16"),
            (png(1, 1, b"\0abc"), "1 x 1 pixels; at least 16"),
            (encode(SMALL[:15], "JPEG"), "80 x 15 pixels; at least 16"),
            (png(20, 20, bytes(100)), "the PNG is cut short"),
            (png(20, 20, bytes(2000), bits=3), "the PNG is damaged"),
            (png(20, 20, bytes(2000), colour=5), "the PNG is damaged"),
            (encode(SMALL).replace(b"IDAT", b"IDAX", 1), "the PNG is damaged"),
        ],
    )
    def test_what_is_no_readable_picture(self, content: bytes, problem: str) -> None:
        with pytest.raises(InvalidArgument, match=problem) as refused:
            decode(content, field="source.content")
        assert refused.value.field == "source.content"

    @pytest.mark.parametrize(
        "options", [{"kind": "PNG"}, {"kind": "JPEG"}, {"kind": "JPEG", "progressive": True}]
    )
    def test_every_truncation(self, options: dict[str, object]) -> None:
        content = encode(SMALL[:32, :32], **options)  # type: ignore[arg-type]
        for length in range(len(content) - 1):
            with pytest.raises(InvalidArgument):
                decode(content[:length])

    def test_pixels_by_the_callers_limits(self) -> None:
        content = encode(SMALL)
        assert decode(content, max_pixels=80 * 80, min_side=80).pixels.shape == (80, 80, 3)
        with pytest.raises(InvalidArgument, match=r"at most 0\.006399 megapixels"):
            decode(content, max_pixels=80 * 80 - 1)
        with pytest.raises(InvalidArgument, match="at least 81 a side"):
            decode(content, min_side=81)
        with pytest.raises(InvalidArgument, match="bytes; at most"):
            decode(content, max_bytes=len(content) - 1)

    def test_nothing_else_comes_of_damage(self) -> None:
        chance = random.Random(7)
        seeds = [
            encode(SMALL, "JPEG", orientation=6),
            encode(SMALL, "JPEG", progressive=True),
            encode(Image.fromarray(SMALL).convert("CMYK"), "JPEG"),
            encode(SMALL, orientation=3),
            encode(Image.fromarray(SMALL).convert("P")),
            encode(Image.fromarray(SMALL).convert("RGBA")),
        ]
        for _ in range(600):
            content = bytearray(chance.choice(seeds))
            for _ in range(chance.choice((1, 3, 20))):
                content[chance.randrange(3, len(content))] = chance.randrange(256)
            try:
                picture = decode(bytes(content), max_pixels=10**6, max_side=64)
            except InvalidArgument:
                continue
            assert picture.pixels.dtype == np.uint8
            assert max(picture.pixels.shape[:2]) <= 64


class TestColours:
    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA"])
    def test_every_png_without_transparent_pixels_is_as_pillow_shows_it(self, mode: str) -> None:
        image = Image.fromarray(SMALL).convert(mode)
        assert np.array_equal(decode(encode(image)).pixels, np.asarray(image.convert("RGB")))

    @pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
    def test_grey_of_any_depth_spans_black_to_white(self, bits: int) -> None:
        for raw, value in ((b"\0", 0), (b"\xff", 255)):
            row = b"\0" + raw * (32 * bits // 8)
            content = png(32, 32, row * 32, bits=bits, colour=0)
            assert np.unique(decode(content).pixels).tolist() == [value]

    def test_16_bit_samples_are_scaled_not_cut(self) -> None:
        ramp = np.linspace(0, 65535, 256).round().astype(">u2")
        grey = png(256, 16, (b"\0" + ramp.tobytes()) * 16, bits=16, colour=0)
        assert decode(grey).pixels[0, :, 0].tolist() == list(range(256))
        colours = np.stack((ramp, ramp[::-1], ramp), axis=1)
        rgb = png(256, 16, (b"\0" + colours.tobytes()) * 16, bits=16, colour=2)
        assert decode(rgb).pixels[0, 10].tolist() == [10, 245, 10]

    @pytest.mark.parametrize(
        ("colour", "samples", "chunks", "shown"),
        [
            (6, b"\x0a\x14\x1e\0", b"", WHITE),
            (6, b"\x0a\x14\x1e\x80", b"", (132, 137, 142)),
            (4, b"\x0a\0", b"", WHITE),
            (2, b"\x0a\x14\x1e", chunk(b"tRNS", b"\0\x0a\0\x14\0\x1e"), WHITE),
            (2, b"\x0a\x14\x1f", chunk(b"tRNS", b"\0\x0a\0\x14\0\x1e"), (10, 20, 31)),
            (0, b"\x0a", chunk(b"tRNS", b"\0\x0a"), WHITE),
            (3, b"\x01", chunk(b"PLTE", b"\0\0\0\x0a\x14\x1e"), (10, 20, 30)),
            (3, b"\x01", chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", b"\xff\0"), WHITE),
        ],
    )
    def test_transparency_is_laid_on_white(
        self, colour: int, samples: bytes, chunks: bytes, shown: tuple[int, ...]
    ) -> None:
        content = png(20, 20, (b"\0" + samples * 20) * 20, colour=colour, chunks=chunks)
        assert np.abs(decode(content).pixels.astype(int) - shown).max() <= 1

    def test_cmyk_jpeg_is_not_inverted(self) -> None:
        ink = Image.new("CMYK", (64, 64), (0, 200, 200, 20))
        shown = decode(encode(ink, "JPEG", quality=95)).pixels
        assert np.abs(shown.astype(int) - (235, 51, 51)).max() <= 4
        photo = decode(encode(Image.fromarray(ASTRONAUT).convert("CMYK"), "JPEG", quality=95))
        assert likeness(photo.pixels, ASTRONAUT) > 33

    def test_grey_jpeg(self) -> None:
        grey = Image.fromarray(SMALL).convert("L")
        shown = decode(encode(grey, "JPEG", quality=95)).pixels
        assert np.array_equal(shown[:, :, 0], shown[:, :, 2])
        assert likeness(shown[:, :, 0], np.asarray(grey)) > 35

    def test_progressive_jpeg_is_as_the_baseline_one(self) -> None:
        baseline, progressive = (
            decode(encode(ASTRONAUT, "JPEG", progressive=choice)).pixels for choice in (False, True)
        )
        assert np.array_equal(baseline, progressive)

    def test_interlaced_png_is_as_the_plain_one(self) -> None:
        # The passes of Adam7: offsets and steps in x and y.
        passes = (
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
            (0, 1, 1, 2),
        )  # fmt: skip
        rows = b"".join(
            b"\0" + row.tobytes()
            for x, y, dx, dy in passes
            for row in SMALL[y::dy, x::dx]
            if row.size
        )
        plain = png(80, 80, rows)
        content = plain[:8] + chunk(b"IHDR", plain[16:28] + b"\x01") + plain[33:]
        assert np.array_equal(decode(content).pixels, SMALL)

    def test_of_an_animation_the_still_image(self) -> None:
        frames = [Image.fromarray(SMALL), Image.fromarray(255 - SMALL)]
        content = encode(frames[0], save_all=True, append_images=frames[1:])
        assert np.array_equal(decode(content).pixels, SMALL)


# What a camera stores so that a viewer shows it upright, by EXIF orientation.
STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a, -1),
}


class TestUpright:
    @pytest.mark.parametrize("orientation", STORED)
    def test_all_eight_orientations(self, orientation: int) -> None:
        upright = SMALL[:60]
        stored = np.ascontiguousarray(STORED[orientation](upright))
        still = decode(encode(stored, orientation=orientation))
        assert np.array_equal(still.pixels, upright)
        assert (still.full_width, still.full_height) == (80, 60)
        photo = decode(encode(stored, "JPEG", quality=95, orientation=orientation))
        assert likeness(photo.pixels, upright) > 30
        assert photo.pixels.flags.c_contiguous

    def test_reduced_pictures_too(self) -> None:
        stored = np.ascontiguousarray(np.rot90(ASTRONAUT[:300], 1))
        picture = decode(encode(stored, "JPEG", quality=95, orientation=6), max_side=256)
        assert picture.pixels.shape == (150, 256, 3)
        assert (picture.full_width, picture.full_height, picture.scale) == (512, 300, 0.5)


@pytest.fixture(scope="module")
def enlarged() -> dict[tuple[int, int], tuple[bytes, np.ndarray]]:
    """Large JPEGs, and each decoded in full."""
    found = {}
    for size in ((4000, 3000), (4001, 3003), (3003, 4001)):
        content = encode(cv2.resize(ASTRONAUT, size, interpolation=cv2.INTER_CUBIC), "JPEG")
        found[size] = content, decode(content).pixels
    return found


class TestReduces:
    @pytest.mark.parametrize(
        ("side", "shape"), [(None, (512, 400)), (600, (512, 400)), (256, (256, 200))]
    )
    def test_to_the_side_and_never_enlarges(self, side: int | None, shape: tuple[int, int]) -> None:
        picture = decode(encode(np.ascontiguousarray(ASTRONAUT[:, :400])), max_side=side)
        assert picture.pixels.shape == (*shape, 3)
        assert picture.scale == shape[0] / 512

    @pytest.mark.parametrize("side", [2000, 1500, 960, 500, 333])
    @pytest.mark.parametrize("size", [(4000, 3000), (4001, 3003), (3003, 4001)])
    def test_a_large_jpeg_to_the_same_picture_as_decoded_in_full(
        self,
        side: int,
        size: tuple[int, int],
        enlarged: dict[tuple[int, int], tuple[bytes, np.ndarray]],
    ) -> None:
        content, full = enlarged[size]
        reduced = decode(content, max_side=side)
        assert (reduced.full_width, reduced.full_height) == size
        shape = reduced.pixels.shape[1::-1]
        assert max(shape) == side
        wanted = cv2.resize(full, shape, interpolation=cv2.INTER_AREA)
        assert likeness(reduced.pixels, wanted) > 38

    @pytest.mark.parametrize(
        ("width", "sides", "decoded"),
        [
            (
                1920,
                (None, 1900, 961, 960, 500, 480, 240, 100),
                (1920, 1920, 1920, 960, 960, 480, 240, 240),
            ),
            (1001, (960, 480, 120), (1001, 1001, 501)),
        ],
    )
    def test_a_jpeg_by_the_smallest_scale_that_covers_it_well(
        self,
        monkeypatch: pytest.MonkeyPatch,
        width: int,
        sides: tuple[int | None, ...],
        decoded: tuple[int, ...],
    ) -> None:
        seen = []
        draft = JpegImageFile.draft

        def spy(self: JpegImageFile, mode: None, size: tuple[int, int]) -> None:
            draft(self, mode, size)
            seen.append(self.width)

        monkeypatch.setattr(JpegImageFile, "draft", spy)
        content = encode(np.zeros((720, width, 3), np.uint8), "JPEG")
        for side in sides:
            decode(content, max_side=side)
        assert tuple(seen) == decoded


class TestIsAGoodGuest:
    def test_bombs_cost_little_memory(self) -> None:
        script = (
            "import resource\n"
            "from beholden.vision.image import decode\n"
            "from beholden.core.errors import InvalidArgument\n"
            "from tests.pictures import bombs\n"
            "files = list(bombs())\n"
            "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
            "before = used()\n"
            "for name, content in files:\n"
            "    try: print(name, decode(content).pixels.shape)\n"
            "    except InvalidArgument as refused: print(name, refused)\n"
            "print('MiB', used() - before)\n"
        )
        out = in_a_process(script).splitlines()
        assert len(out) == len(list(bombs())) + 1
        assert int(out[-1].split()[1]) < 32, out

    def test_a_large_picture_costs_what_is_promised(self) -> None:
        script = (
            "import numpy as np, resource\n"
            "from beholden.vision.image import decode\n"
            "from tests.pictures import png\n"
            "side = 4000\n"
            "row = b'\\0' + bytes(range(200)) * (side * 4 // 200)\n"
            "content = png(side, side, row * side, colour=6)\n"
            "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
            "import gc; gc.collect()\n"
            "before = used()\n"
            "decode(content, max_side=960)\n"
            "print((used() - before) / side**2)\n"
        )
        assert float(in_a_process(script)) < 8

    def test_no_limit_of_the_process_is_touched_and_nothing_is_warned_of(self) -> None:
        limits = (
            Image.MAX_IMAGE_PIXELS,
            ImageFile.LOAD_TRUNCATED_IMAGES,
            PngImagePlugin.MAX_TEXT_CHUNK,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _, content in bombs():
                try:
                    decode(content)
                except InvalidArgument:
                    continue
        assert limits == (
            Image.MAX_IMAGE_PIXELS,
            ImageFile.LOAD_TRUNCATED_IMAGES,
            PngImagePlugin.MAX_TEXT_CHUNK,
        )

    def test_many_threads_see_the_same_picture(self) -> None:
        contents = [encode(ASTRONAUT, "JPEG", quality=quality) for quality in range(60, 92, 4)]
        alone = [decode(content, max_side=200).pixels for content in contents]
        with ThreadPoolExecutor(8) as threads:
            together = list(
                threads.map(lambda content: decode(content, max_side=200).pixels, contents * 4)
            )
        assert all(
            np.array_equal(one, other) for one, other in zip(alone * 4, together, strict=True)
        )


def in_a_process(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/services:{ROOT}", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name", ["faces/test_images/32bit.png", "groups/17.jpg", "faces/lennon-1.jpg"]
)
def test_real_pictures_are_as_pillow_shows_them(name: str) -> None:
    content = path(name).read_bytes()
    shown = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert np.array_equal(decode(content).pixels, shown)
