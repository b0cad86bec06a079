"""TLS at the door: who has no certificate of ours is not let in, and renewed certificates count at once."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from beholden.cli import main
from beholden.cli.failures import ExitCode
from beholden.client import AsyncClient
from beholden.core.errors import FailedPrecondition
from beholden.runtime.tls import TlsSettings, server_credentials
from tests.house import headers
from tests.inside import asking, serving
from tests.rolling import ports


class Authority:
    """Signs certificates for loopback."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.pem = self._sign(self._name, self._key.public_key(), authority=True)

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """A key and its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return private, self._sign(subject, key.public_key(), authority=False)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool
    ) -> bytes:
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
        )
        return built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def trusting(authority: Authority, mine: tuple[bytes, bytes] | None = None) -> object:
    key, chain = mine or (None, None)
    return grpc.ssl_channel_credentials(authority.pem, key, chain)


async def test_only_certificates_of_ours_come_in_and_renewed_ones_are_shown(tmp_path: Path) -> None:
    ours, others = Authority("ours"), Authority("others")
    files = TlsSettings(
        certificate_file=tmp_path / "tls.crt",
        key_file=tmp_path / "tls.key",
        client_ca_file=tmp_path / "ca.crt",
    )

    def install(name: str) -> bytes:
        key, chain = ours.issue(name)
        (tmp_path / "tls.key").write_bytes(key)
        (tmp_path / "tls.crt").write_bytes(chain)
        return chain

    (tmp_path / "ca.crt").write_bytes(ours.pem)
    first = install("first")
    address, probe = ports(2)
    host, port = address.split(":")

    async def shown() -> bytes:
        pem = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
        return pem.strip().encode()

    async with serving(tmp_path, address, tls=files, health_listen=probe):
        mine = ours.issue("caller")
        async with grpc.aio.secure_channel(address, trusting(ours, mine)) as channel:
            await asking(channel, tmp_path)()
        (tmp_path / "mine.key").write_bytes(mine[0])
        (tmp_path / "mine.crt").write_bytes(mine[1])
        files_of_mine = {
            "ca": tmp_path / "ca.crt",
            "certificate": tmp_path / "mine.crt",
            "key": tmp_path / "mine.key",
        }
        token = headers(tmp_path / "identity.key", "beholden-ops", roles=["operator"])[0][1]
        who = {"token": token.removeprefix("Bearer "), **files_of_mine}
        async with AsyncClient(f"https://{address}", **who) as client:
            assert (await client.get_policy_status()).decision_id
        said = ["--server", address, "--token", who["token"], "policy", "status", "--quiet"]
        tls = [f"--tls-{name}={file}" for name, file in files_of_mine.items()]
        assert await asyncio.to_thread(main, [*said, *tls]) == ExitCode.OK
        assert await asyncio.to_thread(main, [*said, tls[0]]) == ExitCode.UNAVAILABLE
        assert await asyncio.to_thread(main, [*said, *tls[:2]]) == ExitCode.USAGE
        for stranger in (trusting(ours), trusting(ours, others.issue("caller"))):
            async with grpc.aio.secure_channel(address, stranger) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await asking(channel, tmp_path)()
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        async with grpc.aio.insecure_channel(probe) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await asking(channel, tmp_path)()
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED, "health, and nothing else"
        assert await shown() == first.strip()
        second = install("second")
        assert await shown() == second.strip()
        (tmp_path / "tls.key").unlink()
        assert await shown() == second.strip(), "one that cannot be read changes nothing"


def test_half_of_it_is_refused_by_name(tmp_path: Path) -> None:
    there = tmp_path / "tls.crt"
    with pytest.raises(ValueError, match="both certificate_file and key_file"):
        TlsSettings(certificate_file=there)
    with pytest.raises(ValueError, match="client_ca_file wants"):
        TlsSettings(client_ca_file=there)
    with pytest.raises(FailedPrecondition, match=r"tls\.crt"):
        server_credentials(TlsSettings(certificate_file=there, key_file=there))
