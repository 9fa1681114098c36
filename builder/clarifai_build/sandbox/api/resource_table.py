"""Protos of one kind in the API's database, by their id below a parent."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from clarifai_build.sandbox.api.database import Database

Proto = TypeVar("Proto")


class ResourceTable(Generic[Proto]):
    """What is stored of one kind; a kind without parents has the empty one."""

    def __init__(self, database: Database, proto: type[Proto]) -> None:
        self._database = database
        self._proto: Any = proto
        self._kind = proto.__name__

    def put(self, item_id: str, proto: Any, parent: str = "") -> None:
        """Store a proto, or another in its place."""
        self._database.run(
            "INSERT INTO resources (kind, parent, id, proto) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, parent, id) DO UPDATE SET proto = excluded.proto",
            (self._kind, parent, item_id, proto.SerializeToString()),
        )

    def get(self, item_id: str, parent: str = "") -> Proto | None:
        """Return a proto, or None."""
        rows = self._database.run(
            "SELECT proto FROM resources WHERE kind = ? AND parent = ? AND id = ?",
            (self._kind, parent, item_id),
        )
        return self._read(rows[0]) if rows else None

    def all(self, parent: str | None = None) -> list[Proto]:
        """Return those of one parent, or of all for None; the newest first."""
        rows = self._database.run(
            "SELECT proto FROM resources WHERE kind = ? AND (? IS NULL OR parent = ?)"
            " ORDER BY number DESC",
            (self._kind, parent, parent),
        )
        return [self._read(row) for row in rows]

    def delete(self, item_id: str, parent: str = "") -> None:
        self._database.run(
            "DELETE FROM resources WHERE kind = ? AND parent = ? AND id = ?",
            (self._kind, parent, item_id),
        )

    def _read(self, row: tuple[Any, ...]) -> Proto:
        found: Proto = self._proto.FromString(row[0])
        return found
