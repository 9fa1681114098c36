"""Who speaks to the platform: user, app, address and token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clarifai_build.manifest import Clarifai
from clarifai_build.problem import NotAuthorisedError, Problem

DEFAULT_API = "https://api.clarifai.com"


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
        """Fill what the manifest leaves open from the environment.

        Raises NotAuthorisedError naming everything that is missing.
        """
        user_id = clarifai.user_id or environ.get("CLARIFAI_USER_ID", "")
        app_id = clarifai.app_id or environ.get("CLARIFAI_APP_ID", "")
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
        return cls(
            user_id=user_id,
            app_id=app_id,
            api_base=clarifai.api_base or environ.get("CLARIFAI_API_BASE") or DEFAULT_API,
            metadata=metadata,
            root_certificates=environ.get("CLARIFAI_ROOT_CERTIFICATES_PATH"),
        )


def _token(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if pat := environ.get("CLARIFAI_PAT", "").strip():
        return (("authorization", f"Key {pat}"),)
    if session := environ.get("CLARIFAI_SESSION_TOKEN", "").strip():
        return (("x-clarifai-session-token", session),)
    return ()
