"""Values that the environment gives to parameters while a model is tested."""

from __future__ import annotations

import pytest

from clarifai_runtime.parameters import Param
from clarifai_runtime.testing.parameters import PREFIX, check_complete, from_environment


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (Param("a", "secret"), "12", "12"),
        (Param("_a", "string", "x"), "true", "true"),
        (Param("a", "string"), "", ""),
        (Param("a", "number"), "-2.5e1", -25.0),
        (Param("a", "number", 1), "3.0", 3),
        (Param("A", "boolean"), "false", False),
    ],
)
def test_values_are_of_the_declared_type(param, text, value):
    """Numbers and booleans are JSON; texts are taken as they are."""
    found = from_environment([param, Param("other", "number")], {PREFIX + param.name: text})
    assert found == {param.name: value}
    assert type(found[param.name]) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "1,5"), ("number", "true"), ("number", "NaN"), ("boolean", "1"), ("boolean", "")],
)
def test_a_value_of_another_type_names_its_variable(kind, text):
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=PREFIX + "a must be a " + kind):
        from_environment([Param("a", kind)], {PREFIX + "a": text})


def test_only_what_has_no_default_must_be_given():
    """All that are missing are named, with how to give the first."""
    declared = [Param("a", "secret"), Param("b", "number", 0), Param("c", "boolean", False)]
    check_complete(declared, ["a"])
    with pytest.raises(ValueError, match=r"no default: a \(secret\), d \(string\)\. Set .*_a, or"):
        check_complete([*declared, Param("d", "string")], ["b"])
