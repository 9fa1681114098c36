"""What the tool records in the metadata of a version it registers, and reads back: its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

METADATA_KEY = "clarifai_build"
"""The key in a version's metadata under which everything the tool records stands."""

FORMAT = 1
"""Raised when a tool that knows the form before would misread this one."""

_EXACT = 2**53
"""Up to here a Struct, whose numbers are doubles, holds every integer exactly."""


@dataclass(frozen=True, slots=True)
class VersionMetadata:
    """What is recorded of a version. None means not recorded; an empty text is a value.

    `tool` and `template` are the versions of what built the artifact, `commit` and `dirty` the Git
    checkout it was built from, `sha256` and `crc32` the zip's, `provenance` and `sbom` the SHA-256
    of those records. `by` says who applied it, `apply` is the id of that apply, `revision` counts
    the model's versions from 1, and `rollback_of` is the label of the version gone back to.
    `canary` says what came of the one request that a ready version is asked: empty where it
    answered, else why it did not. `target` is recorded of others than Triton.

    `unknown` holds the keys that this tool has no field for. They are kept and written back, since
    an update writes the whole value: it would else lose what a newer tool has recorded.
    """

    artifact_digest: str | None = None
    registration_digest: str | None = None
    size: int | None = None
    crc32: str | None = None
    sha256: str | None = None
    provenance: str | None = None
    sbom: str | None = None
    project: str | None = None
    tool: str | None = None
    template: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    by: str | None = None
    revision: int | None = None
    apply: str | None = None
    rollback_of: str | None = None
    canary: str | None = None
    target: str | None = None
    format: int | None = FORMAT
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_struct(cls, value: object) -> VersionMetadata | None:
        """Read what stands under METADATA_KEY, which anyone may have written; never raises.

        None where it is not an object, or an empty one. A value of another type than its field's
        is not recorded, and is not written back either.
        """
        if not isinstance(value, Mapping) or not value:
            return None
        known: dict[str, Any] = {name: read(value.get(name)) for name, read in _READERS.items()}
        unknown = {name: item for name, item in value.items() if name not in _READERS}
        return cls(**known, unknown=unknown)

    def to_struct(self) -> dict[str, Any]:
        """Return what is written under METADATA_KEY: all that is recorded."""
        recorded = {name: getattr(self, name) for name in _READERS}
        return {
            **self.unknown,
            **{name: value for name, value in recorded.items() if value is not None},
        }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    """Read a whole number, which comes back from a Struct as a float."""
    # A bool is an int to Python; True is no count.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= _EXACT and value == int(value) else None


_READ: dict[Any, Callable[[object], object]] = {
    "str | None": _text,
    "bool | None": _flag,
    "int | None": _count,
}
_READERS = {one.name: _READ[one.type] for one in fields(VersionMetadata) if one.name != "unknown"}
"""How each field is read, by its type: one that is added is read and written without more."""

NO_METADATA = VersionMetadata(format=None)
"""Of a version that the tool did not register: nothing is recorded. It is written as nothing."""
