"""The sources over their real clients: pip, npm and https, pointed at this machine."""

import http.server
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from beholden.catalog.pull import pull
from beholden.catalog.reports import Outcome, PullReport, Step
from beholden.catalog.sources.client import run_client
from beholden.catalog.sources.receive import SourceError
from tests.integration.catalog.registry import (
    Answer,
    certificate,
    gives,
    npm_package,
    redirects,
    served,
)
from tests.unit.catalog.build import catalog, entry, onnx_model, pin, tarball, wheel

WEIGHTS = onnx_model()
NPM = {"kind": "npm", "package": "adder-weights", "version": "1.0.0", "folder": "package"}


def pulled(tmp_path: Path, source: dict[str, Any], steps: list[Step] | None = None) -> PullReport:
    """Pull a model that has this one source; afterwards the repository holds all of it or nothing."""
    known = catalog(tmp_path / "catalog", entry(sources=[source]))
    repository = tmp_path / "repository"
    (report,) = pull(known, None, repository, progress=(steps if steps is not None else []).append)
    left = {path.name for path in repository.iterdir()}
    assert left == ({".lock", "adder"} if report.ok else {".lock"})
    return report


def said(report: PullReport) -> str:
    assert report.outcome is Outcome.FAILED
    (attempt,) = report.attempts
    return attempt.problem


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for loopback, which nothing trusts by itself."""
    return certificate(tmp_path_factory.mktemp("tls"))


class TestHttps:
    @pytest.fixture
    def trusted(self, pem: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        return pem

    def test_a_file_at_a_pinned_address(self, tmp_path: Path, trusted: Path) -> None:
        answers = {"/c0ffee/adder.onnx": redirects("/elsewhere"), "/elsewhere": gives(WEIGHTS)}
        steps: list[Step] = []
        with served(answers, trusted) as address:
            report = pulled(tmp_path, {"kind": "https", "base": f"{address}/c0ffee/"}, steps)
        assert (report.outcome, report.source) == (Outcome.PULLED, "https 127.0.0.1")
        assert steps[-3].done == steps[-3].total == len(WEIGHTS)

    @pytest.mark.parametrize(
        ("answer", "problem"),
        [
            (gives(WEIGHTS[:-1] + b"!"), "has the SHA-256"),
            (gives(WEIGHTS[:-9], len(WEIGHTS)), "cannot be read"),
            (gives(WEIGHTS[:-9]), "ends at"),
            (None, "answers 404 Not Found"),
            (redirects("/adder.onnx"), "cannot be read (TooManyRedirects)"),
        ],
    )
    def test_anything_else_leaves_nothing(
        self, tmp_path: Path, trusted: Path, answer: Answer | None, problem: str
    ) -> None:
        with served({"/adder.onnx": answer} if answer else {}, trusted) as address:
            report = pulled(tmp_path, {"kind": "https", "base": f"{address}/"})
        assert problem in said(report)

    def test_no_more_is_read_than_was_pinned(self, tmp_path: Path, trusted: Path) -> None:
        sent = 0

        def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
            nonlocal sent
            handler.send_response(200)
            handler.end_headers()
            while sent < 1 << 30:
                sent += handler.wfile.write(b"\0" * (1 << 16))

        with served({"/adder.onnx": endless}, trusted) as address:
            report = pulled(tmp_path, {"kind": "https", "base": f"{address}/"})
        assert "adder.onnx is larger than" in said(report)
        assert sent < 1 << 27

    def test_a_redirect_to_plain_http_is_refused(self, tmp_path: Path, trusted: Path) -> None:
        with served({"/adder.onnx": gives(WEIGHTS)}) as plain:
            answers = {"/adder.onnx": redirects(f"{plain}/adder.onnx")}
            with served(answers, trusted) as address:
                report = pulled(tmp_path, {"kind": "https", "base": f"{address}/"})
        assert "redirects away from https" in said(report)

    def test_an_unknown_certificate_is_refused(self, tmp_path: Path, pem: Path) -> None:
        with served({"/adder.onnx": gives(WEIGHTS)}, pem) as address:
            report = pulled(tmp_path, {"kind": "https", "base": f"{address}/"})
        assert "cannot be read (SSLError)" in said(report)


class TestPypi:
    @pytest.fixture(autouse=True)
    def index(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """An index that is a folder; pip asks no other."""
        folder = tmp_path / "index"
        folder.mkdir()
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        return folder

    def source(self, archive: bytes, **changed: Any) -> dict[str, Any]:
        return {
            "kind": "pypi",
            "package": "adder-weights",
            "version": "1.0",
            "archive": pin(archive),
            "folder": "adder_weights",
            **changed,
        }

    def test_a_file_out_of_a_wheel(self, tmp_path: Path, index: Path) -> None:
        archive = wheel("adder_weights", "1.0", {"adder_weights/adder.onnx": WEIGHTS})
        (index / "adder_weights-1.0-py3-none-any.whl").write_bytes(archive)
        report = pulled(tmp_path, self.source(archive))
        assert (report.outcome, report.source) == (Outcome.PULLED, "PyPI adder-weights 1.0")

    def test_a_package_that_is_not_there(self, tmp_path: Path) -> None:
        assert "Could not find a version" in said(pulled(tmp_path, self.source(b"?")))

    def test_an_index_that_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        assert said(pulled(tmp_path, self.source(b"?"))) == "the package index cannot be reached"

    def test_nothing_of_another_archive_is_run(self, tmp_path: Path, index: Path) -> None:
        """pip runs an sdist's setup.py for its metadata: only the pinned one's."""
        ran = tmp_path / "ran"
        setup = f"open({str(ran)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for path, content in {
                "setup.py": setup.encode(),
                "PKG-INFO": b"Metadata-Version: 2.1\nName: adder-weights\nVersion: 1.0\n",
                "adder_weights/adder.onnx": WEIGHTS,
            }.items():
                info = tarfile.TarInfo(f"adder_weights-1.0/{path}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        (index / "adder_weights-1.0.tar.gz").write_bytes(out.getvalue())
        problem = said(pulled(tmp_path, self.source(b"the pinned archive")))
        assert "DO NOT MATCH THE HASHES" in problem
        assert not ran.exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on PATH")
class TestNpm:
    @pytest.fixture(autouse=True)
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")

    def pulled(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: bytes, pinned: bytes
    ) -> PullReport:
        answers: dict[str, Answer] = {}
        with served(answers) as address:
            answers |= npm_package("adder-weights", "1.0.0", archive, address)
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
            return pulled(tmp_path, {**NPM, "archive": pin(pinned)})

    def test_a_file_out_of_a_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        about = b'{"name": "adder-weights", "version": "1.0.0"}'
        archive = tarball({"package/package.json": about, "package/adder.onnx": WEIGHTS})
        report = self.pulled(tmp_path, monkeypatch, archive, archive)
        assert (report.outcome, report.source) == (Outcome.PULLED, "npm adder-weights 1.0.0")

    def test_another_archive_is_not_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        about = b'{"name": "adder-weights", "version": "1.0.0"}'
        archive = tarball({"package/package.json": about, "package/adder.onnx": WEIGHTS})
        report = self.pulled(tmp_path, monkeypatch, archive, archive[:-1])
        assert "pinned are" in said(report)

    def test_a_package_that_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with served({}) as address:
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
            report = pulled(tmp_path, {**NPM, "archive": pin(b"?")})
        assert "404 Not Found" in said(report)

    def test_npm_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        report = pulled(tmp_path, {**NPM, "archive": pin(b"?")})
        assert said(report) == "npm is not on PATH"


class TestClient:
    """What any client's run shows and leaves."""

    def test_progress_is_what_the_folder_gains(self, tmp_path: Path) -> None:
        code = (
            "import pathlib, time\n"
            "pathlib.Path('got').write_bytes(bytes(1000))\n"
            "while not pathlib.Path('seen').exists(): time.sleep(0.01)\n"
        )
        came: list[int] = []

        def advance(size: int) -> None:
            came.append(size)
            if size:
                (tmp_path / "seen").touch()

        run_client([sys.executable, "-c", code], tmp_path, {}, advance)
        assert sum(came) == 1000

    def test_a_failure_is_told_in_the_clients_words(self, tmp_path: Path) -> None:
        code = (
            "import sys; sys.exit('WARNING: slow\\nERROR: no x at http://me:secret@host/x\\nbye')"
        )
        with pytest.raises(SourceError, match=r"^no x at http://host/x$"):
            run_client([sys.executable, "-c", code], tmp_path, {}, lambda _: None)

    def test_a_silent_failure_is_told_by_its_number(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="ended with 3"):
            run_client([sys.executable, "-c", "exit(3)"], tmp_path, {}, lambda _: None)

    def test_a_client_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="cannot be started: No such file"):
            run_client([str(tmp_path / "none")], tmp_path, {}, lambda _: None)

    def test_an_interrupt_ends_the_client_and_what_it_started(self, tmp_path: Path) -> None:
        code = (
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            "open('child', 'w').write(str(child.pid)); time.sleep(60)\n"
        )
        written = tmp_path / "child"

        def interrupt(_: int) -> None:
            if written.exists() and written.read_text():
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_client([sys.executable, "-c", code], tmp_path, {}, interrupt)
        assert gone(int(written.read_text()))


