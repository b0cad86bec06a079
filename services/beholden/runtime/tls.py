"""TLS at the door: the server's certificate, and whose clients may come in; renewed without a restart."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import grpc
from pydantic import BaseModel, model_validator

from beholden.core.errors import FailedPrecondition

_log = logging.getLogger(__name__)


class TlsSettings(BaseModel):
    """Files in PEM; without them the server speaks plain text, to be kept behind something that does not."""

    certificate_file: Path | None = None
    """The server's certificate, and those between it and its authority."""

    key_file: Path | None = None
    """The private key of the certificate."""

    client_ca_file: Path | None = None
    """Authorities of clients' certificates: who has none of theirs is not let in. Absent: anybody is."""

    @model_validator(mode="after")
    def _whole(self) -> TlsSettings:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("want both certificate_file and key_file, or neither")
        if self.client_ca_file is not None and self.certificate_file is None:
            raise ValueError("client_ca_file wants certificate_file and key_file beside it")
        return self


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """What a gRPC port is secured with; None where no certificate is set.

    The files are looked at again for each connection, so that a renewed certificate counts at once;
    one that cannot be read leaves the one before it in force. Raises FailedPrecondition at the start.
    """
    if settings.certificate_file is None or settings.key_file is None:
        return None
    files = [settings.key_file, settings.certificate_file]
    if settings.client_ca_file is not None:
        files.append(settings.client_ca_file)
    try:
        seen = [_read(files)]
    except OSError as error:
        raise FailedPrecondition(
            f"TLS: {error.filename}: {error.strerror}", remedy="see BEHOLDEN_TLS__CERTIFICATE_FILE"
        ) from error

    def renewed() -> Any:  # None where nothing changed, which the stubs do not know
        try:
            now = _read(files)
        except OSError as error:
            _log.error("TLS: %s: %s; going on with what was read", error.filename, error.strerror)
            return None
        if now == seen[0]:
            return None
        seen[0] = now
        _log.info("TLS: %s was renewed", settings.certificate_file)
        return _configuration(now)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(seen[0]),
        renewed,
        require_client_authentication=settings.client_ca_file is not None,
    )


def _read(files: list[Path]) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in files)


def _configuration(read: tuple[bytes, ...]) -> grpc.ServerCertificateConfiguration:
    key, chain, *authority = read
    return grpc.ssl_server_certificate_configuration(
        [(key, chain)], root_certificates=authority[0] if authority else None
    )
