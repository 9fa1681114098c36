"""`s3://` weights by boto3, from a stand-in for a store that fails as real ones do."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from clarifai_build.errors import Problem, SourceError
from clarifai_build.manifest.types import Manifest
from clarifai_build.util.cache_dir import weights_folder
from clarifai_build.weights.locate import locate
from clarifai_build.weights.source_object import SourceObject, source_object_of
from support.scripted_web import Asked, Script, closed_port, web
from support.trees import manifest_of, weight_of

CONTENT = random.Random(7).randbytes((3 << 20) + 5)
SLOW_DOWN = b"<Error><Code>SlowDown</Code></Error>"


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Credentials, a cache of its own, and nothing else that botocore could find."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def manifest(folder: Path) -> Manifest:
    """Return a manifest with a weight in a bucket."""
    return manifest_of(folder, (weight_of("w.bin", "s3://bucket/w.bin", CONTENT),))


def problem_of(folder: Path, environ: dict[str, str], endpoint: str) -> Problem:
    """Return what is wrong with the weight."""
    with pytest.raises(SourceError) as raised:
        locate(manifest(folder), environ=environ | {"AWS_ENDPOINT_URL_S3": endpoint})
    (problem,) = raised.value.problems
    assert list((folder / "cache").rglob("*.part")) == []
    return problem


def answer(asked: Asked, status: int, body: bytes) -> None:
    """Answer with a status and a body."""
    asked.head(status, {"Content-Length": str(len(body))})
    if asked.command != "HEAD":
        asked.wfile.write(body)


def test_a_body_that_is_cut_off_is_resumed(tmp_path: Path, environ: dict[str, str]) -> None:
    """From where it broke off, as often as that brings more."""
    starts: list[int] = []

    def cut(asked: Asked, _number: int) -> None:
        if asked.command != "HEAD":
            starts.append(asked.start)
        asked.send(CONTENT, cut=1 << 20)

    with web(cut) as server:
        at = {"AWS_ENDPOINT_URL_S3": server.url}
        (found,) = locate(manifest(tmp_path), environ=environ | at)
    assert Path(found.file).read_bytes() == CONTENT
    assert starts[0] == 0
    assert sorted(starts) == starts
    assert len(starts) >= 4


def test_a_store_that_is_too_busy_is_tried_again(tmp_path: Path, environ: dict[str, str]) -> None:
    """For longer than botocore does; neither the address nor the permissions are wrong."""

    def busy(asked: Asked, number: int) -> None:
        if asked.command == "HEAD" or number > 4:
            asked.send(CONTENT)
        else:
            answer(asked, 503, SLOW_DOWN)

    with web(busy) as server:
        at = {"AWS_ENDPOINT_URL_S3": server.url}
        (found,) = locate(manifest(tmp_path), environ=environ | at)
        assert server.requests == 6
    assert Path(found.file).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "body", "code", "why"),
    [
        (503, b"", "weight-unreachable", "the store answers 503 Service Unavailable"),
        (400, b"<<<", "weight-refused", "400 Bad Request"),
        (403, b"<Error><Code>AccessDenied</Code></Error>", "weight-refused", "AccessDenied"),
    ],
)
def test_answers_are_told_apart(
    status: int, body: bytes, code: str, why: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    """What may pass, and what does not."""

    def script(asked: Asked, _number: int) -> None:
        if body and asked.command == "HEAD":
            asked.send(CONTENT)
        else:
            answer(asked, status, body)

    with web(script) as server:
        problem = problem_of(tmp_path, environ, server.url)
    assert problem.code == code
    assert problem.message.endswith(f": {why}")


def test_a_store_that_can_not_be_reached(tmp_path: Path, environ: dict[str, str]) -> None:
    """Nobody listens there."""
    assert problem_of(tmp_path, environ, closed_port()).code == "weight-unreachable"


def test_missing_credentials_are_told_at_once(tmp_path: Path, environ: dict[str, str]) -> None:
    """With the variables that hold them; the store is not even asked."""
    del environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
    with web(lambda asked, _: asked.send(CONTENT)) as server:
        problem = problem_of(tmp_path, environ, server.url)
        assert server.requests == 0
    assert problem.code == "weight-refused"
    assert "AWS_ACCESS_KEY_ID" in (problem.hint or "")


def source_of(environ: dict[str, str]) -> SourceObject | None:
    """Return what the weight in the cache was read from."""
    return source_object_of(weights_folder(environ) / weight_of("", "", CONTENT).sha256)


def fetch(folder: Path, environ: dict[str, str], script: Script) -> None:
    """Fetch the weight from a server that answers by a script."""
    with web(script) as server:
        locate(manifest(folder), environ=environ | {"AWS_ENDPOINT_URL_S3": server.url})


def test_what_a_weight_was_read_from_is_kept(tmp_path: Path, environ: dict[str, str]) -> None:
    """The object in the state that was read, its version where the bucket keeps them."""
    told = {"ETag": '"e1"', "x-amz-version-id": "v1"}
    fetch(tmp_path, environ, lambda asked, _: asked.send(CONTENT, told))
    source = source_of(environ)
    assert source is not None
    assert source[1:] == ("bucket", "w.bin", "e1", "v1")
    assert source.endpoint.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("told", [{}, {"ETag": 'W/"e1"'}, {"ETag": '""'}])
def test_nothing_is_kept_of_a_store_that_does_not_name_states(
    told: dict[str, str], tmp_path: Path, environ: dict[str, str]
) -> None:
    """A weak ETag stands for more than one content."""
    fetch(tmp_path, environ, lambda asked, _: asked.send(CONTENT, told))
    assert source_of(environ) is None


@pytest.mark.parametrize(("later", "etag"), [("e1", "e1"), ("e2", None)])
def test_pieces_of_one_state_make_a_whole(
    later: str, etag: str | None, tmp_path: Path, environ: dict[str, str]
) -> None:
    """An object that was replaced while it was fetched may hold something else in its beginning."""

    def script(asked: Asked, number: int) -> None:
        first = asked.start == 0
        asked.send(CONTENT, {"ETag": f'"{"e1" if first else later}"'}, 1 << 20 if first else None)

    fetch(tmp_path, environ, script)
    source = source_of(environ)
    assert (source.etag if source else None) == etag


def test_a_body_is_of_the_state_that_comes_with_it(tmp_path: Path, environ: dict[str, str]) -> None:
    """The object may have been replaced since the store was asked for its size."""

    def script(asked: Asked, _number: int) -> None:
        asked.send(CONTENT, {"ETag": '"old"' if asked.command == "HEAD" else '"new"'})

    fetch(tmp_path, environ, script)
    source = source_of(environ)
    assert source is not None
    assert source.etag == "new"


def test_another_content_leaves_nothing_behind(tmp_path: Path, environ: dict[str, str]) -> None:
    """Neither of what arrived nor of where it came from."""
    with web(lambda asked, _: asked.send(CONTENT[:-1], {"ETag": '"e1"'})) as server:
        assert problem_of(tmp_path, environ, server.url).code == "weight-mismatch"
    assert list(weights_folder(environ).iterdir()) == []
