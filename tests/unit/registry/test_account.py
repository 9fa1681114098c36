"""Whose app is meant, and by what right."""

from __future__ import annotations

import pytest

from clarifai_build.errors import NotAuthorisedError
from clarifai_build.manifest.types import Clarifai
from clarifai_build.registry.account import DEFAULT_API, Account

NOBODY = {"HOME": "/nowhere", "CLARIFAI_PAT": "pat"}
ENVIRON = {
    **NOBODY,
    "CLARIFAI_USER_ID": "them",
    "CLARIFAI_APP_ID": " other ",
    "CLARIFAI_API_BASE": "https://api.example",
    "CLARIFAI_ROOT_CERTIFICATES_PATH": "/roots.pem",
}


def test_the_environment_fills_what_the_manifest_leaves_open() -> None:
    """Blanks around a value do not count."""
    account = Account.resolve(Clarifai(), ENVIRON)
    assert (account.user_id, account.app_id) == ("them", "other")
    assert account.api_base == "https://api.example"
    assert account.root_certificates == "/roots.pem"


def test_the_manifest_goes_first() -> None:
    """Over the environment, each value by itself."""
    account = Account.resolve(Clarifai("me", None, "https://eu.clarifai.com"), ENVIRON)
    assert (account.user_id, account.app_id) == ("me", "other")
    assert account.api_base == "https://eu.clarifai.com"


def test_without_an_address_it_is_clarifais() -> None:
    """And the usual certificates."""
    account = Account.resolve(Clarifai("me", "main"), NOBODY)
    assert account.api_base == DEFAULT_API
    assert account.root_certificates is None
    assert account.metadata == (("authorization", "Key pat"),)


def test_a_session_will_do_where_there_is_no_token() -> None:
    """A token goes first."""
    session = {"HOME": "/nowhere", "CLARIFAI_SESSION_TOKEN": "s"}
    account = Account.resolve(Clarifai("me", "main"), session)
    assert account.metadata == (("x-clarifai-session-token", "s"),)
    both = Account.resolve(Clarifai("me", "main"), {**session, "CLARIFAI_PAT": "pat"})
    assert both.metadata == (("authorization", "Key pat"),)


@pytest.mark.parametrize(
    ("clarifai", "missing"),
    [
        (Clarifai(None, "main"), "user id"),
        (Clarifai("me", None), "app id"),
    ],
)
def test_what_is_missing_is_named_alone(clarifai: Clarifai, missing: str) -> None:
    """What is there is not complained about."""
    with pytest.raises(NotAuthorisedError) as raised:
        Account.resolve(clarifai, NOBODY)
    (problem,) = raised.value.problems
    assert problem.code == "credentials-missing"
    assert missing in problem.message
    with pytest.raises(NotAuthorisedError, match="token"):
        Account.resolve(Clarifai("me", "main"), {"HOME": "/nowhere", "CLARIFAI_PAT": "  "})


def test_missing_credentials_are_named_together() -> None:
    """Everything that is missing is said at once, and the token shows in no repr."""
    with pytest.raises(NotAuthorisedError) as raised:
        Account.resolve(Clarifai(), {})
    assert len(raised.value.problems) == 3
    account = Account.resolve(Clarifai("me", "main"), {"CLARIFAI_PAT": "hunter2"})
    assert "hunter2" not in repr(account)


@pytest.mark.parametrize("name", ["CLARIFAI_PAT", "CLARIFAI_SESSION_TOKEN"])
@pytest.mark.parametrize("token", ["hunter\xe9", "hunter\xa02", "hunter\n2"])
def test_a_token_that_fits_no_header_is_told(name: str, token: str) -> None:
    """Before anything is sent, and without showing it."""
    with pytest.raises(NotAuthorisedError, match=f"{name} holds characters") as raised:
        Account.resolve(Clarifai("me", "main"), {name: token})
    assert "hunter" not in str(raised.value)
