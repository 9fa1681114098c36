"""Ways out of the commands of the SDK's older versions, and of zips that others made."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from clarifai_build.cli import legacy
from clarifai_build.sandbox.api.builds import download
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.builds.triton_build import TritonBuilds
from clarifai_build.sandbox.engines.install import Engines, Interpreter
from clarifai_build.sandbox.engines.processes import free_ports
from support.command_line import World, script
from support.following import fine, live, told
from support.memory_s3 import BUCKET
from world.hints.platform import Following

Script = Callable[[Sequence[str] | None], int]


def refused(code: str, command: Script, *arguments: str | Path) -> str:
    """Run an old command that ends with this code; return what it says."""
    ran = script(command, *arguments)
    assert ran.code != 0, ran.out + ran.err
    assert f"error[{code}]" in ran.err, ran.err
    return ran.err


def taken(command: Script, *arguments: str | Path) -> None:
    """Run an old command that succeeds."""
    ran = script(command, *arguments)
    assert ran.code == 0, ran.out + ran.err


def model_version(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Without the option, a repository that loads."""
    given = ("--model_name", "m", "--model_type", "text-to-text", "--repo_dir", world.folder)
    said = refused("model-version", legacy.upload_init, *given, "--model_version", "2")
    assert "leave --model_version out" in said
    assert not Path("m").exists()
    taken(legacy.upload_init, *given)
    fine("import", "m", "--type", "text-to-text")
    fine("validate", "m")


class Loading:
    """Stands where the sandbox has Triton: whatever is unpacked and checked is loaded."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository

    def load(self, version: str) -> None:
        """Find the version where it was put."""
        assert (self.repository / version).is_dir()

    def discard(self, version: str) -> None:
        """Forget a version."""


def built_as_they_are(world: World, variables: pytest.MonkeyPatch) -> None:
    """Let the platform fetch, unpack and check zips as the sandbox does."""
    work, stand_in = world.folder.parent / "builds", world.platform.builds
    work.mkdir()
    loading = Loading(world.folder.parent / "loaded")
    engines = Engines(Interpreter("3.11", Path(), Path()), Path())
    triton = TritonBuilds(loading, engines)  # type: ignore[arg-type]  # no Triton
    builds = Builds(stand_in.database, triton, triton, work)
    variables.setattr(stand_in, "submit", builds.submit)
    variables.setattr(download, "PAUSES_SECONDS", ())


def put_zip(world: World, zip_name: str, folder: Path) -> str:
    """Publish a zip of a folder; return its address."""
    packed = shutil.make_archive(str(world.folder.parent / "packed"), "zip", folder)
    world.bucket.put(zip_name, Path(packed).read_bytes())
    return f"{world.bucket.endpoint}/{BUCKET}/{zip_name}"


def repository(world: World) -> Path:
    """Let the old command write a repository."""
    given = ("--model_name", "m", "--model_type", "text-to-text", "--repo_dir")
    taken(legacy.upload_init, *given, world.folder / "repositories")
    return world.folder / "repositories" / "m"


def names_missing(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Both ways: by the options, or by the name of the file."""
    folder = repository(world)
    address = put_zip(world, "x.zip", folder)
    said = refused("names-missing", legacy.upload_model, "--url", address)
    assert "give --model_id and --model_type" in said
    named = ("--model_id", "m", "--model_type", "text-to-text")
    taken(legacy.upload_model, "--url", address, *named)
    assert "name it MODEL-ID_MODEL-TYPE.zip" in said
    taken(legacy.upload_model, "--url", put_zip(world, "n_text-to-text.zip", folder))
    assert sorted(one.id for one in world.registry.models()) == ["m", "n"]


def model_exists(world: World, _variables: pytest.MonkeyPatch) -> None:
    """With the option, the model has two versions."""
    address = put_zip(world, "m_text-to-text.zip", repository(world))
    taken(legacy.upload_model, "--url", address)
    assert "add --update_version" in refused("model-exists", legacy.upload_model, "--url", address)
    taken(legacy.upload_model, "--url", address, "--update_version")
    assert len(world.registry.versions("m")) == 2


def layout_refused(world: World, variables: pytest.MonkeyPatch) -> None:
    """What is in the folder that the message names, zipped, is a model."""
    built_as_they_are(world, variables)
    folder = repository(world)
    nested = put_zip(world, "m_text-to-text.zip", folder.parent)
    said = refused("build-failed", legacy.upload_model, "--url", nested)
    assert "m/ does: zip what is in that folder, not the folder" in said
    right = put_zip(world, "m_text-to-text.zip", folder)
    taken(legacy.upload_model, "--url", right, "--update_version")


def zip_refused(world: World, variables: pytest.MonkeyPatch) -> None:
    """A zip of the folder, in place of what is none or points outside of it."""
    built_as_they_are(world, variables)
    right = put_zip(world, "m_text-to-text.zip", repository(world))
    outside = world.folder.parent / "outside.zip"
    with zipfile.ZipFile(outside, "w") as archive:
        archive.writestr("../config.pbtxt", b"")
    for content, words in ((outside.read_bytes(), "points outside"), (b"PK", "not a zip")):
        world.bucket.put("wrong_text-to-text.zip", content)
        wrong = f"{world.bucket.endpoint}/{BUCKET}/wrong_text-to-text.zip"
        given = ("--url", wrong, "--model_id", "m", "--update_version")
        assert words in refused("build-failed", legacy.upload_model, *given)
    taken(legacy.upload_model, "--url", right, "--update_version")


def fetch_failed(world: World, variables: pytest.MonkeyPatch) -> None:
    """An address that can be reached from here."""
    built_as_they_are(world, variables)
    right = put_zip(world, "m_text-to-text.zip", repository(world))
    wrong = f"http://127.0.0.1:{free_ports(1)[0]}/m_text-to-text.zip"
    assert "can't download" in refused("build-failed", legacy.upload_model, "--url", wrong)
    taken(legacy.upload_model, "--url", right, "--update_version")


def disk_full(world: World, variables: pytest.MonkeyPatch) -> None:
    """Once there is room, the next apply is built."""
    built_as_they_are(world, variables)
    world.model(at=".")
    with variables.context() as full:
        # All that is free is kept for others.
        full.setattr(download, "RESERVE_BYTES", shutil.disk_usage(world.folder).total)
        assert "the disk has room for 0" in told("build-failed", "apply")
    live()


FOLLOWED: Mapping[str, Following] = {
    "disk-full": disk_full,
    "fetch-failed": fetch_failed,
    "layout-refused": layout_refused,
    "model-exists": model_exists,
    "model-version": model_version,
    "names-missing": names_missing,
    "zip-refused": zip_refused,
}
