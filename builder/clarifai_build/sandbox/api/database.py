"""What the API remembers: apps, models and versions as protos, in SQLite."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf.timestamp_pb2 import Timestamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS apps (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, proto BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS models (
  number INTEGER PRIMARY KEY AUTOINCREMENT, app_id TEXT NOT NULL, id TEXT NOT NULL,
  proto BLOB NOT NULL, UNIQUE (app_id, id));
CREATE TABLE IF NOT EXISTS versions (
  number INTEGER PRIMARY KEY AUTOINCREMENT, app_id TEXT NOT NULL, model_id TEXT NOT NULL,
  id TEXT UNIQUE NOT NULL, code INTEGER NOT NULL, proto BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS resources (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, parent TEXT NOT NULL,
  id TEXT NOT NULL, proto BLOB NOT NULL, UNIQUE (kind, parent, id));
"""


class Database:
    """One connection, shared by the server's threads behind a lock."""

    def __init__(self, path: Path) -> None:
        # gRPC calls on many threads: `_lock` takes turns. Transactions are begun by hand.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as one transaction: all of it or nothing, and no other call in between."""
        with self._lock:
            # Nested: the outer one commits.
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def put_app(self, app: resources_pb2.App) -> None:
        self.run(
            "INSERT INTO apps (id, proto) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET proto = excluded.proto",
            (app.id, app.SerializeToString()),
        )

    def app(self, app_id: str) -> resources_pb2.App | None:
        rows = self.run("SELECT proto FROM apps WHERE id = ?", (app_id,))
        return resources_pb2.App.FromString(rows[0][0]) if rows else None

    def apps(self) -> list[resources_pb2.App]:
        rows = self.run("SELECT proto FROM apps ORDER BY number DESC")
        return [resources_pb2.App.FromString(proto) for (proto,) in rows]

    def delete_app(self, app_id: str) -> None:
        self.run("DELETE FROM apps WHERE id = ?", (app_id,))

    def put_model(self, model: resources_pb2.Model) -> None:
        self.run(
            "INSERT INTO models (app_id, id, proto) VALUES (?, ?, ?)"
            " ON CONFLICT (app_id, id) DO UPDATE SET proto = excluded.proto",
            (model.app_id, model.id, model.SerializeToString()),
        )

    def model(self, app_id: str, model_id: str) -> resources_pb2.Model | None:
        rows = self.run("SELECT proto FROM models WHERE app_id = ? AND id = ?", (app_id, model_id))
        return resources_pb2.Model.FromString(rows[0][0]) if rows else None

    def models(self, app_id: str) -> list[resources_pb2.Model]:
        """Return an app's models, or those of all apps for an empty id; the newest first."""
        rows = self.run(
            "SELECT proto FROM models WHERE ? IN ('', app_id) ORDER BY number DESC", (app_id,)
        )
        return [resources_pb2.Model.FromString(proto) for (proto,) in rows]

    def delete_model(self, app_id: str, model_id: str) -> None:
        self.run("DELETE FROM models WHERE app_id = ? AND id = ?", (app_id, model_id))

    def put_version(self, model_id: str, version: resources_pb2.ModelVersion) -> None:
        self.run(
            "INSERT INTO versions (app_id, model_id, id, code, proto) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET code = excluded.code, proto = excluded.proto",
            (
                version.app_id,
                model_id,
                version.id,
                version.status.code,
                version.SerializeToString(),
            ),
        )

    def version(self, version_id: str) -> tuple[str, resources_pb2.ModelVersion] | None:
        """Return the version and the id of its model."""
        rows = self.run("SELECT model_id, proto FROM versions WHERE id = ?", (version_id,))
        return (rows[0][0], resources_pb2.ModelVersion.FromString(rows[0][1])) if rows else None

    def versions(self, app_id: str, model_id: str) -> list[resources_pb2.ModelVersion]:
        """Return a model's versions, the newest first."""
        rows = self.run(
            "SELECT proto FROM versions WHERE app_id = ? AND model_id = ? ORDER BY number DESC",
            (app_id, model_id),
        )
        return [resources_pb2.ModelVersion.FromString(proto) for (proto,) in rows]

    def version_ids(self, codes: Sequence[int]) -> list[str]:
        """Return the versions that are in one of these states, the oldest first."""
        marks = ",".join("?" * len(codes))
        rows = self.run(
            f"SELECT id FROM versions WHERE code IN ({marks}) ORDER BY number", tuple(codes)
        )
        return [version_id for (version_id,) in rows]

    def delete_version(self, version_id: str) -> None:
        self.run("DELETE FROM versions WHERE id = ?", (version_id,))

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Execute one statement, and return its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp
