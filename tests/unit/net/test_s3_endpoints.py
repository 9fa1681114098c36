"""When two addresses are known to be one store."""

from __future__ import annotations

import pytest

from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_endpoints import normal_endpoint

ENVIRON = {"HOME": "/nowhere"}


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://s3.example.com",
        "https://s3.example.com/",
        "https://S3.Example.com:443",
    ],
)
def test_one_store_has_one_address(endpoint: str) -> None:
    """However it is written."""
    storage = Storage("bucket", endpoint_url=endpoint)
    assert normal_endpoint(storage, ENVIRON) == "https://s3.example.com"


@pytest.mark.parametrize(
    "endpoint",
    ["http://s3.example.com", "https://s3.example.com:8333", "https://s3.example.com/store"],
)
def test_another_address_is_another_store(endpoint: str) -> None:
    """As far as anyone can tell without asking."""
    storage = Storage("bucket", endpoint_url=endpoint)
    assert normal_endpoint(storage, ENVIRON) == endpoint


def test_the_environment_names_it_too() -> None:
    """Where nothing does, it is AWS, in whatever region."""
    named = {**ENVIRON, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:80/"}
    assert normal_endpoint(Storage("bucket"), named) == "http://127.0.0.1"
    assert normal_endpoint(Storage("bucket", region="eu-west-1"), ENVIRON) == ""
