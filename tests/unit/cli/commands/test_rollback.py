"""`rollback`: an earlier version's zip becomes the newest version again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clarifai_build.errors import LeaseHeldError, UsageError
from clarifai_build.sandbox.api.errors import Code
from clarifai_build.storage import leases
from clarifai_build.storage.keys import Claim, artifact_folder, claim_key, contents_key
from support.command_line import World, command, ended
from support.light_platform import INFERENCE
from support.memory_s3 import Request

MANIFEST = "lines/clarifai.yaml"
FAILED = Code.MODEL_TRAINING_FAILED


def two(world: World) -> None:
    """Publish two versions, one after the other."""
    command("apply", world.model())
    command("apply", world.model(code=INFERENCE + "# changed\n"))


def urls(world: World) -> list[str]:
    """Return where the zips of the versions lie, newest first."""
    return [version.zip_url for version in world.registry.versions("lines")]


def test_an_earlier_version_becomes_the_newest(world: World) -> None:
    """The same zip, registered anew; the older version of it goes then."""
    two(world)
    second, first = urls(world)
    ran = command("rollback", "v1", MANIFEST, "--yes")
    assert ran.code == 0
    assert urls(world) == [first, second]
    assert ran.out.startswith("lines: v3 (")
    assert ran.out.rstrip().endswith("is ready")
    newest = world.registry.versions("lines")[0]
    assert newest.recorded.rollback_of == "v1"
    assert not [key for key in world.bucket.objects if "/.leases/" in key]


def test_both_stay_where_nobody_waits(world: World) -> None:
    """Only a version that is ready may replace another."""
    two(world)
    second, first = urls(world)
    assert command("rollback", "v1", MANIFEST, "--yes", "--no-wait").code == 0
    assert urls(world) == [first, second, first]


def test_what_is_live_is_not_rolled_back_to(world: World) -> None:
    """There is nothing to do, and nobody is asked."""
    two(world)
    ran = command("rollback", "v2", MANIFEST)
    assert (ran.code, ran.out) == (0, "lines: nothing to do, v2 is live\n")
    world.forget()
    told = command("rollback", "live", MANIFEST, "--json").json
    assert world.wrote() == []
    assert (told["revision"], told["rollback_of"]) == (2, None)
    assert len(urls(world)) == 2


def test_nothing_happens_without_consent(world: World) -> None:
    """What would be registered and destroyed is shown first."""
    two(world)
    with pytest.raises(UsageError, match="no terminal"):
        command("rollback", "v1", MANIFEST)
    with pytest.raises(UsageError, match="nothing was destroyed"):
        command("rollback", "v1", MANIFEST, answers="\n")
    assert len(world.registry.versions("lines")) == 2
    ran = command("rollback", "v1", MANIFEST, answers="yes\n")
    oldest = "  - then destroy version"
    assert "  + register the artifact of v1" in ran.err
    assert oldest in ran.err


def test_the_result_is_told_as_json(world: World) -> None:
    """The new version, and the one that it goes back to."""
    two(world)
    told = command("rollback", "v1", MANIFEST, "--yes", "--json").json
    newest = world.registry.versions("lines")[0]
    assert told == {
        "model": "lines",
        "version": newest.id,
        "revision": 3,
        "rollback_of": "v1",
        "artifact_digest": newest.artifact_digest,
        "status": "ready",
    }


def test_it_is_registered_as_it_was(world: World) -> None:
    """As a new version of who goes back, without an upload."""
    two(world)
    old = world.registry.versions("lines")[1]
    world.forget()
    ran = command("rollback", "v1", MANIFEST, "--yes")
    new = world.registry.versions("lines")[0]
    assert (new.registration_digest, new.revision) == (old.registration_digest, 3)
    assert (new.input_fields_map, new.params) == (old.input_fields_map, old.params)
    assert new.recorded.apply not in ("", None, old.recorded.apply)
    assert new.recorded.by == leases.user()
    assert not [asked for asked in world.wrote() if asked.endswith(".zip")]
    assert f"register the artifact of v1 ({old.artifact_digest}) anew" in ran.err
    assert f"posted v3 ({new.id})" in ran.err


@pytest.mark.parametrize("name", ["v9", "nothing", "abcdef"])
def test_a_version_that_is_not_there_is_named(world: World, name: str) -> None:
    """With those that are."""
    two(world)
    with pytest.raises(UsageError, match=f"no version '{name}'; there are: v2, v1"):
        command("rollback", name, MANIFEST, "--yes")


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("changed", "published-differs"),
        ("cut", "published-differs"),
        ("gone", "object-gone"),
        ("unrecorded", "published-differs"),
        ("unrecorded and changed", "published-differs"),
    ],
)
def test_a_zip_that_is_not_as_it_was_published_is_not_registered(
    world: World, harm: str, code: str
) -> None:
    """One changed byte is enough; so is that nothing was recorded to hold it against.

    Without the SHA-256 of the zip, the record of what it holds says what has to be there.
    """
    two(world)
    old = world.registry.versions("lines")[1]
    (key,) = (key for key in world.zips() if key in old.zip_url)
    body = world.bucket.objects[key].body
    if "unrecorded" in harm:
        world.record(old, replace(old.recorded, sha256=None))
    if "changed" in harm:
        world.bucket.put(key, body[:-1] + bytes([body[-1] ^ 1]))
    elif harm == "cut":
        world.bucket.put(key, body[:-1])
    elif harm == "gone":
        world.bucket.objects.pop(key)
    else:
        world.bucket.objects.pop(contents_key(key))
    ran = ended("rollback", "v1", MANIFEST, "--yes")
    assert ran.code == 5
    assert f"error[{code}]" in ran.err
    assert world.revisions() == [2, 1]


def test_a_zip_whose_sum_nobody_knew_is_proven_file_by_file(world: World) -> None:
    """It was published without reading all of its content: the digest of the artifact decides."""
    two(world)
    old = world.registry.versions("lines")[1]
    world.record(old, replace(old.recorded, sha256=None))
    command("rollback", "v1", MANIFEST, "--yes")
    new = world.registry.versions("lines")[0]
    assert (new.artifact_digest, new.recorded.sha256) == (old.artifact_digest, None)


def test_a_zip_that_is_not_public_is_not_registered(world: World) -> None:
    """The platform could not, either."""
    two(world)
    world.bucket.public = False
    assert ended("rollback", "v1", MANIFEST, "--yes").code == 5
    assert world.revisions() == [2, 1]


def test_a_version_that_failed_is_no_way_back(world: World) -> None:
    """The platform's reason is repeated."""
    two(world)
    first = world.registry.versions("lines")[1]
    world.platform.builds.become(first.id, FAILED, "no memory")
    ran = ended("rollback", "v1", MANIFEST, "--yes")
    assert ran.code == 5
    assert "version-failed" in ran.err
    assert "no memory" in ran.err
    assert world.revisions() == [2, 1]


