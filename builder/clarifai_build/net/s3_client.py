"""Clients of S3-compatible stores: endpoint, region, retries; one a store, for all its buckets."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.session import Session

from clarifai_build.errors import StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import BucketRegions, S3Access
from clarifai_build.net.s3_endpoints import endpoint_of, files_stamp, region_of
from clarifai_build.net.s3_session import AwsSession, session_of, trusted_by
from clarifai_build.net.shared_environ import made_once
from clarifai_build.net.trust import refuse_unusable
from clarifai_build.util.urls import insecure_hint, is_insecure, redact_url

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A signature needs one. Other stores than AWS mostly take any.
_DEFAULT_REGION = "us-east-1"
# After the first attempt. botocore waits up to 1, 2, 4, 8, 16 and 20 s where it is throttled.
_RETRIES = 6
# Connections that a client keeps for its next requests: a fleet may use more than botocore's 10.
_KEPT_CONNECTIONS = 64


class _Reach(NamedTuple):
    """All that a client depends on."""

    session: AwsSession
    endpoint: str | None
    region: str | None
    retries: int
    signed: bool


class _Regional(NamedTuple):
    """A client, and the regions that it found buckets to be in."""

    client: S3Client
    regions: BucketRegions


class S3Clients:
    """What stores are reached with in one environment: one session, and one client a store.

    Threads may share clients. Sessions they may not, so that clients are made one at a time. When
    AWS's configuration files change, what is asked for from then on is made anew.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = threading.RLock()
        self._session: AwsSession | None = None
        self._stamp: object = None
        self._clients: dict[_Reach, _Regional] = {}

    def access_to(self, storage: Storage, retries: int = _RETRIES) -> S3Access:
        """Return all that a bucket is reached with; botocore's errors come as they are."""
        with self._lock:
            session = self._current()
            credentials = session.core.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            client, regions = self._client(session, storage, retries)

        @cache
        def of_region(region: str) -> S3Client:
            with self._lock:
                return self._client(session, replace(storage, region=region), retries).client

        def elsewhere() -> S3Client | None:
            region = regions.of(storage.bucket)
            return of_region(region) if region and region != client.meta.region_name else None

        verify = trusted_by(session, self._environ)
        return S3Access(client, credentials, verify, elsewhere)

    def unsigned(self, storage: Storage) -> S3Client:
        """Return a client that needs no credentials: it knows where the bucket is."""
        with self._lock:
            return self._client(self._current(), storage, _RETRIES, signed=False).client

    def _current(self) -> AwsSession:
        """Return the session, as AWS's files have it now."""
        stamp = files_stamp(self._environ)
        if self._session is None or stamp != self._stamp:
            self._session, self._stamp = session_of(self._environ), stamp
            self._clients = {}
        return self._session

    def _client(
        self, session: AwsSession, storage: Storage, retries: int, *, signed: bool = True
    ) -> _Regional:
        """Return the client of a store. Call it with the lock held."""
        environ = self._environ
        region = region_of(storage, environ)
        reach = _Reach(session, endpoint_of(storage, environ), region, retries, signed)
        if reach not in self._clients:
            client = client_of(session, storage, environ, retries, signed=signed)
            self._clients[reach] = _Regional(client, BucketRegions(client))
        return self._clients[reach]


def access_to(storage: Storage, environ: Mapping[str, str], retries: int = _RETRIES) -> S3Access:
    """Return all that a bucket is reached with; botocore's errors come as they are.

    The client is that of all buckets of the store that are reached in the same environment.
    """
    return made_once(S3Clients, environ).access_to(storage, retries)


def unsigned_client(storage: Storage, environ: Mapping[str, str]) -> S3Client:
    """Return a client that needs no credentials: it knows where the bucket is."""
    return made_once(S3Clients, environ).unsigned(storage)


def client_of(
    session: AwsSession,
    storage: Storage,
    environ: Mapping[str, str],
    retries: int = _RETRIES,
    *,
    signed: bool = True,
) -> S3Client:
    """Return a client for the store of a bucket."""
    endpoint = endpoint_of(storage, environ)
    region = region_of(storage, environ) or session.core.get_config_variable("region")
    trusted = trusted_by(session, environ)
    if isinstance(trusted, str) and not (endpoint or "").startswith("http://"):
        refuse_unusable(trusted)
    config = Config(
        # Without it, botocore presigns URLs by Signature Version 2 in the oldest regions.
        signature_version="s3v4" if signed else UNSIGNED,
        retries={"mode": "adaptive", "max_attempts": retries},
        max_pool_connections=_KEPT_CONNECTIONS,
        # Uploads name their checksums themselves; those that botocore adds, some stores refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3=_addressing(session.core, endpoint),
    )
    try:
        client: S3Client = session.clients.client(
            "s3",
            endpoint_url=endpoint,
            region_name=region or _DEFAULT_REGION,
            config=config,
            verify=trusted,
        )
    except BotoCoreError:
        raise
    except ValueError as exc:
        raise StorageError.of(
            "store-unreachable",
            f"the store's address {redact_url(endpoint or '')} can't be used",
            hint="write https://host, with letters, digits, '-' and '.' in the host's name",
        ) from exc
    if signed:
        _refuse_insecure(endpoint or "", environ)
    return client


def _refuse_insecure(endpoint: str, environ: Mapping[str, str]) -> None:
    """Refuse what only a manifest names: where the environment names it, its owner means it."""
    if is_insecure(endpoint, environ) and endpoint != endpoint_of(Storage(""), environ):
        raise StorageError.of(
            "insecure-address",
            f"key id and session token would go in clear to the store at {redact_url(endpoint)}",
            hint=insecure_hint(endpoint),
        )


def _addressing(core: Session, endpoint: str | None) -> Any:
    """Return how a bucket becomes a part of an address: as the profile says, where it does."""
    style = (core.get_config_variable("s3") or {}).get("addressing_style")
    # A bucket as a host name needs DNS and a certificate with wildcards, which AWS has.
    usual = "path" if endpoint else "virtual"
    # `auto` has botocore presign URLs of another host than it sends requests to.
    return {
        "addressing_style": style if style in ("path", "virtual") else usual,
        "us_east_1_regional_endpoint": "regional",
    }
