"""No token goes in clear to another machine, unless the environment says so."""

from __future__ import annotations

import pytest

from clarifai_build.errors import BuilderError
from clarifai_build.manifest.types import Clarifai, Storage
from clarifai_build.net.s3_client import access_to
from clarifai_build.registry.account import Account
from clarifai_build.util.urls import INSECURE_HOSTS
from clarifai_build.weights.remote.hubs import open_other

AWAY = [
    "http://api.example.com",
    "HTTP://api.example.com:8080/x",
    "http://10.0.0.1:9000",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://2130706433:9000",
    "http://0.0.0.0:9000",
]
HERE = [
    "http://127.0.0.1:1",
    "http://localhost",
    "http://[::1]:1",
    "http://127.3.2.1",
    "https://[::1]",
]
KEYS = {"HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "none"}
OURS = {"HOME": "/nowhere", "CLARIFAI_PAT": "pat"}


def api(base: str, **environ: str) -> str:
    """Return the address of the API that a token would be sent to."""
    return Account.resolve(Clarifai("me", "main", base), {**OURS, **environ}).api_base


def store(endpoint: str, **environ: str) -> str:
    """Return the address of the store that requests would be sent to."""
    storage = Storage("bucket", endpoint_url=endpoint)
    return access_to(storage, {**KEYS, **environ}).client.meta.endpoint_url


@pytest.mark.parametrize("address", AWAY)
def test_nothing_goes_in_clear_to_others(address: str) -> None:
    """Be it an API or a store, from the manifest or the environment."""
    for use in (api, store):
        with pytest.raises(BuilderError) as caught:
            use(address)
        (problem,) = caught.value.problems
        assert (problem.code, INSECURE_HOSTS in (problem.hint or "")) == ("insecure-address", True)
    with pytest.raises(BuilderError, match="in clear"):
        Account.resolve(Clarifai("me", "main"), {**OURS, "CLARIFAI_API_BASE": address})
    with pytest.raises(BuilderError, match="in clear"):
        open_other("hf://me/model@main/w", 0, {"HF_ENDPOINT": address})


@pytest.mark.parametrize("address", HERE)
def test_this_machine_and_tls_are_no_concern(address: str) -> None:
    """The sandbox is on the loopback interface."""
    assert api(address) == address
    assert store(address) == address


@pytest.mark.parametrize(
    "hosts", ["minio.lan", "minio.lan:9000", "a.example, MINIO.lan:9000", "a.example minio.lan"]
)
def test_the_environment_may_allow_a_host(hosts: str) -> None:
    """By itself or with its port, among others; and no other host."""
    allowed = {INSECURE_HOSTS: hosts}
    assert api("http://minio.lan:9000", **allowed) == "http://minio.lan:9000"
    assert store("http://minio.lan:9000", **allowed) == "http://minio.lan:9000"
    for address in ("http://minio.lan.example:9000", "http://other.lan:9000"):
        with pytest.raises(BuilderError, match="in clear"):
            api(address, **allowed)


def test_a_store_of_the_environment_is_meant() -> None:
    """Whoever sets it knows the store; a manifest that names another one is refused."""
    meant = {"AWS_ENDPOINT_URL_S3": "http://minio:9000"}
    assert store("", **meant) == "http://minio:9000"
    assert store("http://minio:9000", **meant) == "http://minio:9000"
    with pytest.raises(BuilderError, match="in clear"):
        store("http://other:9000", **meant)


def test_no_address_is_chained_to_a_hub() -> None:
    """fsspec would read what follows as another place to fetch from."""
    with pytest.raises(BuilderError, match="can't be read"):
        open_other("hf://me/model@main/w::http://host/x", 0, {})
