"""Tars that mean harm are refused as a whole, and nothing lands outside the folder."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api import archive_bounds
from clarifai_build.sandbox.api.runners import unpack_tar as subject
from clarifai_build.sandbox.api.runners.unpack_tar import unpack_tar


def entry(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tar_at(path: Path, *entries: tuple[tarfile.TarInfo, bytes], **options: int) -> Path:
    with tarfile.open(path, "w:gz", **options) as archive:  # type: ignore[call-overload]  # format
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def refused(archive: Path) -> str:
    before = set(archive.parent.parent.rglob("*"))
    with pytest.raises(SandboxError) as caught:
        unpack_tar(archive, archive.parent / "out")
    assert [problem.code for problem in caught.value.problems] == ["tar-refused"]
    outside = set(archive.parent.parent.rglob("*")) - before
    assert all(archive.parent / "out" in (path, *path.parents) for path in outside)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with room above it, where an escape would be seen."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    return inner


def test_an_honest_tar(folder: Path) -> None:
    """As the official tool packs: the folder itself first, names from a dot, the config last."""
    entries = [
        entry(".", b"", type=tarfile.DIRTYPE),
        entry("./1", b"", type=tarfile.DIRTYPE),
        entry("./1/run", b"#!", mode=0o755),
        entry("./1/ü" + "x" * 150, b"long", mode=0o600),
        entry("./config.yaml", b"model: {}"),
    ]
    unpack_tar(tar_at(folder / "a.tar.gz", *entries), folder / "out")
    found = {str(p.relative_to(folder / "out")): p for p in (folder / "out").rglob("*")}
    assert set(found) == {"1", "1/run", "1/ü" + "x" * 150, "config.yaml"}
    assert found["config.yaml"].read_bytes() == b"model: {}"
    assert found["1/run"].stat().st_mode & 0o777 == 0o755
    assert found["1/ü" + "x" * 150].stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil", "points outside"),
        ("/etc/evil", "points outside"),
        ("1/../../evil", "points outside"),
        ("C:/evil", "points outside"),
        ("..\\evil", "points outside"),
        ("/".join("d" * 101), "101 folders deep"),
    ],
)
def test_names_that_lead_outside(folder: Path, name: str, reason: str) -> None:
    assert reason in refused(tar_at(folder / "a.tar.gz", entry(name)))


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
    ],
)
def test_links_devices_and_holes(folder: Path, kind: bytes) -> None:
    made = entry("1/x", b"", type=kind, linkname="/etc/passwd")
    assert "entry '1/x' is a link or a device" in refused(tar_at(folder / "a.tar.gz", made))


def test_a_file_that_comes_twice(folder: Path) -> None:
    both = entry("1/x"), entry("./1/x")
    assert "comes twice" in refused(tar_at(folder / "a.tar.gz", *both))


def test_a_file_where_a_folder_is(folder: Path) -> None:
    both = entry("1", b"file"), entry("1/x")
    assert "can't be used" in refused(tar_at(folder / "a.tar.gz", *both))


def test_content_that_breaks_off(folder: Path) -> None:
    archive = tar_at(folder / "a.tar.gz", entry("1/x", bytes(5000)))
    plain = gzip.decompress(archive.read_bytes())
    archive.write_bytes(gzip.compress(plain[:2000]))
    assert "can't be used" in refused(archive)


def test_a_sum_that_does_not_hold(folder: Path) -> None:
    archive = tar_at(folder / "a.tar.gz", entry("1/x"))
    content = bytearray(archive.read_bytes())
    content[-5] ^= 1
    content[-8] ^= 1
    archive.write_bytes(content)
    assert "can't be used" in refused(archive)


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08" + bytes(7), b"PK\x03\x04"])
def test_what_is_no_tar_gz(folder: Path, content: bytes) -> None:
    (folder / "a.tar.gz").write_bytes(content)
    assert "can't be used" in refused(folder / "a.tar.gz")


def test_a_gzip_of_something_else(folder: Path) -> None:
    (folder / "a.tar.gz").write_bytes(gzip.compress(b"text" * 1000))
    assert "can't be used" in refused(folder / "a.tar.gz")


def test_more_than_it_may_unpack_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its entries say: the bytes are counted as they come."""
    monkeypatch.setattr(archive_bounds, "FREE_RATIO_BYTES", 1 << 20)
    bomb = tar_at(folder / "a.tar.gz", entry("1/zeros", bytes(4 << 20)))
    assert "unpacks to over" in refused(bomb)


def test_more_entries_than_it_may_have(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_ENTRIES", 3)
    many = [entry(f"1/{number}") for number in range(4)]
    assert "over 3 entries" in refused(tar_at(folder / "a.tar.gz", *many))


def test_a_header_that_would_fill_memory(folder: Path) -> None:
    """The name of an entry may be as long as it says: tarfile would read all of it at once."""
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 2 << 20
    header = long.tobuf(tarfile.GNU_FORMAT)
    (folder / "a.tar.gz").write_bytes(gzip.compress(header + bytes(3 << 20)))
    assert "over a MiB" in refused(folder / "a.tar.gz")


@pytest.mark.parametrize("stamp", [lambda info: setattr(info, "size", -512)])
def test_a_negative_size(folder: Path, stamp: Callable[[tarfile.TarInfo], None]) -> None:
    info = tarfile.TarInfo("1/x")
    stamp(info)
    header = info.tobuf(tarfile.GNU_FORMAT)
    (folder / "a.tar.gz").write_bytes(gzip.compress(header + bytes(2048)))
    assert "can't be used" in refused(folder / "a.tar.gz")


def test_one_that_is_cancelled(folder: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    archive = tar_at(folder / "a.tar.gz", entry("1/x"))
    with pytest.raises(KeyboardInterrupt):
        unpack_tar(archive, folder / "out", cancel)
