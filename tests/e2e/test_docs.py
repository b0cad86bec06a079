"""What the documents show is what happens: marked blocks are run, tables are held against the code."""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from PIL import Image

from beholden.catalog.entries import load_catalog
from beholden.cli import main
from beholden.cli.failures import ExitCode
from beholden.cli.story import props
from beholden.runtime.settings import Settings
from beholden.vision.templates import cosine_for
from tests import clips, pictures
from tests.contract.ledgers import database
from tests.e2e.conftest import Shell
from tests.engines import needs
from tests.house import ROOT, house

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN = {"operating.md", "regimes.md", "rules.md"}
"""Pages that stop the server or change its law, and so have one of their own."""

STEP = re.compile(
    r"<!-- (run|write|start|stop|postgresql)(?:: (\S+))? -->\n(?:```(\w+)\n(.*?)```)?", re.DOTALL
)
"""What a page has done: a block run, with its exit code, or written to a file; its server started."""

SHELLS = set("|&;<>$*")
"""What a shell makes something of."""

# Where a server has its things that was started in a folder without any settings; checkpoints sooner.
HERE = {
    "STORE_URL": "file:var/faces.db",
    "LEDGER_URL": "sqlite:///var/ledger.db",
    "LEDGER__KEY_FILE": "var/ledger.key",
    "LEDGER__CHECKPOINT_SECONDS": "2",
    "REVIEWS__KEY_FILE": "var/reviews.key",
    "JOBS__KEY_FILE": "var/jobs.key",
    "VIDEO__SPOOL": "var/video",
    "GUARD__IDENTITY__KEY_FILE": "var/identity.key",
    "POLICY_URL": "file:policies",
}

# What differs from run to run, most particular first.
VARIES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b"), "HASH"),
    (
        re.compile(r"no checkpoint is signed yet|checkpoint \d+:[^|]*?since\s+the\s+first"),
        "CHECKPOINT",
    ),
    (re.compile(r"\d+ entries"), "N entries"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "TIME"),
    (re.compile(r"[+-]\d+°"), "ANGLE"),
    (re.compile(r"\d+\.\d+"), "SHARE"),
)


def same(text: str) -> list[str]:
    """Lines without what varies, and with single blanks."""
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@dataclass(frozen=True)
class Step:
    """One step of a page: what is done, of what, and the block under it."""

    do: str
    of: str
    kind: str
    text: str


def steps(document: Path) -> list[Step]:
    return [Step(*found) for found in STEP.findall(document.read_text("utf-8"))]


