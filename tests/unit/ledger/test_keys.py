"""The key files of the ledger."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from beholden.core.errors import FailedPrecondition
from beholden.ledger.keys import TrustedKeys, open_signer, public_pem, read_public, read_signer


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.key"
    made = open_signer(path)
    assert path.stat().st_mode & 0o077 == 0
    assert open_signer(path).id == made.id == read_signer(path).id
    assert [file.name for file in path.parent.iterdir()] == ["ledger.key"]


def test_all_who_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    with ThreadPoolExecutor(8) as pool:
        assert len({signer.id for signer in pool.map(lambda _: open_signer(path), range(8))}) == 1


def test_only_the_right_key_signed_it(tmp_path: Path) -> None:
    ours, other = open_signer(tmp_path / "a"), open_signer(tmp_path / "b")
    signature = ours.sign(b"said")
    keys = TrustedKeys([ours.public, other.public])
    assert keys.signed(ours.id, b"said", signature)
    assert not keys.signed(ours.id, b"said otherwise", signature)
    assert not keys.signed(other.id, b"said", signature)
    assert not TrustedKeys([other.public]).signed(ours.id, b"said", signature)
    for odd in ("", "x", "00" * 64, signature[:-2]):
        assert not keys.signed(ours.id, b"said", odd)


def test_public_keys_in_one_file_or_several(tmp_path: Path) -> None:
    signers = [open_signer(tmp_path / name) for name in "abc"]
    both = tmp_path / "both.pem"
    both.write_text("".join(public_pem(signer.public) for signer in signers[:2]))
    keys = TrustedKeys(read_public([both, tmp_path / "c"]))
    assert all(signer.id in keys for signer in signers)


def other_kind() -> bytes:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff" * 99, other_kind()])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    for read in (open_signer, read_signer, lambda path: read_public([path])):
        with pytest.raises(FailedPrecondition, match="Ed25519"):
            read(path)
    assert path.read_bytes() == content


def test_where_no_key_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FailedPrecondition, match=r"ledger\.key cannot be"):
        open_signer(tmp_path / "file" / "ledger.key")
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        read_public([tmp_path / "none"])
