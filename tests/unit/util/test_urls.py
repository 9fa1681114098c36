"""Addresses: what of them may be shown, and which may be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util.urls import is_plain, redact_url

NAMES = st.text("abcxyz019", min_size=1, max_size=8)


@given(scheme=st.sampled_from(["http", "https", "ftp"]), user=NAMES, secret=NAMES, host=NAMES)
def test_no_user_password_or_signature_is_shown(
    scheme: str, user: str, secret: str, host: str
) -> None:
    """The path stays."""
    bare = f"{scheme}://{host}.test:81/a/b"
    for address in (
        f"{scheme}://{user}:{secret}@{host}.test:81/a/b",
        f"{scheme}://{user}@{host}.test:81/a/b",
        f"{bare}?{user}={secret}",
        f"{bare}#{secret}",
        bare,
    ):
        assert redact_url(address) == bare


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("s3://bucket/a?b#c", "s3://bucket/a?b#c"),
        ("hf://repo@revision/file", "hf://repo@revision/file"),
        ("weights/a.bin", "weights/a.bin"),
        ("http://", "http://"),
        ("http://[hunter2/x", "http://…"),
        ("http://bob:hunter2@host:port/x", "http://…"),
        ("http://bob:hun ter2@host/x", "http://…"),
    ],
)
def test_what_has_no_credentials_or_can_not_be_read(address: str, text: str) -> None:
    """The one is shown as it is, of the other only the scheme."""
    assert redact_url(address) == text


@pytest.mark.parametrize("address", ["http://host", "http://host:80/a", "host", "http://[::1]:1/"])
def test_addresses_that_can_be_used(address: str) -> None:
    """They have a host, and nobody's name."""
    assert is_plain(address)


@pytest.mark.parametrize(
    "address",
    ["", "http://", "http://a b", "http://a\n", "http://[x", "http://h:0/", "http://h:x/", "http://:1/"],
)  # fmt: skip
def test_addresses_that_can_not_be_read(address: str) -> None:
    """With or without leave for a user."""
    assert not is_plain(address)
    assert not is_plain(address, user=True)


@pytest.mark.parametrize("address", ["http://bob@host/", "http://bob:hunter2@host", "http://@host"])
def test_addresses_that_hold_a_user(address: str) -> None:
    """Only where that is allowed."""
    assert not is_plain(address)
    assert is_plain(address, user=True)
