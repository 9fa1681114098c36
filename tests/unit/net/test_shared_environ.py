"""An environment that keeps what was made from it."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from clarifai_build.net.shared_environ import SharedEnviron, made_once

SECRET = "a-token-of-mine"


class Made:
    """Something that is made from an environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ


def test_it_reads_as_what_it_was_made_from() -> None:
    """And stays as it is, whatever becomes of that."""
    variables = {"A": "1", "B": "2"}
    environ = SharedEnviron(variables)
    variables["A"] = "changed"
    assert dict(environ) == {"A": "1", "B": "2"}
    assert environ == {"A": "1", "B": "2"}
    assert (environ.get("A"), environ.get("C"), len(environ)) == ("1", None, 2)
    assert {**environ, "C": "3"} == {"A": "1", "B": "2", "C": "3"}


def test_values_are_in_no_repr() -> None:
    """There are tokens among them."""
    assert SECRET not in f"{SharedEnviron({'CLARIFAI_PAT': SECRET})!r}"


def test_one_is_made_for_all_who_share_it() -> None:
    """Of each kind; of an equal one, or a plain one, another is made."""
    environ = SharedEnviron({"A": "1"})
    made = made_once(Made, environ)
    assert made_once(Made, environ) is made
    assert dict(made.environ) == {"A": "1"}
    assert made_once(dict, environ) == {"A": "1"}
    assert made_once(Made, SharedEnviron(environ)) is not made
    assert made_once(Made, {"A": "1"}) is not made_once(Made, {"A": "1"})


def test_threads_are_given_the_same() -> None:
    """It is made by one of them, and the others wait for it."""
    calls: list[Mapping[str, str]] = []
    all_here = threading.Barrier(8)

    def make(environ: Mapping[str, str]) -> Made:
        calls.append(environ)
        return Made(environ)

    def ask(environ: SharedEnviron) -> Made:
        all_here.wait()
        return made_once(make, environ)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ask, [SharedEnviron({})] * 8))
    assert len(set(map(id, made))) == 1
    assert len(calls) == 1


def test_what_fails_is_tried_again() -> None:
    """An error is nobody's to share."""
    outcomes = [ValueError(), None]

    def make(environ: Mapping[str, str]) -> Made:
        if error := outcomes.pop(0):
            raise error
        return Made(environ)

    environ = SharedEnviron({})
    failed = False
    try:
        made_once(make, environ)
    except ValueError:
        failed = True
    assert failed
    assert isinstance(made_once(make, environ), Made)


def test_it_ends_with_whoever_holds_it() -> None:
    """What was made does not keep it alive, nor the other way round, once nobody has either."""
    environ = SharedEnviron({})
    made = weakref.ref(made_once(Made, environ))
    gc.disable()
    try:
        del environ
        assert made() is None
    finally:
        gc.enable()
