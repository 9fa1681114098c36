"""The certificates that are trusted: the system's, and those of the files that variables name.

botocore trusts one file alone; the web at large also those of the system, since a CDN before a
bucket seldom has a certificate of the company's own.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import cache

from clarifai_build.errors import StorageError

_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def web_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return what is trusted of web servers; raises StorageError where a file can't be used."""
    return _context(tuple(environ[name] for name in _VARIABLES if environ.get(name)))


def refuse_unusable(bundle: str) -> None:
    """Raise StorageError where a file holds no certificates, or can't be read."""
    _context((bundle,))


@cache
def _context(bundles: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for bundle in bundles:
        _add(context, bundle)
    return context


def _add(context: ssl.SSLContext, bundle: str) -> None:
    try:
        context.load_verify_locations(cafile=bundle)
    # ssl.SSLError is one, too: its words are OpenSSL's.
    except (OSError, ValueError) as exc:
        why = "holds no certificates that can be read"
        if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) and exc.strerror:
            why = f"can't be read: {exc.strerror}"
        raise StorageError.of(
            "ca-bundle",
            f"the certificates to trust, {bundle}, {why}",
            hint="correct AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE, or `ca_bundle` of the AWS profile, "
            "or unset it for the usual certificates",
        ) from exc
