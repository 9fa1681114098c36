"""What a stranger sees of a bucket, and where its objects are found."""

from __future__ import annotations

import pytest

from clarifai_build.manifest import Storage
from clarifai_build.storage.public import LazyStore, connect, crc_hex, look


@pytest.mark.parametrize(
    ("storage", "environ", "url"),
    [
        (
            Storage("b", region="eu-central-1"),
            {"AWS_REGION": "us-west-2"},
            "https://b.s3.eu-central-1.amazonaws.com/a%20key",
        ),
        (
            Storage("b"),
            {"AWS_DEFAULT_REGION": "us-west-2"},
            "https://b.s3.us-west-2.amazonaws.com/a%20key",
        ),
        (Storage("b", endpoint_url="http://s3:1/"), {}, "http://s3:1/b/a%20key"),
        (Storage("b"), {"AWS_ENDPOINT_URL_S3": "http://s3:1"}, "http://s3:1/b/a%20key"),
        (
            Storage("b", endpoint_url="http://s3:1", public_base_url="https://cdn/x/"),
            {},
            "https://cdn/x/a%20key",
        ),
    ],
)
def test_url_is_known_without_a_client(storage: Storage, environ: dict[str, str], url: str) -> None:
    """The manifest, else the environment, says where an object is downloaded."""
    store = connect(storage, environ)
    assert isinstance(store, LazyStore)
    assert store.url("a key") == url


@pytest.mark.parametrize(
    ("encoded", "digits"),
    [("nY/0ew==", "9d8ff47b"), ("", ""), ("nY/0ew==-2", ""), ("AAA=", ""), ("*", "")],
)
def test_checksum_of_the_whole_content_only(encoded: str, digits: str) -> None:
    """A checksum of checksums says nothing of the content."""
    assert crc_hex(encoded) == digits


def test_what_can_not_be_seen_is_not_known() -> None:
    """Nobody answers: that is no proof that nothing is there."""
    assert look("http://127.0.0.1:9/b/key", "key") is None
