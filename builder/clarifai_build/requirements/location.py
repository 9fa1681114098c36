"""Where a requirement comes from when that is no index: addresses and paths, as pip tells them."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

_SCHEME = re.compile(r"(?:(?P<vcs>git|hg|svn|bzr)\+)?(?P<scheme>[a-z][a-z0-9.-]+):", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "file", "ftp"})
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz",
             ".tlz", ".tar.lz", ".tar.lzma")  # fmt: skip
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
# A wheel's name ends in -PYTHON-ABI-PLATFORM.whl; models are served on 64-bit Intel or AMD Linux.
_WHEEL = re.compile(r"[^/-]+-[^/-]+(?:-\d[^/-]*)?-[^/-]+-[^/-]+-(?P<platforms>[^/-]+)\.whl")
_SERVED = re.compile(r"any|(?:manylinux\w*|linux)_x86_64")


class Location(NamedTuple):
    """An address or a path; `name` is what it is to be installed as, where that is written."""

    text: str
    name: str = ""

    @property
    def is_path(self) -> bool:
        return _address(self.text) is None

    @property
    def is_local(self) -> bool:
        """Whether only the machine that it was written on has it."""
        found = _address(self.text)
        return found is None or found["scheme"].lower() == "file"

    @property
    def needs_ssh_key(self) -> bool:
        found = _address(self.text)
        return found is not None and found["scheme"].lower() in ("ssh", "scp")

    @property
    def has_credentials(self) -> bool:
        """Whether a user stands in the address, other than the one that Git's servers ask for."""
        try:
            parts = urlsplit(self.text)
            return bool(parts.password) or parts.username not in (None, "", "git")
        except ValueError:
            return True

    @property
    def is_loopback(self) -> bool:
        return not self.is_path and is_loopback(self.text)

    @property
    def foreign_platform(self) -> str:
        """The platform of a wheel that can't be installed where models are served."""
        found = _WHEEL.search(self.text.split("#")[0].split("?")[0])
        if found is None or any(map(_SERVED.fullmatch, found["platforms"].split("."))):
            return ""
        return found["platforms"]


def location_of(requirement: str) -> Location | None:
    """Return where a requirement lies; None for one that is looked for by its name."""
    text, _ = split_marker(requirement)
    if _address(text):
        return Location(text)
    name, at, place = (part.strip() for part in text.partition("@"))
    if at and name and not _is_path(name):
        return Location(place, name)
    # As pip: what may follow a path in brackets are extras.
    bare = re.sub(r"\[[^\]]*\]$", "", text)
    return Location(bare) if _is_path(bare) else None


def split_marker(requirement: str) -> tuple[str, str]:
    """Divide a requirement into itself and its marker; in an address a ';' alone begins none."""
    text, _, marker = requirement.partition("; " if _address(requirement) else ";")
    return text.strip(), marker.strip()


def is_loopback(address: str) -> bool:
    """Return whether an address is one of the machine that it was written on."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


def is_local(place: str) -> bool:
    """Return whether an index or a place for `--find-links` is a path."""
    return Location(place).is_local


def _address(text: str) -> re.Match[str] | None:
    found = _SCHEME.match(text)
    known = found and (found["vcs"] or found["scheme"].lower() in _SCHEMES)
    return found if known else None


def _is_path(text: str) -> bool:
    return (
        text.startswith((".", "~"))
        or "/" in text
        or "\\" in text
        or _DRIVE.match(text) is not None
        or text.lower().endswith(_ARCHIVES)
    )
