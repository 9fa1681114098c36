"""Who holds a lease, for the user who waits for it."""

from __future__ import annotations

import getpass
import json
import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone

from clarifai_build.storage.process_identity import UNKNOWN, ProcessIdentity
from clarifai_build.util.small_files import parse_json

_WORDS = ("id", "who", "host", "since", "what")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease: as JSON, the content of the object.

    `process` is that of the holder, so that another on the same machine can look whether it lives;
    `renewals` makes each content another one, and with it each ETag.
    """

    id: str
    who: str
    host: str
    since: str
    what: str
    process: ProcessIdentity = UNKNOWN
    renewals: int = field(default=0, compare=False)

    @classmethod
    def here(cls, what: str, environ: Mapping[str, str] = os.environ) -> Holder:
        """Describe this process; `what` it does, for the user who finds the lease."""
        # GitHub Actions, then GitLab CI: containers there have host names that say nothing.
        job = environ.get("GITHUB_RUN_ID") or environ.get("CI_JOB_ID") or ""
        return cls(
            id=uuid.uuid4().hex,
            who=user(environ) + (f" (job {job})" if job else ""),
            host=f"{socket.gethostname()}:{os.getpid()}",
            since=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            what=what,
            process=ProcessIdentity.own(),
        )

    @classmethod
    def of(cls, body: bytes) -> Holder:
        """Read what a lease object says; the holder is unknown where it can't be read."""
        try:
            said = dict(parse_json(body))
            id_, who, host, since, what = (str(said[name]) for name in _WORDS)
            return cls(id_, who, host, since, what, _process(said.get("process")))
        except (ValueError, TypeError, KeyError):
            return cls("", "someone unknown", "an unknown host", "an unknown time", "something")

    def __str__(self) -> str:
        return f"{self.who} on {self.host}, since {self.since} ({self.what})"

    def body(self) -> bytes:
        """Return the content of the object."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def _process(said: object) -> ProcessIdentity:
    """Read which process holds a lease; earlier releases did not say."""
    if not isinstance(said, dict):
        return UNKNOWN
    machine, pid, started = (said.get(name) for name in ("machine", "pid", "started"))
    if not isinstance(machine, str) or type(pid) is not int or type(started) is not int:
        return UNKNOWN
    # 0 and below stand for groups of processes.
    return ProcessIdentity(machine, pid, started) if 0 < pid < 1 << 31 else UNKNOWN


def user(environ: Mapping[str, str] = os.environ) -> str:
    """Return who is at work: the person behind a CI job, or else the account."""
    person = environ.get("GITHUB_ACTOR") or environ.get("GITLAB_USER_LOGIN")
    if person:
        return person
    try:
        return getpass.getuser()
    # A user id without an entry in /etc/passwd, as in many containers.
    except (KeyError, OSError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
