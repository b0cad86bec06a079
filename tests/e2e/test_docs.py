"""What the documents show is what happens: marked blocks are run, tables are held against the code."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from PIL import Image

from beholden.catalog.entries import load_catalog
from beholden.cli.failures import ExitCode
from beholden.cli.story import props
from beholden.runtime.settings import Settings
from beholden.vision.templates import cosine_for
from tests import clips, pictures
from tests.e2e.conftest import Shell
from tests.house import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"<!-- run(?:: (\d+))? -->\n```(console|python)\n(.*?)```", re.DOTALL)

# What differs from run to run, most particular first.
VARIES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b"), "HASH"),
    (
        re.compile(r"no checkpoint is signed yet|checkpoint \d+:[^|]*?since\s+the\s+first"),
        "CHECKPOINT",
    ),
    (re.compile(r"\d+ entries"), "N entries"),
    (re.compile(r"[+-]\d+°"), "ANGLE"),
    (re.compile(r"\d+\.\d+"), "SHARE"),
)


def same(text: str) -> list[str]:
    """Lines without what varies, and with single blanks."""
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def blocks(document: Path) -> list[tuple[int, str, str]]:
    return [
        (int(code or 0), kind, text)
        for code, kind, text in BLOCK.findall(document.read_text("utf-8"))
    ]


def commands(console: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output under it."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.fixture(scope="module")
def desk(shell: Shell, astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures that the documents speak of."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "photos").mkdir()
    Image.open(astronaut).save(folder / "photos" / "collins.jpg", quality=92)
    scenery = Image.open(astronaut.with_name("coffee.png")).convert("RGB")
    scenery.save(folder / "photos" / "coffee.jpg", quality=90)
    props.disguised(folder / "photos" / "collins.jpg", folder / "crew.jpg")
    clips.written(folder / "gate.mp4", [pictures.pixels("astronaut")] * 20)
    return folder


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_shown_happens(document: Path, shell: Shell, desk: Path) -> None:
    token = shell.run("--as", "daily-herald", "token").out.strip()
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**shell.env, "PATH": beside, "TOKEN": token}
    for code, kind, text in blocks(document):
        if kind == "python":
            script = text.replace("127.0.0.1:50051", shell.address)
            ran = subprocess.run(
                [sys.executable, "-c", script], cwd=desk, env=env, capture_output=True, check=False
            )
            assert ran.returncode == code, ran.stderr.decode()
            assert ran.stdout
            continue
        for command, shown in commands(text):
            ran = subprocess.run(
                ["bash", "-c", f"{command} 2>&1"],
                cwd=desk,
                env=env,
                capture_output=True,
                check=False,
            )
            said = ran.stdout.decode()
            assert ran.returncode == code, said
            assert same(said) == same(shown), said


def test_something_is_shown() -> None:
    assert sum(len(list(commands(text))) for _, _, text in blocks(DOCUMENTS[0])) >= 6


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / link).exists(), link


def section(name: str) -> str:
    text = (ROOT / "README.md").read_text("utf-8")
    return text.split(f"<!-- {name}: begin -->")[1].split(f"<!-- {name}: end -->")[0]


def test_settings_are_what_the_readme_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BEHOLDEN_"):
            monkeypatch.delenv(name)
    rows = re.findall(r"^\| `BEHOLDEN_(\w+)` \| ?(.*?) ?\|", section("settings"), re.MULTILINE)
    assert len(rows) > 10
    for name, said in rows:
        value: object = Settings()
        for part in name.lower().split("__"):
            value = getattr(value, part)
        if said.startswith("`") and said.endswith("`"):
            assert str(value) == said.strip("`"), name
        elif not said:
            assert not value, name


def test_exit_codes_are_what_the_readme_says() -> None:
    told = re.findall(r"^\| (\d+) \|", section("exit codes"), re.MULTILINE)
    assert [int(code) for code in told] == [code.value for code in ExitCode]


def test_the_call_that_the_readme_shows_is_there(shell: Shell) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    called = re.search(r"127\.0\.0\.1:50051 (beholden\.v1\.\w+)/(\w+)", text)
    assert called
    with grpc.insecure_channel(shell.address) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        service = pool.FindServiceByName(called.group(1))
        assert called.group(2) in service.methods_by_name


def test_similarities_are_what_the_table_says() -> None:
    text = (ROOT / "docs" / "similarity.md").read_text("utf-8")
    catalog = load_catalog(ROOT / "models" / "catalog.yaml")
    scale = catalog.model("dlib_resnet_v1").parameters
    midpoint, slope = scale["similarity_midpoint"], scale["similarity_slope"]
    assert f"(midpoint {midpoint:g}, slope {slope:g})" in text
    rows = dict(re.findall(r"^\| (similarity|cosine) \| (.*) \|$", text, re.MULTILINE))
    shown = [[float(cell) for cell in rows[name].split("|")] for name in ("similarity", "cosine")]
    exact = [cosine_for(similarity, midpoint, slope) for similarity in shown[0]]
    np.testing.assert_allclose(shown[1], exact, atol=0.0005)
