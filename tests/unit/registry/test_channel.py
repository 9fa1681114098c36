"""The way to the API: which addresses are refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Clarifai
from clarifai_build.registry.account import Account
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.clarifai import ClarifaiRegistry


def test_unreachable_api() -> None:
    """Nobody listens: one clear error that names the address."""
    account = Account.resolve(Clarifai("me", "main", "http://127.0.0.1:9"), {"CLARIFAI_PAT": "x"})
    channel = Channel(account, sleep=lambda _: None)
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9"):
        ClarifaiRegistry(channel).model("lines")
    channel.close()


@pytest.mark.parametrize("base", ["http://me:hunter2@h", "me:hunter2@h", "http://me:p/hunter2@h"])
def test_address_with_a_password(base: str) -> None:
    """It is refused before anything is sent, and not repeated, wherever it came from."""
    environ = {"CLARIFAI_PAT": "x", "CLARIFAI_API_BASE": base}
    with pytest.raises(RegistryError) as raised:
        Channel(Account.resolve(Clarifai("me", "main"), environ))
    assert raised.value.problems[0].code == "api-base"
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("api_base", ["http://[bad", "https://api.example.com:xx"])
def test_unreadable_addresses_are_refused(api_base: str) -> None:
    """Before anything connects to them."""
    with pytest.raises(RegistryError) as raised:
        Channel(Account("me", "app", api_base, ()))
    assert raised.value.problems[0].code == "api-base"


def test_root_certificates_that_are_not_there(tmp_path: Path) -> None:
    """The error names the variable that leads to them."""
    account = Account("me", "app", "https://api.example.com", (), str(tmp_path / "roots.pem"))
    with pytest.raises(RegistryError, match=r"roots\.pem can't be read") as raised:
        Channel(account)
    assert raised.value.problems[0].code == "root-certificates"
