"""Zips that mean harm are refused as a whole, and nothing lands outside the folder."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.builds.unpack import unpack


def zip_at(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return path


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def refused(archive: Path) -> str:
    before = set(archive.parent.parent.rglob("*"))
    with pytest.raises(SandboxError) as caught:
        unpack(archive, archive.parent / "out")
    outside = set(archive.parent.parent.rglob("*")) - before
    assert all(archive.parent / "out" in (path, *path.parents) for path in outside)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with room above it, where an escape would be seen."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    return inner


def test_an_honest_zip(folder: Path) -> None:
    """Files, folders and the bit that makes a file executable arrive."""
    script = entry("1/bin/run", stat.S_IFREG | 0o755)
    archive = zip_at(folder / "x.zip", ("1/", b""), ("1/model.py", b"pass"), (script, b"#!"))
    unpack(archive, folder / "out")
    assert (folder / "out/1/model.py").read_bytes() == b"pass"
    assert (folder / "out/1/bin/run").stat().st_mode & 0o777 == 0o755
    assert (folder / "out/1/model.py").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "name", ["../x", "1/../../x", "/etc/x", "..", "C:/x", "1\\..\\..\\x", "c:x"]
)
def test_escapes(folder: Path, name: str) -> None:
    """No name leads out of the folder."""
    assert "outside" in refused(zip_at(folder / "x.zip", (name, b"x")))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices(folder: Path, kind: int) -> None:
    """A link could point anywhere, so none is made."""
    link = entry("1/link", kind | 0o777)
    archive = zip_at(folder / "x.zip", (link, b"/etc"), ("1/link/passwd", b"x"))
    assert "link or a device" in refused(archive)


def test_a_name_that_comes_twice(folder: Path) -> None:
    """What was checked can't be replaced by a later entry of the same name."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zip_at(folder / "x.zip", ("1/a", b"x"), ("1/a", b"y"))
    assert "twice" in refused(archive)


def test_a_file_under_a_file(folder: Path) -> None:
    """A file can't be a folder too."""
    assert refused(zip_at(folder / "x.zip", ("1/a", b"x"), ("1/a/b", b"y")))


def test_a_bomb(folder: Path) -> None:
    """A small zip that says it unpacks to gigabytes is not unpacked."""
    archive = zip_at(folder / "x.zip", ("1/a", b"x"))
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 24, 0xFFFFFFF0)
    archive.write_bytes(content)
    assert "unpack to 4294967280" in refused(archive)


def test_an_entry_that_lies_about_its_size(folder: Path) -> None:
    """More bytes than an entry announces are not written."""
    archive = zip_at(folder / "x.zip", ("1/a", b"x" * 3_000_000))
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 24, 10)
    archive.write_bytes(content)
    assert refused(archive)
    written = folder / "out/1/a"
    assert not written.exists() or written.stat().st_size <= 10


@pytest.mark.parametrize("cut", [0, 1, 30, 60, -1, -22])
def test_damage(folder: Path, cut: int) -> None:
    """A zip that was cut off anywhere is refused."""
    archive = zip_at(folder / "x.zip", ("1/model.py", b"pass" * 100))
    archive.write_bytes(archive.read_bytes()[:cut])
    assert "can't be used" in refused(archive)


def test_a_changed_byte(folder: Path) -> None:
    """Content that does not match its checksum is refused."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1/a", b"content")
    (folder / "x.zip").write_bytes(buffer.getvalue().replace(b"content", b"c0ntent"))
    assert "CRC" in refused(folder / "x.zip")


def test_encryption(folder: Path) -> None:
    """An encrypted entry is refused before a password is missed."""
    archive = zip_at(folder / "x.zip", ("1/a", b"x"))
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    archive.write_bytes(content)
    assert "encrypted" in refused(archive)
