"""What the commands send to other machines: no secret by reference, and no token in clear."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from support.command_line import World, ended
from support.noting_proxy import NotingProxy, noting_proxy
from support.scripted_web import Asked, web
from support.token_samples import BODY

SECRET = "not-a-" + "real+secret/value"
AWAY = "http://api.example.com:50051"
STORE = "http://minio.example.com:9000"
HUB = "http://hub.example.com"
HOSTS = "CLARIFAI_BUILD_INSECURE_HOSTS"
WEIGHT = "weights: [{{to: w.bin, from: '{}', sha256: " + "0f" * 32 + "}}]\n"


@pytest.mark.parametrize("line", ["validate", "config --show", "build", "plan", "apply"])
def test_a_reference_takes_no_secret_to_a_host(
    world: World, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """Neither is the host asked for what has the secret's name, nor is its value shown."""
    paths: list[str] = []

    def script(asked: Asked, _number: int) -> None:
        paths.append(asked.path)
        asked.send(b"content")

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    manifest = world.model()
    with web(script) as host:
        weight = WEIGHT.format(f"{host.url}/${{env:AWS_SECRET_ACCESS_KEY}}")
        manifest.write_text(manifest.read_text() + weight)
        ran = ended(*line.split(), manifest)
    assert paths == []
    assert SECRET not in ran.out + ran.err
    assert (ran.code, "env-secret" in ran.out + ran.err) == (3, True)


@pytest.fixture
def proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotingProxy]:
    """The way to all other machines; tunnels end at the platform."""
    with noting_proxy(world.platform.api_base) as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("named_by", ["manifest", "environment"])
def test_a_token_goes_to_no_api_in_clear(
    world: World, proxy: NotingProxy, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    """Whoever names its address: a manifest that was imported, or the environment."""
    manifest = world.model()
    if named_by == "manifest":
        text = manifest.read_text().replace("clarifai: {", f"clarifai: {{api_base: '{AWAY}', ")
        manifest.write_text(text)
    monkeypatch.setenv("CLARIFAI_API_BASE", AWAY)
    ran = ended("versions", manifest)
    token = f"Key {world.platform.environ['CLARIFAI_PAT']}".encode()
    assert token not in proxy.passed
    assert (bytes(proxy.passed), world.platform.calls) == (b"", [])
    assert (ran.code, "insecure-address" in ran.err) == (4, True)
    monkeypatch.setenv(HOSTS, "api.example.com")
    ended("versions", manifest)
    assert token in proxy.passed
    assert world.platform.calls != []


def test_no_key_goes_to_a_store_in_clear(
    world: World, proxy: NotingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session's token stands in each request as it is."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", BODY)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    manifest = world.model()
    manifest.write_text(manifest.read_text().replace(world.bucket.endpoint, STORE))
    ran = ended("apply", manifest)
    assert BODY.encode() not in proxy.passed
    assert b"authorization" not in proxy.passed.lower()
    assert "insecure-address" in ran.err
    monkeypatch.setenv(HOSTS, "minio.example.com:9000")
    ended("apply", manifest)
    assert BODY.encode() in proxy.passed
    assert b"authorization" in proxy.passed.lower()


def test_no_token_goes_to_a_hub_in_clear(world: World, proxy: NotingProxy) -> None:
    """Hugging Face's own, or what stands in for it."""
    manifest = world.model()
    manifest.write_text(manifest.read_text() + WEIGHT.format("hf://me/model@main/w.bin"))
    hub = {"HF_ENDPOINT": HUB, "HF_TOKEN": BODY}
    command = [sys.executable, "-m", "clarifai_build", "build", str(manifest)]
    for allowed in ({}, {HOSTS: "hub.example.com"}):
        environ = {**os.environ, **hub, **allowed}
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert ran.returncode == 3, ran.stderr
        assert (BODY.encode() in proxy.passed) == bool(allowed)
