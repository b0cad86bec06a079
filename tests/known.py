"""What people see in the faces of the test data: how they present, who smiles, how old they are."""

from __future__ import annotations

WOMEN = {
    "adams.jpg": 1,
    "knn_examples/test/kit_with_rose.jpg": 1,
    "knn_examples/train/rose_leslie/img1.jpg": 1,
    "knn_examples/train/rose_leslie/img2.jpg": 1,
    "longoria-cooper.jpg": 1,
}
"""How many of a picture's faces are women's; none in the others."""

SMILES = [
    "knn_examples/test/alex_lacamoire1.jpg",
    "knn_examples/test/obama_and_biden.jpg",
    "knn_examples/train/alex_lacamoire/img1.jpg",
    "knn_examples/train/biden/biden2.jpg",
    "knn_examples/train/obama/obama.jpg",
    "longoria-cooper.jpg",
    "test_images/obama.jpg",
    "test_images/obama_partial_face.jpg",
    "test_images/obama_partial_face2.jpg",
]
"""Pictures whose largest face smiles plainly."""

AGES = {"test_images/obama.jpg": 51, "test_images/biden.jpg": 70}
"""Official portraits with known dates."""

SMALL = 60
"""Faces narrower than this, in pixels, are bystanders."""
