"""The commands that read zips: `diff` and `inspect` tell a flipped bit, wherever the zip lies."""

from __future__ import annotations

import random
from pathlib import Path

from support.command_line import World, command, ended
from support.flipped import damaged_at, flipped
from support.memory_s3 import BUCKET

SEED = 20240229


def test_a_diff_of_flipped_zips_is_never_no_difference(world: World) -> None:
    """By its exit code; what is damaged is named, on whichever side it is."""
    command("build", world.model(), "-o", "sound.zip")
    data = (world.folder / "sound.zip").read_bytes()
    flips = random.Random(SEED).sample(range(len(data) * 8), 60)
    codes = []
    for at, bit in enumerate(flips):
        (world.folder / "flipped.zip").write_bytes(flipped(data, bit))
        sides = ("flipped.zip", "sound.zip") if at % 2 else ("sound.zip", "flipped.zip")
        codes.append(ended("diff", *sides, "--exit-code").code)
    assert codes == [1] * len(flips)
    assert command("diff", "sound.zip", "sound.zip", "--exit-code").code == 0
    assert command("diff", "sound.zip", "source", "-f", "lines", "--exit-code").code == 0


def test_inspect_names_damage(world: World) -> None:
    """And says so by its exit code, of a published zip, too."""
    command("apply", world.model())
    (key,) = world.zips()
    url = f"{world.bucket.endpoint}/{BUCKET}/{key}"
    assert command("inspect", url).code == 0
    body = world.bucket.objects[key].body
    world.bucket.objects[key].body = damaged_at(body, b"predicted_text=text)")
    told = command("inspect", url)
    assert told.code == 1
    assert "damaged: 1/inference.py" in told.out
    Path("one.zip").write_bytes(world.bucket.objects[key].body)
    assert command("inspect", "one.zip", "--json").json["damage"] != []


def test_inspect_names_a_provenance_of_another_zip(world: World) -> None:
    """Both are sound, and do not belong together."""
    manifest = world.model()
    command("build", manifest, "-o", "one.zip")
    assert command("inspect", "one.zip").code == 0
    world.edit("more")
    command("build", manifest, "-o", "two.zip")
    Path("two.zip").replace("one.zip")
    told = command("inspect", "one.zip")
    assert (told.code, "provenance is about another artifact" in told.out) == (1, True)


def test_a_published_zip_is_compared_by_content(world: World) -> None:
    """Not by what it says of itself, nor by the checksum that the store keeps with it."""
    manifest = world.model()
    command("apply", manifest)
    (key,) = world.zips()
    world.bucket.objects[key].body = damaged_at(
        world.bucket.objects[key].body, b"predicted_text=text)"
    )
    ran = command("diff", "live", "source", "-f", manifest, "--exit-code", "--json")
    assert ran.code == 1
    assert [file["path"] for file in ran.json["files"]] == ["1/inference.py"]
