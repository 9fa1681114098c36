"""`apply` as a whole against stores as the world has them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.caching_cdn import caching
from support.command_line import Ran, World, ended
from support.fake_aws import HOME, FakeAws
from support.memory_s3 import Answer, Request
from support.worlds import _descriptions, home, world

__all__ = ["_descriptions", "home", "world"]

LARGE = 17 << 20
ACCOUNT = 'clarifai: {user_id: "${env:CLARIFAI_USER_ID}", app_id: "${env:CLARIFAI_APP_ID}"}\n'


def applied(manifest: Path) -> Ran:
    """Apply a model, which has to become live."""
    ran = ended("apply", manifest)
    assert (ran.code, ran.err if ran.code else "") == (0, "")
    return ran


def enlarge(manifest: Path) -> None:
    """Let a model be uploaded in parts."""
    (manifest.parent / "weights.bin").write_bytes(bytes(LARGE))


@pytest.fixture
def on_aws(world: World, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write a model whose artifacts go to AWS, to a bucket that is described like this."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(aws.authority))

    def write(storage: str) -> Path:
        manifest = world.model()
        model = "model: {id: lines, type: text-to-text}\n"
        manifest.write_text(f"{model}storage: {{{storage}, prefix: models}}\n{ACCOUNT}")
        return manifest

    return write


@pytest.mark.parametrize("large", [False, True], ids=["small", "in parts"])
@pytest.mark.parametrize("region", ["", ", region: us-west-2"], ids=["unset", "wrong"])
def test_a_region_that_is_unset_or_wrong_is_no_obstacle(
    on_aws: Callable[[str], Path], aws: FakeAws, region: str, large: bool
) -> None:
    """The artifact is uploaded to, and published from, where the bucket is."""
    manifest = on_aws(f"bucket: my-models{region}")
    if large:
        enlarge(manifest)
    applied(manifest)
    assert f"my-models.s3.{HOME}.amazonaws.com" in aws.hosts


def test_a_bucket_whose_name_has_a_dot_is_published_where_a_certificate_fits(
    on_aws: Callable[[str], Path], aws: FakeAws
) -> None:
    """`*.s3.REGION.amazonaws.com` is none for `my.models.s3.REGION.amazonaws.com`."""
    applied(on_aws(f"bucket: my.models, region: {HOME}"))
    assert set(aws.hosts) == {f"s3.{HOME}.amazonaws.com"}


GIVES = """\
import json, sys, time
from pathlib import Path
file = Path(sys.argv[1])
number = int(file.read_text()) + 1
file.write_text(str(number))
soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
keys = {"AccessKeyId": f"key{number}", "SecretAccessKey": "s", "SessionToken": f"token{number}"}
print(json.dumps({"Version": 1, "Expiration": soon, **keys}))
"""


def test_each_request_is_signed_with_keys_of_one_moment(
    world: World, no_aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials that are about to expire are replaced at every look at them."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (no_aws / "gives.py").write_text(GIVES)
    (no_aws / "number").write_text("0")
    program = f"{sys.executable} -SE {no_aws / 'gives.py'} {no_aws / 'number'}"
    (no_aws / ".aws/config").write_text(f"[default]\ncredential_process = {program}\n")
    manifest = world.model()
    enlarge(manifest)
    applied(manifest)
    signed = [
        (one.headers["authorization"].partition("Credential=")[2].partition("/")[0], token)
        for one in world.bucket.asked
        if (token := one.headers.get("x-amz-security-token"))
    ]
    assert len({key for key, _ in signed}) > 3
    assert [key for key, _ in signed] == [token.replace("token", "key") for _, token in signed]


OBJECT_LOCK = (
    b"<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is "
    b"required for Put Object requests with Object Lock parameters</Message></Error>"
)


def with_object_lock(request: Request) -> Answer | None:
    """Refuse objects without a checksum, as buckets with Object Lock do."""
    writes = request.operation in ("PUT", "PUT partNumber")
    summed = {"content-md5", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32"}
    return Answer(400, OBJECT_LOCK) if writes and summed.isdisjoint(request.headers) else None


@pytest.mark.parametrize("large", [False, True], ids=["small", "in parts"])
def test_a_bucket_with_object_lock_keeps_leases_and_artifacts(world: World, large: bool) -> None:
    """Its refusal of what has no checksum is no word about conditions."""
    world.bucket.before = with_object_lock
    manifest = world.model()
    if large:
        enlarge(manifest)
    assert "lease-unsupported" not in applied(manifest).err
    leases = [one.method for one in world.bucket.asked if "/.leases/" in one.key]
    assert (leases[0], leases[-1]) == ("PUT", "DELETE")


def test_a_cdn_first_hears_of_an_artifact_when_it_is_there(world: World) -> None:
    """It would keep for the platform that there was nothing."""
    manifest = world.model()
    with caching(world.bucket) as (base, kept):
        endpoint = f'endpoint_url: "{world.bucket.endpoint}"'
        text = manifest.read_text()
        assert endpoint in text
        manifest.write_text(text.replace(endpoint, f"{endpoint}, public_base_url: '{base}'"))
        ran = ended("apply", manifest)
        assert kept == []
        assert (ran.code, ran.err if ran.code else "") == (0, "")
