"""What an artifact changes in the live one: each file that differs, the largest first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.formats.zip_reader import read_listing
from clarifai_build.artifact.tree import FileTree
from clarifai_build.deploy.planning import Observed, Plan
from clarifai_build.deploy.registration import Registration
from clarifai_build.inspection.contents import File, of_artifact
from clarifai_build.inspection.file_changes import FileChange, compare, file_changes
from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from support.fakes import MemoryStore, manifest_of, public_bucket
from support.trees import artifact_of, entry_of

files = st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=4), max_size=6)


@given(files, files)
def test_every_change_is_named_once(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """With both sizes; the largest first, and by path where sizes are alike."""
    published = of_artifact("live", artifact_of(before)).files.values()
    found = compare(published, artifact_of(after).tree)
    sizes = {one.path: (one.before, one.after) for one in found}
    assert len(sizes) == len(found)
    assert sizes == {
        path: tuple(len(side[path]) if path in side else None for side in (before, after))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    kinds = {(False, True): "added", (True, False): "removed", (True, True): "changed"}
    assert all(one.change == kinds[one.path in before, one.path in after] for one in found)
    assert list(found) == sorted(
        found, key=lambda one: (-max(one.before or 0, one.after or 0), one.path)
    )


def test_a_mode_is_a_change() -> None:
    """Of a file whose content stays."""
    entry = entry_of("run.sh", b"#!", 0o755)
    was = File("run.sh", 0o644, entry.size, entry.crc32)
    assert compare([was], FileTree((entry,))) == (FileChange("changed", "run.sh", 2, 2),)
    assert compare([was._replace(mode=0o755)], FileTree((entry,))) == ()


LIVE, NEXT = artifact_of({"a": b"1"}), artifact_of({"a": b"1", "b": b"2"})


def plan_of(live: str | None) -> Plan:
    """Return the plan that brings the next artifact where another, or none, is live."""
    registration = Registration.of(manifest_of(), NEXT.digest, NEXT.size)
    version = RemoteVersion("v", 21100, "", metadata=VersionMetadata(live)) if live else None
    return Plan(registration, Observed(None, (), None), (), live=version)


def test_the_live_zip_is_read_where_it_differs() -> None:
    """Over the network; where there is nothing to show, nothing is asked for."""
    store = MemoryStore()
    store.put("live.zip", LIVE.read(0, LIVE.size), {})
    assert file_changes(plan_of(None), NEXT.tree, "nowhere") == ()
    assert file_changes(plan_of(NEXT.digest), NEXT.tree, "nowhere") == ()
    with public_bucket(store):
        found = file_changes(plan_of(LIVE.digest), NEXT.tree, store.url("live.zip"))
    assert found == (FileChange("added", "b", None, 1),)


@pytest.mark.parametrize("content", [None, b"no zip at all, but long enough to be one" * 9])
def test_a_live_zip_that_can_not_be_read_says_nothing(content: bytes | None) -> None:
    """It is gone, or is no zip: a plan does not fail for that, and does not say that all is new."""
    store = MemoryStore()
    if content is not None:
        store.put("live.zip", content, {})
    with public_bucket(store):
        url = store.url("live.zip")
        assert file_changes(plan_of(LIVE.digest), NEXT.tree, url) is None


def test_file_changes_are_named_largest_first() -> None:
    """Added, removed and changed files, by content and mode; what is the same is left out."""
    before = artifact_of({"same": b"s", "changed": b"12", "removed": b"123"})
    listing = read_listing(before.read, before.size)
    after = artifact_of({"same": b"s", "changed": b"21", "added": b"1234"})
    assert [(c.change, c.path, c.before, c.after) for c in compare(listing, after.tree)] == [
        ("added", "added", None, 4),
        ("removed", "removed", 3, None),
        ("changed", "changed", 2, 2),
    ]
    assert compare(listing, before.tree) == ()
