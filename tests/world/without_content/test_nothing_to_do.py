"""Whether there is anything to do is known without a byte of a remote weight."""

from __future__ import annotations

import json

import pytest

from clarifai_build.errors import SourceError
from support.command_line import World, command, ended
from support.live_model import DIGEST, SOURCE, WEIGHT, WEIGHTS, Live, publish


@pytest.mark.parametrize("asked", [("plan",), ("status",), ("apply",)])
def test_a_machine_without_the_weight_learns_that_nothing_is_to_be_done(
    live: Live, asked: tuple[str, ...]
) -> None:
    """It neither fetches the weight nor looks at it, and changes nothing."""
    ran = command(*asked, live.manifest)
    assert ran.code == 0
    assert "nothing to do" in ran.out or "Synced" in ran.out
    assert live.fetched() == []
    assert live.world.wrote() == []
    assert "warning" not in ran.err
    assert not (live.cache / "clarifai-build" / "weights").exists()


def test_all_that_is_read_of_the_bucket_is_the_record(live: Live) -> None:
    """By an anonymous client: no credentials, and one look at the zip."""
    command("apply", live.manifest)
    (record,) = live.records()
    asked = [(one.operation, one.key) for one in live.world.bucket.asked]
    assert asked == [("GET", record), ("HEAD", record.removesuffix(".contents.json"))]
    assert not any("authorization" in one.headers for one in live.world.bucket.asked)


def test_with_a_full_cache_no_record_is_read(live: Live) -> None:
    """What is there is not asked for."""
    command("build", live.manifest, "-o", live.world.folder / "x.zip")
    live.world.forget()
    command("apply", live.manifest)
    assert [one.operation for one in live.world.bucket.asked] == ["HEAD"]


def test_a_plan_names_the_files_that_change_and_no_others(live: Live) -> None:
    """The weight's CRC-32 is known as its size is."""
    live.world.edit("a comment")
    ran = command("plan", live.manifest, "--json")
    (model,) = ran.json["models"]
    assert [one["path"] for one in model["files"]] == ["1/inference.py"]
    assert [one["kind"] for one in model["actions"]] == ["upload", "create-version"]
    assert live.fetched() == []


def test_what_is_changed_is_published_as_ever(live: Live) -> None:
    """The weight comes from the earlier zip then; what is made is as on a machine that had it, but
    for the zip's SHA-256, which nobody knows without reading it all."""
    live.world.edit("a comment")
    command("build", live.manifest, "-o", live.world.folder / "x.zip")
    whole = (live.world.folder / "x.zip").read_bytes()
    live.empty_cache()
    live.world.forget()
    command("apply", live.manifest)
    assert "GET" not in live.fetched()
    (key,) = (key for key in live.world.zips() if live.version.artifact_digest in key)
    assert live.world.bucket.objects[key].body == whole
    assert live.version.revision == 2
    assert not live.version.recorded.sha256


def test_what_may_not_be_reused_is_fetched(live: Live) -> None:
    """`storage.reuse: never` takes nothing from earlier zips."""
    text = live.manifest.read_text()
    live.manifest.write_text(text.replace("storage: {", "storage: {reuse: never, "))
    live.world.edit("a comment")
    live.world.forget()
    command("apply", live.manifest)
    assert "GET" in live.fetched()
    assert live.version.recorded.sha256


def deregister(live: Live) -> None:
    """Delete the version by hand: the zip stays."""
    live.world.registry.delete_version("lines", live.version.id)


def test_a_new_registration_of_the_same_zip_needs_no_content(live: Live) -> None:
    """The zip is there, and is what it was by the store's checksum; its records stay."""
    before = live.version.recorded
    deregister(live)
    # Of this model's versions, none leads to the record any more: the lock's to know, or fetched.
    command("apply", live.manifest)
    assert [one for one in live.world.wrote() if one.endswith(".zip")] == []
    assert live.version.recorded.provenance == before.provenance


def test_a_zip_that_is_gone_is_put_together_again(live: Live) -> None:
    """The content is fetched for it."""
    (key,) = live.world.zips()
    body = live.world.bucket.objects.pop(key).body
    command("apply", live.manifest)
    assert live.world.bucket.objects[key].body == body
    assert "GET" in live.fetched()


def test_saved_plans_hold_on_another_machine(live: Live) -> None:
    """A plan that was made without the content is the plan that is made with it."""
    live.world.edit("a comment")
    file = live.world.folder / "plan.json"
    command("plan", live.manifest, "--out", file)
    assert live.fetched() == []
    command("apply", file)
    assert live.version.revision == 2


def test_commands_that_need_the_content_fetch_it(live: Live) -> None:
    """A zip is built of what is there."""
    command("build", live.manifest, "-o", live.world.folder / "x.zip")
    assert "GET" in live.fetched()
    live.empty_cache()
    live.world.forget()
    assert "verified" in command("verify", live.manifest).out
    assert "GET" in live.fetched()


def test_where_the_weight_is_gone_nothing_to_do_is_still_known(live: Live) -> None:
    """Only what needs it fails: where no earlier zip holds it, either."""
    live.world.bucket.objects.pop(SOURCE)
    assert "nothing to do" in command("apply", live.manifest).out
    (key,) = live.world.zips()
    live.world.bucket.put(key, b"another zip")
    live.world.edit("a comment")
    with pytest.raises(SourceError):
        command("apply", live.manifest)
    assert live.world.wrote() == []


def test_the_record_says_what_the_zip_holds(live: Live) -> None:
    """As it is documented."""
    (key,) = live.records()
    record = json.loads(live.world.bucket.objects[key].body)
    stored = live.world.bucket.objects[key.removesuffix(".contents.json")]
    assert (record["format"], record["encoder"]) == (1, None)
    assert record["artifact_digest"] == live.version.artifact_digest
    assert (record["size"], record["etag"]) == (len(stored.body), stored.etag)
    assert record["crc32"] == live.version.recorded.crc32
    (weight,) = (file for file in record["files"] if file[0] == "1/w.bin")
    assert weight[1:4] == [0o644, len(WEIGHT), DIGEST]


def test_another_app_of_one_bucket_needs_none_of_it(live: Live) -> None:
    """Weights of a model that is new are unknown, and fetched."""
    other = live.world.model("other")
    other.write_text(other.read_text() + WEIGHTS)
    command("apply", other)
    assert "GET" in live.fetched()


def test_compressed_zips_are_known_without_content_too(world: World) -> None:
    """By encoder and tree; one that was not published is compressed, of what is fetched."""
    live = publish(world, f"{WEIGHTS}artifact: {{compression: deflate}}\n")
    assert "nothing to do" in command("apply", live.manifest).out
    assert live.fetched() == []
    live.world.edit("a comment")
    assert command("plan", live.manifest, "--detailed-exitcode").code == 2
    assert "GET" in live.fetched()
    live.empty_cache()
    command("apply", live.manifest)
    assert live.version.revision == 2
    live.empty_cache()
    live.world.edit("another comment")
    command("apply", live.manifest)
    assert live.version.revision == 3
    assert "verified" in command("verify", live.manifest).out


def test_weights_of_many_models_are_asked_for_by_model(live: Live) -> None:
    """Each has records of its own."""
    other = live.world.model("other")
    other.write_text(other.read_text() + WEIGHTS)
    command("apply", live.world.folder)
    live.empty_cache()
    live.world.forget()
    ran = ended("apply", live.world.folder)
    assert ran.code == 0
    assert ran.out.count("unchanged") == 2
    assert live.fetched() == []
