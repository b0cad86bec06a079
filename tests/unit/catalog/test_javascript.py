"""Data out of JavaScript modules, without running them."""

import pytest

from beholden.catalog.convert.graph import ConversionError
from beholden.catalog.convert.javascript import exported

WRAPPER = (
    '!function(e){"object"==typeof exports&&(module.exports=e())}'
    "({1:[function(e,t){t.exports=%s},{}]},{},[1]);"
)


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"QUJD"', "QUJD"),
        ("{a:!0,b:!1,c_$1:null}", {"a": True, "b": False, "c_$1": None}),
        ("[.5,-.25,1.5,-2,1e-7,5.25e3]", [0.5, -0.25, 1.5, -2, 1e-7, 5250.0]),
        ('{"k":"a:!0,.5 b:\\"{"}', {"k": 'a:!0,.5 b:"{'}),
        ('{a:{b:[{"c":[]}]}}', {"a": {"b": [{"c": []}]}}),
    ],
)
def test_a_literal_is_read_as_json(literal: str, value: object) -> None:
    assert exported(WRAPPER % literal) == value


@pytest.mark.parametrize("module", ["", "module.exports=f()", WRAPPER % "{a:f()}", WRAPPER % '{"a'])
def test_anything_else_is_refused(module: str) -> None:
    with pytest.raises(ConversionError, match="exports no literal"):
        exported(module)
