"""Bundles that are read back, signed and verified: only what the key signed is law."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from beholden.core.errors import FailedPrecondition
from beholden.policy.bundle import bundle_files, read_bundle, write_bundle
from beholden.policy.law import Law
from beholden.policy.signing import SIGNATURES, read_key, sign, verify

KEY = ECKey.generate_key("P-256")
LAW = Law(
    {"usage/a.rego": "package usage\n\nallow := false\n", "usage/rules/b.rego": "package b\n"},
    {"law": {"limits": {"é\u2028": [1, 0.1, 1e-07, True, None, "<&>\x7f"]}}, "regimes": {}},
    "r1",
)

Files = dict[str, str]


def test_a_bundle_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = tmp_path / "law.tar.gz"
    write_bundle(LAW, bundle, sign(bundle_files(LAW), KEY))
    assert read_bundle(bundle) == LAW
    assert read_bundle(bundle, KEY) == LAW


def edited(files: Files) -> None:
    files["usage/a.rego"] += "\nallow := true\n"


def with_data(files: Files) -> None:
    data = json.loads(files["data.json"])
    data["law"]["limits"] = {}
    files["data.json"] = json.dumps(data)


def with_more(files: Files) -> None:
    files["usage/c.rego"] = "package usage"


def with_less(files: Files) -> None:
    del files["usage/a.rego"]


def renamed(files: Files) -> None:
    files[".manifest"] = files[".manifest"].replace("r1", "r2")


@pytest.mark.parametrize("change", [edited, with_data, with_more, with_less, renamed])
def test_what_was_changed_since_is_not_taken(change: Callable[[Files], None]) -> None:
    files = bundle_files(LAW)
    signatures = sign(files, KEY)
    verify(files, signatures, KEY)
    change(files)
    with pytest.raises(ValueError, match=r"not as it was signed|not signed|missing"):
        verify(files, signatures, KEY)


def test_the_order_of_keys_does_not_count() -> None:
    files = bundle_files(LAW)
    signatures = sign(files, KEY)
    files["data.json"] = json.dumps(LAW.data, sort_keys=True, indent=2)
    verify(files, signatures, KEY)


def test_only_the_key_s_signature_counts(tmp_path: Path) -> None:
    bundle = tmp_path / "law.tar.gz"
    for signatures in (
        "",
        "{}",
        '{"signatures": []}',
        '{"signatures": ["x.y.z"]}',
        sign(bundle_files(LAW), ECKey.generate_key("P-256")),
    ):
        write_bundle(LAW, bundle, signatures)
        with pytest.raises(FailedPrecondition, match=r"not signed|signature"):
            read_bundle(bundle, KEY)


def test_a_file_that_is_no_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "law.tar.gz"
    for content in (b"", b"nonsense", b"\x1f\x8b\x08\x00"):
        bundle.write_bytes(content)
        with pytest.raises(FailedPrecondition, match="cannot be read"):
            read_bundle(bundle)


def test_keys(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    rsa = RSAKey.generate_key(2048)
    path.write_bytes(rsa.as_pem(private=True))
    files = bundle_files(LAW)
    verify(files, sign(files, read_key(path)), rsa)
    path.write_bytes(rsa.as_pem(private=False))
    with pytest.raises(FailedPrecondition, match="public"):
        sign(files, read_key(path))
    for weak in (ECKey.generate_key("P-384").as_pem(), OctKey.generate_key().raw_value, b""):
        path.write_bytes(weak)
        with pytest.raises(FailedPrecondition, match="holds no key"):
            read_key(path)
    assert SIGNATURES not in files
