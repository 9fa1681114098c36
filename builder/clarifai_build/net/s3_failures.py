"""Why botocore can't go on, by the class of its exceptions, whose texts may hold anything."""

from __future__ import annotations

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
    "TokenRetrievalError": _LOGIN,
    "SSOError": _LOGIN,
    "LoginError": _LOGIN._replace(hint="`aws login`"),
    "RefreshWithMFAUnsupportedError": Reason(
        "those of the profile have expired, and new ones need MFA", "get new ones"
    ),
    **dict.fromkeys(
        ("InvalidConfigError", "ConfigParseError", "ConfigNotFound", "UnknownCredentialError"),
        _UNUSABLE,
    ),
}
_TRANSPORT = {
    "EndpointConnectionError": Reason("{host} can't be reached", _NETWORK),
    "ConnectTimeoutError": Reason("{host} takes no connection in time", _NETWORK),
    "ReadTimeoutError": Reason("{host} does not answer in time", _NETWORK),
    "ConnectionClosedError": Reason("{host} hangs up without an answer", _NETWORK),
    "ProxyConnectionError": Reason(
        "the proxy {proxy} can't be reached", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
    ),
    "SSLError": Reason(
        "no TLS connection to {host}",
        "AWS_CA_BUNDLE names a file of certificates to trust; a store without TLS has an address "
        "that begins with http://",
    ),
    "HTTPClientError": Reason("the exchange with the store broke off ({name})", _NETWORK),
    "IncompleteReadError": Reason("the store's answer broke off", "try again"),
}
_OTHER = Reason("botocore can't go on ({name})", "check the variables AWS_… and ~/.aws/config")


def is_about_credentials(exc: BotoCoreError) -> bool:
    """Return whether there are no usable credentials."""
    return any(name in _CREDENTIALS for name in _names(exc))


def described(exc: BotoCoreError) -> tuple[str, str]:
    """Return the message for an exception, and a hint."""
    known = _CREDENTIALS | _TRANSPORT
    message, hint = next((known[name] for name in _names(exc) if name in known), _OTHER)
    said = message.format(
        name=type(exc).__name__,
        host=_host(exc.kwargs.get("endpoint_url"), "the store"),
        proxy=_host(exc.kwargs.get("proxy_url"), "that is set"),
        profile=exc.kwargs.get("profile"),
        provider=exc.kwargs.get("provider"),
        cred_var=exc.kwargs.get("cred_var"),
    )
    why = _system_says(exc)
    return f"{said}: {why}" if why else said, hint


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
