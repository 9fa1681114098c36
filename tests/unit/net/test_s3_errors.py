"""What botocore raises, by its code: absent, refused, unknown, not allowed, or a failure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.errors import (
    BuilderError,
    ConditionalWritesUnsupportedError,
    NotAuthorisedError,
    Problem,
    StorageError,
)
from clarifai_build.net.s3_errors import (
    REFUSED,
    AbsentError,
    ConditionDoubtedError,
    RefusedError,
    map_boto_errors,
    refusal,
)
from clarifai_build.net.s3_responses import required_field, s3_request, s3_response, time_of


def raised(
    code: str, operation: str = "PutObject", status: int = 400, date: str | None = None
) -> ClientError:
    """Return what botocore raises for an answer."""
    headers = {} if date is None else {"date": date}
    response: Any = {
        "Error": {"Code": code, "Message": "hunter2"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return ClientError(response, operation)


def meaning(exc: Exception, *, conditional: bool = False) -> Exception:
    """Return what an exception becomes."""
    kinds = (BuilderError, AbsentError, RefusedError, ConditionDoubtedError)
    with pytest.raises(kinds) as found, map_boto_errors("b", conditional=conditional):
        raise exc
    assert found.value.__cause__ is exc
    return found.value


def problem(exc: Exception, *, conditional: bool = False) -> Problem:
    """Return the problem that it becomes."""
    found = meaning(exc, conditional=conditional)
    assert isinstance(found, BuilderError)
    assert "hunter2" not in str(found)
    return found.problems[0]


@pytest.mark.parametrize("code", ["404", "NoSuchKey", "NotFound", "NoSuchUpload"])
def test_what_is_not_there(code: str) -> None:
    """Is no failure: whoever asks decides."""
    assert isinstance(meaning(raised(code)), AbsentError)


@pytest.mark.parametrize("code", ["412", "PreconditionFailed", "ConditionalRequestConflict"])
def test_conditions_that_do_not_hold(code: str) -> None:
    """Are no failures either, whether or not one was set."""
    assert isinstance(meaning(raised(code)), RefusedError)


@pytest.mark.parametrize(
    "code", ["NotImplemented", "501", "InvalidArgument", "InvalidRequest", "400"]
)
def test_a_condition_may_be_what_is_refused(code: str) -> None:
    """Or it may not: only a refusal that names the header is unmistakable, if it means that."""
    assert problem(raised(code)).code == "store-failed"
    doubted = meaning(raised(code), conditional=True)
    assert isinstance(doubted, ConditionDoubtedError)
    assert doubted.told.problems[0].code == "store-failed"
    named = raised(code)
    named.response["Error"]["Header"] = "If-None-Match"  # type: ignore[typeddict-unknown-key]  # as AWS has it
    certain = isinstance(meaning(named, conditional=True), ConditionalWritesUnsupportedError)
    assert certain is (code in ("NotImplemented", "501"))


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_credentials_that_are_not_taken(code: str) -> None:
    """The operation and the bucket are named, and a way out."""
    found = meaning(raised(code))
    assert isinstance(found, NotAuthorisedError)
    assert found.problems == refusal("PutObject", "b", code).problems
    assert found.problems[0].message == f"the store refuses PutObject on bucket b: {code}"
    assert found.problems[0].hint


def date(minutes: int) -> str:
    """Return a store's time, so far from ours."""
    return format_datetime(datetime.now(timezone.utc) + timedelta(minutes=minutes), usegmt=True)


@pytest.mark.parametrize(
    ("said", "clock"),
    [(0, False), (5, False), (-5, False), (15, True), (-15, True), ("x", False), (None, False)],
)  # fmt: skip
def test_a_bare_refusal_may_be_the_clocks(said: int | str | None, clock: bool) -> None:
    """HEAD is answered without a reason: a clock more than ten minutes off is one."""
    told = date(said) if isinstance(said, int) else said
    hint = problem(raised("403", "HeadObject", 403, told)).hint or ""
    assert ("clock" in hint) is clock
    assert "clock" not in (problem(raised("AccessDenied", "HeadObject", 403, told)).hint or "")


