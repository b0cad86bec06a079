"""A model repository with more than one model for a role."""

from pathlib import Path

from beholden.catalog.entries import load_catalog
from beholden.catalog.pull import pull
from beholden.runtime.settings import Settings
from tests.house import MODELS, ROOT
from tests.pictures import missing


def with_both_embedders(folder: Path) -> Path:
    """`folder` with the default detector and embedder, and MobileFaceNet pulled."""
    for name in ("centerface", "dlib_resnet_v1"):
        (folder / name).symlink_to(MODELS / name)
    catalog = load_catalog(ROOT / "models" / "catalog.yaml")
    (report,) = pull(catalog, ["mobilefacenet"], folder, mirror=Settings().model_mirror)
    if not report.ok:
        missing(f"MobileFaceNet cannot be had: {report.attempts}")
    return folder
