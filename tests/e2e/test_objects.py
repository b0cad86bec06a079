"""`beholden index s3://...` against a server that speaks S3, over loopback."""

import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from pyarrow.fs import S3FileSystem

from beholden.cli import objects
from beholden.core.errors import FailedPrecondition
from tests import moto, pictures
from tests.e2e.conftest import Shell
from tests.rolling import ports

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]  # moto may have to be installed

WHY = ("--source", "picture desk", "--legal-basis", "press law")
KEYS = {"AWS_ACCESS_KEY_ID": "desk", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-south-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Where moto answers."""
    try:
        python = moto.installed()
    except FailedPrecondition as error:
        pictures.missing(f"moto cannot be installed: {error.message}")
    host, port = ports(1)[0].split(":")
    server = subprocess.Popen(
        [python, "-m", "moto.server", "-H", host, "-p", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://{host}:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def bucket(endpoint: str) -> S3FileSystem:
    store = S3FileSystem(
        access_key="desk",
        secret_key="secret",
        region="eu-south-1",
        endpoint_override=endpoint,
        allow_bucket_creation=True,
    )
    for _ in range(100):
        try:
            store.create_dir("desk")
            break
        except OSError:
            time.sleep(0.1)
    face = pictures.path("astronaut")
    for key, content in {
        "photos/collins.png": face.read_bytes(),
        "photos/2026/coffee.png": face.with_name("coffee.png").read_bytes(),
        "photos/2026/.trash/collins.png": b"",
        "photos/notes.txt": b"notes",
        "photos/poster.png": bytes(6 * 2**20),
        "photography/other.png": b"",
    }.items():
        with store.open_output_stream(f"desk/{key}") as stream:
            stream.write(content)
    return store


@pytest.fixture
def env(shell: Shell, endpoint: str, bucket: S3FileSystem) -> Iterator[dict[str, str]]:
    objects._store.cache_clear()
    yield {**shell.env, **KEYS, "AWS_ENDPOINT_URL": endpoint}
    objects._store.cache_clear()


def test_a_bucket_is_enrolled_like_a_folder(
    shell: Shell, env: dict[str, str], tmp_path: Path
) -> None:
    herald = ("--as", "daily-herald")
    assert shell.run(*herald, "collections", "create", "from-s3", env=env).code == 0
    ask = (*herald, "index", "from-s3", "s3://desk/photos/", *WHY, "--json")
    first = shell.run(*ask, "--resume", tmp_path / "done.txt", env=env)
    lines = {line["file"]: line for line in first.lines if "file" in line}
    assert set(lines) == {
        "s3://desk/photos/collins.png",
        "s3://desk/photos/2026/coffee.png",
        "s3://desk/photos/poster.png",
    }
    (face,) = lines["s3://desk/photos/collins.png"]["faces"]
    assert face["external_image_id"] == "collins"
    assert "5 MiB" in str(lines["s3://desk/photos/poster.png"]["error"])
    summary = first.lines[-1]["summary"]
    assert (summary["faces"], summary["faceless"], summary["failed"]) == (1, 1, 1)
    again = shell.run(*ask, "--resume", tmp_path / "done.txt", env=env)
    assert [line["file"] for line in again.lines[:-1]] == ["s3://desk/photos/poster.png"]
    known = shell.run(*herald, "index", "from-s3", "s3://desk/photos/collins.png", *WHY, env=env)
    assert "there already" in known.out


def test_a_list_names_what_is_in_a_bucket(
    shell: Shell, env: dict[str, str], tmp_path: Path
) -> None:
    herald = ("--as", "daily-herald")
    listed = tmp_path / "list.csv"
    listed.write_text("file,external_id\ns3://desk/photos/collins.png,eileen\n")
    assert shell.run(*herald, "collections", "create", "listed-s3", env=env).code == 0
    told = shell.run(*herald, "index", "listed-s3", listed, *WHY, "--json", env=env)
    assert told.lines[0]["faces"][0]["external_image_id"] == "eileen"


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_a_list_may_lie_in_the_bucket_itself(
    shell: Shell, env: dict[str, str], bucket: S3FileSystem, name: str
) -> None:
    rows = {
        "file": ["collins.png", "2026/../collins.png", "s3://desk/photos/2026/coffee.png"],
        "external_id": ["eileen", "again", "coffee"],
    }
    with bucket.open_output_stream(f"desk/photos/{name}") as stream:
        if name.endswith(".csv"):
            csv.write_csv(pa.table(rows), stream)
        else:
            parquet.write_table(pa.table(rows), stream)
    herald, gallery = ("--as", "daily-herald"), name.replace(".", "-")
    assert shell.run(*herald, "collections", "create", gallery, env=env).code == 0
    told = shell.run(*herald, "index", gallery, f"s3://desk/photos/{name}", *WHY, "--json", env=env)
    assert told.lines[0]["faces"][0]["external_image_id"] == "eileen"
    assert told.lines[1]["file"] == "s3://desk/photos/collins.png", (
        "the same place, spelt otherwise"
    )
    summary = told.lines[-1]["summary"]
    assert (summary["of"], summary["faces"], summary["faceless"]) == (3, 1, 1)


def test_ready_templates_may_lie_in_a_bucket(
    shell: Shell, env: dict[str, str], bucket: S3FileSystem
) -> None:
    packed = io.BytesIO()
    np.savez(packed, embeddings=np.eye(3, 128), model="dlib_resnet_v1@1")
    with bucket.open_output_stream("desk/ready.npz") as stream:
        stream.write(packed.getvalue())
    herald = ("--as", "daily-herald")
    assert shell.run(*herald, "collections", "create", "ready-s3", env=env).code == 0
    told = shell.run(*herald, "index", "ready-s3", "s3://desk/ready.npz", *WHY, "--json", env=env)
    assert told.lines[-1]["summary"]["faces"] == 3


@pytest.mark.parametrize("file", ["/etc/passwd", "../../other/collins.png"])
def test_a_list_in_a_bucket_names_nothing_outside(
    shell: Shell, env: dict[str, str], bucket: S3FileSystem, file: str
) -> None:
    with bucket.open_output_stream("desk/photos/odd.csv") as stream:
        stream.write(f"file\n{file}\n".encode())
    told = shell.run(
        *("--as", "daily-herald", "index", "x", "s3://desk/photos/odd.csv", *WHY, "--json"), env=env
    )
    assert told.code == 2
    assert "line 2" in told.error["message"]
    assert "bucket" in told.error["message"]


@pytest.mark.parametrize(
    "place",
    [
        "s3://desk/no.csv",
        "s3://desk/nothing",
        "s3://no-such-bucket/photos",
        "s3://",
        "s3:///photos",
    ],
)
def test_what_is_not_there_is_named(shell: Shell, env: dict[str, str], place: str) -> None:
    told = shell.run("--as", "daily-herald", "index", "x", place, "--json", env=env)
    assert told.code == 2
    assert place in told.error["message"]
