import numpy as np
import pytest

from beholden.catalog.entries import load_catalog
from beholden.catalog.moderation import load_moderation
from beholden.core.errors import InvalidArgument
from beholden.core.moderation import (
    LabelSource,
    ModerationLabel,
    ModerationRules,
)
from beholden.vision.moderation import content_types, from_classes, from_objects, merged
from beholden.vision.objects import Objects
from tests.pictures import ROOT

CATALOG = load_catalog(ROOT / "models" / "catalog.yaml")
TAXONOMY = load_moderation(ROOT / "models" / "moderation.yaml", CATALOG)
NSFW = CATALOG.model("nsfwjs_mobilenet_v2").spec("")
NUDENET = CATALOG.model("nudenet_320n").spec("")

# Amazon Rekognition's taxonomy, version 7: how many labels there are on each level, and some of them.
LEVELS = {1: 10, 2: 20, 3: 22}
ABOVE = {
    "Exposed Female Nipple": ("Explicit Nudity", "Explicit"),
    "Pills": ("Products", "Drugs & Tobacco"),
    "Weapons": ("Violence",),
    "Gambling": (),
}


def half(name: str, parents: tuple[str, ...]) -> float:
    return 0.5


def nsfw(**share: float) -> tuple[dict[str, float], tuple[str, ...]]:
    shares = {name: share.get(name, 0.0) for name in NSFW.labels}
    told = merged(from_classes(shares, NSFW, TAXONOMY), half)
    assert all(label.models == (NSFW.id,) for label in told)
    return (
        {label.name: label.confidence for label in told},
        tuple(content_types(shares, NSFW, TAXONOMY)),
    )


def test_the_taxonomy_is_whole() -> None:
    levels = [len(kind.parents) + 1 for kind in TAXONOMY.kinds]
    assert {level: levels.count(level) for level in LEVELS} == LEVELS
    above = {kind.name: kind.parents for kind in TAXONOMY.kinds}
    assert ABOVE.items() <= above.items()


@pytest.mark.parametrize(
    ("share", "labels", "kinds"),
    [
        ({"Neutral": 1}, {}, ()),
        ({"Neutral": 0.6, "Sexy": 0.4}, {}, ()),
        ({"Sexy": 0.75, "Neutral": 0.25}, {"Swimwear or Underwear": 0.75}, ()),
        ({"Porn": 0.875, "Sexy": 0.125}, {"Explicit": 0.875}, ()),
        ({"Hentai": 0.6, "Porn": 0.40000004}, {"Explicit": 1}, ("Illustrated",)),
        ({"Drawing": 1}, {}, ("Illustrated",)),
        ({"Porn": 0.5, "Sexy": 0.5}, {"Explicit": 0.5, "Swimwear or Underwear": 0.5}, ()),
    ],
)
def test_classes_become_labels(
    share: dict[str, float], labels: dict[str, float], kinds: tuple[str, ...]
) -> None:
    assert nsfw(**share) == (labels, kinds)


def test_places_come_with_the_labels_above_them() -> None:
    index = {name: place for place, name in enumerate(NUDENET.labels)}
    found = Objects(
        boxes=np.array([[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 1, 1]], np.float32),
        scores=np.array([0.9, 0.8, 0.3], np.float32),
        classes=np.array([index[n] for n in ("FACE_MALE", "ANUS_EXPOSED", "BUTTOCKS_EXPOSED")]),
    )
    told = merged(from_objects(found, NUDENET, TAXONOMY), half)
    assert [(label.name, label.parents) for label in told] == [
        ("Explicit", ()),
        ("Explicit Nudity", ("Explicit",)),
        ("Exposed Buttocks or Anus", ("Explicit Nudity", "Explicit")),
    ]
    assert {round(label.confidence, 3) for label in told} == {0.8}
    assert [len(label.regions) for label in told] == [0, 0, 1], "a doubtful place is none"
    assert told[2].regions[0].box.x_min == 0.5


def test_a_label_that_several_say_is_told_once() -> None:
    def said(name: str, model: str, confidence: float, *parents: str) -> ModerationLabel:
        return ModerationLabel(name, parents, confidence, (model,))

    own = ModerationLabel("Weapons", (), 0.9, ("c@1",), source=LabelSource.CUSTOM)
    told = merged(
        [
            said("Violence", "a@1", 0.6),
            said("Weapons", "b@1", 0.8, "Violence"),
            said("Weapons", "d@1", 0.4, "Violence"),
            own,
        ],
        half,
    )
    assert told == (
        own,
        ModerationLabel("Violence", (), 0.8, ("a@1", "b@1")),
        ModerationLabel("Weapons", ("Violence",), 0.8, ("b@1",)),
    )


@pytest.mark.parametrize(
    ("name", "parents", "asked", "least"),
    [
        ("Gambling", (), None, 0.5),
        ("Gambling", (), 0.1, 0.1),
        ("Weapons", ("Violence",), None, 0.3),
        ("Weapons", ("Violence",), 0.1, 0.3),
        ("Weapons", ("Violence",), 0.9, 0.9),
        ("Corpses", ("Death and Emaciation", "Visually Disturbing"), None, 0.7),
        ("Visually Disturbing", (), 0.2, 0.7),
    ],
)
def test_the_caller_only_narrows_what_the_tenant_has_set(
    name: str, parents: tuple[str, ...], asked: float | None, least: float
) -> None:
    rules = ModerationRules({"Weapons": 0.3, "Violence": 0.9, "Visually Disturbing": 0.7})
    assert rules.least(name, parents, asked, 0.5) == least


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("labels: {A: {told_by: {nobody: [x]}}}", "no model of the catalogue is called nobody"),
        ("labels: {A: {told_by: {squeezenet: [wepon]}}}", "no class 'wepon'"),
        ("labels: {A: {below: {B: {}}}, B: {}}", "B is said twice"),
        ("labels: {Custom: {}}", "Custom is said twice"),
        ("labels: {A: {tells: x}}", "labels.A.tells"),
        ("labels: [", "cannot read"),
    ],
)
def test_a_taxonomy_that_is_wrong_is_named(tmp_path, text: str, problem: str) -> None:
    path = tmp_path / "moderation.yaml"
    path.write_text(text)
    with pytest.raises(InvalidArgument, match=problem):
        load_moderation(path, CATALOG)
