"""The certificates that are trusted: the same for requests, parts and the anonymous proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.storage.lazy_store import connect
from clarifai_build.storage.public_download import prove_downloadable
from clarifai_build.storage.s3_store import open_store
from support.fake_aws import HOME, FakeAws
from support.fakes import artifact_of
from support.memory_s3 import KEYS

KEY = "models/k.zip"
LARGE = artifact_of({"1/w.bin": bytes(17 << 20)})
STORAGE = Storage("my-models", "models", region=HOME)


@pytest.mark.parametrize("named_by", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "profile"])
def test_what_the_client_trusts_the_parts_trust(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    """Whatever names the file of certificates."""
    environ = dict(aws.environ)
    if named_by == "profile":
        (Path(environ["HOME"]) / ".aws/config").write_text(
            f"[default]\nca_bundle = {aws.authority}\n"
        )
    else:
        environ[named_by] = str(aws.authority)
    open_store(STORAGE, environ).put_artifact(KEY, LARGE, {})
    assert aws.bucket.objects[KEY].body == LARGE.read(0, LARGE.size)


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_the_proof_trusts_what_the_client_trusts(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """What was just uploaded can be downloaded; without the variable it can't."""
    store = connect(STORAGE, {**aws.environ, variable: str(aws.authority)})
    store.put_artifact(KEY, LARGE, {})
    with pytest.raises(StorageError, match="can't be downloaded"):
        prove_downloadable(store.url(KEY), LARGE)
    monkeypatch.setenv(variable, str(aws.authority))
    prove_downloadable(store.url(KEY), LARGE)


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize(
    "content",
    [None, b"", b"-----BEGIN nothing-----", bytes(100)],
    ids=["missing", "empty", "words", "binary"],
)
def test_a_file_that_holds_no_certificates_is_named(
    no_aws: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: bytes | None
) -> None:
    """By the client, before anything is sent, and by the anonymous proof."""
    bundle = no_aws / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(StorageError, match="certificates to trust") as raised:
        open_store(STORAGE, {**KEYS, "HOME": str(no_aws), variable: str(bundle)})
    (problem,) = raised.value.problems
    assert (problem.code, str(bundle) in problem.message) == ("ca-bundle", True)
    monkeypatch.setenv(variable, str(bundle))
    with pytest.raises(StorageError, match="certificates to trust"):
        prove_downloadable("https://cdn.test/k", LARGE)
