"""A tar.gz that others may have made or changed: what is wrong with it is said."""

from __future__ import annotations

import random
import tarfile
import zlib
from collections.abc import Callable

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.formats import tar_audit, tar_format
from clarifai_build.artifact.formats.zip_audit import Audit
from clarifai_build.artifact.tree import FileTree
from clarifai_build.errors import ArtifactError
from clarifai_build.inspection import contents
from clarifai_build.util import gzip_stored
from support.trees import entry_of

FILES = {"1/a.py": b"a" * 700, "1/" + "d" * 120 + "/w": bytes(range(256)) * 512, "config.yaml": b""}


def artifact() -> Artifact:
    """Return the tar.gz of some files, one of which has a long name."""
    return Artifact.tar_gz(FileTree(tuple(entry_of(p, data) for p, data in sorted(FILES.items()))))


def body() -> bytes:
    """Return its bytes."""
    return artifact().read(0, artifact().size)


def gzipped(tar: bytes) -> bytes:
    """Return any tar in stored blocks."""
    parts = [gzip_stored.HEADER]
    for index, at in enumerate(range(0, len(tar), gzip_stored.FULL)):
        parts += [gzip_stored.block_header(index, len(tar)), tar[at : at + gzip_stored.FULL]]
    return b"".join((*parts, gzip_stored.trailer(zlib.crc32(tar), len(tar))))


def found_in(data: bytes) -> Audit:
    """Audit a tar.gz in memory."""
    return tar_audit.audit(lambda offset, length: data[offset : offset + length], len(data))


def tar_of(change: Callable[[tarfile.TarInfo], None], content: bytes = b"x") -> bytes:
    """Return a tar of one file that Python writes, after a change."""
    info = tarfile.TarInfo("1/a.py")
    info.size, info.mtime, info.mode = len(content), 315_532_800, 0o644
    change(info)
    head = info.tobuf(tarfile.PAX_FORMAT)
    return head + content + tar_format.padding(len(content)) + tar_format.END


def test_what_this_tool_writes_is_whole() -> None:
    """Every file is found, with its own sum."""
    found = found_in(body())
    assert found.damage == ()
    assert not found.foreign
    expected = [(path, 0o644, len(data), zlib.crc32(data)) for path, data in sorted(FILES.items())]
    assert [(e.path, e.mode, e.size, e.crc32) for e in found.entries] == expected
    data = body()
    for entry in found.entries:
        blocks = tar_audit.read_entry(lambda o, n: data[o : o + n], len(data), entry)
        assert b"".join(blocks) == FILES[entry.path]


def test_python_writes_the_same() -> None:
    """The one tar that is plain to both."""
    assert found_in(gzipped(tar_of(lambda _: None))).damage == ()


def named(name: str) -> Callable[[tarfile.TarInfo], None]:
    return lambda info: setattr(info, "name", name)


def typed(kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, "/etc/passwd", 0

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (named("/etc/passwd"), "it leads out of the folder"),
        (named("../x"), "it leads out of the folder"),
        (named("1/../../x"), "it leads out of the folder"),
        (named("./1/x"), "is no name of a file"),
        (named("1//x"), "is no name of a file"),
        (named("1/a\\b"), "is no name of a file"),
        (named("1/\u202egnp.py"), "is no name of a file"),
        (lambda info: setattr(info, "mtime", 1), "header is not as clarifai-build writes it"),
        (lambda info: setattr(info, "uid", 1000), "header is not as clarifai-build writes it"),
        (lambda info: setattr(info, "mode", 0o4755), "header is not as clarifai-build writes it"),
        (lambda info: setattr(info, "uname", "root"), "header is not as clarifai-build writes it"),
    ],
    ids=[*"abcdefgh", "mtime", "uid", "mode", "uname"][1:],
)
def test_a_header_that_no_artifact_has_is_damage(
    change: Callable[[tarfile.TarInfo], None], why: str
) -> None:
    """Names that lead elsewhere, owners, times."""
    (damage,) = found_in(gzipped(tar_of(change))).damage
    assert why in damage


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.DIRTYPE, "a folder"),
    ],
)
def test_what_is_no_file_is_damage_and_is_not_listed(kind: bytes, what: str) -> None:
    """Links lead anywhere, and devices are worse."""
    found = found_in(gzipped(tar_of(typed(kind), b"")))
    assert any(f"it is {what}, of which an artifact has none" in one for one in found.damage)
    assert found.entries == ()


