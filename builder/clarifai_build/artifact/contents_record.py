"""What a published zip holds, as a record that lies beside it: its tree, and its CRC-32s.

The record proves itself: the digest of its files has to be that under which the zip lies. Only the
CRC-32s and the ETag are the store's word, and what is made by wrong ones is refused by the store.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, Protocol

from clarifai_build.artifact.absent import Absent, absence
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests.known import format_chunks, parse_content
from clarifai_build.errors import ArtifactError, BuilderError
from clarifai_build.source.build_records import MAX_BYTES
from clarifai_build.util.small_files import MIB, parse_json
from clarifai_build.util.text import short

FORMAT = 1
"""Raised when a tool that knows the form before would misread this one, and ignores it."""

_CRC32 = re.compile(r"[0-9a-f]{8}")
_MODES = (0o644, 0o755)


class Stored(Protocol):
    """What a store says of the object: its size in bytes, and its ETag."""

    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...


class ContentsRecord(NamedTuple):
    """What a zip holds: its tree, whose contents are all absent.

    `size` is the zip's in bytes, `crc32` that of the whole as eight hex digits, `etag` the store's;
    none of the three is proven. With an `encoder`, the files lie in the zip compressed; without
    one, `Artifact(tree).segments` says where each lies.
    """

    tree: FileTree
    size: int
    crc32: str
    etag: str
    encoder: str | None


def format_record(artifact: Artifact, stored: Stored) -> bytes:
    """Return the record of an artifact that lies in a store, as JSON without spaces.

    Raises SourceError where the CRC-32s of an absent content are not known.
    """
    size = artifact.size
    record = {
        "format": FORMAT,
        "artifact_digest": artifact.digest,
        "size": stored.size,
        "crc32": f"{artifact.crc32(0, size):08x}",
        "etag": stored.etag,
        "encoder": artifact.encoder,
        "files": [
            [entry.path, entry.mode, entry.size, entry.sha256, format_chunks(entry.chunks)]
            for entry in artifact.tree.entries
        ],
    }
    return json.dumps(record, separators=(",", ":")).encode()


def parse_record(body: bytes, artifact_digest: str) -> ContentsRecord:
    """Read a record; raises ArtifactError unless it is whole, and that of this artifact."""
    if len(body) > MAX_BYTES:
        raise _unusable(artifact_digest, f"it is larger than {MAX_BYTES // MIB} MiB")
    try:
        record = _record(parse_json(body))
    except (ValueError, KeyError, TypeError, BuilderError) as error:
        why = str(error) if isinstance(error, ValueError) else "it is not such a record"
        raise _unusable(artifact_digest, why) from error
    found = Artifact(record.tree, encoder=record.encoder).digest
    if found != artifact_digest:
        raise _unusable(artifact_digest, f"its files are those of {short(found)}")
    return record


def _record(value: Any) -> ContentsRecord:
    if value["format"] != FORMAT:
        raise ValueError(f"it has format {str(value['format'])[:20]}")
    size, crc32, etag, encoder = (value[name] for name in ("size", "crc32", "etag", "encoder"))
    if type(size) is not int or size < 0:
        raise ValueError("its size is not a number of bytes")
    if not isinstance(crc32, str) or not _CRC32.fullmatch(crc32):
        raise ValueError("its CRC-32 is not eight hex digits")
    if not (_is_word(etag) and (encoder is None or _is_word(encoder))):
        raise ValueError("its ETag or its encoder is not text")
    # Names are looked at as those of a build: a line end in one would be a line of the tree.
    tree = FileTree.of([_entry(*file) for file in value["files"]])
    return ContentsRecord(tree, size, crc32, etag, encoder)


def _is_word(value: object) -> bool:
    """Return whether a value is text that a header may hold."""
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _entry(path: Any, mode: Any, size: Any, sha256: Any, chunks: Any) -> Entry:
    if not isinstance(path, str) or type(mode) is not int or mode not in _MODES:
        raise ValueError("it holds a path or a mode that no artifact has")
    known = parse_content(sha256, size, chunks)
    problem = absence(path, f"{path} is not on this machine, only in the bucket")
    absent = Absent(known.sha256, known.size, problem)
    return Entry(path, mode, known.size, known.sha256, known.chunks, absent)


def _unusable(artifact_digest: str, why: str) -> ArtifactError:
    return ArtifactError.of(
        "contents-unusable",
        f"the record of what artifact {short(artifact_digest)} holds can't be used: {why}",
        hint="it is ignored, and the next apply that publishes this artifact writes it anew",
    )
