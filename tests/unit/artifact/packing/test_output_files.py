"""Files that take their places together: all of them, or none."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clarifai_build.artifact.packing.output_files import Outputs, check_output_path
from clarifai_build.errors import ArtifactError
from clarifai_build.util.atomic_file import partial_path

OLD = {"a.zip": b"PK\x03\x04 old", "a.zip.provenance.json": b"old", "a.zip.sbom.json": b"old"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A zip of an earlier build, with its records."""
    for name, content in OLD.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "a.zip"


def content_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, hidden ones too."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def write(target: Path, fault: BaseException | None = None) -> None:
    """Write a zip, a record, and no other; `fault` is what goes wrong then."""
    with Outputs(target) as outputs:
        os.write(outputs.open(), b"PK\x03\x04 new")
        outputs.put(".provenance.json", b"new")
        outputs.put(".sbom.json", None)
        if fault:
            raise fault


def test_all_take_their_places(target: Path) -> None:
    """The new ones replace the old ones; what has no successor goes."""
    write(target)
    assert content_of(target.parent) == {
        "a.zip": b"PK\x03\x04 new",
        "a.zip.provenance.json": b"new",
    }


def test_what_goes_wrong_leaves_everything_as_it_was(target: Path) -> None:
    """An error of any kind, at any time before the end."""
    with pytest.raises(KeyboardInterrupt):
        write(target, KeyboardInterrupt())
    assert content_of(target.parent) == OLD


def test_a_zip_in_its_place_is_followed_by_its_records(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though somebody interrupts right then: no other moment would do, so it is made."""
    replace = Path.replace

    def interrupted(self: Path, other: Path) -> Path:
        done = replace(self, other)
        if other == target:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(target)
    assert content_of(target.parent) == {
        "a.zip": b"PK\x03\x04 new",
        "a.zip.provenance.json": b"new",
    }


def test_a_disk_that_is_full_for_the_records_leaves_nothing(tmp_path: Path) -> None:
    """The zip fits, what lies beside it does not."""
    code = (
        "import os, resource, sys\nfrom pathlib import Path\n"
        "from clarifai_build.artifact.packing.output_files import Outputs\n"
        "from clarifai_build.errors import ArtifactError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 10, 1 << 10))\n"
        "try:\n    with Outputs(Path(sys.argv[1]) / 'a.zip') as outputs:\n"
        "        os.write(outputs.open(), b'PK')\n"
        "        outputs.put('.provenance.json', bytes(2 << 10))\n"
        "except ArtifactError as error:\n    print(error)\n"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=environ, capture_output=True, text=True
    )
    assert "a.zip can't be written: File too large" in done.stdout, done.stderr
    assert content_of(tmp_path) == {}


def test_files_follow_the_umask(tmp_path: Path) -> None:
    """As those of any other program do."""
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.zip")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o640}


def test_a_link_stays_and_what_it_leads_to_is_replaced(target: Path) -> None:
    """Whoever links to the newest zip goes on doing so."""
    link = target.parent.parent / f"{target.parent.name}.zip"
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"PK\x03\x04 new"


@pytest.mark.parametrize("kind", ["folder", "device", "pipe", "source", "nothing", "here"])
def test_what_is_no_zip_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    """Folders, devices, and files that somebody wrote."""
    places = {"device": Path("/dev/null"), "nothing": Path(), "here": Path("/")}
    place = places.get(kind, tmp_path / kind)
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "source":
        place.write_text("class InferenceModel: ...")
    with pytest.raises(ArtifactError) as caught:
        write(place)
    assert caught.value.problems[0].code == "output-target"
    assert kind != "source" or place.read_text() == "class InferenceModel: ..."


def test_an_empty_file_may_be_replaced(tmp_path: Path) -> None:
    """As `mktemp` makes one."""
    (tmp_path / "a.zip").touch()
    assert check_output_path(tmp_path / "a.zip") == (tmp_path / "a.zip").resolve()


def test_names_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    """What is written beside a name is no longer than the name."""
    place = tmp_path / ("n" * 251 + ".zip")
    with Outputs(place) as outputs:
        os.write(outputs.open(), b"PK")
    assert place.read_bytes() == b"PK"


def test_what_a_killed_build_left_goes(target: Path) -> None:
    """Whichever zip it was of; what lives or is held stays (a process id above all there are)."""
    marks = ["4194305-00000000", "4194305-00000001", f"{os.getpid()}-00000002"]
    places = [partial_path(target.with_name(name), mark) for name in "ab" for mark in marks]
    for place in places:
        place.write_bytes(b"partial")
    with places[1].open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write(target)
    assert [place.exists() for place in places] == [False, True, True, False, False, True]


def test_what_builds_did_not_leave_stays(target: Path) -> None:
    """However old, and however alike the name; a pipe that nobody writes to is not waited for."""
    names = [".a.zip.bak", ".a.zip.1-old", ".a.zip.20240101-deadbeef", ".a.zip."]
    for name in names:
        (target.parent / name).write_bytes(b"the user's")
        os.utime(target.parent / name, (time.time() - 3600,) * 2)
    os.mkfifo(partial_path(target, "4194305-00000000"))
    write(target)
    assert {name for name in names if (target.parent / name).exists()} == set(names)


def test_records_come_back_where_the_zip_can_not_be_replaced(target: Path) -> None:
    """As in a sticky folder, where the old one is another's."""

    def replace_by_a_folder() -> None:
        with Outputs(target) as outputs:
            os.write(outputs.open(), b"PK\x03\x04 new")
            outputs.put(".provenance.json", b"new")
            outputs.put(".sbom.json", None)
            target.unlink()
            target.mkdir()

    with pytest.raises(ArtifactError, match=r"a\.zip can't be written"):
        replace_by_a_folder()
    target.rmdir()
    expected = {name: content for name, content in OLD.items() if name != "a.zip"}
    assert content_of(target.parent) == expected


def test_a_text_that_begins_like_a_zip_is_none(tmp_path: Path) -> None:
    """The two letters alone are the beginning of many a word."""
    (tmp_path / "a.env").write_text("PKG_NAME=a")
    with pytest.raises(ArtifactError, match="is not an artifact"):
        check_output_path(tmp_path / "a.env")


def test_a_record_may_come_in_parts(target: Path) -> None:
    """Made while it is written."""
    with Outputs(target) as outputs:
        os.write(outputs.open(), b"PK\x03\x04 new")
        outputs.put(".provenance.json", (part for part in (b"in ", b"parts")))
    assert content_of(target.parent) == {
        **OLD,
        "a.zip": b"PK\x03\x04 new",
        "a.zip.provenance.json": b"in parts",
    }


@pytest.mark.parametrize("fault", [None, ZeroDivisionError()])
def test_a_folder_is_made_for_what_lies_in_it(tmp_path: Path, fault: Exception | None) -> None:
    """Where nothing comes to lie in it, none is left."""
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "new" / "newer" / "a.zip"
    if fault is None:
        write(target)
    else:
        with pytest.raises(ZeroDivisionError):
            write(target, fault)
    left = (
        [] if fault else ["new", "new/newer", "new/newer/a.zip", "new/newer/a.zip.provenance.json"]
    )
    there = tmp_path / "there"
    assert sorted(str(path.relative_to(there)) for path in there.rglob("*")) == left
