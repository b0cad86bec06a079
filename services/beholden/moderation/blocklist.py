"""Finds a tenant's blocklist words in what is written in a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from beholden.core.moderation import (
    BLOCKLISTED,
    Blocklist,
    LabelSource,
    ModerationLabel,
    UnsafeRegion,
)
from beholden.core.text import Line, Word
from beholden.core.wording import spelt, tokens


@dataclass(frozen=True, slots=True)
class _Entry:
    """One word or phrase, as it is compared."""

    blocklist: Blocklist
    word: str
    spelt: tuple[str, ...]


class Blocklists:
    """A tenant's lists, made ready once; whole words and phrases match, over the end of a line too."""

    def __init__(self, lists: Iterable[Blocklist]) -> None:
        self.lists = tuple(lists)
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        for one in self.lists:
            for word in one.words:
                entry = _Entry(one, word, tokens(word))
                self._entries[entry.spelt[0]].append(entry)

    def told(self, lines: Sequence[Line], models: tuple[str, ...]) -> list[ModerationLabel]:
        """A label for each list of which something is written, with the places of the words.

        A match is as sure as the least sure of its words; `models` are those that read.
        """
        found: dict[str, dict[UnsafeRegion, None]] = defaultdict(dict)
        for entry, words in self._matches(list(_spelt(lines))):
            name, sure = entry.blocklist.name, min(word.confidence for word in words)
            told = entry.word if entry.blocklist.tells_words else ""
            for word in words:
                found[name][UnsafeRegion(name, sure, word.box, word.polygon, told)] = None
        return [
            ModerationLabel(
                name=name,
                parents=(BLOCKLISTED,),
                confidence=max(region.confidence for region in regions),
                models=models,
                regions=tuple(regions),
                source=LabelSource.BLOCKLIST,
            )
            for name, regions in found.items()
        ]

    def _matches(
        self, written: list[tuple[str, tuple[Word, ...]]]
    ) -> Iterator[tuple[_Entry, tuple[Word, ...]]]:
        for place, (first, _) in enumerate(written):
            for entry in self._entries.get(first, ()):
                part = written[place : place + len(entry.spelt)]
                if tuple(token for token, _ in part) == entry.spelt:
                    yield entry, tuple(dict.fromkeys(word for _, of in part for word in of))


def _spelt(lines: Iterable[Line]) -> Iterator[tuple[str, tuple[Word, ...]]]:
    """Each token of the lines in reading order, with the words that it is written in."""
    for line in lines:
        for token, indices in spelt([word.text for word in line.words]):
            yield token, tuple(line.words[index] for index in indices)
