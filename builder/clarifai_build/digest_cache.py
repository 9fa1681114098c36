"""What the digests of unchanged files were, so that a file is read once.

A digest holds while size, mtime, ctime and inode do. As in Git, a file that was written in the
moment in which it was read may change again without any of them changing, so it is not kept.
The cache may be lost at any time: what can't be read or written counts as empty.
"""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from clarifai_build import digests
from clarifai_build.digests import Digest, Inspect, unsuspicious
from clarifai_build.problem import ArtifactError, Problem
from clarifai_build.progress import Listener, silent
from clarifai_build.walk import Found, Stamp

T = TypeVar("T")
_Row = tuple[str, int, int, int, int, str, int | bytes]

_SECOND_NS = 1_000_000_000
_SETTLED_NS = _SECOND_NS // 10
_COARSE_SETTLED_NS = 2 * _SECOND_NS
_BUSY_SECONDS = 5.0
_SCHEMA = """
create table if not exists file (
  tree text, path text, size integer, mtime integer, ctime integer, inode integer,
  sha256 text, chunks, primary key (tree, path)) without rowid;
create table if not exists zip (tree text primary key, sha256 text) without rowid;
"""
_FIND = "select path, size, mtime, ctime, inode, sha256, chunks from file where tree = ?"
_PUT = "insert or replace into file values (?, ?, ?, ?, ?, ?, ?, ?)"
_DROP = "delete from file where tree = ? and path = ?"


@dataclass(frozen=True, slots=True)
class DigestCache:
    """A SQLite file, or nothing where `path` is None. `verify` reads every file all the same."""

    path: Path | None = None
    verify: bool = False

    def of_files(
        self,
        tree: str,
        files: Sequence[Found],
        listen: Listener = silent,
        inspect: Inspect = unsuspicious,
    ) -> dict[str, Digest]:
        """Digest files, by where they lie; those that `tree` has not changed since are not read."""
        known, unread = self.look_up(tree, files)
        if self.verify:
            unread = list(files)
        if unread:
            now = time.time_ns()
            read = digests.of_files(unread, listen, inspect)
            fresh = {file.file: digest for file, digest in zip(unread, read, strict=True)}
            self.keep(tree, unread, fresh, now)
            if self.verify:
                _refuse_stale(known, fresh)
            known.update(fresh)
        return known

    def look_up(self, tree: str, files: Sequence[Found]) -> tuple[dict[str, Digest], list[Found]]:
        """Return the digests that still hold, and the files that have to be read."""
        rows: dict[str, _Row] = self._run(
            lambda db: {row[0]: row for row in db.execute(_FIND, (tree,))}, {}
        )
        known: dict[str, Digest] = {}
        unread = []
        for file in files:
            row = rows.get(file.file)
            if row is not None and row[1:5] == file.stamp:
                chunks = row[6]
                known[file.file] = Digest(
                    row[5], (chunks,) if isinstance(chunks, int) else _unpack(chunks)
                )
            elif file.file not in known:
                unread.append(file)
        if len(rows) > len(files):
            gone = rows.keys() - {file.file for file in files}
            self._run(lambda db: db.executemany(_DROP, [(tree, path) for path in gone]), None)
        return known, unread

    def keep(
        self, tree: str, files: Sequence[Found], fresh: Mapping[str, Digest], read_at: int
    ) -> None:
        """Keep the digests of files whose reading began at `read_at`, as far as they may be."""
        rows = [
            (tree, f.file, *f.stamp, fresh[f.file].sha256, _pack(fresh[f.file].chunks))
            for f in files
            if _is_settled(f.stamp, read_at)
        ]
        if rows:
            self._run(lambda db: db.executemany(_PUT, rows), None)

    def zip_sha256(self, tree_digest: str) -> str | None:
        """Return the SHA-256 of the zip of a tree, where it was made before."""
        query = "select sha256 from zip where tree = ?"
        row = self._run(lambda db: db.execute(query, (tree_digest,)).fetchone(), None)
        return str(row[0]) if row and not self.verify else None

    def keep_zip_sha256(self, tree_digest: str, sha256: str) -> None:
        """Remember the SHA-256 of the zip of a tree."""
        statement = "insert or replace into zip values (?, ?)"
        self._run(lambda db: db.execute(statement, (tree_digest, sha256)), None)

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do `work` in one transaction; a cache that is busy, broken or out of reach is empty."""
        if self.path is None:
            return otherwise
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database:
                database.executescript(_SCHEMA)
                with database:
                    return work(database)
        except (sqlite3.OperationalError, OSError):
            return otherwise
        except sqlite3.DatabaseError:
            self.path.unlink(missing_ok=True)
            return otherwise


NO_CACHE = DigestCache()


def _is_settled(stamp: Stamp, now: int) -> bool:
    """Tell whether a later write to the file would have changed its times."""
    coarse = stamp.mtime_ns % _SECOND_NS == 0
    margin = _COARSE_SETTLED_NS if coarse else _SETTLED_NS
    return max(stamp.mtime_ns, stamp.ctime_ns) + margin < now


def _refuse_stale(known: Mapping[str, Digest], fresh: Mapping[str, Digest]) -> None:
    stale = [
        Problem(
            "cache-stale",
            f"the cache held a digest of {path} that is not that of its content",
            file=path,
            hint="the cache is mended; what was built from it since is worth building again",
        )
        for path, digest in known.items()
        if fresh[path] != digest
    ]
    if stale:
        raise ArtifactError(*stale)


def _pack(chunks: tuple[int, ...]) -> int | bytes:
    """Most files are one chunk, and a number is the quickest to read back."""
    return chunks[0] if len(chunks) == 1 else struct.pack(f"<{len(chunks)}I", *chunks)


def _unpack(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data)
