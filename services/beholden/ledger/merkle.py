"""Merkle trees over entries, hashed as RFC 6962, 2.1 has it; pure functions and one accumulator.

Leaves and inner nodes are hashed apart (0x00 and 0x01 before them), so that no node passes for a
leaf. Digests are 32 bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def leaf_hash(content: bytes) -> bytes:
    """SHA-256(0x00 || content)."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The root of leaves that come one after another; holds one digest for each bit of their count."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []
        """Whole subtrees from left to right: their number of leaves, a power of two, and root."""

    def add(self, leaf: bytes) -> None:
        """Takes the next leaf's hash."""
        size, digest = 1, leaf
        while self._peaks and self._peaks[-1][0] == size:
            digest = node_hash(self._peaks.pop()[1], digest)
            size *= 2
        self._peaks.append((size, digest))
        self.size += 1

    def root(self) -> bytes:
        """The root so far; SHA-256 of nothing where there is no leaf."""
        if not self._peaks:
            return hashlib.sha256().digest()
        digest = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            digest = node_hash(left, digest)
        return digest


def audit_path(leaves: Iterable[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """The siblings from leaf `index` of `size` up to the root (RFC 6962, 2.1.1), nearest first.

    `leaves` are read once; a handful of digests is held. Raises ValueError where there are not
    `size` of them.
    """
    siblings = [Tree() for _ in _sides(index, size)]
    ranges = list(_sides(index, size))
    seen = 0
    for seen, leaf in enumerate(leaves, 1):
        for tree, (first, last, _) in zip(siblings, ranges, strict=True):
            if first < seen <= last:
                tree.add(leaf)
                break
    if seen != size:
        raise ValueError(f"{size} leaves were expected and {seen} came")
    return tuple(tree.root() for tree in siblings)


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf's hash and its audit path lead to.

    Raises ValueError for a path that no tree of that size has.
    """
    sides = list(_sides(index, size))
    if len(sides) != len(path):
        raise ValueError(f"a path of {len(sides)} digests was expected and {len(path)} came")
    digest = leaf
    for (_, _, on_left), sibling in zip(sides, path, strict=True):
        digest = node_hash(sibling, digest) if on_left else node_hash(digest, sibling)
    return digest


def _sides(index: int, size: int) -> list[tuple[int, int, bool]]:
    """Each sibling's leaves [first, last) and whether it stands to the left, nearest first."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} among {size}")
    first, last, found = 0, size, []
    while last - first > 1:
        middle = first + (1 << (last - first - 1).bit_length() - 1)
        if index < middle:
            found.append((middle, last, False))
            last = middle
        else:
            found.append((first, middle, True))
            first = middle
    return found[::-1]
