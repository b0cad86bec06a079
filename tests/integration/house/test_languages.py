"""The examples in other languages, and grpcurl, by the very commands that the documents show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pictures
from tests.engines import HOME
from tests.house import ROOT, House

TOOLS = {
    "python": (),
    "go": ("go", "buf"),
    "typescript": ("npm", "node", "buf"),
    "java": ("mvn", "javac"),
}
# Not every machine that runs all tests has Java; Go builds the engines, Node reads reference models.
EXPECTED = {"python", "go", "typescript"}
EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```console\n(.*?)```", re.DOTALL)
GRPCURL = re.compile(r"<!-- grpcurl -->\n```console\n(.*?)```", re.DOTALL)
COMMANDS = {
    language: [line.removeprefix("$ ") for line in shown.strip().split("\n")]
    for language, shown in EXAMPLE.findall((ROOT / "docs" / "clients.md").read_text("utf-8"))
}
BESIDE = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
FACE = re.compile(r"face 0\.\d\d at( -?\d\.\d{3}){4}")
COLOURS = re.compile(r"\x1b\[\d*m")  # Maven ends its own, however quiet
DECISION = re.compile(r"decision [0-9a-f-]{36}")


def calling(house: House, tenant: str, purpose: str) -> dict[str, str]:
    token = house.headers(tenant)[0][1].removeprefix("Bearer ")
    return {
        **{name: value for name, value in os.environ.items() if name != "CI"},
        "PATH": BESIDE,
        "PYTHONPATH": str(ROOT / "services"),
        "BEHOLDEN_SERVER": house.address,
        "BEHOLDEN_TOKEN": token,
        "BEHOLDEN_PURPOSE": purpose,
    }


def needs(language: str) -> None:
    absent = [tool for tool in TOOLS[language] if shutil.which(tool, path=BESIDE) is None]
    if absent and language in EXPECTED:
        pictures.missing(f"not on PATH: {', '.join(absent)}")
    if absent:
        pytest.skip(f"not on PATH: {', '.join(absent)}")


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whose name needs no quotes."""
    file = tmp_path_factory.mktemp("desk") / "crew.png"
    shutil.copy(pictures.path("astronaut"), file)
    return file


@pytest.fixture(scope="module")
def descriptors() -> None:
    """What `make descriptors` writes."""
    command = [sys.executable, "protos/descriptors.py", "out/beholden.binpb"]
    subprocess.run(command, cwd=ROOT, check=True)


@pytest.mark.thorough
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("language", sorted(TOOLS))
def test_each_finds_the_face_and_reads_the_law(language: str, house: House, picture: Path) -> None:
    needs(language)
    enter = [line for line in COMMANDS[language] if line.startswith("cd ")]
    *build, ask = [line for line in COMMANDS[language] if not line.startswith("cd ")]

    def ran(command: str, tenant: str, purpose: str) -> list[str]:
        script = " && ".join([*enter, command.replace("crew.jpg", str(picture))])
        env = calling(house, tenant, purpose)
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=env, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        return COLOURS.sub("", done.stdout.decode()).split("\n")[:-1]

    for command in build:
        ran(command, "daily-herald", "editorial_research")
    face, decision, similarity = ran(ask, "daily-herald", "editorial_research")
    assert FACE.fullmatch(face)
    assert DECISION.fullmatch(decision)
    assert similarity == "similarity 1.00"
    again, _, refused, *said = ran(ask, "metro-police", "criminal_investigation")
    assert again == face
    assert refused.startswith("refused: Police departments")
    assert said[:2] == ["  law amazon-2021/police-face-comparison", "  since 2020-06-10"]
    assert said[2].startswith("  lifted_by Find the Lost")
    assert re.fullmatch(r"  decision_id [0-9a-f-]{36}", said[3])


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("README.md", ["", '"bounding_box"']),
        (
            "docs/clients.md",
            [
                "beholden.v1.DetectionService",
                "rpc SearchFaces ( .beholden.v1.SearchFacesRequest )",
                "",
                "beholden-decision-id: ",
                '"law": "amazon-2021/police-face-comparison"',
            ],
        ),
    ],
)
def test_grpcurl_needs_reflection_only(
    document: str, told: list[str], house: House, picture: Path
) -> None:
    path = f"{HOME / 'bin'}{os.pathsep}{BESIDE}"
    if shutil.which("grpcurl", path=path) is None:
        pictures.missing("grpcurl is not installed: run `make ci-engines`")
    (shown,) = GRPCURL.findall((ROOT / document).read_text("utf-8"))
    commands = re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]
    # Each command is told from the next by a line of its own.
    script = "\necho ==\n".join(commands).replace("127.0.0.1:50051", house.address)
    env = {**house.env, "PATH": path, "PYTHONPATH": str(ROOT / "services")}
    done = subprocess.run(
        ["bash", "-c", script.replace("crew.jpg", str(picture))],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode().split("==\n")
    assert len(said) == len(told)
    for expected, output in zip(told, said, strict=True):
        assert expected in output


@pytest.mark.thorough
def test_a_type_checker_knows_every_argument(tmp_path: Path) -> None:
    wrong = """from beholden.client import Client
client = Client("a:1", purpose=5)
client.detect_faces()
client.detect_faces(b"", min_confidence="high")
client.detect_faces(b"", porpoise="x")
client.search_faces("collections/a/faces/b").message.candidate
"""
    (tmp_path / "wrong.py").write_text(wrong)
    right = ROOT / "examples" / "python" / "detect.py"
    options = ["--strict", "--follow-imports", "silent", "--config-file", os.devnull]
    env = {**os.environ, "MYPYPATH": str(ROOT / "services")}
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, right, tmp_path / "wrong.py"],
        env=env,
        capture_output=True,
        check=False,
    )
    told = checked.stdout.decode()
    assert "detect.py" not in told, told
    lines = [line for line in told.splitlines() if "error:" in line]
    assert len(lines) == 5, told
    # By its name: out of its cache the checker tells the place where a run before had the same file.
    assert all(Path(line.partition(":")[0]).name == "wrong.py" for line in lines), told


def test_every_example_is_documented() -> None:
    assert set(COMMANDS) == set(TOOLS)
    assert {path.name for path in (ROOT / "examples").iterdir()} == set(TOOLS)


def test_lock_files_name_no_host() -> None:
    lock = (ROOT / "examples" / "typescript" / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
