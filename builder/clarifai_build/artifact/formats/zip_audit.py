"""A look at every byte of a zip: is what its directory says of it true?

A directory is a claim: a damaged file keeps its entry there. So contents are read and summed, and
what stands around them is compared with what this tool writes for such files, byte for byte.
"""

from __future__ import annotations

from typing import NamedTuple

from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.formats.zip_format import CENTRAL, LOCAL, STORED, Member
from clarifai_build.artifact.formats.zip_reader import (
    Directory,
    PublishedEntry,
    ReadRange,
    Record,
    read_directory,
    read_entry,
    read_header,
)
from clarifai_build.digests import crc32 as crc
from clarifai_build.errors import ArtifactError

# Bytes a read: a published zip is asked for in few requests.
_AHEAD = 8 << 20
# The flag of sizes that follow the content, as streaming tools write them, and how long they are.
_FOLLOWS, _LONGEST_FOLLOWING = 1 << 3, 24
# The type of a file by its Unix mode: none, or a regular one; a folder's name ends in a slash.
_REGULAR, _FOLDER = (0, 0o10), 0o4


class Audit(NamedTuple):
    """What was found: the files with size and CRC-32 of their contents, and what is wrong.

    `packed` are the CRC-32s of the contents as they lie in the zip: compressed bytes may differ,
    and hold the same. `foreign`: another tool wrote the zip, so dates and the like in its records
    say nothing.
    """

    entries: tuple[PublishedEntry, ...]
    packed: tuple[int, ...]
    damage: tuple[str, ...]
    foreign: bool


def audit(read: ReadRange, size: int) -> Audit:
    """Read a zip from its first byte to its last; raises ArtifactError where that is none."""
    directory = read_directory(read, size)
    return _Auditor(read_ahead(read, size), size, directory).run()


class _Auditor:
    def __init__(self, read: ReadRange, size: int, directory: Directory) -> None:
        self.read, self.size, self.directory = read, size, directory
        self.damage: list[str] = []
        self.unlike: list[str] = []
        self.packed: dict[bytes, int] = {}
        self.ours = False
        self.at = self.ends = 0

    def run(self) -> Audit:
        by_place = sorted(self.directory.records, key=lambda record: record.entry.offset)
        measured = {record.name: self.file(record) for record in by_place}
        self.reach(self.directory.start, "the directory")
        self.tail()
        # Where no record at all is as this tool writes it, another one wrote the zip.
        damage = [*self.damage, *(self.unlike if self.ours else ())]
        entries = tuple(measured[record.name] for record in self.directory.records)
        packed = tuple(self.packed.get(record.name, 0) for record in self.directory.records)
        return Audit(entries, packed, tuple(damage), not self.ours)

    def file(self, record: Record) -> PublishedEntry:
        """Check one file, and return it as it is."""
        entry = record.entry
        try:
            header = read_header(self.read, entry)
            follows = self.header(record, header)
            self.reach(entry.offset, entry.path)
            found = self.content(record)
        except ArtifactError as error:
            self.damage.append(error.problems[0].message)
            # Other than what the directory says, whatever that is.
            return entry._replace(crc32=entry.crc32 ^ 0xFFFFFFFF)
        if found != entry:
            self.damage.append(f"{entry.path}: its content does not have the CRC-32 on record")
        self.ends = entry.offset + len(header) + entry.packed
        self.at = self.ends + follows
        return found

    def content(self, record: Record) -> PublishedEntry:
        """Return a file with the size and the CRC-32 of its content, and note that of its bytes."""
        entry, sum_up = record.entry, crc.fastest()
        crc32 = size = packed = 0

        def read(offset: int, length: int) -> bytes:
            nonlocal packed
            block = self.read(offset, length)
            # What begins there is the header; stored bytes are summed below.
            if entry.method != STORED and offset > entry.offset:
                packed = sum_up(block, packed)
            return block

        for block in read_entry(read, entry):
            crc32, size = sum_up(block, crc32), size + len(block)
        self.packed[record.name] = crc32 if entry.method == STORED else packed
        return entry._replace(crc32=crc32, size=size)

    def header(self, record: Record, header: bytes) -> int:
        """Compare the header with the directory; return the bytes that may follow the content."""
        entry = record.entry
        version, flags, method, _, _, crc32, packed, size, length, _ = LOCAL.unpack(
            header[: LOCAL.size]
        )[1:]
        listed = CENTRAL.unpack_from(record.record)
        name = header[LOCAL.size : LOCAL.size + length]
        follows = bool(flags & _FOLLOWS)
        sums = (crc32, packed, size)
        # The wide ones stand in the zip64 field, and are compared as bytes below.
        same = follows or all(
            there in (known, zip_format.LIMIT32)
            for there, known in zip(sums, (entry.crc32, entry.packed, entry.size), strict=True)
        )
        # Readers refuse what needs a later version, or is encrypted.
        if (name, version, flags, method) != (record.name, *listed[2:5]) or not same:
            self.damage.append(f"{entry.path}: its header is not what the directory says")
        self.compare(_local(record), header, f"{entry.path}: its header")
        self.compare(_central(record), record.record, f"{entry.path}: its record in the directory")
        kind = listed[15] >> 28
        if kind not in _REGULAR and not (kind == _FOLDER and name.endswith(b"/")):
            self.damage.append(f"{entry.path}: it is listed as something else than a file")
        return _LONGEST_FOLLOWING if follows else 0

    def compare(self, written: bytes | None, found: bytes, what: str) -> None:
        """Note what is not as this tool writes it."""
        if written == found:
            self.ours = True
        else:
            self.unlike.append(f"{what} is not as clarifai-build writes it")

    def reach(self, offset: int, what: str) -> None:
        """Note bytes that belong to no file, or to two."""
        if offset > self.at:
            self.damage.append(f"{offset - self.at} bytes before {what} belong to no file")
        elif offset < self.ends:
            self.damage.append(f"{what} begins within the file before it")

    def tail(self) -> None:
        start, length = self.directory.start, self.directory.length
        if length != sum(len(record.record) for record in self.directory.records):
            self.damage.append("bytes of the directory belong to no file")
        found = self.read(start + length, self.size - start - length)
        if found != zip_format.end(len(self.directory.records), length, start):
            self.unlike.append("its end is not as clarifai-build writes it")


def _local(record: Record) -> bytes | None:
    member = _member(record)
    return zip_format.local_header(member) if member else None


def _central(record: Record) -> bytes | None:
    member = _member(record)
    return zip_format.central_header(member, record.entry.offset) if member else None


def _member(record: Record) -> Member | None:
    entry = record.entry
    try:
        path = record.name.decode()
    except UnicodeDecodeError:
        return None
    return Member(path, entry.mode, entry.method, entry.crc32, entry.packed, entry.size)


def read_ahead(read: ReadRange, size: int) -> ReadRange:
    """Read in large blocks what is asked for in small pieces, one after the other."""
    kept = (0, b"")

    def ahead(offset: int, length: int) -> bytes:
        nonlocal kept
        start, block = kept
        if not start <= offset <= offset + length <= start + len(block):
            wanted = max(length, min(_AHEAD, size - offset))
            start, block = kept = (offset, read(offset, wanted))
        return block[offset - start : offset - start + length]

    return ahead
