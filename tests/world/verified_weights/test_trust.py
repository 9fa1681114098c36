"""Records of verified weights that are not true, and stores that do less: no wrong artifact."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.command_line import command
from support.memory_s3 import Answer, Request, error

from .conftest import CONTENT, RECORD, SHA256, SOURCE, Verified


def test_a_verified_weight_is_copied_and_not_read(verified: Verified) -> None:
    """The second model's zip is the same as that of a machine that has the weight."""
    assert verified.apply().code == 0
    assert (verified.was_copied, verified.was_read) == (True, False)
    assert verified.published()
    assert "verified" in command("verify", verified.manifest).out


@pytest.mark.parametrize("content", [bytes(len(CONTENT)), None])
def test_an_object_that_was_replaced_is_read_and_refused(
    verified: Verified, content: bytes | None
) -> None:
    """The manifest pins what it has to hold; nothing of the record is believed."""
    objects = verified.world.bucket.objects
    del objects[SOURCE]
    if content is not None:
        verified.world.bucket.put(SOURCE, content)
    # The first model's zip holds it, too, but is no zip of this model.
    ran = verified.apply()
    assert ran.code == 3
    assert "error[weight-" in ran.err
    assert not verified.published()


def test_an_object_that_was_copied_there_again_is_read_once(verified: Verified) -> None:
    """Another ETag, the same content: from then on, that is on record."""
    verified.world.bucket.put(SOURCE, CONTENT).etag = "another"
    assert verified.apply().code == 0
    assert verified.was_read
    assert verified.published()
    places = json.loads(verified.record)["places"]
    assert [place["etag"] for place in places] == ["another"]


def test_an_object_that_is_replaced_between_plan_and_copy_is_not_copied(verified: Verified) -> None:
    """The copy names its ETag; the weight is read then, and refused."""
    bucket = verified.world.bucket

    def replaced(request: Request) -> None:
        if "x-amz-copy-source" in request.headers and bucket.objects[SOURCE].body == CONTENT:
            bucket.put(SOURCE, bytes(len(CONTENT)))

    bucket.before = replaced
    ran = verified.apply()
    assert ran.code == 3
    assert "error[weight-mismatch]" in ran.err
    assert "words" not in [model.id for model in verified.world.registry.models()]


Edit = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    "edit",
    [
        lambda r: r | {"chunks": ["00000000"]},
        lambda r: r | {"size": r["size"] - 1},
        lambda r: r | {"more": "x" * (3 << 20)},
    ],
)
def test_a_record_that_is_not_true_is_as_good_as_none(verified: Verified, edit: Edit) -> None:
    """The weight is read, the artifact is the right one, and so is the record afterwards."""
    before = verified.record
    verified.world.bucket.put(RECORD, json.dumps(edit(json.loads(before))).encode())
    assert verified.apply().code == 0
    assert verified.published()
    assert verified.record == before
    assert verified.world.registry.versions("words")[0].recorded.sha256


def test_a_record_that_was_cut_off_is_as_good_as_none(verified: Verified) -> None:
    """Wherever: it is put on record anew."""
    before = verified.record
    verified.world.bucket.put(RECORD, before[:100])
    assert verified.apply().code == 0
    assert verified.was_read
    assert verified.record == before


@pytest.mark.parametrize("refusal", [error(403, "AccessDenied"), error(501, "NotImplemented")])
def test_a_store_that_does_not_copy_is_sent_the_weight(verified: Verified, refusal: Answer) -> None:
    """It can be read, which is all that is needed; a line says why."""
    verified.world.bucket.before = lambda request: (
        refusal if "x-amz-copy-source" in request.headers else None
    )
    ran = verified.apply()
    assert ran.code == 0
    assert verified.was_read
    assert verified.published()
    assert ran.err.count("warning[not-copied]") == 1


def test_a_weight_that_may_not_be_read_fails_as_ever(verified: Verified) -> None:
    """Who may not look at it can't copy it either."""
    verified.world.bucket.before = lambda request: (
        error(403, "AccessDenied") if request.key == SOURCE else None
    )
    ran = verified.apply()
    assert ran.code == 3
    assert "error[weight-refused]" in ran.err


def test_a_record_that_may_not_be_written_is_told(verified: Verified) -> None:
    """The artifact is published all the same."""
    del verified.world.bucket.objects[RECORD]
    verified.world.bucket.before = lambda request: (
        error(403, "AccessDenied") if (request.method, request.key) == ("PUT", RECORD) else None
    )
    ran = verified.apply()
    assert ran.code == 0
    assert verified.published()
    assert "1/w.bin was not put on record" in ran.err


def test_a_killed_upload_is_gone_on_with_by_another_machine(verified: Verified) -> None:
    """What was copied stays copied; the weight is read by nobody."""

    def fail(request: Request) -> Answer | None:
        completes = request.method == "POST" and "uploadId" in request.query
        return error(403, "AccessDenied") if completes else None

    verified.world.bucket.before = fail
    assert verified.apply().code != 0
    verified.world.bucket.before = lambda _request: None
    assert verified.apply().code == 0
    assert (verified.was_copied, verified.was_read) == (False, False)
    assert verified.published()
    assert SHA256 in verified.record.decode()
