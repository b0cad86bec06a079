import pytest

from beholden.vision.formats import identify


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xff\xd8\xff\xe0rest", "JPEG"),
        (b"\x89PNG\r\n\x1a\nrest", "PNG"),
        (b"\x89PNG\n\x1a\n", "no kind of picture that is known here"),
        (b"GIF89a", "a GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP"),
        (b"\0\0\0\x18ftypheic", "a HEIC photo"),
        (b"\0\0\0\x18ftypavif", "an AVIF picture"),
        (b"\0\0\0\x18ftypisom", "an MP4 or MOV video"),
        (b"II*\0", "a TIFF or raw photo"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive or office document"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\xef\xbb\xbf\n <HTML lang=en>", "an HTML page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<!-- by hand --><svg/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><feed/>", "an XML document"),
        (b'{"error": "not found"}', "JSON text"),
        (b"", "no kind of picture that is known here"),
        (b"\0" * 4096, "no kind of picture that is known here"),
    ],
)
def test_names_what_a_file_is_by_its_first_bytes(content: bytes, name: str) -> None:
    assert identify(content) == name


@pytest.mark.parametrize(
    "content", [b"/9j/4AAQSkZJRg", b"iVBORw0KGgoAAAA", b"data:image/png;base64,iVBO"]
)
def test_tells_encoded_pictures_what_to_send_instead(content: bytes) -> None:
    assert identify(content).endswith("send the bytes that it stands for")
