"""Merkle trees, against RFC 6962's published test vectors and a definition written out."""

import hashlib

import pytest

from beholden.ledger.merkle import Tree, audit_path, leaf_hash, node_hash, root_from_path

# The leaves and roots that Certificate Transparency's implementations are tested with.
LEAVES = [
    leaf_hash(bytes.fromhex(content))
    for content in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def tree_root(leaves: list[bytes]) -> bytes:
    tree = Tree()
    for one in leaves:
        tree.add(one)
    return tree.root()


@pytest.mark.parametrize("size", ROOTS)
def test_published_roots(size: int) -> None:
    assert tree_root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", [*range(34), 100, 1000])
def test_roots_are_as_defined(size: int) -> None:
    assert tree_root(numbered(size)) == root(numbered(size))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 31, 32, 33])
def test_every_leaf_has_a_path_to_the_root(size: int) -> None:
    leaves = numbered(size)
    whole = root(leaves)
    for index in range(size):
        path = audit_path(iter(leaves), index, size)
        assert root_from_path(leaves[index], index, size, path) == whole
        for other in range(size):
            if other != index:
                with pytest.raises((ValueError, AssertionError)):
                    assert root_from_path(leaves[index], other, size, path) == whole


def test_no_other_leaf_or_path_leads_there() -> None:
    leaves = numbered(11)
    path = audit_path(leaves, 6, 11)
    whole = root(leaves)
    assert root_from_path(leaf_hash(b"another"), 6, 11, path) != whole
    for place in range(len(path)):
        other = (*path[:place], bytes(32), *path[place + 1 :])
        assert root_from_path(leaves[6], 6, 11, other) != whole
    for wrong in (path[:-1], (*path, bytes(32)), ()):
        with pytest.raises(ValueError):
            root_from_path(leaves[6], 6, 11, wrong)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (7, 2)])
def test_no_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError):
        root_from_path(bytes(32), index, size, ())


@pytest.mark.parametrize("count", [4, 6])
def test_a_path_wants_all_leaves(count: int) -> None:
    with pytest.raises(ValueError, match="5 leaves"):
        audit_path(numbered(count), 0, 5)


def test_a_node_is_no_leaf() -> None:
    left, right = numbered(2)
    assert leaf_hash(left + right) != node_hash(left, right)
