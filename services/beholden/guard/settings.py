"""What an operator may set about the guard."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from beholden.core.addresses import private

MIB = 1024 * 1024


class IdentitySettings(BaseModel):
    """Whose tokens are believed."""

    key_file: Path = Path("var/identity.key")
    """The key that tokens are checked with: a secret's bytes, PEM, or a JWKS. Not read with `jwks_url`."""

    jwks_url: str = ""
    """Where the issuer publishes its keys; https, or http on loopback."""

    audience: str = Field(default="beholden", min_length=1)
    """The `aud` that a token must name."""

    issuer: str = ""
    """The `iss` that a token must name; any where empty."""

    leeway: int = Field(default=10, ge=0, le=300)
    """Seconds by which the issuer's clock may differ from ours."""

    jwks_refresh: float = Field(default=300, gt=0)
    """Seconds after which published keys are fetched again."""

    jwks_interval: float = Field(default=10, gt=0)
    """Seconds between two fetches at least, however many unknown keys are named."""

    jwks_stale: float = Field(default=3600, gt=0)
    """Seconds that fetched keys are believed while the issuer cannot be reached."""

    @field_validator("jwks_url")
    @classmethod
    def _private(cls, url: str) -> str:
        return private(url) if url else url


class LimitsSettings(BaseModel):
    """How much may be asked at once."""

    max_request_bytes: int = Field(default=MIB, ge=1024)
    """The largest request without a picture."""

    max_picture_request_bytes: int = Field(default=16 * MIB, ge=1024)
    """The largest request with pictures, which have their own limits in the protos."""

    max_in_flight: int = Field(default=256, ge=1)
    """Calls in progress, over all tenants."""

    max_in_flight_per_tenant: int = Field(default=64, ge=1)
    """Calls in progress of one tenant."""

    default_timeout: float = Field(default=30, gt=0)
    """Seconds that a call may take whose caller set no deadline."""

    max_timeout: float = Field(default=120, gt=0)
    """Seconds that a call may take at most, whatever its caller set."""

    max_stream_timeout: float = Field(default=3600, gt=0)
    """Seconds that a stream may last, also where its caller set no deadline."""

    stream_idle_timeout: float = Field(default=60, gt=0)
    """Seconds that a stream waits for its caller's next message, and for it to read an answer."""


class GuardSettings(BaseModel):
    """The guard's settings."""

    identity: IdentitySettings = Field(default_factory=IdentitySettings)
    limits: LimitsSettings = Field(default_factory=LimitsSettings)

    ask_again: float = Field(default=5, gt=0)
    """Seconds after which the law is asked again about a stream or job; a change of law does so at once."""