def test_a_live_version_that_failed_is_registered_anew(world: World) -> None:
    """Where an older one of the same registration is ready."""
    two(world)
    live = world.registry.versions("lines")[0]
    again = world.post("lines", replace(live.recorded, revision=9), live.zip_url)
    world.platform.builds.become(again.id, FAILED)
    ran = ended("rollback", "v2", MANIFEST, "--yes")
    assert ran.code == 0, ran.err
    assert world.revisions() == [10, 1]


def test_what_went_live_meanwhile_is_left(world: World) -> None:
    """Another rollback to the same version was quicker: its version is the result."""
    two(world)
    old = world.registry.versions("lines")[1]
    theirs: list[str] = []

    def quicker(request: Request) -> None:
        if request.method == "PUT" and not theirs:
            theirs.append("")
            theirs[0] = world.post("lines", old.recorded, old.zip_url).id

    world.bucket.before = quicker
    ran = command("rollback", "v1", MANIFEST, "--yes", "--no-wait", "--json")
    assert ran.json["version"] == theirs[0]
    assert len(world.revisions()) == 3


def test_the_artifact_is_claimed_before_it_is_read(world: World) -> None:
    """So that `gc` leaves it; the lease is given back in the end."""
    two(world)
    old = world.registry.versions("lines")[1]
    (key,) = (key for key in world.zips() if key in old.zip_url)
    claim = claim_key(artifact_folder(key), Claim(world.scope, "lines"))
    world.bucket.objects.pop(claim)
    world.forget()
    assert command("rollback", "v1", MANIFEST, "--yes").code == 0
    asked = [(one.method, one.key) for one in world.bucket.asked]
    assert asked.index(("PUT", claim)) < asked.index(("GET", key))
    assert claim in world.bucket.objects


def test_a_lost_lease_posts_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone else may be at work by then."""
    two(world)
    monkeypatch.setattr(leases, "EXPIRY", -1.0)  # as if this machine had slept
    ran = ended("rollback", "v1", MANIFEST, "--yes")
    assert ran.code == 6
    assert "lease-lost" in ran.err
    assert world.revisions() == [2, 1]


def test_another_apply_keeps_a_rollback_away(world: World) -> None:
    """One at a time works on a model; `unlock` takes the lease from one that died."""
    two(world)
    key = world.lease()
    with pytest.raises(LeaseHeldError, match="eve"):
        command("rollback", "v1", MANIFEST, "--yes")
    ran = command("unlock", MANIFEST)
    assert ran.code == 0
    assert ran.out.startswith("lines: taken from eve")
    assert key not in world.bucket.objects
    assert command("unlock", MANIFEST).out == "lines: not leased\n"
    assert command("rollback", "v1", MANIFEST, "--yes").code == 0


def test_unlocking_goes_on_past_a_manifest_that_does_not_load(world: World) -> None:
    """It is named, and the exit code is its error's."""
    world.model()
    (world.folder / "odd").mkdir()
    (world.folder / "odd" / "clarifai.yaml").write_text("nonsense: 1\n")
    ran = command("unlock", "lines", "odd")
    assert ran.out == "lines: not leased\n"
    assert "nonsense" in ran.err
    assert ran.code == 3