def commands(console: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, its continued lines too, with the output under it."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command += f"\n{more}"
        yield command, output


@dataclass
class Place:
    """A folder where a page's commands run, their environment, and the server that they find."""

    folder: Path
    env: dict[str, str]
    running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """A server as it is started in this folder, with what was exported."""
        own = {
            name.removeprefix("BEHOLDEN_"): value
            for name, value in self.env.items()
            if name.startswith("BEHOLDEN_")
        }
        self.env["BEHOLDEN_SERVER"] = self.running.enter_context(house(self.folder, **own)).address

    def do(self, step: Step) -> None:
        """Takes one step; what a command says must be what the page shows."""
        match step.do, step.kind:
            case "start", _:
                self.start()
            case "stop", _:
                self.running.close()
            case "write", _:
                path = self.folder / step.of
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text)
            case _, "python":
                script = step.text.replace("127.0.0.1:50051", self.env["BEHOLDEN_SERVER"])
                ran = self.run([sys.executable, "-c", script])
                assert ran.returncode == int(step.of or 0), ran.stderr.decode()
                assert ran.stdout
            case _, "console":
                for command, shown in commands(step.text):
                    self.type(command, shown, int(step.of or 0))
            case _:
                raise AssertionError(f"nobody knows how to {step.do} {step.kind}")

    def type(self, command: str, shown: str, code: int) -> None:
        """Types a command, or sets a variable for all that follow."""
        if command.startswith("export "):
            name, _, value = shlex.split(command)[1].partition("=")
            self.env[name] = value
            return
        if command.startswith("beholden ") and not set(command) & SHELLS:
            ended, said = self.beholden(shlex.split(command)[1:])
        else:
            ran = self.run(["bash", "-c", f"{{ {command}\n}} 2>&1"])
            ended, said = ran.returncode, ran.stdout.decode()
        assert ended == code, f"{command}\n{said}"
        assert same(said) == same(shown), f"{command}\n{said}"

    def beholden(self, arguments: list[str]) -> tuple[int, str]:
        """Runs the command in this process, which spares a second of imports."""
        said = io.StringIO()
        with (
            chdir(self.folder),
            mock.patch.dict(os.environ, self.env, clear=True),
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            return main(arguments), said.getvalue()

    def run(self, argv: list[str]) -> subprocess.CompletedProcess[bytes]:
        """Runs a program here."""
        return subprocess.run(argv, cwd=self.folder, env=self.env, capture_output=True, check=False)


@pytest.fixture(scope="module")
def desk(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures that the documents speak of."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "photos").mkdir()
    Image.open(astronaut).save(folder / "photos" / "collins.jpg", quality=92)
    scenery = Image.open(astronaut.with_name("coffee.png")).convert("RGB")
    scenery.save(folder / "photos" / "coffee.jpg", quality=90)
    props.disguised(folder / "photos" / "collins.jpg", folder / "crew.jpg")
    clips.written(folder / "gate.mp4", [pictures.pixels("astronaut")] * 20)
    return folder


def path() -> str:
    """PATH, the project's own programs first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def own(desk: Path, models: Path, tmp_path: Path) -> Iterator[Place]:
    """A server in a folder of its own as a checkout is, with its law in git."""
    folder = tmp_path / "house"
    shutil.copytree(desk, folder)
    shutil.copytree(ROOT / "policies", folder / "policies")
    for command in (
        "init --quiet",
        "config user.name ops",
        "config user.email ops@example.org",
        "add policies",
        "commit --quiet --message law",
    ):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    settings = {**HERE, "MODEL_REPOSITORY": str(models)}
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BEHOLDEN_")},
        **{f"BEHOLDEN_{name}": value for name, value in settings.items()},
        "PATH": path(),
        "COLUMNS": "100",
    }
    place = Place(folder, env)
    with place.running:
        place.start()
        yield place


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            one, marks=[pytest.mark.thorough] * (one.name in {"README.md", "quickstart.md"})
        )
        for one in DOCUMENTS
        if one.name not in OWN
    ],
    ids=lambda path: path.name,
)
def test_what_is_shown_happens(document: Path, shell: Shell, desk: Path) -> None:
    token = shell.run("--as", "daily-herald", "token").out.strip()
    place = Place(desk, {**shell.env, "PATH": path(), "TOKEN": token})
    for step in steps(document):
        place.do(step)


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", sorted(OWN))
def test_what_is_done_to_a_server_happens(page: str, own: Place) -> None:
    taken = [step for step in steps(ROOT / "docs" / page) if step.do != "postgresql"]
    assert len(taken) >= 4
    for step in taken:
        own.do(step)


@pytest.mark.thorough
def test_a_ledger_in_postgresql_is_backed_up_and_restored_as_shown(
    own: Place, tmp_path: Path
) -> None:
    needs("postgres")
    shown = [step for step in steps(ROOT / "docs" / "operating.md") if step.do == "postgresql"]
    assert shown
    with (
        database("postgres", tmp_path, migrated=False) as ledger,
        database("postgres", tmp_path, migrated=False) as restored,
    ):
        own.running.close()
        plain = ledger.replace("postgresql+psycopg", "postgresql")
        own.env["BEHOLDEN_LEDGER_URL"] = plain
        own.env["RESTORED"] = restored.replace("postgresql+psycopg", "postgresql")
        own.start()
        for step in shown:
            own.do(step)
        own.running.close()


def test_something_is_shown() -> None:
    assert sum(len(list(commands(step.text))) for step in steps(DOCUMENTS[0])) >= 6


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
