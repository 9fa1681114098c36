"""Where a sandbox listens, what it lets in, and the environment that leads there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""What would have boto3 sign in another way than by the keys of the sandbox."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the sandbox listens and what it lets in. Everything is on the loopback interface."""

    state_dir: Path
    s3_endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str
    private_bucket: str
    api_base: str
    user_id: str
    app_id: str
    pat: str = field(repr=False)
    triton: str

    def leading(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which everything leads here."""
        kept = {name: value for name, value in environ.items() if name not in MISLEADING}
        return {**kept, **self.environ()}

    def environ(self) -> dict[str, str]:
        """Return the variables that lead boto3 and the Clarifai clients here."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL_S3": self.s3_endpoint,
            # A `true` of the user's would have boto3 ignore the variable above.
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "CLARIFAI_API_BASE": self.api_base,
            "CLARIFAI_USER_ID": self.user_id,
            "CLARIFAI_APP_ID": self.app_id,
            "CLARIFAI_PAT": self.pat,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """What runs. `state` is running, starting, stopped, failed (to start), or crashed (killed)."""

    state: str
    state_dir: Path
    pid: int | None = None
    message: str = ""
    endpoints: Endpoints | None = None
