"""`gc`: artifacts that no version refers to go, once they are old and somebody has agreed."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from clarifai_build.cli.commands.gc import configure
from clarifai_build.digests.known import KnownContent
from clarifai_build.errors import UsageError
from clarifai_build.storage.keys import lease_key, weight_key
from clarifai_build.storage.lease_holder import Holder
from clarifai_build.weights.weight_record import Place, WeightRecord
from support.command_line import World, command
from support.light_platform import INFERENCE
from support.memory_s3 import BUCKET, Bucket, error

DAY = 24 * 3600.0


def age(bucket: Bucket, days: float) -> None:
    """Let everything in the bucket be so old."""
    for found in bucket.objects.values():
        found.grow_older(days * DAY)


def folder_of(key: str) -> str:
    """Return the folder that an artifact lies in."""
    return key[: key.rindex("/") + 1]


def two_of_which_one_is_used(world: World) -> tuple[str, str]:
    """Publish two artifacts, and let only the second be live; returns the key of each."""
    command("apply", world.model())
    (first,) = world.zips()
    command("apply", world.model(code=INFERENCE + "# changed\n"))
    (second,) = set(world.zips()) - {first}
    oldest = world.registry.versions("lines")[-1]
    world.registry.delete_version("lines", oldest.id)
    return first, second


def test_what_nothing_refers_to_is_removed(world: World) -> None:
    """Whole, and nothing else; what was done is told."""
    first, second = two_of_which_one_is_used(world)
    age(world.bucket, 8)
    ran = command("gc", "lines/clarifai.yaml", "--yes")
    assert ran.code == 0
    assert world.zips() == [second]
    assert f"  - {folder_of(first)}" in ran.err
    assert "1 artifacts" in ran.err
    assert "removed" in ran.err
    assert "would go" not in ran.err
    assert ran.out.startswith("DIGEST")


def test_what_is_younger_than_the_grace_period_stays(world: World) -> None:
    """Seven days, unless another is given."""
    two_of_which_one_is_used(world)
    age(world.bucket, 6.9)
    assert "0 artifacts" in command("gc", "lines/clarifai.yaml", "--yes").err
    assert len(world.zips()) == 2
    command("gc", "lines/clarifai.yaml", "--yes", "--grace", "6d")
    assert len(world.zips()) == 1


def test_a_dry_run_removes_nothing(world: World) -> None:
    """It says what would go, and asks nobody."""
    two_of_which_one_is_used(world)
    age(world.bucket, 8)
    ran = command("gc", "lines/clarifai.yaml", "--dry-run")
    assert "would go" in ran.err
    assert "1 artifacts" in ran.err
    assert len(world.zips()) == 2
    told = command("gc", "lines/clarifai.yaml", "--dry-run", "--json").json["artifacts"]
    (goes,) = (one for one in told if one["action"] == "remove")
    lies = [found for key, found in world.bucket.objects.items() if key.startswith(goes["folder"])]
    assert goes["size"] == sum(len(found.body) for found in lies)


def test_a_store_without_conditions_has_nothing_removed_and_that_is_a_failure(world: World) -> None:
    """What was listed, and agreed to, is still there: said, with the way out."""
    two_of_which_one_is_used(world)
    age(world.bucket, 8)
    world.bucket.before = lambda request: (
        error(501, "NotImplemented") if "if-none-match" in request.headers else None
    )
    ran = command("gc", "lines/clarifai.yaml", "--yes", "--json")
    assert ran.code == 5
    assert '"action": "unsafe"' in ran.out
    assert "1 artifacts were not removed" in ran.err
    assert "by hand" in ran.err
    assert len(world.zips()) == 2


def test_what_an_apply_holds_is_not_removed_and_that_is_a_failure(world: World) -> None:
    """As for everything else that a lease keeps out."""
    two_of_which_one_is_used(world)
    age(world.bucket, 8)
    key = lease_key("models", world.registry.scope, "lines")
    world.bucket.put(key, replace(Holder.here("apply"), host="elsewhere").body())
    ran = command("gc", "lines/clarifai.yaml", "--yes")
    assert ran.code == 6
    assert "1 artifacts were not removed" in ran.err
    assert len(world.zips()) == 2


def test_nothing_goes_without_consent(world: World) -> None:
    """Without a terminal or --yes, or where the answer is no, everything stays."""
    two_of_which_one_is_used(world)
    age(world.bucket, 8)
    with pytest.raises(UsageError, match="no terminal"):
        command("gc", "lines/clarifai.yaml")
    with pytest.raises(UsageError, match="nothing was destroyed"):
        command("gc", "lines/clarifai.yaml", answers="n\n")
    assert len(world.zips()) == 2
    assert command("gc", "lines/clarifai.yaml", answers="y\n").code == 0
    assert len(world.zips()) == 1


@pytest.mark.parametrize("grace", ["2d", "48h", "2880m", "172800s", "0s"])
def test_the_grace_period_is_held_to(world: World, grace: str) -> None:
    """In every unit: what is two days old goes, and what is younger stays."""
    two_of_which_one_is_used(world)
    age(world.bucket, 1.99)
    command("gc", "lines/clarifai.yaml", "--yes", "--grace", "2d")
    assert len(world.zips()) == 2
    age(world.bucket, 0.02)
    command("gc", "lines/clarifai.yaml", "--yes", "--grace", grace)
    assert len(world.zips()) == 1


def test_what_is_used_is_no_question(world: World) -> None:
    """Nothing would go, so nobody is asked, however old it is."""
    command("apply", world.model())
    age(world.bucket, 99)
    ran = command("gc", "lines/clarifai.yaml", "--grace", "0s")
    assert ran.code == 0
    assert "used" in ran.out
    assert len(world.zips()) == 1


def test_who_has_nothing_to_remove_is_not_asked(world: World) -> None:
    """Nothing is listed, and the exit code is 0."""
    ran = command("gc", world.model())
    assert (ran.code, ran.out) == (0, "")
    assert "0 artifacts" in ran.err


def test_the_result_is_told_as_json(world: World) -> None:
    """Each artifact with its fate; with JSON, too, nothing goes without consent."""
    first, second = two_of_which_one_is_used(world)
    age(world.bucket, 8)
    told = command("gc", "lines/clarifai.yaml", "--json", "--yes").json["artifacts"]
    fates = {one["folder"]: one["action"] for one in told}
    assert fates == {folder_of(first): "removed", folder_of(second): "used"}
    assert {one["artifact_digest"] in one["folder"] for one in told} == {True}


def test_what_another_app_claims_is_left_to_it(world: World) -> None:
    """This app's claim goes, the artifact stays, and both are told."""
    first, _ = two_of_which_one_is_used(world)
    folder = folder_of(first)
    scope = world.registry.scope
    (mine,) = (key for key in world.bucket.objects if key.startswith(folder) and scope in key)
    world.bucket.put(mine.replace(scope, "you/other"), b"{}")
    age(world.bucket, 8)
    ran = command("gc", "lines/clarifai.yaml", "--yes")
    assert "only this app's claim on it" in ran.err
    assert "1 left to other apps" in ran.err
    assert first in world.zips()
    assert mine not in world.bucket.objects
    again = command("gc", "lines/clarifai.yaml", "--yes")
    assert "0 artifacts" in again.err
    assert "left to other apps" not in again.err


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("0s", 0)]
)
def test_a_grace_period_has_a_unit(text: str, seconds: int) -> None:
    """Seconds, minutes, hours or days."""
    parser = argparse.ArgumentParser()
    configure(parser)
    assert parser.parse_args(["--grace", text]).grace == seconds
    assert parser.parse_args([]).grace == 7 * 86400


@pytest.mark.parametrize("text", ["7", "d", "-1d", "7w", "1.5h", "7d ", ""])
def test_a_grace_period_that_is_none_is_refused(text: str) -> None:
    """A typo must not become a period of nothing."""
    parser = argparse.ArgumentParser()
    configure(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f"--grace={text}"])


def test_records_of_weights_that_are_gone_go_too(world: World) -> None:
    """They are named before, like artifacts."""
    world.model()
    content = KnownContent("ab" * 32, 5, (1,))
    key = weight_key("models", content.sha256)
    record = WeightRecord(content, (Place(BUCKET, "weights/w.bin", "e1"),))
    world.bucket.put(key, record.format())
    age(world.bucket, 8)
    (told,) = command("gc", "lines/clarifai.yaml", "--dry-run", "--json").json["weights"]
    assert told["key"] == key
    assert (told["sha256"], told["action"]) == (content.sha256, "remove")
    assert key in world.bucket.objects
    ran = command("gc", "lines/clarifai.yaml", "--yes")
    assert f"  - {key}  ({told['reason']})" in ran.err
    assert "1 records of weights" in ran.err
    assert key not in world.bucket.objects
