"""Clients of S3-compatible stores: endpoint, region, credentials, retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.session import Session

from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.net.s3_endpoints import endpoint_of, profile_of, region_of
from clarifai_build.net.trust import refuse_unusable
from clarifai_build.util.urls import insecure_hint, is_insecure, redact_url

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A signature needs one. Other stores than AWS mostly take any.
_DEFAULT_REGION = "us-east-1"
# After the first attempt. botocore waits up to 1, 2, 4, 8, 16 and 20 s where it is throttled.
_RETRIES = 6
_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


class AwsSession(NamedTuple):
    """AWS's configuration as one environment leads to it, and what makes clients of that."""

    core: Session
    clients: boto3.Session


def access_to(storage: Storage, environ: Mapping[str, str], retries: int = _RETRIES) -> S3Access:
    """Return all that a bucket is reached with; botocore's errors come as they are."""
    session = session_of(environ)
    credentials = session.core.get_credentials()
    if credentials is None:
        raise NoCredentialsError

    def of_region(region: str) -> S3Client:
        return client_of(session, replace(storage, region=region), environ, retries)

    client = client_of(session, storage, environ, retries)
    return S3Access(client, credentials, _trusted(session, environ), of_region)


def unsigned_client(storage: Storage, environ: Mapping[str, str]) -> S3Client:
    """Return a client that needs no credentials: it knows where the bucket is."""
    return client_of(session_of(environ), storage, environ, signed=False)


def session_of(environ: Mapping[str, str]) -> AwsSession:
    """Return the configuration and the credentials that the environment leads to."""
    key, secret, token = (_credential(environ, name) for name in (_KEY, _SECRET, _TOKEN))
    if (key is None) != (secret is None):
        there, missing = (_SECRET, _KEY) if key is None else (_KEY, _SECRET)
        raise NotAuthorisedError.of(
            "no-credentials",
            f"{there} is set, and {missing} is not",
            hint="set both, or neither and AWS_PROFILE",
        )
    core = Session(_variables(environ))
    clients = boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token if key else None,
        botocore_session=core,
    )
    return AwsSession(core, clients)


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
    trusted = _trusted(session, environ)
    if isinstance(trusted, str) and not (endpoint or "").startswith("http://"):
        refuse_unusable(trusted)
    config = Config(
        # Without it, botocore presigns URLs by Signature Version 2 in the oldest regions.
        signature_version="s3v4" if signed else UNSIGNED,
        retries={"mode": "adaptive", "max_attempts": retries},
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


def _variables(environ: Mapping[str, str]) -> dict[str, tuple[Any, Any, Any, Any]]:
    """Return what the environment says, in place of what botocore would take from the process's."""
    found: dict[str, tuple[Any, Any, Any, Any]] = {
        # Named in this way, a profile that `environ` does not know is not looked up elsewhere.
        "profile": (None, None, profile_of(environ), None)
    }
    for name, (_, variable, _, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        if name != "profile" and isinstance(variable, str) and environ.get(variable):
            found[name] = (None, None, environ[variable], convert)
    if environ.get("AWS_REGION"):  # botocore reads only AWS_DEFAULT_REGION
        found["region"] = (None, None, environ["AWS_REGION"], None)
    return found


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


def _trusted(session: AwsSession, environ: Mapping[str, str]) -> str | bool:
    """Return the file of certificates to trust, or True for those that botocore brings."""
    # In botocore's order.
    bundle = session.core.get_config_variable("ca_bundle") or environ.get("REQUESTS_CA_BUNDLE")
    return str(bundle) if bundle else True


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
