"""Everything an operator may set, gathered from each owner; `BEHOLDEN_` environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from beholden.detection.settings import DetectionSettings
from beholden.embedding.settings import EmbeddingSettings
from beholden.guard.settings import GuardSettings
from beholden.inference.settings import InferenceSettings
from beholden.ledger.settings import JobSettings, LedgerSettings, NoticeSettings, ReviewSettings
from beholden.moderation.settings import ModerationSettings
from beholden.policy.settings import PolicySettings
from beholden.runtime.resources import resource
from beholden.runtime.telemetry import TelemetrySettings
from beholden.runtime.tls import TlsSettings
from beholden.search.settings import SearchSettings
from beholden.store.settings import StoreSettings
from beholden.video.settings import VideoSettings
from beholden.vision.enrolment import EnrolmentLimits


class Settings(BaseSettings):
    """One URL for each engine; `__` goes a level down: `BEHOLDEN_DETECTION__SIDE=1280`."""

    model_config = SettingsConfigDict(
        env_prefix="BEHOLDEN_", env_nested_delimiter="__", env_ignore_empty=True, extra="ignore"
    )

    listen: str = "127.0.0.1:50051"
    """Where the server listens, host:port; port 0 takes a free one."""

    inference_url: str = "local:"
    """`local:` is ONNX Runtime in process."""

    store_url: str = "file:var/faces.db"
    """`file:PATH` is Milvus Lite; `http://host:19530` is a Milvus server."""

    policy_url: str = Field(default_factory=lambda: f"file:{resource('policies')}")
    """`file:PLACE`, a folder or a bundle, is Rego in process; `http://host:8181` or `unix:///path` is OPA."""

    policies: Path = Field(default_factory=lambda: resource("policies"))
    """Where the issuers of evidence and its revocations are read, where OPA or a bundle has the law."""

    ledger_url: str = "sqlite:///var/ledger.db"
    """Any SQLAlchemy URL of SQLite or PostgreSQL."""

    tenants: Path = Field(default_factory=lambda: resource("policies") / "tenants.yaml")
    """The tenant registry."""

    catalog: Path = Field(default_factory=lambda: resource("models") / "catalog.yaml")
    """The model catalogue."""

    models: dict[str, str] = Field(default_factory=dict)
    """Which model serves a role: `{"face-embedder": "mobilefacenet"}`; else the best that is pulled."""

    taxonomy: Path = Field(default_factory=lambda: resource("models") / "taxonomy.yaml")
    """What labels are called and how they hang together."""

    moderation_taxonomy: Path = Field(
        default_factory=lambda: resource("models") / "moderation.yaml"
    )
    """What unsafe content is called, and which models speak for it."""

    model_repository: Path = Path("var/models")
    """Where pulled models lie, in Triton's layout."""

    model_mirror: Path | None = None
    """A folder of weights to look in before any registry is asked."""

    health_listen: str = ""
    """Where health alone answers too, in plain text: for probes that have no certificate. Empty: nowhere."""

    reflection: bool = True
    """Whether clients may ask the server for its descriptors."""

    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Threads for decoding and array work."""

    notice_seconds: float = Field(default=0.0, ge=0)
    """How long calls are still taken after SIGTERM while health says NOT_SERVING: callers go elsewhere."""

    drain_seconds: float = Field(default=10.0, ge=0)
    """How long calls in progress may take after SIGTERM and the notice."""

    connection_age_seconds: float = Field(default=3600.0, gt=0)
    """How long a connection is kept before its client is asked to connect anew."""

    health_seconds: float = Field(default=5.0, gt=0)
    """How often the engines are asked whether they are ready."""

    tls: TlsSettings = Field(default_factory=TlsSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    guard: GuardSettings = Field(default_factory=GuardSettings)
    inference: InferenceSettings = Field(default_factory=InferenceSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    ledger: LedgerSettings = Field(default_factory=LedgerSettings)
    reviews: ReviewSettings = Field(default_factory=ReviewSettings)
    notices: NoticeSettings = Field(default_factory=NoticeSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    detection: DetectionSettings = Field(default_factory=DetectionSettings)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    moderation: ModerationSettings = Field(default_factory=ModerationSettings)
    video: VideoSettings = Field(default_factory=VideoSettings)
    enrolment: EnrolmentLimits = Field(default_factory=EnrolmentLimits)

    @property
    def law_folder(self) -> Path:
        """The policies folder: the one in force, or the one that `policies` names beside OPA or a bundle."""
        parts = urlsplit(self.policy_url)
        place = Path(url2pathname(parts.path))
        return place if parts.scheme == "file" and not place.is_file() else self.policies
