"""Why botocore can't go on, by the class of its exceptions, whose texts may hold anything.

It lets others through, those of files that its settings name, of JSON that a program prints, of
numbers that are none. Where one was raised tells that it is not a bug of this tool.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from clarifai_build.util.urls import redact_url


class Reason(NamedTuple):
    """Message and hint for a class of exceptions; `host`, `proxy` and others stand in braces."""

    message: str
    hint: str


_NETWORK = "check `storage.endpoint_url` and the network"
_FILES = "check the profile in ~/.aws/config and ~/.aws/credentials"
_LOGIN = Reason("the profile's session has ended, or never began", "`aws sso login`")
_UNUSABLE = Reason("the AWS configuration can't be used ({name})", _FILES)

# By name, since not every version of botocore has every class.
_CREDENTIALS = {
    "NoCredentialsError": Reason(
        "none were found", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    ),
    "ProfileNotFound": Reason(
        "there is no profile '{profile}'", "correct AWS_PROFILE, or add it to ~/.aws/config"
    ),
    "PartialCredentialsError": Reason("{provider} lacks {cred_var}", _FILES),
    "CredentialRetrievalError": Reason(
        "{provider} gives none", "run by hand what the profile names, to see what it says"
    ),
    "MetadataRetrievalError": Reason("this machine's role gives none", _FILES),
    **dict.fromkeys(("TokenRetrievalError", "NoAuthTokenError"), _LOGIN),
    "SSOError": _LOGIN,
    "LoginError": _LOGIN._replace(hint="`aws login`"),
    "RefreshWithMFAUnsupportedError": Reason(
        "those of the profile have expired, and new ones need MFA", "get new ones"
    ),
    **dict.fromkeys(
        (
            *("InvalidConfigError", "ConfigParseError", "ConfigNotFound"),
            *("UnknownCredentialError", "UnknownTokenProviderError"),
        ),
        _UNUSABLE,
    ),
    "MissingDependencyException": Reason(
        "the profile needs a package that is not installed", "pip install 'botocore[crt]'"
    ),
}
_TRANSPORT = {
    "EndpointConnectionError": Reason("{host} can't be reached", _NETWORK),
    "ConnectTimeoutError": Reason("{host} takes no connection in time", _NETWORK),
    "ReadTimeoutError": Reason("{host} does not answer in time", _NETWORK),
    "ConnectionClosedError": Reason("{host} hangs up without an answer", _NETWORK),
    "ProxyConnectionError": Reason(
        "the proxy {proxy} can't be reached",
        "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY: proxies that are used have addresses that "
        "begin with http:// or https://",
    ),
    "SSLError": Reason(
        "no TLS connection to {host}",
        "AWS_CA_BUNDLE names a file of certificates to trust; a store without TLS has an address "
        "that begins with http://",
    ),
    "HTTPClientError": Reason("the exchange with the store broke off ({name})", _NETWORK),
    "IncompleteReadError": Reason("the store's answer broke off", "try again"),
    "InvalidProxiesConfigError": Reason(
        "the proxy's settings can't be used", "check `proxies_config` in ~/.aws/config"
    ),
}
_SETTINGS = {
    **dict.fromkeys(
        ("InvalidRegionError", "NoRegionError", "UnknownRegionError"),
        Reason("there is no such region", "correct `storage.region`, AWS_REGION, or the profile's"),
    ),
    **dict.fromkeys(
        ("EndpointProviderError", "BaseEndpointResolverError", "InvalidDNSNameError"),
        Reason(
            "there is no address for this bucket and region with these settings",
            "check `storage.region`, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT, and `s3` "
            "in ~/.aws/config",
        ),
    ),
}
_OTHER = Reason("botocore can't go on ({name})", "check the variables AWS_… and ~/.aws/config")
_OF_CREDENTIALS = frozenset({"botocore.credentials", "botocore.tokens"})


def is_librarys(exc: Exception) -> bool:
    """Return whether an exception was raised by botocore, or within what it calls."""
    modules = list(_modules(exc))
    ours = bool(modules) and modules[-1].startswith("clarifai_build.")
    its_own = any(name.startswith("botocore.") for name in map(_module, type(exc).__mro__))
    return its_own or (
        not ours and any(name.partition(".")[0] in ("botocore", "boto3") for name in modules)
    )


def is_about_credentials(exc: Exception) -> bool:
    """Return whether there are no usable credentials."""
    if isinstance(exc, BotoCoreError):
        return any(name in _CREDENTIALS for name in _names(exc))
    return is_librarys(exc) and not _OF_CREDENTIALS.isdisjoint(_modules(exc))


def described(exc: Exception) -> tuple[str, str]:
    """Return the message for an exception of botocore, or one that it let through, and a hint."""
    if not isinstance(exc, BotoCoreError):
        return _let_through(exc)
    known = _CREDENTIALS | _TRANSPORT | _SETTINGS
    message, hint = next((known[name] for name in _names(exc) if name in known), _OTHER)
    about = getattr(exc, "kwargs", {})
    said = message.format(
        name=type(exc).__name__,
        host=_host(about.get("endpoint_url"), "the store"),
        proxy=_proxy(about.get("proxy_url")),
        profile=about.get("profile"),
        provider=about.get("provider"),
        cred_var=about.get("cred_var"),
    )
    why = _system_says(exc)
    return f"{said}: {why}" if why else said, hint


def _proxy(url: object) -> str:
    # botocore writes http:// before an address of any other kind, such as socks5://host.
    after = str(url or "").partition("://")[2]
    return _host(after if "://" in after else url, "that is set")


def _let_through(exc: Exception) -> tuple[str, str]:
    file = exc.filename if isinstance(exc, OSError) else None
    if not isinstance(exc, OSError) or not isinstance(file, str) or not exc.strerror:
        return _OTHER.message.format(name=type(exc).__name__), _OTHER.hint
    named_by = [
        name
        for name, value in os.environ.items()
        if name.startswith("AWS_") and os.path.expanduser(value) == file  # noqa: PTH111 - any text
    ]
    hint = f"correct {named_by[0]}, or unset it" if named_by else _FILES
    return f"{file}: {exc.strerror}", hint


def _modules(exc: BaseException) -> Iterator[str]:
    """Yield the names of the modules that an exception came through, the innermost last."""
    trace = exc.__traceback__
    while trace is not None:
        yield str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next


def _module(kind: type) -> str:
    return kind.__module__


def _names(exc: BotoCoreError) -> list[str]:
    """Return the names of an exception's class and of those above: not all are in all versions."""
    return [one.__name__ for one in type(exc).__mro__]


def _host(address: object, otherwise: str) -> str:
    parts = urlsplit(redact_url(str(address or "")))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else otherwise


def _system_says(exc: BaseException) -> str:
    """Return the operating system's or OpenSSL's words on what is behind an exception, if any."""
    behind: BaseException | None = exc
    while behind is not None:
        if isinstance(behind, OSError) and behind.errno is not None:
            return behind.strerror or ""
        behind = behind.__cause__ or behind.__context__
    return ""
