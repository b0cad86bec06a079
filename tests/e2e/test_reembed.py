"""A collection enrolled anew from kept pictures: what it still holds, and nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beholden.client import Client
from beholden.guard.minting import mint_evidence, new_key
from tests.contract.policy_engines import POLICIES
from tests.e2e.conftest import Shell
from tests.house import house
from tests.pictures import encode, path, pixels
from tests.repository import with_both_embedders

HERALD = ("--as", "daily-herald", "--purpose", "editorial_research")
PAST = ("--source", "desk", "--legal-basis", "press law")


def listed(shell: Shell, collection: str) -> list[dict[str, Any]]:
    return shell.run(*HERALD, "faces", "list", collection, "--json").lines


def filled(shell: Shell, pictures: Path) -> None:
    """Makes `old`: Eileen Collins by name, and twice without one in a picture, deleted since on the left."""
    pictures.mkdir()
    portrait = pixels("astronaut")
    (pictures / "portrait.png").write_bytes(encode(portrait))
    twice = np.concatenate([portrait, portrait[:, ::-1]], axis=1)
    (pictures / "twice.png").write_bytes(encode(twice))
    shell.run(*HERALD, "collections", "create", "old", "--name", "Old")
    token = shell.run(*HERALD, "token").out.strip()
    past = {"source": "desk", "legal_basis": "press law"}
    with Client(shell.address, token=token, purpose="editorial_research") as client:
        client.index_faces("collections/old", pictures / "twice.png", provenance=past)
    left = min(listed(shell, "old"), key=lambda face: face["bounding_box"]["x_min"])
    assert shell.run(*HERALD, "faces", "delete", "old", left["name"][-36:], "--yes").code == 0
    named = ("--external-id", "collins", "--consent-id", "form-7", *PAST)
    shell.run(*HERALD, "index", "old", pictures / "portrait.png", *named)
    [collins] = shell.run(
        *HERALD, "faces", "list", "old", "--external-id", "collins", "--json"
    ).lines
    shell.run(*HERALD, "people", "create", "old", "eileen", "--name", "Eileen Collins")
    shell.run(*HERALD, "people", "associate", "old", "eileen", collins["name"][-36:])
    (pictures / "portrait.png").rename(pictures / "moved.png")


def told(face: dict[str, Any]) -> dict[str, Any]:
    """What a face and the one made of it anew have in common."""
    kept = {key: face.get(key) for key in ("external_image_id", "image_sha256", "provenance")}
    return {**kept, "person": face.get("person", "").rpartition("/")[2]}


def alike(shell: Shell, new: str) -> bool:
    both = (sorted(map(str, map(told, listed(shell, name)))) for name in ("old", new))
    return next(both) == next(both)


def test_what_is_still_held_is_enrolled_anew(shell: Shell, tmp_path: Path) -> None:
    pictures = tmp_path / "kept"
    filled(shell, pictures)
    for _ in range(2):  # the second finds it all there
        ended = shell.run(*HERALD, "collections", "reembed", "old", "anew", pictures)
        assert ended.code == 0, ended.err
        assert "2 of 2 faces of old in anew" in ended.out
    assert alike(shell, "anew")
    [right] = [face for face in listed(shell, "anew") if not face["external_image_id"]]
    assert not right.get("person")
    assert right["bounding_box"]["x_min"] > 0.5, "the deleted face is back"
    assert "Eileen Collins" in shell.run(*HERALD, "people", "get", "anew", "eileen").out

    (pictures / "twice.png").unlink()
    ended = shell.run(*HERALD, "collections", "reembed", "old", "less", pictures, "--json")
    assert ended.code == 0, ended.err
    assert ended.lines[-1]["people"] == 1
    assert len(ended.lines[-1]["lacks"]) == 1

    refused = shell.run(
        *HERALD, "--consent", "ada.jwt", "collections", "reembed", "old", "less", pictures
    )
    assert refused.code == 2, "one person's consent would be everybody's"

    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "other.png").write_bytes(encode(np.zeros((9, 9, 3), np.uint8)))
    ended = shell.run(*HERALD, "collections", "reembed", "old", "none", nothing)
    assert ended.code == 1
    assert "none of old's pictures" in ended.err


@pytest.mark.thorough
def test_another_model_takes_over(models: Path, tmp_path: Path) -> None:
    folder, pictures = tmp_path / "house", tmp_path / "kept"
    folder.mkdir()
    repository = tmp_path / "models"
    repository.mkdir()
    here = {"MODEL_REPOSITORY": str(with_both_embedders(repository))}
    services = ("search", "embedding")
    with house(folder, services, **here) as before:
        shell = Shell(before.address, {**before.env, "BEHOLDEN_SERVER": before.address}, folder)
        filled(shell, pictures)
    other = {**here, "MODELS": '{"face-embedder": "mobilefacenet"}'}
    with house(folder, services, **other) as after:
        shell = Shell(after.address, {**after.env, "BEHOLDEN_SERVER": after.address}, folder)
        refused = shell.run(*HERALD, "search", "old", pictures / "moved.png")
        assert refused.code == 1
        assert "was made with dlib_resnet_v1@1" in refused.err
        ended = shell.run(*HERALD, "collections", "reembed", "old", "new", pictures)
        assert ended.code == 0, ended.err
        assert alike(shell, "new")
        assert "mobilefacenet@1" in shell.run(*HERALD, "collections", "get", "new").out
        found = shell.run(*HERALD, "people", "search", "new", pictures / "moved.png")
        assert "Eileen Collins" in found.out


@pytest.mark.thorough
def test_who_signed_a_consent_is_shown_anew(models: Path, tmp_path: Path) -> None:
    registry, key = "https://consents.example", new_key()
    policies = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    public = [key.as_dict(private=False)]
    issuer = {"title": "A registry", "issues": ["consent"], "max_days": 30, "keys": public}
    (policies / "law" / "issuers" / "data.json").write_text(json.dumps({registry: issuer}))
    scope = {"actions": ["*"], "purposes": ["*"], "collections": ["*"]}
    shown = tmp_path / "ada.jwt"
    shown.write_text(
        mint_evidence(key, "consent", issuer=registry, tenant="daily-herald", id="c-1", scope=scope)
    )
    signed = (*HERALD, "--consent", shown)
    picture = path("astronaut")
    with house(tmp_path, ("search",), POLICY_URL=f"file:{policies}") as running:
        shell = Shell(
            running.address, {**running.env, "BEHOLDEN_SERVER": running.address}, tmp_path
        )
        for name in ("old", "shown"):
            shell.run(*HERALD, "collections", "create", name)
            ended = shell.run(*signed, "index", name, picture, *PAST)
            assert ended.code == 0, ended.err
        for new, lost in (("named", True), ("shown", False)):
            ended = shell.run(*HERALD, "collections", "reembed", "old", new, picture)
            assert "1 of 1 face of old" in ended.out
            assert ("of 1 face the consent's issuer is lost" in ended.out) is lost
            [face] = listed(shell, new)
            assert face["provenance"]["consent_id"] == "c-1"
            assert face["provenance"]["consent_issuer"] == ("" if lost else registry)
