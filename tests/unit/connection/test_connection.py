"""What a connection does with its manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.connection import connect
from clarifai_build.deploy.destroy import plan_deletion
from clarifai_build.deploy.reuse.known_contents import KnownByRecords
from clarifai_build.errors import (
    LeaseHeldError,
    UsageError,
)
from clarifai_build.manifest.types import Runner, Zip
from clarifai_build.pipeline import ApplyOptions, build_to
from clarifai_build.progress import Event
from clarifai_build.registry import RemoteVersion
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage import leases
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.util import cache_dir
from support.connections import ENDPOINTS, PAT, environ_of, in_memory, model_in
from support.fakes import MemoryStore, ShortPauses, public_bucket
from support.trees import weight_of, write_files


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    """A connection can be logged."""
    connection = connect(model_in(tmp_path), environ_of(tmp_path))
    assert "lines" in repr(connection)
    assert PAT not in repr(connection)


def test_apply_makes_live_what_plan_says(tmp_path: Path) -> None:
    """Build, plan and apply hang together, and a second apply has nothing to do."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        kinds = [action.kind for action in there.plan().actions]
        told: list[Event] = []
        applied = there.apply(ApplyOptions(cancel=ShortPauses()), told.append)
        assert [action.kind for action in applied.plan.actions] == kinds
        assert applied.version.artifact_digest == there.build().digest
        assert there.plan().actions == ()
        assert there.live_url(there.plan()) == applied.url
        assert "tree" in {event.stage for event in told}


def test_an_earlier_version_is_live_again(tmp_path: Path) -> None:
    """Rolling back takes bucket, platform and lease of the connection."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        first = there.apply().version
        code = tmp_path / "lines" / "inference.py"
        code.write_text(code.read_text() + "# other\n")
        second = there.apply().version
        third = there.roll_back(first)
    assert third.artifact_digest == first.artifact_digest
    assert there.registry.versions("lines") == (third, second)


def test_a_model_that_no_manifest_names_is_destroyed(tmp_path: Path) -> None:
    """With the lease that lies in the connection's bucket."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        there.apply()
        deletion = plan_deletion(there.registry, "lines")
        assert deletion is not None
        with leases.for_model(bucket, "mine", "me/main", "lines", "apply lines"):
            with pytest.raises(LeaseHeldError):
                there.destroy(deletion)
            there.destroy(deletion, lease=False)
    assert there.registry.models() == ()


def test_what_was_built_is_not_read_again(tmp_path: Path) -> None:
    """Digests and rendered files are kept below the home that the environment names."""
    connection = connect(model_in(tmp_path), environ_of(tmp_path))
    connection.build()
    kept = {path.name for path in (tmp_path / "home" / ".cache" / "clarifai-build").iterdir()}
    assert {"renders", "digests-4.sqlite"} <= kept


@pytest.mark.parametrize("compression", ["stored", "deflate"])
def test_a_zip_on_disk_takes_its_weights_from_there_too(tmp_path: Path, compression: Any) -> None:
    """Whichever way it is written, the cache that the environment names is looked into."""
    weight = weight_of("w.bin", "https://weights.invalid/w.bin", b"a weight")
    environ = environ_of(tmp_path)
    write_files(cache_dir.weights_folder(environ), {weight.sha256: b"a weight"})
    found = connect(model_in(tmp_path), environ).manifest
    manifest = replace(found, weights=(weight,), artifact=Zip(compression))
    artifact, written = build_to(tmp_path / "m.zip", manifest, environ=environ)
    assert written.path.is_file()
    assert {entry.path: entry.size for entry in artifact.tree.entries}["1/w.bin"] == 8


@pytest.mark.parametrize("sandbox", [False, ENDPOINTS])
def test_weights_come_with_the_environment_that_is_handed_in(
    tmp_path: Path, sandbox: bool | Endpoints
) -> None:
    """From its cache, and with its credentials, where everything else leads to the sandbox, too."""
    content = b"a weight"
    weight = weight_of("w.bin", "https://weights.invalid/w.bin", content)
    environ = {**environ_of(tmp_path), "AWS_ACCESS_KEY_ID": "cloud"}
    folder = cache_dir.weights_folder(environ)
    write_files(folder, {weight.sha256: content})
    made = connect(model_in(tmp_path), environ, sandbox=sandbox)
    made = replace(made, manifest=replace(made.manifest, weights=(weight,)))
    assert {entry.path: entry.size for entry in made.build().tree.entries}["1/w.bin"] == 8
    assert made.environ["AWS_ACCESS_KEY_ID"] == "cloud"


def test_a_lease_that_is_left_behind_is_taken_away(tmp_path: Path) -> None:
    """Whoever held it is named; where nobody does, nobody is."""
    there = in_memory(tmp_path, MemoryStore())
    with leases.for_model(there.store(), "mine", "me/main", "lines", "apply lines"):
        assert str(there.unlock()).endswith("(apply lines)")
    assert there.unlock() is None


def test_a_plan_asks_what_its_artifact_was_built_with(tmp_path: Path) -> None:
    """What that has read of records is not read again."""
    asked: list[str] = []

    class Watched(KnownByRecords):
        def weight_sources(self, artifact: Artifact) -> list[CopySource]:
            asked.append(artifact.digest)
            return super().weight_sources(artifact)

    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        known = Watched(there.manifest, there.store, there.weight_records, there.registry)
        artifact = there.build(known=known)
        assert there.plan(artifact, known).actions == there.plan(artifact).actions
    assert asked == [artifact.digest]


def test_records_of_weights_are_those_of_the_store(tmp_path: Path) -> None:
    """Where the manifest wants nothing reused, nothing is known."""
    connection = connect(model_in(tmp_path), environ_of(tmp_path))
    records = connection.weight_records()
    assert records.cache == cache_dir.weights_folder(environ_of(tmp_path))
    assert records.bucket("other") is records.bucket("other")
    storage = replace(connection.manifest.destination, reuse="never")
    never = replace(connection.manifest, storage=storage)
    assert replace(connection, manifest=never).known_contents() is None
    assert connection.known_contents() is not None


def test_a_runner_may_have_no_bucket(tmp_path: Path) -> None:
    """It is not looked for, and nothing is there to go back to."""
    connection = in_memory(tmp_path, MemoryStore())
    runner = replace(connection.manifest, target="runner", runner=Runner(), storage=None)
    alone = replace(connection, manifest=runner)
    assert alone.kept_in() is None
    assert alone.known_contents() is None
    with pytest.raises(UsageError) as raised:
        alone.roll_back(RemoteVersion("v1", 21100, ""))
    assert raised.value.problems[0].code == "nothing-kept"
    assert connection.kept_in() is connection.bucket
