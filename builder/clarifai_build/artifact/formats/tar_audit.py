"""A look at every byte of a tar.gz: does it hold what an artifact may, as this tool writes it?

It may come from anyone. Nothing is written to disk, what is held in memory is bounded, and only
stored blocks are read, so that no small file stands for a large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clarifai_build.artifact.formats import tar_format
from clarifai_build.artifact.formats.tar_format import BLOCK, PAX, REGULAR
from clarifai_build.artifact.formats.zip_audit import Audit, read_ahead
from clarifai_build.artifact.formats.zip_format import STORED
from clarifai_build.artifact.formats.zip_reader import PublishedEntry, ReadRange
from clarifai_build.digests import crc32 as crc
from clarifai_build.errors import ArtifactError
from clarifai_build.source.portable_names import is_portable
from clarifai_build.util.gzip_stored import MAGIC, StoredContent, trailer
from clarifai_build.util.text import printable

# Bytes a read.
_BLOCK = 4 << 20
# Of the records before a header: a path, and a size.
_LONGEST_PAX = 8 << 10
# Names are held in memory, and their number and lengths may be made up.
_MOST_NAMES = 256 << 20
_OTHERS = {
    b"1": "a link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
}


def is_tar_gz(read: ReadRange) -> bool:
    """Return whether what is read is a gzip file, by how it begins."""
    return read(0, len(MAGIC)) == MAGIC


def audit(read: ReadRange, size: int) -> Audit:
    """Read a tar.gz of `size` bytes from its first byte to its last.

    Raises ArtifactError where it is none, or not one in which what lies where can be told.
    """
    try:
        return _Auditor(StoredContent(read_ahead(read, size), size)).run()
    except ValueError as error:
        raise _broken(str(error)) from error


def read_entry(read: ReadRange, size: int, entry: PublishedEntry) -> Iterator[bytes]:
    """Yield the content of a file that an audit found, in blocks of bounded size."""
    try:
        content = StoredContent(read, size)
        for at in range(0, entry.size, _BLOCK):
            yield content.read(entry.offset + at, min(_BLOCK, entry.size - at))
    except ValueError as error:
        raise _broken(str(error)) from error


class _Header(NamedTuple):
    """What stands before a content: the name as it is written, and the bytes themselves."""

    name: bytes
    mode: int
    size: int
    kind: bytes
    data: bytes


class _Auditor:
    def __init__(self, content: StoredContent) -> None:
        self.content = content
        self.damage: list[str] = []
        self.entries: list[PublishedEntry] = []
        self.seen: set[bytes] = set()
        self.before = ""
        self.crc32 = self.at = self.names = 0

    def run(self) -> Audit:
        while (header := self.header()) is not None:
            self.names += BLOCK + len(header.name)
            if self.names > _MOST_NAMES:
                raise ValueError(f"it has more than {_MOST_NAMES >> 20} MiB of headers")
            self.member(header)
        self.end()
        found = tuple(self.entries)
        return Audit(found, tuple(e.crc32 for e in found), tuple(self.damage), foreign=False)

    def member(self, header: _Header) -> None:
        """Check one file, and note it as it is."""
        path = printable(header.name.decode("utf-8", "replace"))
        if self.at + header.size > self.content.size:
            raise ValueError(f"the content of {path} does not lie within it")
        self.name(path, header)
        begins, crc32 = self.at, self.file_crc32(header.size)
        if any(self.take(-header.size % BLOCK)):
            self.damage.append(f"{path}: what follows its content is not empty")
        if header.kind == REGULAR:
            self.entries.append(
                PublishedEntry(path, header.mode, header.size, crc32, begins, header.size, STORED)
            )

    def name(self, path: str, header: _Header) -> None:
        """Note what is wrong with a name, and a header that is not as this tool writes it."""
        if header.kind != REGULAR:
            what = _OTHERS.get(header.kind, "no file")
            self.damage.append(f"{path}: it is {what}, of which an artifact has none")
            return
        if header.name in self.seen:
            # Readers differ in which of the two they take.
            raise ValueError(f"{path} is in it twice")
        if self.seen and path <= self.before:
            self.damage.append(f"{path}: it is not in its place, by name")
        self.seen.add(header.name)
        self.before = path
        parts = header.name.split(b"/")
        if not parts[0] or b".." in parts:
            self.damage.append(f"{path}: it leads out of the folder")
        elif b"" in parts or b"." in parts or not is_portable(path):
            self.damage.append(f"{path!r} is no name of a file in an artifact")
        elif not _is_written(header):
            self.damage.append(f"{path}: its header is not as clarifai-build writes it")

    def header(self) -> _Header | None:
        """Return the next header, with the records before it, or None at the end."""
        block = self.take(BLOCK)
        if block == tar_format.END[:BLOCK]:
            return None
        if _kind(block) != PAX:
            return _header(block, {}, block)
        size = _number(block, 124, 12)
        if size > _LONGEST_PAX:
            raise ValueError(f"the records of a header have {size} bytes")
        records = self.take(size + -size % BLOCK)
        last = self.take(BLOCK)
        return _header(last, _parse_pax(records[:size]), block + records + last)

    def file_crc32(self, size: int) -> int:
        crc32, sum_up = 0, crc.fastest()
        for at in range(0, size, _BLOCK):
            crc32 = sum_up(self.take(min(_BLOCK, size - at)), crc32)
        return crc32

    def take(self, length: int) -> bytes:
        """Return the next bytes, and sum them up for the end."""
        data = self.content.read(self.at, length)
        if len(data) < length:
            raise ValueError(f"it ends within a file, at byte {self.content.size} of the tar")
        self.crc32 = crc.fastest()(data, self.crc32)
        self.at += length
        return data

    def end(self) -> None:
        """Check what closes the tar, and the gzip file around it."""
        rest = self.content.size - self.at
        second = self.take(min(BLOCK, rest))
        if second != tar_format.END[BLOCK:] or rest != BLOCK:
            self.damage.append(f"{rest} bytes follow its last file, where {BLOCK} zeros belong")
        self.file_crc32(self.content.size - self.at)
        if self.content.trailer() != trailer(self.crc32, self.content.size):
            self.damage.append("its content does not have the CRC-32 and the size at its end")


def _header(block: bytes, pax: dict[bytes, bytes], data: bytes) -> _Header:
    kind = _kind(block)
    if kind == PAX or not kind.strip(b"\0"):
        raise ValueError("a header is of a kind that clarifai-build does not write")
    name = pax.get(b"path", block[:100].rstrip(b"\0"))
    # Of links and the like, none has a content, whatever it says.
    size = int(pax[b"size"]) if b"size" in pax else _number(block, 124, 12)
    mode = _number(block, 100, 8) & 0o777
    return _Header(name, mode, size if kind not in _OTHERS else 0, kind, data)


def _kind(block: bytes) -> bytes:
    """Return the kind of a header whose checksum is right."""
    if sum(block[:148]) + sum(block[156:]) + 8 * ord(" ") != _number(block, 148, 8):
        raise ValueError("a header in it is damaged")
    return block[156:157]


def _number(block: bytes, start: int, length: int) -> int:
    field = block[start : start + length].strip(b" \0")
    # int() takes signs and underscores, too.
    if not field.isdigit():
        raise ValueError("a number in a header is none")
    return int(field, 8)


def _parse_pax(records: bytes) -> dict[bytes, bytes]:
    found = {}
    while records:
        digits, _, _ = records.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 9 else 0
        record, records = records[:length], records[length:]
        key, equals, value = record[len(digits) + 1 :].partition(b"=")
        if not equals or not value.endswith(b"\n") or len(record) < length:
            raise ValueError("the records of a header are damaged")
        if key not in (b"path", b"size") or key in found:
            raise ValueError(f"a header has a record {key!r} that clarifai-build does not write")
        found[key] = value[:-1]
    if b"size" in found and not (found[b"size"].isdigit() and len(found[b"size"]) < 20):
        raise ValueError("a number in a header is none")
    return found


def _is_written(header: _Header) -> bool:
    try:
        path = header.name.decode()
    except UnicodeDecodeError:
        return False
    return header.data == tar_format.header(path, header.mode, header.size)


def _broken(how: str) -> ArtifactError:
    return ArtifactError.of(
        "not-a-tar-gz",
        f"this is not a tar.gz of clarifai-build: {how}",
        hint="it was cut, changed or made by another tool: `clarifai-build build` makes it anew, "
        "and `clarifai-build apply` puts it back where it was published",
    )
