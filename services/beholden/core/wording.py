"""Words as they are compared: whatever their case, width, look-alike letters and what separates them.

Unicode's caseless forms (NFKC, case folding), then letters that look like one another become one, as
Unicode Technical Standard 39 has skeletons, for the letters that stand in for Latin ones in practice.
Marks stay: an n with a tilde is another letter than one without.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

_CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅԀԚԜ", "ABEZHIKMNOPTYXABEKMHOPCTYXIJSDQW")
"""Greek and Cyrillic capitals; their small letters may look like others."""

_LETTERS = str.maketrans("αβγεικνορτυχωавекмнорстухіјѕԁһԛԝı", "abyeikvoptuxwabekmhopctyxijsdhqwi")
_SIGNS = str.maketrans("01345789@$€!|", "oleastbgasell")
"""Digits and signs that stand for letters, in a word that has letters."""

_ALONE = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese and Japanese, which put nothing between words: each character is taken by itself."""

_EDGE = rf"(?![{_ALONE}])(?:[^\W_]|[@$€])"
_INNER = rf"(?![{_ALONE}])(?:[^\W_]|[@$€!|])"
_TOKEN = re.compile(rf"(?=\w)[{_ALONE}]|{_EDGE}(?:(?:{_INNER})*{_EDGE})?")
_LEAST_SPELT = 3


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text in the form in which they are compared, in order."""
    return tuple(token for token, _ in spelt([text]))


def spelt(words: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tokens of a line's `words`, each with the indices of those that it is written in.

    Three or more letters that stand alone are one word, spelt out: "s p e l t", "s.p.e.l.t".
    """
    parts = [(part, index) for index, word in enumerate(words) for part in _parts(word)]
    for alone, group in groupby(parts, lambda one: _stands_alone(one[0])):
        run = list(group)
        if alone and len(run) >= _LEAST_SPELT:
            yield (
                _skeleton("".join(part for part, _ in run)),
                tuple(dict.fromkeys(index for _, index in run)),
            )
        else:
            yield from ((_skeleton(part), (index,)) for part, index in run)


def _parts(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).translate(_CAPITALS).casefold()
    plain = unicodedata.normalize("NFKC", plain)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    return _TOKEN.findall(plain)


def _stands_alone(word: str) -> bool:
    return len(word) == 1 and not re.match(f"[{_ALONE}]", word)


def _skeleton(word: str) -> str:
    """The word with one letter for all that look like it; a number stays the number that it is."""
    if any(sign.isalpha() for sign in word):
        word = word.translate(_SIGNS)
    word = word.translate(_LETTERS).replace("i", "l")
    return word.replace("rn", "m").replace("vv", "w")
