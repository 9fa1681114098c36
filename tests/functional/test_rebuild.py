"""Builds as a process: the same bytes in other surroundings, held to a lock, with their records."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WEIGHTS = b"w" * (2 << 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with weights beside its folder, and a program."""
    model = tmp_path / "models" / "one"
    model.mkdir(parents=True)
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    (tmp_path / "weights.bin").write_bytes(WEIGHTS)
    (model / "clarifai.yaml").write_text(
        "model: {id: one, type: text-to-text}\n"
        f"weights: [{{to: w.bin, from: ../../weights.bin, sha256: {sha256}}}]\n"
    )
    (model / "inference.py").write_text("class InferenceModel:\n    def predict(self): ...\n")
    (model / "run.sh").write_text("#!/bin/sh\n")
    (model / "run.sh").chmod(0o755)
    (model / "large.bin").write_bytes(WEIGHTS)
    return model


def tool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tool in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "clarifai_build", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_other_surroundings_give_the_same_bytes(folder: Path) -> None:
    """Umask, locale, time zone, hash seed, folder and order of files leave no trace."""
    done = tool(folder, "build", "--check", "--json")
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout)
    assert checked["same"]
    built = json.loads(tool(folder, "build", "--json").stdout)
    assert set(checked["sha256"]) == {built["sha256"]}


def test_a_check_leaves_the_folder_as_it_is(folder: Path) -> None:
    """Not even the times of a file change; links within the folder lead into the copy."""
    (folder / "link.bin").symlink_to(folder / "large.bin")
    before = {file.name: file.lstat() for file in folder.iterdir()}
    done = tool(folder, "build", "--check")
    assert done.returncode == 0, done.stderr
    for name, status in before.items():
        now = (folder / name).lstat()
        assert (now.st_ctime_ns, now.st_nlink) == (status.st_ctime_ns, status.st_nlink), name


def test_a_check_needs_no_more_than_a_build(folder: Path) -> None:
    """What is left out need not be readable; what goes in has to be."""
    for name in (".env", "sub/private"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
        (folder / name).chmod(0)
    (folder / ".clarifaiignore").write_text("sub/private\n")
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    check = [*powerless, sys.executable, "-m", "clarifai_build", "build", "--check"]
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / ".clarifaiignore").unlink()
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 3
    assert "error[unreadable]" in done.stderr
    assert "sub/private can't be read" in done.stderr


def test_records_lie_beside_a_local_zip(folder: Path) -> None:
    """`inspect` of a zip on disk reads what `build` wrote beside it."""
    built = json.loads(tool(folder, "build", "--json").stdout)
    shown = tool(folder, "inspect", built["path"])
    assert shown.returncode == 0, shown.stderr
    assert f"artifact_digest  {built['artifact_digest']}" in shown.stdout
    assert "1/w.bin" in shown.stdout
    provenance = json.loads(Path(f"{built['path']}.provenance.json").read_text())
    assert provenance["subject"][0]["digest"]["sha256"] == built["sha256"]


def test_what_is_built_into_the_folder_stays_out(folder: Path) -> None:
    """A zip that is written beside the manifest, and its records, are no part of the next one."""
    built = [
        json.loads(tool(folder, "build", "-o", "one_text-to-text.zip", "--json").stdout)
        for _ in range(2)
    ]
    assert built[0]["artifact_digest"] == built[1]["artifact_digest"]


def test_diff_of_a_zip_and_the_source(folder: Path) -> None:
    """What changed since the zip was built is shown, and can be an exit code."""
    built = json.loads(tool(folder, "build", "--json").stdout)
    same = tool(folder, "diff", built["path"], "--exit-code")
    assert same.returncode == 0, same.stderr
    (folder / "run.sh").chmod(0o644)
    (folder / "large.bin").rename(folder / "renamed.bin")
    changed = tool(folder, "diff", built["path"], "--exit-code")
    assert changed.returncode == 1
    assert "~ 1/run.sh  mode 0755 → 0644" in changed.stdout
    assert "renamed from 1/large.bin" in changed.stdout


def test_locked_builds_refuse_without_a_lock(folder: Path) -> None:
    """`--locked` names what is missing, and builds once it is there."""
    assert tool(folder, "build", "--locked").returncode == 3
    assert tool(folder, "lock").returncode == 0
    assert tool(folder, "lock", "--check").returncode == 0
    assert tool(folder, "build", "--locked").returncode == 0
    manifest = folder / "clarifai.yaml"
    manifest.write_text(manifest.read_text().replace("to: w.bin", "to: v.bin"))
    moved = tool(folder, "lock", "--check")
    assert moved.returncode == 3
    assert "weight v.bin" in moved.stderr
    assert "weight w.bin" in moved.stderr


