"""Every flipped bit of a zip is seen, or changes nothing of its content, and that is said."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.deflate import deflated
from clarifai_build.artifact.formats.zip_audit import Audit, audit
from clarifai_build.artifact.formats.zip_format import CENTRAL, END
from clarifai_build.errors import ArtifactError
from clarifai_build.inspection import contents
from support.command_line import command
from support.fakes import MemoryStore
from support.flipped import damaged_at, flipped
from support.trees import artifact_of

SEED = 20240229
FILES = {f"1/{name}.py": name.encode() * 300 for name in ("a", "b", "c" * 90)} | {"empty": b""}


def found_in(data: bytes) -> Audit | None:
    """Audit a zip in memory; None where it is refused as none."""
    try:
        return audit(lambda offset, length: data[offset : offset + length], len(data))
    except ArtifactError:
        return None


def our_zip(kind: str) -> bytes:
    """Return a zip that this tool lays out."""
    artifact = artifact_of(FILES)
    artifact = deflated(artifact.tree) if kind == "deflated" else Artifact(artifact.tree)
    return artifact.read(0, artifact.size)


class _Pipe(io.RawIOBase):
    """A stream without a way back, into which sizes are written after contents."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        added = bytes(data)  # type: ignore[call-overload]
        self.data += added
        return len(added)


def foreign_zip(kind: str) -> bytes:
    """Return a zip of another tool: folders, dates, compressed, perhaps streamed."""
    pipe, memory = _Pipe(), io.BytesIO()
    with zipfile.ZipFile(pipe if kind == "streamed" else memory, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(zipfile.ZipInfo("1/", (2023, 5, 1, 1, 2, 2)), b"")
        for name, content in (FILES | {"1/ü.py": b"u"}).items():
            info = zipfile.ZipInfo(name, (2023, 5, 1, 1, 2, 2))
            made.writestr(info, content, zipfile.ZIP_DEFLATED)
    return bytes(pipe.data) if kind == "streamed" else memory.getvalue()


def as_read(data: bytes) -> dict[str, bytes] | None:
    """Read a zip by another reader; None where that refuses it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except Exception:  # noqa: BLE001 - whatever it says of a damaged zip
        return None


@pytest.mark.parametrize("kind", ["stored", "deflated"])
def test_every_bit_of_our_zips_counts(kind: str) -> None:
    """All of the records, and many of the contents: none is neutral."""
    data = our_zip(kind)
    sound = found_in(data)
    assert sound is not None
    assert (sound.damage, sound.foreign) == ((), False)
    bits = random.Random(SEED).sample(range(len(data) * 8), min(3000, len(data) * 8))
    assert [bit for bit in bits if found_in(flipped(data, bit)) == sound] == []


def test_other_compressed_bytes_of_the_same_content_are_told_apart(tmp_path: Path) -> None:
    """They are neutral: another reader gets the very same files; and a diff says so."""
    data, expected = our_zip("deflated"), as_read(our_zip("stored"))
    sound = found_in(data)
    assert sound is not None
    neutral = []
    for bit in range(len(data) * 8):
        found = found_in(flipped(data, bit))
        if found and not found.damage and found.entries == sound.entries:
            neutral.append(bit)
            assert found.packed != sound.packed
            assert as_read(flipped(data, bit)) == expected
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "b.zip").write_bytes(flipped(data, neutral[0]))
    ran = command("diff", tmp_path / "a.zip", tmp_path / "b.zip", "--exit-code")
    assert ran.code == 0
    assert "the same content, compressed into other bytes" in ran.err


@pytest.mark.parametrize("kind", ["plain", "streamed"])
def test_what_is_not_seen_in_a_foreign_zip_is_neutral_and_said(kind: str) -> None:
    """Another reader gets the very same files out of it."""
    data = foreign_zip(kind)
    sound, expected = found_in(data), as_read(data)
    assert sound is not None
    assert (sound.damage, sound.foreign) == ((), True)
    assert expected is not None
    bits = random.Random(SEED).sample(range(len(data) * 8), 2000)
    changed = ((bit, flipped(data, bit)) for bit in bits)
    unseen = [
        (bit, as_read(other) == expected, found.foreign)
        for bit, other in changed
        if (found := found_in(other)) is not None
        and not found.damage
        and found.entries == sound.entries
    ]
    assert len(unseen) > 0, "dates are among them"
    assert [one for one in unseen if one[1:] != (True, True)] == []


@pytest.mark.parametrize("place", ["before", "end", "after"])
def test_bytes_of_no_file_are_refused(place: str) -> None:
    """Before the first one, before the end, after it: offsets do not fit any more."""
    data = our_zip("stored")
    at = {"before": 0, "end": len(data) - 22, "after": len(data)}[place]
    found = found_in(data[:at] + b"extra" + data[at:])
    assert found is None or found.damage


def test_bytes_between_files_are_named() -> None:
    """Where the directory fits, and something lies between what it lists."""
    data = our_zip("stored")
    sound = found_in(data)
    assert sound is not None
    last = sorted(sound.entries, key=lambda entry: entry.offset)[-2]
    cut = bytearray(data)
    # The last file's content becomes bytes of nobody, once it is listed as empty.
    start = END.unpack(data[-22:])[6]
    at = data.index(last.path.encode(), start) - CENTRAL.size
    cut[at + 20 : at + 28] = bytes(8)
    found = found_in(bytes(cut))
    assert found is not None
    assert any("belong to no file" in one for one in found.damage)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("proven", [False, True])
def test_a_large_zip_is_read_where_its_content_has_to_be_known(
    whole: bool, proven: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or is proven by the store's own checksum; otherwise it is said that it was not read."""
    monkeypatch.setattr(contents, "_AFFORDABLE", 100)
    store, data = MemoryStore(), damaged_at(our_zip("stored"), b"aaaaaaaa")
    store.put("a.zip", data, {})
    stored = store.stat("a.zip")
    assert stored is not None
    crc32 = stored.crc32 if proven else "00000000"
    found = contents.of_store("live", store, "a.zip", crc32, whole=whole)
    assert bool(found.damage) == (whole and not proven)
    assert bool(found.notes) == (not whole and not proven)
