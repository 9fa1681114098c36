"""Who holds a lease, as others read it."""

from __future__ import annotations

import getpass
import os
import socket

import pytest

from clarifai_build.storage.lease_holder import Holder, user


def test_a_holder_comes_back_as_it_was() -> None:
    """What is written into the object is what is read from it."""
    holder = Holder.here("apply", {})
    assert Holder.of(holder.body()) == holder
    assert holder.host == f"{socket.gethostname()}:{os.getpid()}"
    assert holder.what == "apply"
    assert holder.id != Holder.here("apply", {}).id


@pytest.mark.parametrize(
    ("environ", "who"),
    [
        ({"GITHUB_ACTOR": "ann", "GITHUB_RUN_ID": "7"}, "ann (job 7)"),
        ({"GITLAB_USER_LOGIN": "bob", "CI_JOB_ID": "8"}, "bob (job 8)"),
        ({"GITHUB_ACTOR": "ann", "GITLAB_USER_LOGIN": "bob"}, "ann"),
    ],
)
def test_the_person_behind_a_job_is_named(environ: dict[str, str], who: str) -> None:
    """With the job, where there is one."""
    assert Holder.here("apply", environ).who == who


def test_without_a_job_it_is_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where accounts have no names gives the number."""
    monkeypatch.setenv("LOGNAME", "carol")
    assert user({}) == "carol"
    assert Holder.here("apply", {}).who == "carol"
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    assert user({}) == getpass.getuser()


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("no username")])
def test_an_account_without_a_name_is_its_number(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """As in a container that runs as any number."""

    def nobody() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user({}) == f"uid {os.getuid()}"