def test_a_check_builds_what_a_build_does(folder: Path) -> None:
    """Folders that stay out elsewhere, and those that a rule brings back."""
    for name in ("pkg/dist/x", "venv/y", "node_modules/z", "dist/old.zip"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(name)
    (folder / ".clarifaiignore").write_text("!/venv/\n")
    built = json.loads(tool(folder, "build", "--json", "-o", "../built.zip").stdout)
    paths = {file["path"] for file in built["files"]}
    assert {"1/pkg/dist/x", "1/venv/y"} <= paths
    assert {"1/node_modules/z", "1/dist/old.zip"}.isdisjoint(paths)
    checked = json.loads(tool(folder, "build", "--check", "--json").stdout)
    assert set(checked["sha256"]) == {built["sha256"]}


def test_a_check_leaves_what_lies_beside_the_code(folder: Path) -> None:
    """It copies no virtual environment, and finds weights in a folder that stays out."""
    (folder / "src").mkdir()
    (folder / "inference.py").rename(folder / "src" / "inference.py")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "unreadable").symlink_to("nowhere")
    (folder / "venv").mkdir()
    (folder / "large.bin").rename(folder / "venv" / "large.bin")
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    (folder / "clarifai.yaml").write_text(
        "model: {id: one, type: text-to-text}\ncode: {path: src}\n"
        f"weights: [{{to: w.bin, from: venv/large.bin, sha256: {sha256}}}]\n"
    )
    done = tool(folder, "build", "--check", "--json")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("record", [".provenance.json", ".sbom.json"])
def test_records_of_others_are_not_replaced(folder: Path, record: str) -> None:
    """Before anything is built; one that a build wrote is replaced together with its zip."""
    other = folder / f"one.zip{record}"
    other.write_text('{"made by": "another"}')
    done = tool(folder, "build", "-o", "one.zip")
    assert done.returncode == 1
    assert f"one.zip{record} is there already, and no build wrote it" in done.stderr
    assert other.read_text() == '{"made by": "another"}'
    assert not (folder / "one.zip").exists()
    other.unlink()
    for _ in range(2):
        assert tool(folder, "build", "-o", "one.zip").returncode == 0


def test_a_check_follows_links_as_a_build_does(folder: Path) -> None:
    """Into a folder that stays out: one that is named goes in, the other stays out with it."""
    (folder / "store").mkdir()
    (folder / "store" / "blob").write_text("x")
    (folder / "store" / "names").write_text("numpy\n")
    (folder / "link").symlink_to("store/blob")
    (folder / "requirements.txt").symlink_to("store/names")
    (folder / ".clarifaiignore").write_text("/store/\n")
    manifest = (folder / "clarifai.yaml").read_text()
    (folder / "clarifai.yaml").write_text(f"{manifest}code: {{requirements: requirements.txt}}\n")
    built = json.loads(tool(folder, "build", "--json", "-o", "../built.zip").stdout)
    done = tool(folder, "build", "--check", "--json")
    assert done.returncode == 0, done.stdout
    assert set(json.loads(done.stdout)["sha256"]) == {built["sha256"]}


@pytest.mark.parametrize("kind", ["file", "pipe", "folder"])
def test_an_sbom_beside_our_zip_may_be_another_s(folder: Path, kind: str) -> None:
    """A provenance names the one that its build wrote."""
    assert tool(folder, "build", "-o", "../one.zip").returncode == 0
    other = folder.parent / "one.zip.sbom.json"
    {"file": other.touch, "folder": other.mkdir, "pipe": lambda: os.mkfifo(other)}[kind]()
    done = tool(folder, "build", "-o", "../one.zip")
    assert done.returncode == 1
    assert "one.zip.sbom.json is there already, and no build wrote it" in done.stderr
    assert other.exists()


def test_a_name_that_leaves_no_room_for_records_is_an_error(folder: Path) -> None:
    """It fits, and those of its records don't."""
    done = tool(folder, "build", "-o", "n" * 245 + ".zip")
    assert done.returncode == 1
    assert "error[unwritable]" in done.stderr
    assert "File name too long" in done.stderr
