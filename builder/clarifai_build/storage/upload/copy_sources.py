"""Objects at the store whose bytes are known, and which of their ranges make up a new zip. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from clarifai_build.artifact.artifact import Artifact

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Storage

LEAST_PART = 5 << 20
"""Bytes that S3 wants in every part but the last, sent or copied."""

ONE_REQUEST = 16 << 20
"""Bytes up to which a zip is sent at once, from memory: in parts, it takes two requests more."""

EVEN_PARTS = ".r2.cloudflarestorage.com"
"""How the address of a store ends that refuses parts of different sizes: Cloudflare R2's."""


class Extent(NamedTuple):
    """A range of an object, and what lies there: the bytes themselves, or the SHA-256 of a file."""

    offset: int
    length: int
    identity: bytes | str


class CopySource(NamedTuple):
    """An object that can be copied from as long as it has this ETag, and what lies in it."""

    bucket: str
    key: str
    etag: str
    extents: tuple[Extent, ...]

    @classmethod
    def of_zip(cls, bucket: str, key: str, etag: str, artifact: Artifact) -> CopySource:
        """Describe a published zip; of `artifact` only the layout is asked, no content."""
        return cls(bucket, key, etag.strip('"'), extents_of(artifact))

    @classmethod
    def of_file(cls, bucket: str, key: str, etag: str, sha256: str, size: int) -> CopySource:
        """Describe an object that is one file, a weight for example."""
        return cls(bucket, key, etag.strip('"'), (Extent(0, size, sha256),))


class Run(NamedTuple):
    """A range of the new zip; with a `source`, its bytes lie there from `start`."""

    offset: int
    length: int
    source: CopySource | None = None
    start: int = 0


class Reuse(NamedTuple):
    """How many bytes of a zip the store has, and how many have to be sent."""

    size: int
    reused: int

    @property
    def to_send(self) -> int:
        return self.size - self.reused


def extents_of(artifact: Artifact) -> tuple[Extent, ...]:
    """Return what lies where in a zip; nothing of one with compressed files, which are not known
    by their SHA-256, nor of a tar.gz, in which no file lies in one piece."""
    return tuple(_extents(artifact)) if artifact.encoder is None else ()


def reuse_of(artifact: Artifact, sources: Sequence[CopySource]) -> Reuse:
    """Return how much of a zip would be copied from these objects, if the store can."""
    if artifact.size <= ONE_REQUEST or not _is_laid_out(artifact):
        return Reuse(artifact.size, 0)
    runs = plan_runs(artifact, sources)
    return Reuse(artifact.size, sum(run.length for run in runs if run.source))


def covers(artifact: Artifact, sources: Sequence[CopySource]) -> bool:
    """Return whether all that an artifact lacks lies in these objects."""
    there = {extent[1:] for source in sources for extent in source.extents}
    lacking = ((entry.size, entry.sha256) for entry in artifact.missing if entry.size)
    return _is_laid_out(artifact) and all(one in there for one in lacking)


def may_copy(storage: Storage) -> bool:
    """Return whether a store can be expected to copy parts, and to prove them."""
    host = urlsplit(storage.endpoint_url or "").hostname or ""
    return storage.checksums == "auto" and not host.endswith(EVEN_PARTS)


def plan_runs(
    artifact: Artifact,
    sources: Sequence[CopySource],
    least: int = LEAST_PART,
    most_runs: int = 5_000,
) -> list[Run]:
    """Cover a zip, in order, with runs to copy and runs to send, each fit to be a part or several.

    All but the last have `least` bytes: where less is new, some of what lies around it is sent,
    too. Of more than `most_runs`, the shorter are not worth a part of their own.
    """
    found = _find(extents_of(artifact), sources) or [Run(0, artifact.size)]
    worth = least
    while len(runs := _fit(found, least, worth)) > most_runs:
        worth *= 2
    return runs


