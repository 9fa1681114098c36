"""Inference parameters: what a request may send, and what the model gets."""

from __future__ import annotations

import json

import pytest

from clarifai_runtime.errors import InvalidInputError
from clarifai_runtime.parameters import Param, Parameters

DECLARED = [
    Param("threshold", "number", 0.5),
    Param("top_k", "number", 5),
    Param("verbose", "boolean", False),
    Param("prompt", "string", "hello"),
    Param("token", "secret"),
]


def resolve(**sent):
    """Resolve parameters of a request that sends the required one, too."""
    return Parameters(DECLARED).resolve(json.dumps({"token": "x", **sent})).values


def test_defaults_are_filled_in():
    """Fault 8: the model gets every declared parameter."""
    assert resolve() == {
        "threshold": 0.5,
        "top_k": 5,
        "verbose": False,
        "prompt": "hello",
        "token": "x",
    }


@pytest.mark.parametrize("text", ["00123", "1_000", "nan", "true", "1e5"])
def test_text_stays_text(text):
    """Fault 7: nothing is guessed from what a string looks like."""
    assert resolve(prompt=text)["prompt"] == text


@pytest.mark.parametrize(("sent", "got"), [(3.0, 3), (3, 3), (2.5, 2.5)])
def test_whole_doubles_become_ints_where_the_default_is_one(sent, got):
    """Clients that have doubles only can still ask for the top 3."""
    value = resolve(top_k=sent)["top_k"]
    assert (value, type(value)) == (got, type(got))


def test_ints_become_floats_where_the_default_is_one():
    """The type does not depend on how a client writes 1."""
    assert type(resolve(threshold=1)["threshold"]) is float


@pytest.mark.parametrize(
    "sent",
    [
        {"threshold": "0.5"},
        {"threshold": True},
        {"threshold": float("nan")},
        {"verbose": 1},
        {"prompt": 5},
        {"token": 5},
        {"unknown": 1},
        {"top_k": None},
        {"top_k": [1]},
    ],
)
def test_other_types_and_names_are_refused(sent):
    """The error names the parameter, and never repeats a value."""
    (name,) = sent
    with pytest.raises(InvalidInputError, match=name):
        resolve(**sent)


BOUNDED = [
    Param("ratio", "number", 0.5, min_value=0, max_value=1),
    Param("mode", "string", "plain", choices=("plain", "loud")),
    Param("sides", "number", 3, choices=(3, 4)),
]


@pytest.mark.parametrize(
    "sent", [{"ratio": 0}, {"ratio": 1}, {"mode": "loud"}, {"sides": 4}, {"sides": 4.0}]
)
def test_what_lies_within_the_bounds_passes(sent):
    """Both ends included."""
    (name,) = sent
    assert Parameters(BOUNDED).resolve(json.dumps(sent)).values[name] == sent[name]


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ({"ratio": -0.1}, "'ratio' must be at least 0"),
        ({"ratio": 1.1}, "'ratio' must be at most 1"),
        ({"mode": "odd"}, "'mode' must be one of 'plain', 'loud'"),
        ({"sides": 5}, "'sides' must be one of 3, 4"),
    ],
)
def test_what_lies_outside_the_bounds_is_refused(sent, rule):
    """The rule is told, and not what was sent."""
    with pytest.raises(InvalidInputError, match=rule):
        Parameters(BOUNDED).resolve(json.dumps(sent))


def test_required_parameters_are_required():
    """A parameter without a default must be sent."""
    with pytest.raises(InvalidInputError, match="'token' is required"):
        Parameters(DECLARED).resolve("{}")


@pytest.mark.parametrize("text", ["{", "[]", "3", '"x"'])
def test_what_is_no_object_is_refused(text):
    """Fault 5: bad parameter JSON is an error of its request."""
    with pytest.raises(InvalidInputError):
        Parameters(DECLARED).resolve(text)


def test_keys_tell_true_from_one_and_one_from_one_point_zero():
    """Calls are shared only by requests whose parameters are really the same."""
    undeclared = Parameters(None)
    keys = {undeclared.resolve(text).key for text in ('{"a":true}', '{"a":1}', '{"a":1.0}')}
    assert len(keys) == 3
    one, other = '{"a":1,"b":2}', '{"b":2,"a":1}'
    assert undeclared.resolve(one).key == undeclared.resolve(other).key
