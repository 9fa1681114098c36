"""Records and locks that are missing, stale, damaged or lie: the slow way, never a wrong zip."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clarifai_build.digests.known import KnownContent
from clarifai_build.errors import BuilderError
from clarifai_build.provenance import lock as locks
from support.command_line import World, command, ended
from support.live_model import DIGEST, SOURCE, WEIGHT, WEIGHTS, Live, publish
from support.memory_s3 import error

Spoil = Callable[[Live, str, bytes], object]


def put(live: Live, key: str, body: bytes) -> None:
    """Replace an object."""
    live.world.bucket.put(key, body)


def edited(live: Live, key: str, body: bytes, edit: Callable[[Any], object]) -> None:
    """Change what stands in a record."""
    record = json.loads(body)
    edit(record)
    put(live, key, json.dumps(record, separators=(",", ":")).encode())


def of_another_model(live: Live, key: str, _body: bytes) -> None:
    """Lay the record of another model there."""
    other = live.world.model("other")
    other.write_text(other.read_text() + WEIGHTS)
    command("apply", other)
    (its,) = (one for one in live.records() if one != key)
    put(live, key, live.world.bucket.objects[its].body)
    live.empty_cache()


def larger(record: Any) -> None:
    """Let the weight be a byte larger."""
    (weight,) = (file for file in record["files"] if file[0] == "1/w.bin")
    weight[2] += 1


SPOILT: dict[str, Spoil] = {
    "gone": lambda live, key, _: live.world.bucket.objects.pop(key),
    "truncated": lambda live, key, body: put(live, key, body[:-20]),
    "huge": lambda live, key, body: put(live, key, body + b" " * (65 << 20)),
    "of another model": of_another_model,
    "with a size that is a lie": lambda live, key, body: edited(live, key, body, larger),
    "of another form": lambda live, key, body: edited(
        live, key, body, lambda record: record.update(format=2)
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_without_a_record_the_weight_is_fetched_once(live: Live, how: str) -> None:
    """Nothing is to be done, as is found by content; the record is there for the next machine."""
    (key,) = live.records()
    body = live.world.bucket.objects[key].body
    SPOILT[how](live, key, body)
    live.world.forget()
    ran = command("apply", live.manifest)
    assert "nothing to do" in ran.out
    assert ("contents-unusable" in ran.err) == (how != "gone")
    assert "GET" in live.fetched()
    assert live.world.bucket.objects[key].body == body
    assert live.world.wrote() == [f"PUT {key}"]
    live.empty_cache()
    live.world.forget()
    assert "nothing to do" in command("apply", live.manifest).out
    assert (live.fetched(), live.world.wrote()) == ([], [])


def test_plans_write_no_record(live: Live) -> None:
    """They change nothing, whatever is missing."""
    live.world.bucket.objects.pop(live.records()[0])
    command("plan", live.manifest)
    command("status", live.manifest)
    assert live.world.wrote() == []


def test_a_record_that_can_not_be_written_fails_nothing(live: Live) -> None:
    """It is told, and what was asked for is done."""
    live.world.bucket.objects.pop(live.records()[0])
    live.world.bucket.before = lambda asked: (
        error(403, "AccessDenied") if asked.method == "PUT" else None
    )
    ran = command("apply", live.manifest)
    assert "nothing to do" in ran.out
    assert "warning" in ran.err


def test_a_record_of_an_object_that_was_replaced_is_written_anew(live: Live) -> None:
    """By its ETag: copies of that object would else be refused for ever."""
    (key,) = live.records()
    zipped = key.removesuffix(".contents.json")
    stored = live.world.bucket.objects[zipped]
    live.world.bucket.objects[zipped] = replace(stored, etag="another")
    command("apply", live.manifest)
    assert json.loads(live.world.bucket.objects[key].body)["etag"] == "another"
    assert live.fetched() == []


def test_sums_that_are_a_lie_make_no_zip(live: Live) -> None:
    """What is published is made of content that was read, or compared by the store's checksum."""

    def lie(record: Any) -> None:
        (weight,) = (file for file in record["files"] if file[0] == "1/w.bin")
        weight[4] = ["00000000"]

    (key,) = live.records()
    edited(live, key, live.world.bucket.objects[key].body, lie)
    live.world.forget()
    assert "nothing to do" in command("apply", live.manifest).out
    live.world.edit("a comment")
    command("apply", live.manifest)
    assert "GET" in live.fetched()
    assert "verified" in command("verify", live.manifest).out


def test_a_lie_is_not_recorded_again(live: Live) -> None:
    """A record is written from content, or where the store's own checksum proves it."""
    locked(live, chunks=(7,))
    (key,) = live.records()
    live.world.bucket.objects.pop(key)
    fail(live)
    command("apply", live.manifest)
    (weight,) = (
        f for f in json.loads(live.world.bucket.objects[key].body)["files"] if "w.b" in f[0]
    )
    assert weight[4] != ["00000007"]
    assert "GET" in live.fetched()