def refused(data: bytes, why: str) -> None:
    with pytest.raises(ArtifactError, match=why) as caught:
        found_in(data)
    assert caught.value.problems[0].code == "not-a-tar-gz"


def test_what_can_not_be_told_apart_is_refused() -> None:
    """Sizes that lie, names twice, headers that are none."""
    plain = tar_of(lambda _: None)
    one = plain[: -len(tar_format.END)]
    refused(gzipped(one + plain), "1/a.py is in it twice")
    refused(gzipped(tar_of(lambda info: setattr(info, "size", 1 << 40))), "does not lie within it")
    refused(gzipped(one), "it ends within a file")
    refused(gzipped(bytes(100)), "it ends within a file")
    refused(gzipped(b"x" * 1024), "a number in a header is none|header in it is damaged")
    damaged = bytearray(plain)
    damaged[0] ^= 1
    refused(gzipped(bytes(damaged)), "a header in it is damaged")


@pytest.mark.parametrize(
    ("records", "why"),
    [
        (b"11 path=../x\n", "records of a header are damaged"),
        (b"17 linkpath=../x\n", "a record"),
        (b"13 path=1/aa\n13 path=1/bb\n", "a record"),
        (b"12 size=-11\n", "a number in a header is none"),
        (b"x", "records of a header are damaged"),
        (b"99999999999999999999 path=x\n", "records of a header are damaged"),
    ],
)
def test_records_that_no_artifact_has_are_refused(records: bytes, why: str) -> None:
    """What a header of ours has are a path and a size."""
    head = tar_format._block(b"././@PaxHeader", 0, len(records), 0, tar_format.PAX)
    refused(
        gzipped(head + records + tar_format.padding(len(records)) + tar_of(lambda _: None)), why
    )


def test_long_records_are_not_read() -> None:
    """They would be held in memory."""
    head = tar_format._block(b"././@PaxHeader", 0, 1 << 30, 0, tar_format.PAX)
    refused(gzipped(head + bytes(2048)), "the records of a header have 1073741824 bytes")


def test_order_and_what_follows_are_looked_at() -> None:
    """The tree is sorted, and its end is the end."""
    first, second = (tar_of(named(name))[: -len(tar_format.END)] for name in ("b", "a"))
    (damage,) = found_in(gzipped(first + second + tar_format.END)).damage
    assert damage == "a: it is not in its place, by name"
    (damage,) = found_in(gzipped(first + tar_format.END + b"x" * 512)).damage
    assert damage == "1024 bytes follow its last file, where 512 zeros belong"
    padded = bytearray(first)
    padded[-1] = 1
    (damage,) = found_in(gzipped(bytes(padded) + tar_format.END)).damage
    assert damage == "b: what follows its content is not empty"


def test_a_flipped_bit_is_seen_wherever_it_is() -> None:
    """In gzip's bytes, in headers, and in contents, whose file then has another sum."""
    data, whole = body(), found_in(body())
    places = [*range(600), *range(len(data) - 1100, len(data))]
    places += random.Random(20240229).sample(range(len(data)), 300)
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        try:
            found = found_in(bytes(flipped))
        except ArtifactError:
            continue
        assert found.damage, place
        assert found != whole


def test_contents_are_measured() -> None:
    """`inspect` and `diff` look at it as at a zip."""
    data = body()
    there = contents.of_zip("x", lambda offset, length: data[offset : offset + length], len(data))
    here = contents.of_artifact("source", artifact())
    assert list(contents.differences(there.files, here.files)) == []
    assert there.read("1/a.py") == FILES["1/a.py"]
    assert there.read("config.yaml") == b""
