"""What processes that were killed left is removed by the next one, whatever that one makes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.deflate import deflated
from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.artifact.packing.output_files import Outputs
from clarifai_build.cli.cache_entries import prune
from clarifai_build.errors import SandboxError
from clarifai_build.pipeline import ApplyOptions, Waiting, apply
from clarifai_build.progress import no_progress
from clarifai_build.sandbox.api.builds.loaded_models import Serving
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.builds.triton_build import TritonBuilds
from clarifai_build.sandbox.api.database import Database
from clarifai_build.sandbox.api.runners.build import RunnerBuilds
from clarifai_build.sandbox.api.runners.serving import Runners
from clarifai_build.sandbox.engines.file_locks import exclusive
from clarifai_build.sandbox.engines.venvs import Recipe, provision
from clarifai_build.util.atomic_file import atomic_write, partial_path
from clarifai_build.util.cache_dir import deflated_folder
from support import fakes
from support.trees import artifact_of, write_files

# Above the largest that the kernel gives.
DEAD = f"{(1 << 22) + 1}-0123abcd"
TREE = artifact_of({"a": b"one"}).tree


def names(folder: Path) -> list[str]:
    """Return the names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


SCRATCH = """
import sys, time
from pathlib import Path
from clarifai_build.util.processes.scratch_folder import ScratchFolder
folder = ScratchFolder()
Path(folder.name, "large").write_bytes(b"x")
print(folder.name, flush=True)
time.sleep(float(sys.stdin.readline() or 0))
"""


def scratch(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that has a temporary folder, until it is killed or told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRATCH],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_temporary_folders_do_not_pile_up(tmp_path: Path) -> None:
    """That of a process that was killed goes with the next, that of one that lives stays."""
    killed, first = scratch(tmp_path)
    killed.kill()
    killed.communicate()
    lives, second = scratch(tmp_path)
    assert [first.exists(), second.exists()] == [False, True]
    after, _ = scratch(tmp_path)
    assert second.exists()
    for process in (lives, after):
        process.communicate("0\n")
    assert names(tmp_path) == []


def test_a_killed_render_is_cleaned_up(tmp_path: Path) -> None:
    """A repository that was half laid out, by the next one."""
    half = partial_path(tmp_path / "model", DEAD)
    write_files(half / "repository" / "1", {"model.py": b"pass"})
    write_folder(TREE, tmp_path / "another")
    assert names(tmp_path) == ["another"]


def test_an_apply_cleans_up_after_builds(tmp_path: Path) -> None:
    """It writes no zip itself, and is what runs most often where disks are small."""
    left = partial_path(tmp_path / "dist" / "m.zip", DEAD)
    write_files(left.parent, {left.name: b"PK"})
    manifest = replace(fakes.manifest_of(), path=tmp_path / "clarifai.yaml")
    calls = fakes.Calls()
    store, registry = fakes.MemoryStore(calls), fakes.MemoryRegistry(calls)
    options = ApplyOptions(waiting=Waiting(timeout=5.0), cancel=fakes.ShortPauses())
    with fakes.public_bucket(store):
        apply(manifest, fakes.artifact_of(fakes.BUILT), store, registry, options)
    assert names(tmp_path / "dist") == []


def test_a_small_file_cleans_up_in_its_folder(tmp_path: Path) -> None:
    """A lock, or a cached rendering."""
    partial_path(tmp_path / "other", DEAD).touch()
    atomic_write(tmp_path / "clarifai.lock", b"new")
    assert names(tmp_path) == ["clarifai.lock"]


def test_compressed_files_are_cleaned_up(tmp_path: Path) -> None:
    """Where they are kept for the next build."""
    first = deflated(TREE, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    partial_path(kept / "x", DEAD).touch()
    assert deflated(TREE, folder=tmp_path).digest == first.digest
    assert names(kept) == []


def test_a_pruned_cache_keeps_what_is_being_written(tmp_path: Path) -> None:
    """Only what nobody writes any more goes with the rest."""
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    folder = deflated_folder(environ)
    write_files(folder, {"whole": b"x", partial_path(Path("dead"), DEAD).name: b"x"})
    with Outputs(folder / "a.zip") as outputs:
        outputs.open()
        (writing,) = (name for name in names(folder) if name.startswith(".a.zip"))
        removed = {entry.path.name for entry in prune(0, environ)}
        assert names(folder) == [writing]
    assert removed == {"whole"}


@pytest.mark.parametrize("holder", ["killed", "lives"])
def test_an_environment_that_was_half_made_goes(tmp_path: Path, holder: str) -> None:
    """With the next that is made beside it, unless somebody is still at it; whole ones stay."""
    for name in ("half", "whole"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / f"{name}.lock").touch()
    (tmp_path / "whole" / ".complete").touch()
    recipe = Recipe("test", Path("/bin/false"), (), "")
    lock = tmp_path / ("half.lock" if holder == "lives" else "another.lock")
    with exclusive(lock), pytest.raises(SandboxError, match="can't make a virtual environment"):
        provision(tmp_path / "new", recipe, no_progress)
    assert (tmp_path / "half").exists() == (holder == "lives")
    assert (tmp_path / "whole").exists()


class Triton:
    """Serves nothing."""

    def unload(self, _name: str) -> None:
        """Have nothing to unload."""


def test_a_server_that_was_killed_is_cleaned_up(tmp_path: Path) -> None:
    """Zips half fetched, joined or unpacked, and models of versions that are no more."""
    work, models = tmp_path / "builds", tmp_path / "models"
    write_files(
        work, {f"gone{end}": b"x" for end in (".zip", ".joined", ".parts/1", "/1/model.py")}
    )
    write_files(models, {"gone/1/model.py": b"x"})
    serving: Any = Serving(Triton(), models)  # type: ignore[arg-type]
    engines: Any = None
    runners = Runners(tmp_path / "runners", Path("python"), None)  # type: ignore[arg-type]
    write_files(runners.root, {"gone/model/config.yaml": b"x"})
    builders = TritonBuilds(serving, engines), RunnerBuilds(runners)
    Builds(Database(tmp_path / "api.sqlite"), *builders, work).resume()
    assert [*work.iterdir(), *models.iterdir(), *runners.root.iterdir()] == []
