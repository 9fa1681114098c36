"""`verify`: what is published is what the source gives, or the difference is named."""

from __future__ import annotations

import subprocess

import pytest

from clarifai_build.errors import StorageError, UsageError
from support.command_line import World, command
from support.light_platform import INFERENCE

CHANGED = INFERENCE + "# changed\n"


def git(world: World, *arguments: str) -> None:
    """Run Git in the folder of the models."""
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    subprocess.run(
        ["git", *who, *arguments], cwd=world.folder, check=True, capture_output=True, text=True
    )


def damage(world: World) -> None:
    """Change a byte of the published zip."""
    (key,) = world.zips()
    body = bytearray(world.bucket.objects[key].body)
    body[-30] ^= 1
    world.bucket.objects[key].body = bytes(body)


@pytest.mark.parametrize("options", [(), ("--url",)])
def test_what_is_published_is_what_the_source_gives(world: World, options: tuple[str, ...]) -> None:
    """In the bucket, or where an anonymous client downloads it."""
    command("apply", world.model())
    ran = command("verify", "lines", *options)
    assert ran.code == 0
    assert ran.out.splitlines()[0].endswith("verified")
    assert "FAIL" not in ran.out


@pytest.mark.parametrize("options", [(), ("--url",)])
def test_one_changed_byte_is_found(world: World, options: tuple[str, ...]) -> None:
    """The exit code says so."""
    command("apply", world.model())
    damage(world)
    ran = command("verify", "lines", *options)
    assert ran.code == 1
    assert ran.out.splitlines()[0].endswith("DIFFERS")


@pytest.mark.parametrize("options", [(), ("--url",)])
def test_a_zip_that_is_gone_is_a_failure_of_the_store(
    world: World, options: tuple[str, ...]
) -> None:
    """It can't be compared."""
    command("apply", world.model())
    world.bucket.objects.pop(world.zips()[0])
    assert command("verify", "lines", *options, "--json").code == StorageError.exit_code


def test_a_changed_source_is_found(world: World) -> None:
    """By the file that differs; as JSON, too."""
    command("apply", world.model())
    world.model(code=CHANGED)
    ran = command("verify", "lines", "--json")
    assert ran.code == 1
    (told,) = ran.json["models"]
    assert (told["ok"], told["model"]) == (False, "lines")
    assert [file["path"] for file in told["files"]] == ["1/inference.py"]
    assert ran.json["errors"] == []


def test_what_a_stranger_gets_is_not_what_lies_in_the_bucket(world: World) -> None:
    """With `--url` it is the stranger's view that counts: nothing public is a failure."""
    command("apply", world.model())
    world.bucket.public = False
    assert command("verify", "lines").code == 0
    ran = command("verify", "lines", "--url")
    assert ran.code == StorageError.exit_code
    assert "without credentials" in ran.err


def test_a_presigned_url_is_checked_with_the_buckets_records(world: World) -> None:
    """It opens the zip alone: provenance and SBOM are read with credentials."""
    manifest = world.model()
    text = manifest.read_text().replace("prefix: models", "prefix: models, access: presigned")
    manifest.write_text(text)
    world.bucket.public = False
    command("apply", manifest)
    ran = command("verify", manifest, "--url")
    assert ran.code == 0, ran.out
    assert "X-Amz-Signature" not in ran.out


def test_an_earlier_version_is_verified_from_its_commit(world: World) -> None:
    """From the one that was recorded, or any other."""
    manifest = world.model()
    git(world, "init", "-q")
    git(world, "add", "-A")
    git(world, "commit", "-qm", "first")
    command("apply", manifest)
    world.model(code=CHANGED)
    git(world, "commit", "-qam", "second")
    assert command("verify", "lines", "--version", "v1").code == 1
    assert command("verify", "lines", "--version", "v1", "--commit").code == 0
    assert command("verify", "lines", "--commit", "HEAD~1").code == 0
    assert command("verify", "lines", "--commit", "HEAD").code == 1


def test_a_model_that_is_not_live_is_an_error(world: World) -> None:
    """Unless all that are live are asked for: then it is left out."""
    command("apply", world.model("live"))
    world.model("absent")
    ran = command("verify", "live", "absent")
    assert ran.code == UsageError.exit_code
    assert "model 'absent' has no version 'live'" in ran.err
    assert "live: v1" in ran.out
    every = command("verify", "--all")
    assert every.code == 0, every.err
    assert "absent" not in every.out + every.err
    some = command("verify", "absent", "--all")
    assert (some.code, some.out) == (0, "")


def test_a_failure_does_not_hide_a_difference(world: World) -> None:
    """One that differs decides the exit code, whatever becomes of the others."""
    command("apply", world.model("live"))
    world.model("live", code=CHANGED)
    world.model("absent")
    ran = command("verify", "live", "absent", "--json")
    assert ran.code == 1
    assert [one["manifest"] for one in ran.json["errors"]] == ["absent/clarifai.yaml"]
    assert [one["model"] for one in ran.json["models"]] == ["live"]
