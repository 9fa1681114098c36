"""Files that take their places together: errors name the target, and nothing is left beside it."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clarifai_build.artifact.packing.output_files import Outputs, check_output_path
from clarifai_build.errors import ArtifactError

OLD = b"PK\x03\x04 old"


def names(folder: Path) -> set[str]:
    """Return the names of what is in a folder, hidden ones too."""
    return {file.name for file in folder.iterdir()}


def test_folders_are_made_on_the_way(tmp_path: Path) -> None:
    """As many as are missing."""
    with Outputs(tmp_path / "a" / "b" / "c.zip") as outputs:
        os.write(outputs.open(), b"PK")
    assert (tmp_path / "a" / "b" / "c.zip").read_bytes() == b"PK"


def write(target: Path, fault: BaseException | None = None) -> None:
    """Write a zip with a record; `fault` is what goes wrong between the two."""
    with Outputs(target) as outputs:
        os.write(outputs.open(), b"PK")
        if fault:
            raise fault
        outputs.put(".provenance.json", b"record")


def test_an_error_of_the_system_names_the_target(tmp_path: Path) -> None:
    """Wherever it comes from while files are written; other errors stay what they are."""
    with pytest.raises(ArtifactError, match=r"a\.zip can't be written: No space left") as caught:
        write(tmp_path / "a.zip", OSError(28, "No space left on device"))
    assert [(p.code, p.file) for p in caught.value.problems] == [
        ("unwritable", str(tmp_path / "a.zip"))
    ]
    with pytest.raises(LookupError, match="another"):
        write(tmp_path / "a.zip", LookupError("another"))
    assert names(tmp_path) == set()


def test_a_record_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    """Its name is too long where the zip's is not."""
    with pytest.raises(ArtifactError, match="File name too long"):
        write(tmp_path / ("n" * 240 + ".zip"))
    assert names(tmp_path) == set()


@contextmanager
def small_files() -> Iterator[None]:
    """Let this process write no file of more than 1 KiB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_record_that_does_not_fit_is_named_at_once(tmp_path: Path) -> None:
    """As it is written, before anything follows it."""
    outputs = Outputs(tmp_path / "a.zip")
    with small_files(), pytest.raises(ArtifactError, match=r"a\.zip can't be written: File too"):
        outputs.put(".provenance.json", bytes(2 << 10))
    with pytest.raises(LookupError), outputs:
        raise LookupError
    assert names(tmp_path) == set()


def test_a_file_that_can_not_be_read_is_not_replaced() -> None:
    """Whether it is a zip can't be told: reads of this process's memory at address 0 fail."""
    with pytest.raises(ArtifactError, match="can't be written: Input/output error"):
        check_output_path(Path("/proc/self/mem"))


@pytest.mark.parametrize("there", [True, False])
def test_a_place_is_what_a_link_leads_to(tmp_path: Path, there: bool) -> None:
    """Whether or not it leads to anything yet."""
    (tmp_path / "real").mkdir()
    if there:
        (tmp_path / "real" / "a.zip").write_bytes(OLD)
    (tmp_path / "link.zip").symlink_to("real/a.zip")
    assert check_output_path(tmp_path / "link.zip") == tmp_path / "real" / "a.zip"


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (b"", True),
        (b"PK\x03\x04", True),
        (b"PK\x05\x06" + bytes(18), True),
        (b"PK\x07\x08", False),
        (b"PK", False),
        (b"\0", False),
    ],
)
def test_zips_are_told_by_their_beginning(tmp_path: Path, content: bytes, taken: bool) -> None:
    """Of a file, of the end of an empty zip, or nothing at all."""
    (tmp_path / "a").write_bytes(content)
    if taken:
        assert check_output_path(tmp_path / "a") == tmp_path / "a"
    else:
        with pytest.raises(
            ArtifactError, match="is there already, and is not an artifact"
        ) as caught:
            check_output_path(tmp_path / "a")
        assert caught.value.problems[0].hint == "remove it, or name another"


@pytest.mark.parametrize("name", ["x" * 300, "file/a.zip"])
def test_a_place_that_can_not_be_looked_at_is_named(tmp_path: Path, name: str) -> None:
    """Too long a name, or a file in place of a folder."""
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="can't be written") as caught:
        check_output_path(tmp_path / name)
    assert caught.value.problems[0].file == str(tmp_path / name)


def test_what_is_being_written_is_held(tmp_path: Path) -> None:
    """So that another build, an hour later, does not take it for abandoned."""
    with Outputs(tmp_path / "a.zip") as outputs:
        os.write(outputs.open(), b"PK")
        (partial,) = tmp_path.iterdir()
        with partial.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(partial, (time.time() - 3600,) * 2)
        with Outputs(tmp_path / "a.zip") as another:
            os.write(another.open(), b"PK second")
        assert partial.exists()
    assert (tmp_path / "a.zip").read_bytes() == b"PK"


def test_records_of_an_older_zip_do_not_outlive_it(tmp_path: Path) -> None:
    """One that has no successor goes; one that was never there is not missed."""
    (tmp_path / "a.zip").write_bytes(OLD)
    (tmp_path / "a.zip.sbom.json").write_bytes(b"old")
    with Outputs(tmp_path / "a.zip") as outputs:
        os.write(outputs.open(), b"PK")
        outputs.put(".sbom.json", None)
        outputs.put(".provenance.json", None)
        outputs.put(".more.json", b"more")
    assert names(tmp_path) == {"a.zip", "a.zip.more.json"}


def test_a_sink_gets_the_name_that_was_given(tmp_path: Path) -> None:
    """Messages speak of it, and not of where a link leads."""
    (tmp_path / "link.zip").symlink_to("a.zip")
    with Outputs(tmp_path / "link.zip") as outputs:
        os.write(outputs.open(), b"PK")
        assert outputs.named == tmp_path / "link.zip"
        assert outputs.target == tmp_path / "a.zip"
    assert names(tmp_path) == {"a.zip", "link.zip"}


def test_the_disk_has_it_before_it_takes_its_place(tmp_path: Path) -> None:
    """As seen by the system: each file is synced, and then renamed."""
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from clarifai_build.artifact.packing.output_files import Outputs\n"
        "done = []\n"
        "def noted(event, arguments):\n"
        "    if event == 'os.rename': done.append('rename')\n"
        "sys.addaudithook(noted)\n"
        "fsync = os.fsync\n"
        "os.fsync = lambda descriptor: (done.append('sync'), fsync(descriptor))\n"
        "with Outputs(Path(sys.argv[1])) as outputs:\n"
        "    os.write(outputs.open(), b'PK')\n    outputs.put('.sbom.json', b'{}')\n"
        "print(*done)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.zip")]
    done = subprocess.run(command, capture_output=True, text=True)
    renames = [word for word in done.stdout.split() if word == "rename"]
    assert done.stdout.split() == ["sync", "sync", *renames], done.stderr
    assert len(renames) >= 2


def test_a_path_below_a_folder_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell may stand in a folder that somebody has removed."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ArtifactError, match=r"a\.zip can't be written: No such file"):
        check_output_path(Path("a.zip"))
