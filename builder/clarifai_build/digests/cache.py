"""What the digests of unchanged files were, so that a file is read once.

A digest holds while size, mtime, ctime and inode do. As in Git, a file that was written in the
moment in which it was read may change again without any of them changing, so it is not kept.
What a scan found in a file holds for the same rules only; by others, small files are read again.
The cache may be lost at any time: what can't be read or written counts as empty.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from clarifai_build.digests.cache_format import FORMAT, DigestColumns
from clarifai_build.digests.files import Digest, FileFacts
from clarifai_build.digests.plan import DigestPlan
from clarifai_build.errors import ArtifactError, Problem
from clarifai_build.source.content_checks import RULES, ContentRules
from clarifai_build.source.source_file import FileStat, SourceFile
from clarifai_build.util.cache_dir import DIGESTS, cache_folder

T = TypeVar("T")

_SECOND_NS = 1_000_000_000
# Linux stamps files by its tick, of at most 10 ms.
_SETTLED_NS = _SECOND_NS // 10
# FAT counts in steps of two seconds, HFS+ and ext3 in seconds.
_COARSE_SETTLED_NS = 2 * _SECOND_NS
# The year 1677: what a signed number of 64 bits, as in `cache_format`, can hold.
_EARLIEST_NS = -(1 << 63)
_LARGEST_INODE = (1 << 64) - 1  # on Windows, there are larger ones
# A transaction takes milliseconds; a process that hangs in one must not stop a build.
_BUSY_SECONDS = 0.5
_SCHEMA = """
create table if not exists kept (
  kind text, name text, value blob, sum blob, primary key (kind, name)
) without rowid;
"""
# One value a tree: to step through thousands of rows takes SQLite longer than the files' `stat`.
_FIND = "select value, sum from kept where kind = ? and name = ?"
_PUT = "insert or replace into kept values (?, ?, ?, ?)"


class DigestCache(NamedTuple):
    """A SQLite file, or nothing where `path` is None. `verify` reads every file nevertheless.

    Files are looked into by `rules` as they are read.
    """

    path: Path | None = None
    verify: bool = False
    rules: ContentRules = RULES

    def of_files(self, tree: str, files: Sequence[SourceFile]) -> FileFacts:
        """Digest and scan files; those that have not changed since `tree` was kept are not read."""
        plan = self.plan(tree, files)
        facts = plan.read()
        self.keep(plan, facts)
        return facts

    def plan(self, tree: str, files: Sequence[SourceFile]) -> DigestPlan:
        """Return what is still known of a tree's files, and those that have to be read."""
        made_at = time.time_ns()
        stamps = {file.file: file.stamp for file in files}
        value = self._get("tree", tree)
        known = FileFacts({}, {})
        if value:
            known = DigestColumns.unpack(value).still_known(stamps, self.rules)
        held = {} if self.verify else known.digests
        unread = {file.file: file for file in files if file.file not in held}
        small = [file for file in unread.values() if file.stamp.size <= self.rules.largest]
        large = [file for file in unread.values() if file.stamp.size > self.rules.largest]
        return DigestPlan(tree, stamps, self.rules, known, small, large, made_at)

    def keep(self, plan: DigestPlan, facts: FileFacts) -> None:
        """Keep what was read by a plan, unless too fresh; with `verify`, refuse differences."""
        if plan.is_done:
            return
        known = facts.digests
        settled = {
            file: stamp
            for file, stamp in plan.stamps.items()
            if file in known and _is_settled(stamp, plan.made_at)
        }
        self._put("tree", plan.tree, DigestColumns.of(settled, facts, plan.rules).pack())
        if self.verify:
            # After the cache is corrected, so that the next build is right.
            _refuse_stale(plan.known.digests, known)

    def zip_sha256(self, tree_digest: str) -> str | None:
        """Return the SHA-256 of the zip of a tree, where it was made before."""
        kept = None if self.verify else self._get("zip", tree_digest)
        return kept.decode() if kept else None

    def keep_zip_sha256(self, tree_digest: str, sha256: str) -> None:
        """Remember the SHA-256 of the zip of a tree; with `verify`, another one is refused."""
        kept = self._get("zip", tree_digest) if self.verify else None
        self._put("zip", tree_digest, sha256.encode())
        if kept not in (None, sha256.encode()):
            raise ArtifactError(_stale(f"the zip of tree {tree_digest}"))

    def _get(self, kind: str, name: str) -> bytes | None:
        """Return a value that is still the one that was put; a damaged file may hold others."""
        key = (kind, _text(name))
        found = self._run(lambda db: db.execute(_FIND, key).fetchone(), None)
        value, checksum = found or (None, None)
        is_whole = isinstance(value, bytes) and checksum == _checksum(*key, value)
        return value if is_whole else None

    def _put(self, kind: str, name: str, value: bytes) -> None:
        row = (kind, _text(name), value, _checksum(kind, _text(name), value))
        self._run(lambda db: db.execute(_PUT, row), None)

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
        # Damaged. OperationalError, a subclass for what may pass, is caught above.
        except sqlite3.DatabaseError:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            return otherwise


NO_CACHE = DigestCache()


def digests_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the digests of files are kept."""
    return cache_folder(environ) / DIGESTS.format(FORMAT)


def _is_settled(stamp: FileStat, now: int) -> bool:
    """Return whether a later write to the file would have changed the timestamps that are kept."""
    # A whole second is hardly a coincidence: such a file system counts in seconds.
    coarse = stamp.mtime_ns % _SECOND_NS == 0
    margin = _COARSE_SETTLED_NS if coarse else _SETTLED_NS
    can_be_kept = stamp.mtime_ns >= _EARLIEST_NS and stamp.inode <= _LARGEST_INODE
    return can_be_kept and max(stamp.mtime_ns, stamp.ctime_ns) + margin < now


def _refuse_stale(known: Mapping[str, Digest], fresh: Mapping[str, Digest]) -> None:
    stale = [_stale(path) for path, digest in known.items() if fresh.get(path, digest) != digest]
    if stale:
        raise ArtifactError(*stale)


def _stale(what: str) -> Problem:
    return Problem(
        "cache-stale",
        f"the cache held a digest of {what} that is not that of its content",
        hint="the cache entry was corrected; rebuild anything built since",
    )


def _checksum(kind: str, name: str, value: bytes) -> bytes:
    checksum = hashlib.sha256(f"{kind}\0{name}\0".encode())
    checksum.update(value)
    return checksum.digest()


def _text(name: str) -> str:
    """Return a name as SQLite takes it: that of a path may hold bytes that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
