"""Collections exported, restored and copied: whole, guarded, and refused where something does not fit."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from beholden.cli.exports import seal
from tests.e2e.conftest import Shell

HERALD = ("--as", "daily-herald", "--purpose", "editorial_research")
CUSTODIAN = (*HERALD, "--role", "custodian")
PROVENANCE = ("--source", "archive", "--legal-basis", "press law")


@pytest.fixture(scope="module")
def gallery(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A collection of five ready templates."""
    rows = np.random.default_rng(5).normal(size=(5, 128))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    list_ = tmp_path_factory.mktemp("lists") / "ready.npz"
    np.savez(list_, embeddings=rows, external_ids=[f"e{row}" for row in range(5)])
    shell.run(*HERALD, "collections", "create", "whole", "--name", "Whole")
    line = (*HERALD, "index", "whole", list_, *PROVENANCE, "--model", "dlib_resnet_v1@1")
    assert shell.run(*line).code == 0
    return "whole"


@pytest.fixture(scope="module")
def backup(shell: Shell, gallery: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "backup"
    ended = shell.run(*CUSTODIAN, "collections", "export", gallery, folder)
    assert ended.code == 0, ended.err
    assert "5 faces" in ended.out
    return folder


def listed(shell: Shell, collection: str) -> list[dict[str, object]]:
    faces = shell.run(*HERALD, "faces", "list", collection, "--json").lines
    return [{**face, "name": face["name"].rpartition("/")[2]} for face in faces]


def test_an_export_is_guarded_and_asked_of_the_law(
    shell: Shell, gallery: str, backup: Path, tmp_path: Path
) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in backup.iterdir()} == {0o600}
    ended = shell.run(*HERALD, "collections", "export", gallery, tmp_path / "mine")
    assert ended.code == 3, ended.err
    assert shell.run(*CUSTODIAN, "collections", "export", gallery, backup).code == 2, "is there"
    records = shell.run(*HERALD, "ledger", "list", "--json").lines
    assert [one["allowed"] for one in records if one["action"] == "collection.export"]


def test_what_is_restored_is_what_was_exported(shell: Shell, gallery: str, backup: Path) -> None:
    for _ in range(2):  # the second finds it all there
        ended = shell.run(*CUSTODIAN, "collections", "restore", backup, "--to", "again")
        assert ended.code == 0, ended.err
        assert listed(shell, "again") == listed(shell, gallery)
    one, other = (
        shell.run(
            *HERALD, "search", name, "--face", face["name"], "--min-similarity", "0", "--json"
        )
        for name in (gallery, "again")
        for face in listed(shell, name)[:1]
    )
    scores = [[found["similarity"] for found in each.json["candidates"]] for each in (one, other)]
    assert scores[0] == scores[1]


def test_an_altered_export_is_refused(shell: Shell, backup: Path, tmp_path: Path) -> None:
    for name in ("faces.parquet", "people.json", "manifest.json"):
        folder = tmp_path / name
        folder.mkdir()
        for file in backup.iterdir():
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= file.name == name
            (folder / file.name).write_bytes(content)
        assert shell.run(*CUSTODIAN, "collections", "restore", folder, "--to", "bad").code == 2
    (backup.parent / "cut").mkdir()
    ended = shell.run(*CUSTODIAN, "collections", "restore", backup.parent / "cut")
    assert ended.code == 2
    assert "no whole export" in ended.err


def test_another_models_export_is_refused(shell: Shell, backup: Path, tmp_path: Path) -> None:
    manifest = {**json.loads((backup / "manifest.json").read_text()), "model": "mobilefacenet@1"}
    del manifest["sha256"]
    for file in backup.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "sha256": seal(manifest)}))
    ended = shell.run(*CUSTODIAN, "collections", "restore", tmp_path, "--to", "other")
    assert ended.code == 1
    assert "mobilefacenet@1" in ended.err


def test_a_copy_holds_the_same(shell: Shell, gallery: str) -> None:
    ended = shell.run(*CUSTODIAN, "collections", "copy", gallery, "twin")
    assert ended.code == 0, ended.err
    assert listed(shell, "twin") == listed(shell, gallery)
    assert shell.run(*HERALD, "collections", "copy", gallery, "mine").code == 3
    assert shell.run(*CUSTODIAN, "collections", "copy", gallery, gallery).code == 2
