"""NudeNet, pulled because its licence was accepted: what it finds comes with its place."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from beholden.catalog.entries import load_catalog
from beholden.catalog.fetch import NoSourceError, fetch
from beholden.catalog.moderation import load_moderation
from beholden.catalog.pull import pull
from beholden.catalog.reports import Outcome
from beholden.catalog.repository import available
from beholden.core.caller import CALLER, Caller
from beholden.core.models import MODERATOR, UNSAFE_DETECTOR
from beholden.core.moderation import ModerationRules
from beholden.detection.settings import DetectionSettings
from beholden.detection.text import TextPipeline
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from beholden.moderation.custom import CustomModeration
from beholden.moderation.pipeline import ModerationPipeline
from beholden.moderation.settings import ModerationSettings
from tests.house import MODELS, ROOT
from tests.pictures import archives, encode, missing, pixels

CATALOG = load_catalog(ROOT / "models" / "catalog.yaml")
NAME = "nudenet_320n"

# Nothing unsafe is looked at here: what NudeNet calls a woman's face stands in for what it is for.
TAXONOMY = f"""
labels:
  Somebody:
    told_by: {{nsfwjs_mobilenet_v2: [Porn]}}
    below: {{A Face: {{told_by: {{{NAME}: [FACE_FEMALE]}}}}}}
"""


async def test_what_it_finds_is_told_with_its_place(tmp_path: Path) -> None:
    entry, repository = CATALOG.model(NAME), tmp_path / "models"
    try:
        fetched = fetch(entry, tmp_path, None, lambda _: None, archives())
    except NoSourceError as error:
        missing(f"{NAME}: {error.attempts}")
    mirror = fetched.paths["320n.onnx"].parent
    (report,) = pull(CATALOG, [NAME], repository, mirror=mirror)
    assert report.outcome is Outcome.REFUSED
    assert "AGPL-3.0-only" in report.detail
    (report,) = pull(CATALOG, [NAME], repository, mirror=mirror, accept={"AGPL-3.0-only"})
    assert report.outcome is Outcome.PULLED
    shutil.copytree(MODELS / "nsfwjs_mobilenet_v2", repository / "nsfwjs_mobilenet_v2")
    models = [
        spec
        for role in (MODERATOR, UNSAFE_DETECTOR)
        if (spec := available(CATALOG, repository, role))
    ]
    (tmp_path / "moderation.yaml").write_text(TAXONOMY)
    taxonomy = load_moderation(tmp_path / "moderation.yaml", CATALOG)
    rules = {"a": ModerationRules({"Somebody": 0.2}), "b": ModerationRules({"A Face": 0.99})}
    engine = await open_inference("local:", repository, models, InferenceSettings())
    with ThreadPoolExecutor(1) as workers:
        pipeline = ModerationPipeline(
            engine,
            workers,
            ModerationSettings(),
            models=models,
            taxonomy=taxonomy,
            rules=rules,
            licences={},
            reader=TextPipeline(
                engine, workers, DetectionSettings(), detector=None, recogniser=None
            ),
            custom=CustomModeration(
                engine,
                workers,
                ModerationSettings(),
                model=None,
                store=None,
                rules=rules,
                taxonomy=taxonomy,
            ),
        )
        picture = encode(pixels("astronaut"))
        verdict = await pipeline.moderate(picture, tenant="a", min_confidence=None)
        CALLER.set(Caller("a", "tester"))
        places = await pipeline.find_unsafe(picture, min_confidence=None)
        unsure = await pipeline.moderate(picture, tenant="b", min_confidence=None)
    await engine.close()
    assert [label.name for label in verdict.labels] == ["Somebody", "A Face"]
    somebody, face = verdict.labels
    assert face.models == (f"{NAME}@1",) == somebody.models
    assert face.parents == ("Somebody",)
    (region,) = face.regions
    assert face.confidence == region.confidence > 0.5
    assert region.box.x_min < 0.44 < region.box.x_max
    assert region.box.y_min < 0.24 < region.box.y_max
    assert [(place.label, place.box) for place in places] == [("A Face", region.box)]
    assert not unsure.labels
