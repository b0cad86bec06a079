"""What a caller may declare as metadata, and what is refused by its key."""

import pytest

from beholden.core.errors import InvalidArgument
from beholden.guard.declarations import declarations

NONE = dict.fromkeys(
    ("purpose", "jurisdiction", "on_behalf_of", "case", "realtime", "public_space"), ""
)


LOOKALIKES = [
    "Missing_Persons",
    "MISSING_PERSONS",
    "missing_persons ",
    " missing_persons",
    "missing-persons",
    "missing persons",
    "missing_persons\t",
    "missing_persons\0",
    "missing_persons\r\nbeholden-case: 1",
    "m\u0131ssing_persons",
    "missing_pers\u043ens",
    "missing\u200b_persons",
    "\uff4dissing_persons",
]
"""Other spellings of a purpose: case, blanks, controls, a dotless i, a Cyrillic o, nothing, full width."""


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, NONE),
        ({"user-agent": ("x",), "authorization": ("y",)}, NONE),
        ({"beholden-purpose": ("victim_search",)}, NONE | {"purpose": "victim_search"}),
        ({"beholden-purpose": ("",)}, NONE),
        ({"beholden-jurisdiction": ("US-WA",)}, NONE | {"jurisdiction": "US-WA"}),
        ({"beholden-on-behalf-of": ("find-the-lost",)}, NONE | {"on_behalf_of": "find-the-lost"}),
        ({"beholden-consent": ("eyJ",), "beholden-authorisation": ("eyJ",)}, NONE),
        ({"beholden-realtime": ("yes",)}, NONE | {"realtime": "yes"}),
        ({"beholden-public-space": ("no",)}, NONE | {"public_space": "no"}),
        ({"beholden-case": ("No. 12 / 2026 (b)",)}, NONE | {"case": "No. 12 / 2026 (b)"}),
    ],
)
def test_declarations(metadata: dict[str, tuple[str, ...]], said: dict[str, str]):
    assert declarations(metadata) == said


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("beholden-purpose", ("a", "a")),
        ("beholden-purpose", ("Victim search",)),
        ("beholden-purpose", ("a" * 65,)),
        ("beholden-purpose", ("a\n",)),
        ("beholden-purpose", ("a\0",)),
        ("beholden-jurisdiction", ('US"',)),
        ("beholden-on-behalf-of", ("a b",)),
        ("beholden-on-behalf-of", ("a" * 256,)),
        ("beholden-case", ("é",)),
        ("beholden-case", ("x" * 256,)),
        ("beholden-case", ("a\tb",)),
        ("beholden-case", (b"1",)),
        ("beholden-realtime", ("Yes",)),
        ("beholden-public-space", ("true",)),
        ("beholden-purpse", ("news",)),
        ("beholden-purpose-bin", (b"news",)),
    ],
)
def test_refused_by_its_key(key: str, values: tuple[str, ...]):
    with pytest.raises(InvalidArgument) as refused:
        declarations({key: values})
    assert refused.value.field == key


@pytest.mark.parametrize("purpose", LOOKALIKES)
def test_a_purpose_that_only_looks_like_one(purpose: str):
    with pytest.raises(InvalidArgument) as refused:
        declarations({"beholden-purpose": (purpose,)})
    assert refused.value.field == "beholden-purpose"