def test_a_bare_400() -> None:
    """Of a HEAD it means credentials or the region; of anything else it says nothing."""
    found = meaning(raised("400", "HeadObject"))
    assert isinstance(found, NotAuthorisedError)
    assert "region" in (found.problems[0].hint or "")
    assert problem(raised("400", "PutObject")).code == "store-failed"


def test_a_bucket_that_is_not_there() -> None:
    """Is named."""
    found = problem(raised("NoSuchBucket"))
    assert (found.code, found.message) == ("no-bucket", "there is no bucket b")


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("PermanentRedirect", "AWS_REGION"),
        ("301", "storage.endpoint_url"),
        ("SlowDown", "busy"),
        ("AccessControlListNotSupported", "access: public"),
        ("InternalError", None),
    ],
)
def test_other_failures(code: str, way_out: str | None) -> None:
    """With status, code, and a way out where one is known."""
    found = problem(raised(code, status=499))
    assert found.code == "store-failed"
    assert "the store answers PutObject with 499" in found.message
    assert (code in found.message) is code.isalpha()
    assert (found.hint is None) if way_out is None else way_out in (found.hint or "")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_code_that_may_be_anything_is_not_shown(text: str) -> None:
    """Only what looks like a code is: letters and digits that begin with a capital."""
    assert problem(raised(f"{text} hunter2", status=499)).message.endswith("PutObject with 499")


@pytest.mark.parametrize(
    ("exc", "kind", "code"),
    [
        (NoCredentialsError(), NotAuthorisedError, "no-credentials"),
        (EndpointConnectionError(endpoint_url="http://s3"), StorageError, "store-unreachable"),
        (ConnectionClosedError(endpoint_url="http://s3"), StorageError, "store-unreachable"),
        (ParamValidationError(report="hunter2"), StorageError, "store-unreachable"),
        (RecursionError("hunter2"), StorageError, "store-failed"),
    ],
)
def test_what_never_got_an_answer(exc: Exception, kind: type[Exception], code: str) -> None:
    """No credentials, no connection, or an address that leads round in a circle."""
    assert isinstance(meaning(exc), kind)
    assert problem(exc).code == code
    assert problem(exc).hint


def test_bugs_come_out_as_they_are() -> None:
    """Nothing that botocore does not raise is taken for the store's fault."""
    bug = KeyError("bug")
    with pytest.raises(KeyError) as found, s3_request("b"):
        raise bug
    assert found.value is bug


@pytest.mark.parametrize(
    "surround",
    [lambda: s3_request("b"), lambda: s3_request("b", conditional=True), lambda: s3_response("b")],
)
@pytest.mark.parametrize("exc", [ResponseParserError("hunter2"), ValueError("hunter2")])
def test_an_answer_that_can_not_be_read_is_no_stores(
    surround: Callable[[], Any], exc: Exception
) -> None:
    """It may be a web page's; what it says is not repeated."""
    with pytest.raises(StorageError) as found, surround():
        raise exc
    assert found.value.problems[0].code == "not-s3"
    assert "hunter2" not in str(found.value)


def test_reading_leaves_refusals_as_they_are() -> None:
    """Whoever asks like this wants botocore's own."""
    with pytest.raises(ClientError), s3_response("b"):
        raise raised("AccessDenied")


def test_a_field_that_every_store_sends() -> None:
    """Where it is missing, no store answered."""
    assert required_field({"ETag": ""}, "ETag", "b") == ""
    with pytest.raises(StorageError, match="its answer has no ETag"):
        required_field({}, "ETag", "b")


@pytest.mark.parametrize(
    "said", ["Mon, 30 Nov 2026 15:00:00 GMT", "Mon, 30 Nov 2026 16:00:00 +0100",
             "Mon, 30 Nov 2026 15:00:00 -0000"],
)  # fmt: skip
def test_a_store_tells_the_time(said: str) -> None:
    """In any zone."""
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": said}}}
    assert time_of(answer) == datetime(2026, 11, 30, 15, tzinfo=timezone.utc)


@pytest.mark.parametrize("headers", [{}, {"date": "nonsense"}])
def test_a_store_without_a_clock_has_this_machines(headers: dict[str, str]) -> None:
    """The time is one that can be compared with others."""
    before = datetime.now(timezone.utc)
    found = time_of({"ResponseMetadata": {"HTTPHeaders": headers}})
    assert before <= found <= datetime.now(timezone.utc)
