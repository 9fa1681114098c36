"""The account at the platform: user, app, address and token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clarifai_build.errors import NotAuthorisedError, Problem
from clarifai_build.manifest import settings
from clarifai_build.manifest.types import Clarifai
from clarifai_build.util.urls import (
    insecure_hint,
    is_insecure,
    is_loopback,
    is_plain,
    origin,
    redact_url,
)

DEFAULT_API = "https://api.clarifai.com"
_OWN_DOMAIN = ".clarifai.com"


@dataclass(frozen=True, slots=True)
class Account:
    """One app of one user, and the right to change it. The token stays out of every repr."""

    user_id: str
    app_id: str
    api_base: str
    metadata: tuple[tuple[str, str], ...] = field(repr=False)
    root_certificates: str | None = None

    @classmethod
    def resolve(cls, clarifai: Clarifai, environ: Mapping[str, str]) -> Account:
        """Fill what the manifest leaves open from the environment, else the official CLI's context.

        Raises NotAuthorisedError naming everything that is missing.
        """
        user_id = clarifai.user_id or _setting("CLARIFAI_USER_ID", environ)
        app_id = clarifai.app_id or _setting("CLARIFAI_APP_ID", environ)
        metadata = _token(environ)
        missing = [
            Problem(
                "credentials-missing",
                f"no Clarifai {what} is known",
                hint=f"{hint}, or try it all locally with --sandbox",
            )
            for what, value, hint in (
                ("user id", user_id, "set CLARIFAI_USER_ID or clarifai.user_id in the manifest"),
                ("app id", app_id, "set CLARIFAI_APP_ID or clarifai.app_id in the manifest"),
                ("token", metadata, "set CLARIFAI_PAT to a personal access token"),
            )
            if not value
        ]
        if missing:
            raise NotAuthorisedError(*missing)
        meant = _setting("CLARIFAI_API_BASE", environ)
        api_base = clarifai.api_base or meant or DEFAULT_API
        # One with a user is refused for that, when it is opened.
        if is_plain(api_base) and is_insecure(api_base, environ):
            raise NotAuthorisedError.of(
                "insecure-address",
                f"the token would go in clear to the API at {redact_url(api_base)}",
                hint=insecure_hint(api_base),
            )
        if is_plain(api_base) and not _may_have_the_token(api_base, meant):
            raise NotAuthorisedError.of(
                "api-base-foreign",
                f"the token would go to {redact_url(api_base)}, which only the manifest names",
                hint=f"set CLARIFAI_API_BASE={redact_url(api_base)} if that is your API; "
                "whoever opens a pull request can change a manifest",
            )
        return cls(
            user_id=user_id,
            app_id=app_id,
            api_base=api_base,
            metadata=metadata,
            root_certificates=_setting("CLARIFAI_ROOT_CERTIFICATES_PATH", environ) or None,
        )


def _may_have_the_token(api_base: str, meant: str) -> bool:
    """Return whether a token goes to this API without anyone's asking, or the environment's."""
    address = api_base if "://" in api_base else f"https://{api_base}"
    scheme, host, _ = place = origin(address)
    # By http:// it is this machine, or one that the environment allowed.
    if scheme == "http" or is_loopback(address) or (is_plain(meant) and place == origin(meant)):
        return True
    return scheme == "https" and host.endswith(_OWN_DOMAIN)


def _token(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if pat := _secret("CLARIFAI_PAT", environ):
        return (("authorization", f"Key {pat}"),)
    if session := _secret("CLARIFAI_SESSION_TOKEN", environ):
        return (("x-clarifai-session-token", session),)
    return ()


def _secret(name: str, environ: Mapping[str, str]) -> str:
    """Return a token, which must be fit for a header."""
    token = _setting(name, environ)
    if token.isascii() and token.isprintable():
        return token
    raise NotAuthorisedError.of(
        "credentials-malformed",
        f"{name} holds characters that no token has",
        hint=f"set {name} anew: what is copied from a page may bring others along",
    )


def _setting(name: str, environ: Mapping[str, str]) -> str:
    found = settings.setting(name, environ)
    # A value that is pasted or read from a file often ends with a line break.
    return found.value.strip() if found else ""
