"""What the digests of unchanged files were, so that a file is read once.

A digest holds while size, mtime, ctime and inode do. As in Git, a file that was written in the
moment in which it was read may change again without any of them changing, so it is not kept.
The cache may be lost at any time: what can't be read or written counts as empty.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, TypeVar

from clarifai_build import digests
from clarifai_build.digests import Digest, Inspect, unsuspicious
from clarifai_build.problem import ArtifactError, Problem
from clarifai_build.progress import Listener, silent
from clarifai_build.walk import Found, Stamp

T = TypeVar("T")
_Row = tuple[bytes, bytes, bytes, bytes, bytes]

_SECOND_NS = 1_000_000_000
_SETTLED_NS = _SECOND_NS // 10
_COARSE_SETTLED_NS = 2 * _SECOND_NS
_EARLIEST_NS = -(1 << 63)
_BUSY_SECONDS = 0.5
_SCHEMA = """
create table if not exists tree (
  tree text primary key, paths blob, stamps blob, sha256s blob, firsts blob, chunks blob
) without rowid;
create table if not exists zip (tree text primary key, sha256 text) without rowid;
"""
# One row a tree: to step through thousands of rows takes SQLite longer than the files' `stat`.
_FIND = "select paths, stamps, sha256s, firsts, chunks from tree where tree = ?"
_PUT = "insert or replace into tree values (?, ?, ?, ?, ?, ?)"
_STAMP = struct.Struct("<qqqQ")


class _Kept(NamedTuple):
    """The digests of a tree's files, as columns; `firsts` says where a file's `chunks` begin."""

    places: Mapping[str, int]
    stamps: Sequence[tuple[int, ...]]
    sha256s: str
    firsts: Sequence[int]
    chunks: tuple[int, ...]

    @classmethod
    def of(cls, row: _Row) -> _Kept:
        """Read a row; what can't be read, or does not fit together, holds nothing."""
        try:
            paths, stamps, sha256s, firsts, chunks = row
            names = os.fsdecode(paths).split("\0")
            kept = cls(
                {name: place for place, name in enumerate(names)},
                list(_STAMP.iter_unpack(stamps)),
                sha256s.hex(),
                _integers(firsts),
                _integers(chunks),
            )
        except (TypeError, AttributeError, struct.error):
            return _NOTHING
        count = len(names)
        fits = len(kept.stamps) == count and len(sha256s) == 32 * count
        fits &= len(kept.firsts) == count + 1 and kept.firsts[-1] == len(kept.chunks)
        return kept if fits else _NOTHING

    def digest(self, place: int) -> Digest:
        return Digest(
            self.sha256s[64 * place : 64 * place + 64],
            self.chunks[self.firsts[place] : self.firsts[place + 1]],
        )


_NOTHING = _Kept({}, (), "", (), ())


class DigestCache(NamedTuple):
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
            unread = list({file.file: file for file in files}.values())
        if unread:
            now = time.time_ns()
            read = digests.of_files(unread, listen, inspect)
            fresh = {file.file: digest for file, digest in zip(unread, read, strict=True)}
            self.keep(tree, files, known | fresh, now)
            if self.verify:
                _refuse_stale(known, fresh)
            known.update(fresh)
        return known

    def look_up(self, tree: str, files: Sequence[Found]) -> tuple[dict[str, Digest], list[Found]]:
        """Return the digests that still hold, and the files that have to be read, each once."""
        key = _text(tree)
        row: _Row | None = self._run(lambda db: db.execute(_FIND, (key,)).fetchone(), None)
        kept = _Kept.of(row) if row else _NOTHING
        places, stamps = kept.places, kept.stamps
        known: dict[str, Digest] = {}
        unread: dict[str, Found] = {}
        for file in files:
            place = places.get(file.file)
            if place is not None and stamps[place] == file.stamp:
                known[file.file] = kept.digest(place)
            elif file.file not in known:
                unread[file.file] = file
        return known, list(unread.values())

    def keep(
        self, tree: str, files: Iterable[Found], known: Mapping[str, Digest], read_at: int
    ) -> None:
        """Keep the digests of a tree's files, as far as they may be.

        Those that were not known before were read after `read_at`.
        """
        row = _row({f.file: f.stamp for f in files if _is_settled(f.stamp, read_at)}, known)
        self._run(lambda db: db.execute(_PUT, (_text(tree), *row)), None)

    def zip_sha256(self, tree_digest: str) -> str | None:
        """Return the SHA-256 of the zip of a tree, where it was made before."""
        return None if self.verify else self._zip_sha256(tree_digest)

    def keep_zip_sha256(self, tree_digest: str, sha256: str) -> None:
        """Remember the SHA-256 of the zip of a tree; with `verify`, another one is refused."""
        kept = self._zip_sha256(tree_digest) if self.verify else None
        statement = "insert or replace into zip values (?, ?)"
        self._run(lambda db: db.execute(statement, (tree_digest, sha256)), None)
        if kept not in (None, sha256):
            raise ArtifactError(_stale(f"the zip of tree {tree_digest}"))

    def _zip_sha256(self, tree_digest: str) -> str | None:
        query = "select sha256 from zip where tree = ?"
        row = self._run(lambda db: db.execute(query, (tree_digest,)).fetchone(), None)
        return str(row[0]) if row else None

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
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            return otherwise


NO_CACHE = DigestCache()


def _is_settled(stamp: Stamp, now: int) -> bool:
    """Tell whether a later write to the file would have changed its times, as we keep them."""
    coarse = stamp.mtime_ns % _SECOND_NS == 0
    margin = _COARSE_SETTLED_NS if coarse else _SETTLED_NS
    can_be_kept = stamp.mtime_ns >= _EARLIEST_NS
    return can_be_kept and max(stamp.mtime_ns, stamp.ctime_ns) + margin < now


def _refuse_stale(known: Mapping[str, Digest], fresh: Mapping[str, Digest]) -> None:
    stale = [_stale(path) for path, digest in known.items() if fresh[path] != digest]
    if stale:
        raise ArtifactError(*stale)


def _stale(what: str) -> Problem:
    return Problem(
        "cache-stale",
        f"the cache held a digest of {what} that is not that of its content",
        hint="the cache is mended; what was built from it since is worth building again",
    )


def _row(stamps: Mapping[str, Stamp], known: Mapping[str, Digest]) -> _Row:
    found = [known[file] for file in stamps]
    chunks = [chunk for digest in found for chunk in digest.chunks]
    firsts = [0, *accumulate(len(digest.chunks) for digest in found)]
    return (
        os.fsencode("\0".join(stamps)),
        b"".join(_STAMP.pack(*stamp) for stamp in stamps.values()),
        bytes.fromhex("".join(digest.sha256 for digest in found)),
        struct.pack(f"<{len(firsts)}I", *firsts),
        struct.pack(f"<{len(chunks)}I", *chunks),
    )


def _text(name: str) -> str:
    """Return a name as SQLite takes it: that of a path may hold bytes that are no UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _integers(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 4}I", packed)
