"""`python -m tests.e2e.image [--models]`: the Dockerfile's steps, run without a container engine.

COPY and RUN are carried out in their order under one folder, which stands for the root of every stage,
so that a COPY from another stage to the same path is done already. What a step names by an absolute
path lies in that folder. Base images are this machine's Python; USER, EXPOSE and cache mounts are not
kept. Nothing here needs to be root.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from tests.pictures import ROOT

_ABSOLUTE = re.compile(r"(?<![\w./$-])/(?=(?:opt|src|dist|models|var)\b)")


@dataclass
class Image:
    """What the steps leave: the root folder, the environment, and what the image runs."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        """Where `path` of the image lies on this machine."""
        return self.root / str(Path(self.workdir) / path).lstrip("/")

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """What the image says when it is run with `arguments`, or with its own command."""
        own = {name: self.placed(value) for name, value in self.env.items()}
        done = subprocess.run(
            [*self.entrypoint, *(arguments or self.command)],
            cwd=self.inside("."),
            env={**os.environ, **own, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def placed(self, text: str) -> str:
        """`text` with the image's absolute paths as they are on this machine."""
        return _ABSOLUTE.sub(f"{self.root}/", text)


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Each instruction's name and its text, continued lines joined, comments left out."""
    lines = [one for one in dockerfile.read_text().splitlines() if not one.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name.upper(), rest.strip()


def build(
    root: Path,
    arguments: Mapping[str, str],
    env: Mapping[str, str],
    instead: Mapping[str, str] | None = None,
) -> Image:
    """Runs every step with the build's `arguments`; RUN sees `env` besides. Raises CalledProcessError.

    `instead` has parts of RUN that are dear, by what is done in their place.
    """
    image = Image(root)
    given: dict[str, str] = {}
    for name, rest in instructions(ROOT / "Dockerfile"):
        match name:
            case "FROM":
                image.env, image.workdir = {}, "/"
            case "ARG":
                key, _, default = rest.partition("=")
                given[key] = arguments.get(key, default)
            case "WORKDIR":
                image.workdir = rest
                image.inside(".").mkdir(parents=True, exist_ok=True)
            case "ENV":
                image.env |= dict(one.split("=", 1) for one in shlex.split(rest))
            case "COPY":
                _copy(image, shlex.split(rest))
            case "RUN":
                script = re.sub(r"--mount=\S+\s+", "", rest)
                for dear, cheap in (instead or {}).items():
                    script = script.replace(dear, cheap)
                _run(image, script, {**env, **given})
            case "ENTRYPOINT":
                image.entrypoint = json.loads(rest)
            case "CMD":
                image.command = json.loads(rest)
            case "USER" | "EXPOSE":
                pass
            case _:
                raise ValueError(f"{name} is not known here")
        image.steps.append(f"{name} {rest}")
    return image


def _run(image: Image, script: str, env: Mapping[str, str]) -> None:
    folder = image.root / "python"
    folder.mkdir(exist_ok=True)
    shim = folder / "python"
    if not shim.exists():
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        shim.chmod(0o755)
    subprocess.run(
        ["sh", "-euc", image.placed(script)],
        cwd=image.inside("."),
        env={**os.environ, **env, "PATH": f"{folder}:/usr/bin:/bin"},
        check=True,
    )


def _copy(image: Image, words: list[str]) -> None:
    options = [one for one in words if one.startswith("--")]
    *sources, target = (one for one in words if not one.startswith("--"))
    if any(one.startswith("--from=") for one in options):
        assert sources == [target], "one folder stands for every stage"
        assert image.inside(target).exists(), f"{target} is made by no step before"
        return
    for source in sources:
        for path in _context(source):
            inner = path.relative_to(source) if path != Path(source) else Path()
            into = image.inside(target) / (path.name if inner == Path() else inner)
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, into)


def _context(source: str) -> Iterator[Path]:
    """The files of the build's context under `source`, as git and .dockerignore let them in."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", source],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    found = [Path(one) for one in listed.split("\0") if one and (ROOT / one).is_file()]
    assert found, f"{source} is not there"
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    for path in found:
        assert _let_in(path, rules), f"{path} is copied, and .dockerignore keeps it out"
        yield path


def _let_in(path: Path, rules: list[str]) -> bool:
    """The last rule that fits the path, or a folder that it is in, decides."""
    inside = True
    for rule in (one for one in rules if one and not one.startswith("#")):
        pattern = rule.removeprefix("!").removeprefix("**/")
        if any(fnmatch(str(one), pattern) for one in (path, *path.parents[:-1])):
            inside = rule.startswith("!")
    return inside


def main() -> None:
    """Everything anew, the packages too; says how large the parts of the image are."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.image", description=__doc__)
    parser.add_argument("--models", action="store_true", help="bake the weights in")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image = build(Path(folder), {"MODELS": "yes" if chosen.models else "no"}, {})
        print(image.run("version"))
        for place in ("/opt/beholden", "/models"):
            files = [one for one in image.inside(place).rglob("*") if one.is_file()]
            size = sum(one.lstat().st_size for one in files)
            print(f"{place}: {size / 1e6:,.0f} MB in {len(files):,} files")


if __name__ == "__main__":
    main()
