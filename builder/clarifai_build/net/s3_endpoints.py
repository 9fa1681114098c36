"""Where a store is: the manifest says, else the environment, else AWS's own configuration files.

In the order in which botocore reads them: what it took alone would be missing in public URLs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from clarifai_build.errors import StorageError
from clarifai_build.util.small_files import MIB, read_small
from clarifai_build.util.urls import is_plain, redact_url

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Storage

_IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_CONFIG = ("AWS_CONFIG_FILE", ".aws/config")
_CREDENTIALS = ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")
# Of either file. botocore reads without a bound, but only what was found to have an endpoint.
_MAX_BYTES = 4 * MIB
# What else changes an address, and only botocore knows how.
_STYLES = ("AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT", "AWS_DATA_PATH")
_STYLE_OPTIONS = (b"addressing_style", b"dualstack", b"fips", b"accelerate", b"data_path")
# What can be a host's name under AWS's certificates: no dots.
_PLAIN_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
# Of AWS's commercial partition, where an address follows from the region without a table.
_PLAIN_REGION = re.compile(r"(?:af|ap|ca|eu|il|me|mx|sa|us)-(?!gov|iso)[a-z]+-\d")


def endpoint_of(storage: Storage, environ: Mapping[str, str]) -> str | None:
    """Return the address of the store, or None for AWS; it becomes a part of public URLs."""
    place, endpoint = next(_found(storage, environ), ("", None))
    if endpoint and not is_plain(endpoint):
        raise StorageError.of(
            "address-credentials",
            f"the store's address {redact_url(endpoint)} can't be read, or holds credentials",
            hint=f"write https://host in {place}; credentials have their own variables",
        )
    if endpoint and {"?", "#"} & set(endpoint):
        raise StorageError.of(
            "address-query",
            f"the store's address {redact_url(endpoint)} ends with a query or a fragment",
            hint=f"write {place} without '?' and '#': keys are appended to it",
        )
    return endpoint


def normal_endpoint(storage: Storage, environ: Mapping[str, str]) -> str:
    """Return the address by which two stores are known to be one; empty for AWS."""
    endpoint = endpoint_of(storage, environ) or ""
    parts = urlsplit(endpoint)
    usual_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    host = parts.netloc.lower().removesuffix(usual_port)
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}" if host else endpoint


def region_of(storage: Storage, environ: Mapping[str, str]) -> str | None:
    """Return the region that is named; AWS's own files, which botocore reads, may name another."""
    return storage.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None


def plain_url(storage: Storage, environ: Mapping[str, str], key: str) -> str | None:
    """Return the URL of an object where it is plain to see, without loading botocore; else None.

    The store's own, whatever stands before it; `storage` has the endpoint that `endpoint_of` finds.
    """
    if any(environ.get(name) for name in _STYLES) or any(
        _tells(file, *_STYLE_OPTIONS) for file in _files(environ)
    ):
        return None
    if storage.endpoint_url is not None:
        # Path style, as the client: other stores seldom resolve buckets as host names.
        return f"{storage.endpoint_url.rstrip('/')}/{storage.bucket}/{quote(key)}"
    region = region_of(storage, environ) or ""
    if not _PLAIN_BUCKET.fullmatch(storage.bucket) or not _PLAIN_REGION.fullmatch(region):
        return None
    return f"https://{storage.bucket}.s3.{region}.amazonaws.com/{quote(key)}"


def files_stamp(environ: Mapping[str, str]) -> tuple[tuple[int, ...], ...]:
    """Return how AWS's own files look: another stamp, and they may say something else."""
    return tuple(map(_stamp, _files(environ)))


def _found(storage: Storage, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each place that names an address, and the address; the first one counts."""
    if storage.endpoint_url:
        yield "storage.endpoint_url", storage.endpoint_url
        return
    ignored, in_files = _in_files(environ)
    if (environ.get(_IGNORED) or ignored).lower() == "true":
        return
    for name in _VARIABLES:
        if environ.get(name):
            yield name, environ[name]
    if in_files:
        yield f"endpoint_url of {_file(environ, *_CONFIG)}", in_files


def profile_of(environ: Mapping[str, str]) -> str | None:
    """Return the profile that is named, as botocore reads the two variables."""
    return environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or None


def _in_files(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return what the profile says in AWS's files: are endpoints ignored, and which one there is.

    Broken files say nothing here.
    """
    config, credentials = _files(environ)
    if not (_tells(config, b"endpoint_url") or _tells(credentials, b"endpoint_url")):
        return "", ""  # botocore takes longer to load than all that a no-op needs
    from botocore import configloader
    from botocore.exceptions import BotoCoreError

    found: dict[str, Any] = {"profiles": {}, "services": {}}
    secret: dict[str, Any] = {}
    try:
        if config.is_file():
            found = configloader.load_config(str(config))
        if credentials.is_file():
            secret = configloader.raw_config_parse(str(credentials))
    except (BotoCoreError, OSError):
        return "", ""
    name = profile_of(environ) or "default"
    # The credentials file wins, as in botocore.
    profile = {**found["profiles"].get(name, {}), **secret.get(name, {})}
    of_s3 = found["services"].get(_text(profile, "services"), {}).get("s3")
    endpoint = _text(of_s3, "endpoint_url") or _text(profile, "endpoint_url")
    return _text(profile, "ignore_configured_endpoint_urls"), endpoint


def _text(section: Any, name: str) -> str:
    """Return a value as text; a section in its place counts as empty."""
    value = section.get(name) if isinstance(section, dict) else None
    return value if isinstance(value, str) else ""


def _file(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    home = Path(environ.get("HOME") or "~")
    return Path(os.path.expanduser(environ.get(variable) or home / below_home))  # noqa: PTH111 - may lack a home


def _files(environ: Mapping[str, str]) -> tuple[Path, Path]:
    return _file(environ, *_CONFIG), _file(environ, *_CREDENTIALS)


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _tells(file: Path, *options: bytes) -> bool:
    """Return whether a file has one of these words, in whatever section."""
    try:
        content = read_small(file, _MAX_BYTES)
    except OSError:
        return False
    return any(option in content for option in options)
