"""What an operator may set about the ledger."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from beholden.core.addresses import private


class LedgerSettings(BaseModel):
    """Who signs, how much one commit takes along, and how long anything may wait."""

    key_file: Path = Path("var/ledger.key")
    """The Ed25519 private key (PEM) that checkpoints are signed with; made where there is none."""

    trusted_keys: tuple[Path, ...] = ()
    """Public keys (PEM) that are believed too: of other processes, and those used before."""

    checkpoint_records: int = Field(default=10_000, ge=1)
    """Records after which a checkpoint is signed."""

    checkpoint_seconds: float = Field(default=60.0, gt=0)
    """Seconds after which a checkpoint is signed where a record came since the one before it."""

    max_commit: int = Field(default=512, ge=1)
    """The most records that share one commit."""

    max_waiting: int = Field(default=10_000, ge=1)
    """Records that may wait for their commit; beyond it appends are refused at once."""

    timeout: float = Field(default=10.0, gt=0)
    """Seconds after which an append, a lock or a connection is given up."""

    readers: int = Field(default=2, ge=1)
    """Threads and connections for reading and verifying."""

    max_page: int = Field(default=1000, ge=1)
    """The most entries on one page."""

    max_body: int = Field(default=1 << 20, ge=1)
    """The largest body of a record, in bytes of canonical JSON."""


class NoticeSettings(BaseModel):
    """How those are told whom the law wants told of a decision."""

    url: str = ""
    """Where notices are posted; https, or http on loopback. Without it a call that owes one is refused."""

    key_file: Path = Path("var/notices.key")
    """The secret (`whsec_` and base64) that notices are signed with; made where there is none."""

    timeout: float = Field(default=10.0, gt=0)
    """Seconds after which the receiver is given up, until the next attempt."""

    poll_seconds: float = Field(default=2.0, gt=0)
    """How often it is looked whether one is due."""

    most_wait: float = Field(default=3600.0, ge=1)
    """Seconds between two attempts at most; the first ones follow faster."""

    keep_days: float = Field(default=366.0, gt=0)
    """How long a notice is kept once it was delivered; one that was not is kept until it is."""

    @field_validator("url")
    @classmethod
    def _private(cls, url: str) -> str:
        return private(url) if url else url


class ReviewSettings(BaseModel):
    """How answers that wait for human review are kept."""

    key_file: Path = Path("var/reviews.key")
    """The AES-256 key (base64) that withheld answers are encrypted with; made where there is none."""

    hours: float = Field(default=168.0, gt=0)
    """After how long a review expires and its answer is deleted."""

    fetch_seconds: float = Field(default=300.0, gt=0)
    """How long an answer is kept once its requester has fetched it, for answers that got lost."""

    sweep_seconds: float = Field(default=60.0, gt=0)
    """How often expired answers are deleted."""

    max_page: int = Field(default=1000, ge=1)
    """The most reviews on one page."""


class JobSettings(BaseModel):
    """How jobs are queued, and how long they and what they found are kept."""

    key_file: Path = Path("var/jobs.key")
    """The AES-256 key (base64) that what jobs found is encrypted with; made where there is none."""

    lease_seconds: float = Field(default=15.0, gt=0)
    """After how long without a sign of life another worker takes a job over."""

    max_attempts: int = Field(default=3, ge=1)
    """How many workers may end at one chunk of a job before it is given up."""

    max_per_tenant: int = Field(default=100, ge=1)
    """The most jobs of one tenant that are not over."""

    keep_hours: float = Field(default=168.0, gt=0)
    """After how long a job that is over is deleted with all that it found."""

    max_page: int = Field(default=1000, ge=1)
    """The most jobs or annotations on one page."""
