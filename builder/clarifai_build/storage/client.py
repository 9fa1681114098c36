"""Clients of S3-compatible stores: endpoint, region, credentials, retries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from clarifai_build.storage.public import endpoint_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from clarifai_build.manifest import Storage

_DEFAULT_REGION = "us-east-1"
_RETRIES = 6


def connect(storage: Storage, environ: Mapping[str, str], retries: int = _RETRIES) -> S3Client:
    """Return a client for the store of a bucket; botocore's errors come as they are."""
    return client_of(session_of(environ), storage, environ, retries)


def session_of(environ: Mapping[str, str]) -> boto3.Session:
    """Return boto3's session for the credentials that the environment leads to."""
    return boto3.Session(
        aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        profile_name=environ.get("AWS_PROFILE"),
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
        retries={"mode": "adaptive", "max_attempts": retries},
        # Ours are explicit, where the store knows them; botocore's own would be sent to all stores.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint else "virtual"},
    )
    return session.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region or session.region_name or _DEFAULT_REGION,
        config=config,
    )
