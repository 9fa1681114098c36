"""What was published without reading it all: its provenance says so, and `verify` fills it in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from clarifai_build.storage.keys import provenance_key
from support.command_line import command, ended
from support.live_model import Live
from support.memory_s3 import error

FAILED = 21106


@pytest.fixture
def unread(live: Live) -> Live:
    """The model, registered once more by a machine that had read nothing of its zip."""
    fail(live)
    (key,) = live.world.zips()
    live.world.bucket.objects.pop(provenance_key(key))
    command("apply", live.manifest)
    assert live.fetched() == []
    live.world.forget()
    return live


def fail(live: Live) -> None:
    """Let the platform not build the version."""

    def change(message: Any) -> None:
        message.status.code = FAILED

    live.world.platform.builds.change(live.version.id, change)


def statement(live: Live) -> Any:
    """Return the provenance that lies beside the zip."""
    (key,) = live.records(".provenance.json")
    return json.loads(live.world.bucket.objects[key].body)


def checks(*arguments: str) -> dict[str, tuple[bool, str]]:
    """Run `verify`, and return what it says of each thing that it looks at."""
    (model,) = ended("verify", "--json", *arguments).json["models"]
    return {one["name"]: (one["ok"], one["message"]) for one in model["checks"]}


def test_provenance_and_metadata_say_that_the_sum_is_not_known(unread: Live) -> None:
    """The subject is named by the digest of the artifact; nothing is guessed."""
    (subject,) = statement(unread)["subject"]
    assert subject["digest"] == {"clarifaiBuildTree": unread.version.artifact_digest}
    assert "not known yet" in subject["annotations"]["sha256"]
    assert unread.version.recorded.sha256 is None
    assert "sha256" not in unread.version.recorded.to_struct()
    assert "not known yet" in command("inspect", unread.version.zip_url).out


def test_verify_fills_it_in(unread: Live) -> None:
    """Afterwards the statement is the one that a machine with the content would have written."""
    assert checks(str(unread.manifest))["provenance"][0]
    (key,) = unread.world.zips()
    sha256 = hashlib.sha256(unread.world.bucket.objects[key].body).hexdigest()
    assert statement(unread)["subject"] == [
        {"name": key.rpartition("/")[2], "digest": {"sha256": sha256}}
    ]
    again = checks(str(unread.manifest), "--require-sha256")
    assert again["sha256"] == (True, f"the provenance names the zip's SHA-256, {sha256}")
    assert again["provenance"][0]
    assert "but for the SHA-256" in again["provenance"][1]


def test_who_insists_is_told_that_it_is_not_there(unread: Live) -> None:
    """Exit code 1, and nothing is written."""
    ran = ended("verify", unread.manifest, "--require-sha256")
    assert ran.code == 1
    assert "the provenance names no SHA-256" in ran.out
    assert "`clarifai-build verify` fills in" in ran.out
    assert unread.world.wrote() == []


def test_a_look_from_outside_writes_nothing(unread: Live) -> None:
    """Who checks what an anonymous client sees may have no credentials."""
    ran = command("verify", unread.manifest, "--url")
    assert (ran.code, unread.world.wrote()) == (0, [])
    assert "without the zip's SHA-256" in ran.out


def test_who_may_not_write_is_told_so(unread: Live) -> None:
    """What is published is proven all the same."""
    unread.world.bucket.before = lambda asked: (
        error(403, "AccessDenied") if asked.method == "PUT" else None
    )
    ran = ended("verify", unread.manifest)
    assert ran.code == 0
    assert "could not be filled in" in ran.out


def test_who_has_the_content_fills_it_in_by_an_apply(unread: Live) -> None:
    """The next version refers to a statement that is whole."""
    command("build", unread.manifest, "-o", unread.world.folder / "x.zip")
    fail(unread)
    command("apply", unread.manifest)
    assert "sha256" in statement(unread)["subject"][0]["digest"]
    assert unread.version.recorded.sha256
    assert all(ok for ok, _ in checks(str(unread.manifest), "--require-sha256").values())


@pytest.mark.parametrize("what", ["predicate", "subject"])
def test_a_provenance_that_was_replaced_is_noticed(unread: Live, what: str) -> None:
    """Without a SHA-256, too: its own digest is on the platform."""
    (key,) = unread.records(".provenance.json")
    changed = statement(unread)
    if what == "predicate":
        changed["predicate"]["runDetails"]["builder"]["id"] = "somebody"
    else:
        changed["subject"][0]["digest"] = {"sha256": "0" * 64}
    unread.world.bucket.put(key, json.dumps(changed).encode())
    ran = ended("verify", unread.manifest)
    assert ran.code == 1
    assert "FAIL  provenance" in ran.out
