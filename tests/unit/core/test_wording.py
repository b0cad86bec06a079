import pytest

from beholden.core.wording import tokens


@pytest.mark.parametrize(
    "written",
    ["Casino", "CASINO", "casino!", "ＣＡＳＩＮＯ", "Саsіnо", "CΑSΙΝΟ", "c@$in0", "CA51NO",
     "c a s i n o", "C.A.S.I.N.O.", "(casino)", "ca\u00adsino", "_casino_"],
)  # fmt: skip
def test_what_looks_alike_is_alike(written: str) -> None:
    assert tokens(written) == tokens("casino")


@pytest.mark.parametrize(
    ("written", "word"),
    [("casinos", "casino"), ("455", "ass"), ("$455", "ass"), ("año", "ano"), ("cas ino", "casino"),
     ("class", "ass"), ("1,488", "1488")],
)  # fmt: skip
def test_what_is_another_word_stays_one(written: str, word: str) -> None:
    assert tokens(written) != tokens(word)


def test_words_phrases_and_numbers() -> None:
    assert tokens("Fresh  bread, 1488!") == ("fresh", "bread", "1488")
    assert tokens("modern") == tokens("modem"), "so they look to a reader too"
    assert tokens("赌博 网站") == ("赌", "博", "网", "站"), "nothing lies between words there"
    assert tokens("... – !") == ()


def test_the_longest_texts_take_no_long_time() -> None:
    assert len(tokens("a! " * 100_000)) == 1
    assert len(tokens("!" * 300_000 + "a$!" * 100_000)) == 1
