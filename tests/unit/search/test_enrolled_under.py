"""What a face is enrolled with beside what the request says."""

import pytest

from beholden.core.caller import Caller
from beholden.core.gallery import Provenance
from beholden.search.servicer import enrolled_under

CONSENT = {"consent": {"id": "form-17", "issuer": "https://consent.example"}}


@pytest.mark.parametrize(
    ("said", "by", "want"),
    [(0, None, 0), (5, None, 5), (0, 7, 7), (5, 7, 5), (9, 7, 7)],
)
def test_a_face_goes_by_the_sooner_of_two_times(said: int, by: int | None, want: int) -> None:
    made = enrolled_under(Provenance(expire_ns=said), Caller("t", "p", delete_by_ns=by))
    assert made.expire_ns == want


@pytest.mark.parametrize(
    ("named", "want"),
    [
        ("", ("form-17", "https://consent.example")),
        ("form-17", ("form-17", "https://consent.example")),
        ("c-2", ("c-2", "")),
    ],
)
def test_a_signed_consent_is_kept_with_its_issuer(named: str, want: tuple[str, str]) -> None:
    signed = Caller("t", "p", facts={"evidence": CONSENT})
    made = enrolled_under(Provenance(consent_id=named, consent_issuer="somebody"), signed)
    forged = want[1] or "somebody"
    assert (made.consent_id, made.consent_issuer) == (want[0], forged)
    assert enrolled_under(Provenance(consent_id="c"), Caller("t", "p")) == Provenance(
        consent_id="c"
    )