def fail(live: Live) -> None:
    """Let the platform not build the version: it is registered once more."""

    def change(message: Any) -> None:
        message.status.code = 21106

    live.world.platform.builds.change(live.version.id, change)


def test_a_bucket_that_is_not_public_is_read_with_credentials(world: World) -> None:
    """Zips are public, records need not be."""
    live = publish(world)
    hidden = ".contents.json"
    world.bucket.before = lambda asked: (
        error(403, "AccessDenied")
        if asked.key.endswith(hidden) and "authorization" not in asked.headers
        else None
    )
    assert "nothing to do" in command("apply", live.manifest).out
    assert live.fetched() == []


def test_a_store_that_fails_is_no_store_without_records(live: Live) -> None:
    """It is told, and the weight is fetched where that is possible."""
    live.world.bucket.before = lambda asked: (
        error(400, "Odd") if asked.key.endswith(".contents.json") else None
    )
    ran = command("plan", live.manifest)
    assert "nothing to do" in ran.out
    assert "warning" in ran.err
    assert "GET" in live.fetched()


def test_only_the_newest_records_are_read(live: Live) -> None:
    """A weight that came and went long ago is fetched as any other."""
    plain = live.manifest.read_text().replace(WEIGHTS, "")
    live.manifest.write_text(plain)
    for text in "abcd":
        live.world.edit(text)
        command("apply", live.manifest)
    live.write(WEIGHTS)
    live.empty_cache()
    live.world.forget()
    command("plan", live.manifest)
    read = [one.key for one in live.world.bucket.asked if one.key.endswith(".contents.json")]
    assert len(set(read)) == 3
    assert "GET" in live.fetched()


def locked(live: Live, **lie: Any) -> None:
    """Write a lock that knows the weight, or something else of it."""
    command("build", live.manifest, "-o", live.world.folder / "x.zip")
    command("lock", live.manifest)
    path = live.manifest.with_suffix(".lock")
    lock = locks.read(path)
    assert lock is not None
    (known,) = lock.contents.values()
    assert known[:2] == (DIGEST, len(WEIGHT))
    locks.write(replace(lock, contents={DIGEST: known._replace(**lie)}), path)
    live.empty_cache()
    live.world.forget()


def test_a_lock_tells_what_a_record_would(live: Live) -> None:
    """Without a look at the bucket but for the zip itself."""
    locked(live)
    live.world.bucket.objects.pop(live.records()[0])
    assert "nothing to do" in command("apply", live.manifest).out
    assert [one.operation for one in live.world.bucket.asked] == ["HEAD"]


def test_a_lock_that_lies_ends_in_content(live: Live) -> None:
    """Another digest: a plan sees a change, and the apply that would carry it out reads, and finds
    that nothing is to be done."""
    locked(live, size=len(WEIGHT) + 1)
    assert command("plan", live.manifest, "--detailed-exitcode").code == 2
    assert live.fetched() == []
    assert "nothing to do" in command("apply", live.manifest).out
    assert "GET" in live.fetched()
    assert live.world.wrote() == []


def test_a_lock_that_was_edited_is_refused(live: Live) -> None:
    """As ever: its digest is not its content's."""
    locked(live)
    path = live.manifest.with_suffix(".lock")
    path.write_text(path.read_text().replace(str(len(WEIGHT)), str(len(WEIGHT) + 1)))
    ran = ended("apply", live.manifest)
    assert (ran.code, live.world.wrote()) == (3, [])
    assert "error[lock-edited]" in ran.err


def test_what_a_lock_does_not_know_the_records_tell(live: Live) -> None:
    """One of a tool that wrote no contents, say."""
    command("lock", live.manifest)
    lock = locks.read(live.manifest.with_suffix(".lock"))
    assert lock is not None
    assert lock.contents == {}
    assert "nothing to do" in command("apply", live.manifest).out
    assert live.fetched() == []


def test_a_lock_of_another_weight_is_no_help(live: Live) -> None:
    """What is asked for is asked for by its SHA-256."""
    locked(live)
    path = live.manifest.with_suffix(".lock")
    lock = locks.read(path)
    assert lock is not None
    other = KnownContent("ab" * 32, 5, (1,))
    locks.write(replace(lock, contents={other.sha256: other}), path)
    assert "nothing to do" in command("apply", live.manifest).out
    assert live.fetched() == []


def test_where_the_platform_is_out_of_reach_nothing_is_fetched(live: Live) -> None:
    """To compare with what is live would fail in any case."""
    live.world.platform.environ["CLARIFAI_API_BASE"] = "http://127.0.0.1:1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLARIFAI_API_BASE", "http://127.0.0.1:1")
        with pytest.raises(BuilderError):
            command("plan", live.manifest)
    assert live.fetched(SOURCE) == []
