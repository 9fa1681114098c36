"""A profile that needs the code of an MFA device, with and without somebody who could type it."""

from __future__ import annotations

import getpass
import subprocess
import sys
from pathlib import Path

import pytest

from clarifai_build.errors import NotAuthorisedError
from clarifai_build.manifest.types import Storage
from clarifai_build.net import s3_session
from clarifai_build.storage.s3_store import open_store
from clarifai_build.weights.remote.s3 import open_s3
from support.scripted_web import closed_port

CONFIG = """
[profile base]
aws_access_key_id = key
aws_secret_access_key = secret

[profile mfa]
role_arn = arn:aws:iam::123456789012:role/models
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
region = eu-central-1

[profile behind]
role_arn = arn:aws:iam::123456789012:role/other
source_profile = mfa
"""
ASK = """
import sys
from clarifai_build.manifest.types import Storage
from clarifai_build.storage.s3_store import open_store
store = open_store(Storage("models", endpoint_url=sys.argv[1]), {"AWS_PROFILE": "mfa"})
try:
    store.get("k")
except Exception as error:
    print(error)
"""


@pytest.fixture
def environ(no_aws: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with the profile, whose STS does not answer."""
    (no_aws / ".aws/config").write_text(CONFIG)
    found = {"AWS_PROFILE": "mfa", "HOME": str(no_aws)}
    for name, value in {**found, "AWS_ENDPOINT_URL_STS": closed_port()}.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.mark.parametrize("profile", ["mfa", "behind"])
def test_without_a_terminal_nobody_is_asked(environ: dict[str, str], profile: str) -> None:
    """For a store and for weights, also where another profile leads there: the way out is told."""
    environ["AWS_PROFILE"] = profile
    storage = Storage("models", endpoint_url=closed_port())
    with pytest.raises(NotAuthorisedError) as raised:
        open_store(storage, environ).get("k")
    (problem,) = raised.value.problems
    assert problem.code == "no-credentials"
    assert "there is no terminal" in problem.message
    assert "export-credentials" in str(problem.hint)
    with pytest.raises(NotAuthorisedError, match="there is no terminal"):
        open_s3("s3://models/k", 0, storage, environ)


def test_a_pipe_that_stays_open_is_not_waited_for(environ: dict[str, str]) -> None:
    """Nothing will come out of it."""
    with subprocess.Popen(
        [sys.executable, "-c", ASK, closed_port()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as asking:
        try:
            assert asking.wait(60) == 0
            assert asking.stdout is not None
            assert b"there is no terminal" in asking.stdout.read()
        finally:
            asking.kill()


def test_in_a_terminal_the_code_is_asked_for(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By botocore's words, without an echo."""
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        raise EOFError

    monkeypatch.setattr(s3_session, "_has_terminal", lambda: True)
    monkeypatch.setattr(getpass, "getpass", answer)
    with pytest.raises(NotAuthorisedError, match="no credentials for bucket models"):
        open_store(Storage("models", endpoint_url=closed_port()), environ).get("k")
    assert asked == ["Enter MFA code for arn:aws:iam::123456789012:mfa/me: "]
