"""Clients of S3-compatible stores: endpoint, region, credentials, retries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.session import Session

from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.net.s3_endpoints import endpoint_of, profile_of
from clarifai_build.util.urls import redact_url

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from clarifai_build.manifest.types import Storage

# A signature needs one. Other stores than AWS mostly take any.
_DEFAULT_REGION = "us-east-1"
# After the first attempt. botocore waits up to 1, 2, 4, 8, 16 and 20 s where it is throttled.
_RETRIES = 6
_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


def connect(storage: Storage, environ: Mapping[str, str], retries: int = _RETRIES) -> S3Client:
    """Return a client for the store of a bucket; botocore's errors come as they are."""
    return client_of(session_of(environ), storage, environ, retries)


def session_of(environ: Mapping[str, str]) -> boto3.Session:
    """Return boto3's session for the credentials that the environment leads to."""
    key, secret, token = (_credential(environ, name) for name in (_KEY, _SECRET, _TOKEN))
    if (key is None) != (secret is None):
        there, missing = (_SECRET, _KEY) if key is None else (_KEY, _SECRET)
        raise NotAuthorisedError.of(
            "no-credentials",
            f"{there} is set, and {missing} is not",
            hint="set both, or neither and AWS_PROFILE",
        )
    return boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token if key else None,
        # Named in this way, a profile that `environ` does not know is not looked up elsewhere.
        botocore_session=Session({"profile": (None, None, profile_of(environ), None)}),
    )


def client_of(
    session: boto3.Session,
    storage: Storage,
    environ: Mapping[str, str],
    retries: int = _RETRIES,
) -> S3Client:
    """Return a client for the store of a bucket."""
    region = storage.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    endpoint = endpoint_of(storage, environ)
    config = Config(
        # Without it, botocore presigns URLs by Signature Version 2 in the oldest regions.
        signature_version="s3v4",
        retries={"mode": "adaptive", "max_attempts": retries},
        # Uploads name their checksums themselves; those that botocore adds, some stores refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # A bucket as a host name needs DNS and a certificate with wildcards.
        s3={"addressing_style": "path" if endpoint else "virtual"},
    )
    try:
        return session.client(
            "s3",
            endpoint_url=endpoint,
            region_name=region or session.region_name or _DEFAULT_REGION,
            config=config,
        )
    except ValueError as exc:
        raise StorageError.of(
            "store-unreachable",
            f"the store's address {redact_url(endpoint or '')} can't be used",
            hint="write https://host, with letters, digits, '-' and '.' in the host's name",
        ) from exc


def _credential(environ: Mapping[str, str], name: str) -> str | None:
    """Return a part of the credentials, which must be fit for signing and for a header."""
    value = environ.get(name) or None
    if value is None:
        return None
    if value != value.strip():
        flaw = "begins or ends with white space, a line break for example"
    elif not value.isprintable():
        flaw = "holds a control character"
    elif name != _SECRET and not value.isascii():
        flaw = "holds characters that are not ASCII"
    else:
        return value
    raise NotAuthorisedError.of(
        "credentials-malformed",
        f"{name} {flaw}",
        hint=f"set {name} anew: copied secrets often end with a line break (printf writes none)",
    )
