"""`diff`: what differs between two artifacts, wherever each of them lies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clarifai_build.errors import UsageError
from support.command_line import Ran, World, command
from support.light_platform import INFERENCE

CHANGED = INFERENCE + "# changed\n"


def diff(*names: str) -> Ran:
    """Compare two sides, with an exit code that tells."""
    return command("diff", *names, "-f", "lines/clarifai.yaml", "--exit-code")


def paths(ran: Ran) -> list[str]:
    """Return the files that differ."""
    return [file["path"] for file in ran.json["files"]]


def test_live_and_source_are_compared(world: World) -> None:
    """Nothing differs after an apply; a changed file is named then."""
    command("apply", world.model())
    same = diff()
    assert same.code == 0
    assert "v1 (" in same.err
    assert "→ source" in same.err
    world.model(code=CHANGED)
    ran = diff("--json")
    assert ran.code == 1
    assert paths(ran) == ["1/inference.py"]
    assert ran.json["after"] == "source"
    assert "+# changed" in diff().out


def test_a_difference_is_no_failure(world: World) -> None:
    """Unless an exit code is asked for."""
    command("apply", world.model())
    world.model(code=CHANGED)
    ran = command("diff", "-f", "lines/clarifai.yaml")
    assert ran.code == 0
    assert "inference.py" in ran.out


def test_two_versions_are_compared(world: World) -> None:
    """By their numbers, or how an id begins."""
    command("apply", world.model())
    command("apply", world.model(code=CHANGED))
    newest, oldest = world.registry.versions("lines")
    assert paths(diff("v1", "v2", "--json")) == ["1/inference.py"]
    assert paths(diff(oldest.id, newest.id, "--json")) == ["1/inference.py"]
    assert diff("v2", "live").code == 0


def test_a_local_zip_needs_no_platform(world: World) -> None:
    """Neither does the source."""
    manifest = world.model()
    command("build", manifest, "-o", "one.zip")
    world.model(code=CHANGED)
    ran = diff("one.zip", "source", "--json")
    assert paths(ran) == ["1/inference.py"]
    assert ran.json["before"] == "one.zip"
    assert world.platform.calls == []
    assert world.bucket.asked == []


def test_a_git_revision_is_rebuilt(world: World) -> None:
    """It is named with its commit."""
    world.model()
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    calls = (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"])
    for call in calls:
        subprocess.run(["git", *who, *call], cwd=world.folder, check=True, capture_output=True)
    world.model(code=CHANGED)
    ran = diff("HEAD", "source", "--json")
    assert paths(ran) == ["1/inference.py"]
    assert ran.json["before"].startswith("HEAD (")
    assert world.platform.calls == []


def test_a_name_that_means_nothing_is_told(world: World) -> None:
    """It is neither a revision of Git's nor a version."""
    command("apply", world.model())
    with pytest.raises(UsageError, match="no version 'nonsense'"):
        diff("nonsense")


def test_inspect_shows_what_a_zip_holds(world: World) -> None:
    """Published or local, with what lies beside it."""
    manifest = world.model()
    command("build", manifest, "-o", "one.zip")
    command("apply", manifest)
    (key,) = world.zips()
    url = f"{world.bucket.endpoint}/bucket/{key}"
    local, published = command("inspect", "one.zip"), command("inspect", url)
    assert "1/inference.py" in local.out
    assert local.out.splitlines()[-1].startswith("no SBOM lies beside it")
    assert "no provenance" not in local.out
    assert published.out.splitlines()[-1].startswith("no SBOM lies beside it")
    assert "1/inference.py" in published.out
    told = command("inspect", url, "--json").json
    files = {file["path"]: file for file in told["files"]}
    assert files["1/inference.py"]["size"] == len(INFERENCE.encode())
    assert files["1/inference.py"]["mode"] == "0644"
    assert told["provenance"]["predicateType"]
    assert told["sbom"] is None
    assert told["zip"] == url


def test_inspect_says_what_does_not_lie_beside_a_zip(world: World) -> None:
    """A zip alone has no provenance; one behind a signature may, but it can't be read."""
    command("build", world.model(), "-o", "one.zip")
    for record in Path().glob("one.zip.*"):
        record.unlink()
    lines = command("inspect", "one.zip").out.splitlines()
    assert "no provenance lies beside it" in lines
    world.bucket.put("a.zip", Path("one.zip").read_bytes())
    signed = f"{world.bucket.endpoint}/bucket/a.zip?X-Amz-Signature=hunter2"
    ran = command("inspect", signed)
    assert "no provenance can be read: a signed URL opens the zip alone" in ran.out
    assert "no SBOM can be read: a signed URL opens the zip alone" in ran.out
    assert "hunter2" not in ran.out + ran.err
    assert "hunter2" not in command("inspect", signed, "--json").out
