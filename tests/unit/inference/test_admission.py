"""What a server says of a model is held against the catalogue, word for word."""

from dataclasses import replace

import pytest

from beholden.core.models import ModelSpec, TensorSpec
from beholden.inference.admission import Served, differences

X, Y = TensorSpec("x", "uint8", (-1, 3)), TensorSpec("y", "float32", (-1, 2))
MODEL = ModelSpec("m", 1, "test", (X,), (Y,), digest="ab" * 32, max_batch=4)
SAME = Served((X,), (Y,), 4, "ab" * 32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"digest": ""}, []),
        ({"max_batch": 9}, []),
        ({"outputs": (Y, TensorSpec("more", "int64", (-1,)))}, []),
        ({"inputs": ()}, ["no input x"]),
        ({"outputs": ()}, ["no output y"]),
        ({"inputs": (X, TensorSpec("more", "int64", (-1,)))}, ["a further input more"]),
        (
            {"inputs": (replace(X, dtype="float32"),)},
            ["input x as float32 [-1, 3], not uint8 [-1, 3]"],
        ),
        (
            {"outputs": (replace(Y, shape=(-1, 9)),)},
            ["output y as float32 [-1, 9], not float32 [-1, 2]"],
        ),
        ({"max_batch": 3}, ["batches of at most 3, not 4"]),
        ({"digest": "cd" * 32}, ["weights cdcdcdcdcdcd, not abababababab"]),
    ],
)
def test_differences(change: dict[str, object], said: list[str]) -> None:
    assert differences(MODEL, replace(SAME, **change)) == said
