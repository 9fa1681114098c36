"""`build` and `render`: the artifact on disk, and all that is told of it."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import pytest

from clarifai_build.cli.commands.build import configure
from clarifai_build.errors import BuilderError
from clarifai_build.inspection import reproducibility
from clarifai_build.inspection.contents import of_file
from clarifai_build.inspection.diff import compare
from clarifai_build.inspection.reproducibility import Rebuilt
from clarifai_build.provenance.lock import LockError
from support.command_line import command
from support.light_platform import INFERENCE

MANIFEST = """
model: {id: lines, type: text-to-text}
"""


@pytest.fixture
def manifest(home: Path) -> Path:
    """A model that builds, in the working folder."""
    (home / "inference.py").write_text(INFERENCE)
    (home / "notes.pyc").write_text("left out")
    (home / "clarifai.yaml").write_text(MANIFEST)
    return home / "clarifai.yaml"


def cached(home: Path) -> list[str]:
    """Return the names of what lies in the cache."""
    return sorted(file.name for file in (home.parent / "cache").rglob("*") if file.is_file())


def test_the_zip_lies_in_dist(manifest: Path) -> None:
    """Named by the model's id and type; each file, digest, sum and size is told."""
    ran = command("build")
    (made,) = (manifest.parent / "dist").glob("*.zip")
    assert made.name == "lines_text-to-text.zip"
    sha256 = hashlib.sha256(made.read_bytes()).hexdigest()
    lines = ran.out.splitlines()
    told = dict(line.split(maxsplit=1) for line in lines[-4:])
    assert told["sha256"] == sha256
    assert told["size"] == str(made.stat().st_size)
    assert Path(told["path"]).resolve() == made
    assert f"{len(INFERENCE.encode()):>12}  1/inference.py" in lines
    assert "shared memory" not in ran.err


def test_the_zip_is_told_as_json(manifest: Path) -> None:
    """Under the name that was asked for."""
    told = command("build", "--json", "-o", "here.zip").json
    made = Path("here.zip")
    assert told["path"] == "here.zip"
    assert told["sha256"] == hashlib.sha256(made.read_bytes()).hexdigest()
    assert told["size"] == made.stat().st_size
    files = {file["path"]: file for file in told["files"]}
    assert files["1/inference.py"]["sha256"] == hashlib.sha256(INFERENCE.encode()).hexdigest()
    assert len(told["artifact_digest"]) == 64


def test_listing_writes_nothing(manifest: Path) -> None:
    """What goes in has a plus, what stays out a minus and a reason."""
    lines = command("build", "--list").out.splitlines()
    assert any(line.startswith("+") and line.endswith(" inference.py") for line in lines)
    (out,) = (line for line in lines if "notes.pyc" in line)
    assert out.startswith("-")
    assert out.endswith(")")
    told = command("build", "--list", "--json").json
    assert "inference.py" in [file["path"] for file in told["in"]]
    assert [bool(file["reason"]) for file in told["out"]] == [True] * len(told["out"])
    assert any("notes.pyc" in file["path"] for file in told["out"])
    assert not (manifest.parent / "dist").exists()


def test_nothing_is_kept_where_nothing_is_to_be(manifest: Path) -> None:
    """`--no-cache` reads everything and leaves no cache; without it there is one."""
    command("build", "--no-cache")
    assert cached(manifest.parent) == []
    command("build")
    assert any(name.endswith(".sqlite") for name in cached(manifest.parent))


def test_images_need_shared_memory(manifest: Path) -> None:
    """Which is told, since Triton fails late without it."""
    code = INFERENCE.replace("text-to-text", "visual-classifier")
    (manifest.parent / "inference.py").write_text(code)
    (manifest.parent / "labels.txt").write_text("a\nb\n")
    manifest.write_text(
        "model: {id: m, type: visual-classifier, labels: labels.txt}\n"
        "shapes: {image: [1024, 1024]}\n"
    )
    assert "MiB of shared memory" in command("build", "--no-cache").err


def test_a_build_is_held_to_its_lock(manifest: Path) -> None:
    """Where that is asked for: without a lock nothing is built."""
    with pytest.raises(LockError):
        command("build", "--locked")
    assert not (manifest.parent / "dist").exists()
    command("lock")
    assert command("build", "--locked").code == 0


@pytest.mark.parametrize("options", [("--list",), ("--check",)])
def test_only_who_writes_is_refused_a_foreign_file(
    manifest: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies at the zip's place and is no zip stays; looking hurts nobody."""
    monkeypatch.setattr(reproducibility, "build_twice", lambda *_: Rebuilt(("a", "a"), ()))
    Path("here.zip").mkdir()
    with pytest.raises(BuilderError):
        command("build", "-o", "here.zip")
    assert command("build", "-o", "here.zip", *options).code == 0


def test_two_builds_that_differ_are_told(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the exit code, and by the files."""
    command("build", "-o", "one.zip")
    (manifest.parent / "inference.py").write_text(INFERENCE + "# changed\n")
    command("build", "-o", "two.zip")
    with of_file(Path("one.zip")) as one, of_file(Path("two.zip")) as two:
        differ = Rebuilt(("a", "b"), compare(one, two))
    monkeypatch.setattr(reproducibility, "build_twice", lambda *_: differ)
    ran = command("build", "--check")
    assert ran.code == 1
    assert "inference.py" in ran.out
    assert ran.out.splitlines()[-1] == "differ  a b"
    told = command("build", "--check", "--json")
    assert (told.code, told.json["same"], told.json["sha256"]) == (1, False, ["a", "b"])
    assert [file["path"] for file in told.json["files"]] == ["1/inference.py"]
    monkeypatch.setattr(reproducibility, "build_twice", lambda *_: Rebuilt(("a", "a"), ()))
    ran = command("build", "--check")
    assert (ran.code, ran.out) == (0, "same    a\n")


def test_a_model_is_built_twice_alike(manifest: Path) -> None:
    """In other surroundings; nothing is written."""
    ran = command("build", "--check", "--json")
    assert (ran.code, ran.json["same"], ran.json["files"]) == (0, True, [])
    assert len(set(ran.json["sha256"])) == 1
    assert not (manifest.parent / "dist").exists()


def test_a_folder_is_no_name_for_a_zip() -> None:
    """And two ways to use the cache exclude each other."""
    parser = argparse.ArgumentParser()
    configure(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["-o", "folder/"])
    with pytest.raises(SystemExit):
        parser.parse_args(["--no-cache", "--verify-cache"])


def test_a_digest_that_is_wrong_in_the_cache_is_found(manifest: Path) -> None:
    """`--verify-cache` reads every file, and finds nothing where all is well."""
    command("build")
    assert command("build", "--verify-cache").code == 0


def test_the_repository_is_written_to_a_folder(manifest: Path) -> None:
    """To `dist/ID`, or where it is told to; never over something."""
    ran = command("render")
    assert Path(ran.out.strip()).resolve() == manifest.parent / "dist" / "lines"
    assert (manifest.parent / "dist" / "lines" / "1" / "inference.py").read_text() == INFERENCE
    with pytest.raises(BuilderError):
        command("render")
    assert command("render", "-o", "elsewhere").out == "elsewhere\n"
    assert Path("elsewhere", "config.pbtxt").is_file()
