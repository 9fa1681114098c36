"""`destroy`: what this tool made of a model goes, and only that, once somebody has agreed."""

from __future__ import annotations

import pytest

from clarifai_build.errors import LeaseHeldError, UsageError
from clarifai_build.registry import NewModel
from support.command_line import World, command

MANIFEST = "lines/clarifai.yaml"


def test_a_model_that_is_all_ours_goes_whole(world: World) -> None:
    """Its artifacts stay in the bucket until `gc`."""
    command("apply", world.model())
    ran = command("destroy", MANIFEST, "--yes")
    assert ran.code == 0
    assert world.registry.model("lines") is None
    assert len(world.zips()) == 1
    assert "lines: destroyed" in ran.out
    assert "  - destroy model lines" in ran.err
    assert not [key for key in world.bucket.objects if "/.leases/" in key]


def test_what_others_made_stays(world: World) -> None:
    """Of a model that has versions of another tool's, only ours go."""
    command("apply", world.model())
    other = world.post()
    ran = command("destroy", MANIFEST, "--yes")
    assert [version.id for version in world.registry.versions("lines")] == [other.id]
    assert "model lines stays" in ran.err
    assert "  - destroy model" not in ran.err


def test_a_model_of_others_is_not_touched(world: World) -> None:
    """Nobody is asked, since nothing would be done."""
    world.registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    world.platform.builds.disown("lines")
    world.model()
    world.forget()
    ran = command("destroy", MANIFEST)
    assert ran.code == 0
    assert "nothing to destroy" in ran.out
    assert world.registry.model("lines") is not None
    assert world.wrote() == []


def test_nothing_is_destroyed_without_consent(world: World) -> None:
    """What would go is listed first."""
    command("apply", world.model())
    with pytest.raises(UsageError, match="no terminal"):
        command("destroy", MANIFEST)
    with pytest.raises(UsageError, match="nothing was destroyed"):
        command("destroy", MANIFEST, answers="no\n")
    assert len(world.registry.versions("lines")) == 1
    ran = command("destroy", MANIFEST, answers=" Y \n")
    assert world.registry.model("lines") is None
    assert "Destroy it? [y/N]" in ran.err


def test_an_apply_keeps_destroy_away(world: World) -> None:
    """Unless its lease is not asked for."""
    command("apply", world.model())
    world.lease()
    with pytest.raises(LeaseHeldError):
        command("destroy", MANIFEST, "--yes")
    assert world.registry.model("lines") is not None
    assert command("destroy", MANIFEST, "--yes", "--no-lease").code == 0
    assert world.registry.model("lines") is None
