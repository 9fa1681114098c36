"""`status`: whether what is live is what the manifests say, and whether it works."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from clarifai_build.cli.commands import status
from support.command_line import World, command
from support.light_platform import INFERENCE
from support.memory_s3 import error


def rows(out: str) -> list[list[str]]:
    """Return the cells of the table, without its head and the conditions."""
    return [line.split() for line in out.splitlines()[1:] if not line.startswith("  ")]


def test_what_is_live_and_what_is_not_are_told_apart(world: World) -> None:
    """Each manifest in a line, by name; what does not hold is said below."""
    command("apply", world.model("live"))
    command("apply", world.model("changed"))
    world.model("changed", code=INFERENCE + "# changed\n")
    world.model("absent")
    ran = command("status", ".")
    assert ran.code == 0
    told = {row[1]: row[2:4] for row in rows(ran.out)}
    assert list(told) == ["absent", "changed", "live"]
    assert told == {
        "absent": ["OutOfSync", "Missing"],
        "changed": ["OutOfSync", "Healthy"],
        "live": ["Synced", "Healthy"],
    }
    assert "  changed: VersionRegistered False:" in ran.out
    assert "  live:" not in ran.out


def test_the_status_is_told_as_json(world: World) -> None:
    """With all conditions."""
    command("apply", world.model())
    world.model(description="another")
    (told,) = command("status", "lines", "-o", "json").json["models"]
    assert (told["model"], told["sync"], told["health"]) == ("lines", "OutOfSync", "Healthy")
    assert [condition["type"] for condition in told["conditions"]] == [
        "ModelUpToDate",
        "VersionUpToDate",
    ]
    assert told["artifact_digest"] in world.zips()[0]


def test_a_manifest_that_does_not_load_is_unknown(world: World) -> None:
    """The others are shown all the same, and the exit code is its error's."""
    world.model()
    (world.folder / "clarifai.yaml").write_text("nonsense: 1\n")
    ran = command("status", ".", "lines")
    assert ran.code == 3
    told = {row[0]: row for row in rows(ran.out)}
    assert told["clarifai.yaml"][1:3] == ["Unknown", "Unknown"]
    assert "OutOfSync" in told["lines/clarifai.yaml"]


def test_a_model_whose_code_is_gone_is_unknown(world: World) -> None:
    """A manifest that loads may be of a model that can't be built."""
    manifest = world.model()
    (manifest.parent / "notes.txt").write_text("-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64)
    ran = command("status", manifest)
    (row,) = rows(ran.out)
    assert row[1:4] == ["lines", "Unknown", "Unknown"]
    assert ran.code == 3


def test_a_model_that_is_nowhere_is_missing(world: World) -> None:
    """A condition for each thing that does not hold; none once it was applied."""
    world.model()
    (told,) = command("status", "lines", "-o", "json").json["models"]
    assert (told["sync"], told["health"]) == ("OutOfSync", "Missing")
    assert [condition["type"] for condition in told["conditions"]] == [
        *("ArtifactStored", "ModelRegistered", "VersionRegistered"),
    ]
    command("apply", "lines")
    (told,) = command("status", "lines", "-o", "json").json["models"]
    assert (told["sync"], told["health"]) == ("Synced", "Healthy")
    assert told["version"] == world.registry.versions("lines")[0].id


def test_what_can_not_be_looked_at_is_unknown(world: World) -> None:
    """With the exit code of what is in the way."""
    command("apply", world.model())
    world.bucket.before = lambda request: error(403, "AccessDenied")
    ran = command("status", "lines", "-o", "json")
    (told,) = ran.json["models"]
    assert (ran.code, told["sync"], told["health"]) == (4, "Unknown", "Unknown")
    (condition,) = told["conditions"]
    assert (condition["type"], condition["status"]) == ("Observed", "Unknown")


def test_watching_shows_what_has_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that: what is as it was is not shown again."""
    manifest = world.model()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            command("apply", manifest)
        if len(pauses) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(status.time, "sleep", sleep)
    shown: list[str] = []
    monkeypatch.setattr(
        status, "_show", lambda statuses, *_: shown.extend(one.sync for one in statuses)
    )
    with pytest.raises(KeyboardInterrupt):
        command("status", manifest, "--watch", "--interval", "0.25")
    assert shown == ["OutOfSync", "Synced"]
    assert pauses == [0.25] * 4


@pytest.mark.parametrize("text", ["-1", "86401", "nan", "inf", "x", ""])
def test_an_interval_that_is_none_is_refused(text: str) -> None:
    """From 0 seconds to a day."""
    parser = argparse.ArgumentParser()
    status.configure(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f"--interval={text}"])


def test_intervals_may_be_nothing_or_a_day() -> None:
    """And five seconds where none is given."""
    parser = argparse.ArgumentParser()
    status.configure(parser)
    given = [parser.parse_args(argv).interval for argv in (["--interval=0"], ["--interval=86400"])]
    assert given == [0.0, 86400.0]
    assert parser.parse_args([]).interval == 5.0
    assert parser.parse_args([]).manifests == [str(Path("clarifai.yaml"))]
