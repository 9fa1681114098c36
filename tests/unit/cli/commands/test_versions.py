"""`versions`: what is live and what was, of a model that this tool made."""

from __future__ import annotations

from dataclasses import replace

from clarifai_build.registry.version_metadata import VersionMetadata
from support.command_line import World, command
from support.light_platform import INFERENCE

CHANGED = INFERENCE + "# changed\n"


def test_a_model_without_versions_has_none(world: World) -> None:
    """That is said, and is no failure."""
    ran = command("versions", world.model())
    assert (ran.code, ran.out) == (0, "")
    assert "model 'lines' has no versions" in ran.err
    assert command("versions", world.model(), "--json").json == {
        "model": "lines",
        "versions": [],
        "others": [],
    }


def test_the_newest_comes_first_and_is_live(world: World) -> None:
    """A changed source makes another version; only one of them is live."""
    command("apply", world.model())
    command("apply", world.model(code=CHANGED))
    ran = command("versions", "lines/clarifai.yaml")
    head, newest, oldest = ran.out.splitlines()
    assert head.split()[:4] == ["VERSION", "ID", "STATUS", "CREATED"]
    assert newest.split()[0] == "v2"
    assert newest.endswith("live")
    assert oldest.split()[0] == "v1"
    assert "live" not in oldest
    assert ran.err == ""


def test_a_version_is_told_as_json(world: World) -> None:
    """How it was made, when, of what, and where its zip lies."""
    command("apply", world.model())
    found = command("versions", "lines/clarifai.yaml", "--json").json
    (version,) = found["versions"]
    (key,) = world.zips()
    assert (found["model"], found["others"]) == ("lines", [])
    assert (version["revision"], version["live"], version["status"]) == (1, True, "ready")
    assert version["url"] == f"{world.bucket.endpoint}/bucket/{key}"
    assert version["artifact_digest"] in key
    assert version["size"] == len(world.bucket.objects[key].body)
    assert version["created"].endswith("Z")
    assert version["rollback_of"] is None


def test_what_others_made_is_only_counted(world: World) -> None:
    """It is not called a version of ours, and hides none."""
    command("apply", world.model())
    other = world.post()
    ran = command("versions", "lines/clarifai.yaml")
    assert "and 1 that clarifai-build did not build" in ran.err
    assert other.id[:12] not in ran.out
    assert "live" in ran.out
    assert command("versions", "lines/clarifai.yaml", "--json").json["others"] == [other.id]


def test_a_commit_with_changes_is_told_apart(world: World) -> None:
    """As is a version that went back to an earlier one."""
    command("apply", world.model())
    commit = "0123456789abcdef"
    seventh = VersionMetadata(
        *("ab" * 32, "x"), revision=7, commit=commit, dirty=True, size=5, rollback_of="v1"
    )
    world.post(metadata=seventh)
    newest = command("versions", "lines/clarifai.yaml").out.splitlines()[1]
    assert "0123456789+changes" in newest
    assert newest.endswith("live, back to v1")
    eighth = replace(seventh, registration_digest="y", dirty=False, revision=8, rollback_of=None)
    world.post(metadata=eighth)
    newest = command("versions", "lines/clarifai.yaml").out.splitlines()[1]
    assert "0123456789 " in newest
    assert "+changes" not in newest
