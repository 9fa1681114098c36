"""A build done twice: what is copied for it, and what comes of two that differ."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from clarifai_build.errors import ArtifactError
from clarifai_build.inspection import reproducibility
from clarifai_build.inspection.reproducibility import BOTH, Rebuilt, build_twice
from clarifai_build.progress import Event
from clarifai_build.validation.load import load
from support.trees import write_files

MANIFEST = b"model: {id: one, type: text-to-text}\n"
INFERENCE = b"class InferenceModel:\n    def predict(self): ...\n"

LEAKING = """\
import hashlib, json, os, pathlib, sys, zipfile
target = pathlib.Path(sys.argv[sys.argv.index("--output") + 1])
umask = os.umask(0)
os.umask(umask)
leaks = {
    "folder": os.getcwd(),
    "inside": str(target.parent == pathlib.Path.cwd()),
    "locale": os.environ["LC_ALL"],
    "rest": " ".join(sys.argv[3:4] + sys.argv[5:]),
    "seed": os.environ["PYTHONHASHSEED"],
    "umask": str(umask),
    "zone": os.environ["TZ"],
}
with zipfile.ZipFile(target, "w") as made:
    for name, text in leaks.items():
        made.writestr(name, text)
print(json.dumps({"sha256": hashlib.sha256(target.read_bytes()).hexdigest()}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The least that is a model."""
    files = {"clarifai.yaml": MANIFEST, "inference.py": INFERENCE, "run.sh": b"#!"}
    write_files(tmp_path / "model", files)
    (tmp_path / "model" / "run.sh").chmod(0o755)
    return tmp_path / "model"


def copied(folder: Path, to: Path) -> list[Path]:
    """Copy a model as for the two builds; return both folders."""
    manifest, copies, origin = load(folder, {}), [], folder
    for surroundings in BOTH:
        place = to / surroundings.name
        origin = reproducibility._copy(manifest, origin, place, surroundings).parent
        copies.append(origin)
    return copies


def test_the_surroundings_differ_in_all() -> None:
    """Else a build that depends on one of them would pass."""
    one, other = BOTH
    assert one.umask != other.umask
    assert one.backwards != other.backwards
    assert one.name != other.name
    assert one.environ.keys() == other.environ.keys() == {"LC_ALL", "TZ", "PYTHONHASHSEED"}
    assert all(value != other.environ[name] for name, value in one.environ.items())
    assert str(one) == "umask 022, C.UTF-8, UTC, 0"


def test_two_builds_of_one_source_are_the_same(folder: Path) -> None:
    """Each is told of as it is done, with its sum."""
    heard: list[Event] = []
    found = build_twice(load(folder, {}), heard.append)
    assert found.same
    assert found.diffs == ()
    assert [(event.stage, event.state) for event in heard] == [("check", "done")] * 2
    assert [event.message for event in heard] == [
        f"{surroundings}: {found.sha256[0]}" for surroundings in BOTH
    ]
    assert not Rebuilt(("a", "b"), ()).same


def test_builds_that_differ_are_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """File by file: a tool that leaks all that it should not stands in for ours."""
    tool = write_files(tmp_path / "tool", {"clarifai_build/__init__.py": b""})
    (tool / "clarifai_build" / "__main__.py").write_text(LEAKING)
    monkeypatch.setenv("PYTHONPATH", str(tool))
    found = build_twice(load(folder, {}))
    assert not found.same
    assert [(one.path, one.change) for one in found.diffs] == [
        (name, "content") for name in ("folder", "locale", "seed", "umask", "zone")
    ]


def test_a_copy_that_can_not_be_built_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the build said: the interpreter itself may be missing something."""
    (folder / "failing").write_text("#!/bin/sh\necho why >&2\nexit 1\n")
    (folder / "failing").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "failing"))
    with pytest.raises(ArtifactError, match="a copy of the model can't be built: why") as caught:
        build_twice(load(folder, {}))
    assert caught.value.problems[0].code == "check-failed"
    assert caught.value.problems[0].hint


def test_copies_hold_what_a_build_looks_at(folder: Path, tmp_path: Path) -> None:
    """With the right to execute, whatever the umask; what stays out need not be copied."""
    write_files(folder, {"__pycache__/x.pyc": b"", "sub/a": b"a", "sub/.venv/x": b"", ".env": b""})
    for copy in copied(folder, tmp_path / "copies"):
        names = {file.relative_to(copy).as_posix() for file in copy.rglob("*") if file.is_file()}
        assert {"clarifai.yaml", "inference.py", "run.sh", "sub/a"} <= names
        assert not {"__pycache__/x.pyc", "sub/.venv/x"} & names
        assert os.access(copy / "run.sh", os.X_OK)
        assert not (copy / "sub" / "a").stat().st_mode & 0o111
    assert (tmp_path / "copies" / "a" / "model" / "sub" / "a").stat().st_mode & 0o777 == 0o644


def test_files_of_the_user_s_are_never_linked(folder: Path, tmp_path: Path) -> None:
    """Large ones of our own copy are, to save the room."""
    (folder / "large").write_bytes(b"x" * (1 << 20))
    (folder / "less").write_bytes(b"x" * ((1 << 20) - 1))
    first, second = copied(folder, tmp_path / "copies")
    assert (folder / "large").stat().st_nlink == 1
    assert (first / "large").samefile(second / "large")
    assert not (first / "less").samefile(second / "less")


def test_links_lead_into_the_copy(folder: Path, tmp_path: Path) -> None:
    """By absolute paths, too; one that leads out leads where it did."""
    write_files(folder, {"sub/a": b"a"})
    (folder / "absolute").symlink_to(folder / "sub" / "a")
    (folder / "relative").symlink_to("sub/a")
    (folder / "out").symlink_to("/dev/null")
    (folder / ".clarifaiignore").write_text("/out\n/gone\n")
    (folder / "gone").symlink_to("nowhere")
    for copy in copied(folder, tmp_path / "copies"):
        for name in ("absolute", "relative"):
            assert (copy / name).is_symlink()
            assert (copy / name).resolve() == (copy / "sub" / "a").resolve()
        assert not (copy / "out").is_symlink()
        assert not (copy / "gone").is_symlink()


def test_weights_beside_the_folder_are_found_from_the_copy(tmp_path: Path) -> None:
    """However far above."""
    folder = write_files(
        tmp_path / "a" / "b" / "model",
        {
            "clarifai.yaml": MANIFEST
            + b"weights:\n"
            + b"  - {to: x, from: ../x, sha256: %s}\n" % (b"0f" * 32)
            + b"  - {to: y, from: ../../y, sha256: %s}\n" % (b"0f" * 32),
            "inference.py": INFERENCE,
        },
    )
    write_files(tmp_path / "a", {"b/x": b"x", "y": b"y"})
    for copy in copied(folder, tmp_path / "copies"):
        assert (copy / "../x").read_bytes() == b"x"
        assert (copy / "../../y").read_bytes() == b"y"