def _is_laid_out(artifact: Artifact) -> bool:
    """Return whether all but content is known of a zip: without content, that takes CRC-32s."""
    return not artifact.missing or (artifact.has_sums and artifact.encoder is None)


def _extents(artifact: Artifact) -> Iterator[Extent]:
    segments = iter(artifact.segments)
    for entry in artifact.tree.entries:
        header = next(segments)
        assert isinstance(header.source, bytes)
        yield Extent(header.offset, header.length, header.source)
        # What is empty has no segment.
        if entry.size:
            yield Extent(next(segments).offset, entry.size, entry.sha256)
    directory = next(segments)
    assert isinstance(directory.source, bytes)
    yield Extent(directory.offset, directory.length, directory.source)


def _find(extents: Sequence[Extent], sources: Sequence[CopySource]) -> list[Run]:
    """Return the runs that are equal, byte for byte, in the zip and in a source, and those between.

    Each is the longest that begins where it does.
    """
    places = [(source, _places(source)) for source in sources]
    runs: list[Run] = []
    at = 0
    while at < len(extents):
        best, count = Run(*extents[at][:2]), 1
        for source, known in places:
            first = known.get(extents[at].identity)
            if first is None:
                continue
            same = _common(extents, at, source.extents, first)
            end = extents[at + same - 1]
            length = end.offset + end.length - best.offset
            if same and (best.source is None or length > best.length):
                best = Run(best.offset, length, source, source.extents[first].offset)
                count = same
        runs.append(best)
        at += count
    return runs


def _places(source: CopySource) -> dict[bytes | str, int]:
    """Return where each content is found in a source; of several places, the first."""
    places: dict[bytes | str, int] = {}
    for index, extent in enumerate(source.extents):
        places.setdefault(extent.identity, index)
    return places


def _common(new: Sequence[Extent], at: int, old: Sequence[Extent], first: int) -> int:
    """Return how many extents are equal, from one of the zip and one of a source on."""
    count = 0
    while (
        at + count < len(new)
        and first + count < len(old)
        and new[at + count][1:] == old[first + count][1:]
    ):
        count += 1
    return count


def _fit(runs: Sequence[Run], least: int, worth: int) -> list[Run]:
    """Join and move the runs until each but the last has `least` bytes; copies have `worth`."""
    fitting: list[Run] = []
    waiting = deque(runs)
    while waiting:
        run = waiting.popleft()
        if run.source and run.length < worth and (waiting or fitting):
            run = _sent(run)
        if not run.source and fitting and not fitting[-1].source:
            run = _joined(fitting.pop(), run)
        if run.source or run.length >= least or not waiting:
            fitting.append(run)
        elif waiting[0].source and waiting[0].length >= worth:
            _lengthen(run, fitting, waiting, least)
        else:
            waiting.appendleft(_joined(run, waiting.popleft()))
    return fitting


def _lengthen(run: Run, before: list[Run], waiting: deque[Run], least: int) -> None:
    """Give a short run what its neighbours can spare, or else the shorter of them."""
    after, need = waiting.popleft(), least - run.length
    spare_before = before[-1].length - least if before else 0
    behind = min(need, after.length - least)
    ahead = need - behind
    if ahead <= spare_before:
        if ahead:
            before[-1] = before[-1]._replace(length=before[-1].length - ahead)
        waiting.appendleft(_without_start(after, behind))
        waiting.appendleft(Run(run.offset - ahead, least))
    elif before and before[-1].length < after.length:
        waiting.appendleft(after)
        waiting.appendleft(_joined(before.pop(), run))
    else:
        waiting.appendleft(_joined(run, after))


def _sent(run: Run) -> Run:
    return Run(run.offset, run.length)


def _joined(first: Run, second: Run) -> Run:
    return Run(first.offset, first.length + second.length)


def _without_start(run: Run, length: int) -> Run:
    return run._replace(
        offset=run.offset + length, length=run.length - length, start=run.start + length
    )
