"""What botocore raises, and what it lets through, is told in this tool's words."""

from __future__ import annotations

import inspect
import string
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions

from clarifai_build.errors import BuilderError, NotAuthorisedError, StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_errors import map_boto_errors
from clarifai_build.storage.s3_store import open_store
from clarifai_build.weights.remote.s3 import open_s3
from support.scripted_web import closed_port

_ALL = [
    kind
    for _, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == exceptions.__name__
]


def instance_of(kind: type[Exception]) -> Exception:
    """Return an exception whose text has what nobody should see, as far as it takes one."""
    fields = (name for _, name, _, _ in string.Formatter().parse(getattr(kind, "fmt", "")) if name)
    response: Any = {"Error": {"Code": "Hm", "Message": "hunter2"}}
    if issubclass(kind, exceptions.ClientError):
        return kind(response, "PutObject")
    try:
        return kind(**dict.fromkeys(fields, "hunter2"))
    except (TypeError, KeyError):
        return kind.__new__(kind, "hunter2")


@pytest.mark.parametrize("kind", _ALL, ids=lambda kind: kind.__name__)
def test_every_exception_of_botocore_is_told(kind: type[Exception]) -> None:
    """None is taken for a bug, whichever version brings it."""
    with pytest.raises(BuilderError) as raised, map_boto_errors("models"):
        raise instance_of(kind)
    (problem,) = raised.value.problems
    assert "models" in problem.message
    assert raised.value.exit_code in (4, 5)


PROCESS = "[default]\ncredential_process = {}\n"
SESSION = (
    "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
    "[sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://sso.test\n"
)
CASES: dict[str, tuple[dict[str, str], str, int]] = {
    "token file": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"},
        "",
        4,
    ),
    "token folder": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"},
        "",
        4,
    ),
    "token file of the profile": (
        {},
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = /nowhere/token\n",
        4,
    ),
    "program that is missing": ({}, PROCESS.format("/nowhere/program"), 4),
    "program that is none": ({}, PROCESS.format("/etc/passwd"), 4),
    "program that prints junk": ({}, PROCESS.format("echo hunter2"), 4),
    "program that prints nothing": ({}, PROCESS.format("true"), 4),
    "program that prints bytes": ({}, PROCESS.format(r"printf '\377\376'"), 4),
    "program that prints a list": ({}, PROCESS.format("echo [1]"), 4),
    "program with an unclosed quote": ({}, PROCESS.format("echo 'hunter2"), 4),
    "program whose keys end at no time": (
        {},
        PROCESS.format(
            'echo \'{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", '
            '"SessionToken": "c", "Expiration": "hunter2"}\''
        ),
        4,
    ),
    "container token": (
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
        },
        "",
        4,
    ),
    "container address": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://hunter2.test/x"}, "", 4),
    "profile": ({"AWS_PROFILE": "nope"}, "", 4),
    "broken file": ({}, "[default", 4),
    "binary file": ({}, "\xff\x00", 4),
    "no session": (
        {},
        SESSION,
        4,
    ),
    "retry mode": ({"AWS_RETRY_MODE": "often"}, "", 5),
    "attempts": ({"AWS_MAX_ATTEMPTS": "many"}, "", 5),
    "defaults": ({"AWS_DEFAULTS_MODE": "best"}, "", 5),
    "metadata mode": ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"}, "", 5),
    "metadata timeout": ({"AWS_METADATA_SERVICE_TIMEOUT": "long"}, "", 5),
}


@pytest.mark.parametrize(("variables", "config", "code"), CASES.values(), ids=CASES)
def test_settings_that_botocore_can_not_use(
    no_aws: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    config: str,
    code: int,
) -> None:
    """Exit code, bucket and a way out, for the store and for weights; a bug is none of them."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (no_aws / ".aws/config").write_text(config, encoding="latin-1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if code == 5:
        variables = {**variables, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    environ = {"HOME": str(no_aws), "AWS_EC2_METADATA_DISABLED": "true", **variables}
    storage = Storage("models", endpoint_url=closed_port())
    with pytest.raises(BuilderError) as raised:
        open_store(storage, environ).get("k")
    (problem,) = raised.value.problems
    assert type(raised.value) is (NotAuthorisedError if code == 4 else StorageError)
    assert "models" in problem.message
    assert problem.hint
    assert "hunter2" not in f"{problem.message} {problem.hint}"
    with pytest.raises((BuilderError, ConnectionError)) as of_weights:
        open_s3("s3://models/k", 0, storage, environ)
    assert "hunter2" not in str(of_weights.value)


def test_a_file_that_a_variable_names_is_told_with_the_variable(
    no_aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads it knows what to correct."""
    for name, value in CASES["token file"][0].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotAuthorisedError, match="/nowhere/token: No such file") as raised:
        open_store(Storage("models"), {"HOME": str(no_aws)}).get("k")
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in (raised.value.problems[0].hint or "")


@pytest.mark.parametrize("proxy", ["socks5://proxy.test:1080", "socks5h://a:hunter2@proxy.test"])
def test_a_proxy_of_another_kind_is_told_as_it_is_written(
    no_aws: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """Without what botocore puts before it, without its password, and with the kinds it knows."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    storage = Storage("models", endpoint_url="https://store.test")
    with pytest.raises(StorageError, match=r"the proxy socks5h?://[^ ]*proxy\.test") as raised:
        open_store(storage, {"HOME": str(no_aws), **keys}).get("k")
    (problem,) = raised.value.problems
    assert "http://socks" not in problem.message
    assert "begin with http:// or https://" in (problem.hint or "")
    assert "hunter2" not in f"{problem.message} {problem.hint}"


def test_a_bug_of_ours_stays_one() -> None:
    """What was not raised within botocore is not taken for its fault."""
    with pytest.raises(ZeroDivisionError), map_boto_errors("models"):
        1 / 0  # noqa: B018 - raises