def gone(pid: int) -> bool:
    """Whether a process has ended, waited for a little while."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_control_c_during_a_download_leaves_nothing(tmp_path: Path) -> None:
    """The whole of it in a process of its own, with a server that never finishes."""
    held: list[bool] = []

    def stalls(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(WEIGHTS)))
        handler.end_headers()
        handler.wfile.write(WEIGHTS[:10])
        handler.wfile.flush()
        held.append(True)
        handler.rfile.read(1)

    pem = certificate(tmp_path)
    with served({"/adder.onnx": stalls}, pem) as address:
        source = {"kind": "https", "base": f"{address}/"}
        known = catalog(tmp_path / "catalog", entry(sources=[source]))
        repository = tmp_path / "repository"
        code = (
            "from pathlib import Path\n"
            "from beholden.catalog.entries import load_catalog\n"
            "from beholden.catalog.pull import pull\n"
            f"pull(load_catalog(Path({str(known.root / 'catalog.yaml')!r})), None, "
            f"Path({str(repository)!r}))\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "REQUESTS_CA_BUNDLE": str(pem),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stderr=subprocess.DEVNULL,
            # A shell that runs the tests in the background has Ctrl-C ignored, and so would this.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        while not held:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    assert {path.name for path in repository.iterdir()} == {".lock"}
