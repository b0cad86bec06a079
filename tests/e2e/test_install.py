"""The Dockerfile's steps, without a container engine: the wheel stands alone, and nothing else goes in."""

import os
import sysconfig
from pathlib import Path

import pytest

from beholden.runtime.jemalloc import library
from tests.e2e.image import build
from tests.house import ROOT
from tests.pictures import missing

# What the lock lists is here already, and so are pip and what makes the wheel: none is fetched anew.
HERE = {
    "PYTHONPATH": sysconfig.get_path("purelib"),
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_NO_COMPILE": "1",
}
INSTEAD = {
    "apt-get update && apt-get install --yes --no-install-recommends libjemalloc2": ":",
    "/usr/lib/*/libjemalloc.so.2": str(library()),
    "-m venv": "-m venv --without-pip",
    "-m pip install --only-binary=:all: --require-hashes --requirement requirements.lock": "-c ''",
}


@pytest.mark.timeout(300)
@pytest.mark.thorough
def test_the_image_stands_alone(tmp_path: Path) -> None:
    if not Path(str(library())).exists():
        missing("jemalloc is not installed: run `make engines`")
    image = build(tmp_path, {}, HERE, INSTEAD)
    ran = "\n".join(image.steps)
    assert all(dear in ran for dear in INSTEAD), "or nothing is done in its place"
    context = {path.name for path in (tmp_path / "src").iterdir()}
    assert not context & {"tests", "k8s", ".git", "var"}
    assert (image.entrypoint, image.command) == (["beholden"], ["serve", "all"])
    asking = (
        "from beholden.runtime.settings import Settings; s = Settings();"
        "from beholden.catalog.entries import load_catalog;"
        "from beholden.policy.tenants import load_tenants;"
        "print(s.policy_url, s.catalog, s.model_repository, len(load_catalog(s.catalog).models),"
        " len(load_tenants(s.tenants)));"
        "from beholden.v1 import search_pb2; print(search_pb2.__file__)"
    )
    assert "beholden" in image.run("version", env=HERE)
    image.entrypoint = ["python", "-c"]
    said = image.run(asking, env=HERE)
    site = next((tmp_path / "opt/beholden/lib").glob("python3.*")) / "site-packages"
    for place in (
        f"file:{site}/beholden/resources/policies",
        f"{site}/beholden/resources/models/catalog.yaml",
        f"{site}/beholden/v1/search_pb2.py",
        f"{tmp_path}/models",
    ):
        assert place in said
    assert (tmp_path / "opt/beholden/lib/libjemalloc.so.2").is_file()
    assert str(ROOT) not in said.replace(os.fspath(tmp_path), "")


def test_whoever_runs_it_is_nobody_and_its_layers_change_seldom_first() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    stages = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    last = lines[stages[-1] :]
    users = [line.split()[1] for line in last if line.startswith("USER ")]
    assert users == ["10001:10001"]
    assert not any(line.startswith("RUN ") for line in last), "what is built is copied in whole"
    install = "\n".join(lines[stages[1] : stages[2]])
    assert install.index("requirements.lock ./") < install.index("COPY --from=wheel")
