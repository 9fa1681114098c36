"""A token goes to no API that the manifest alone names."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import NotAuthorisedError
from clarifai_build.manifest.types import Clarifai
from clarifai_build.registry.account import Account
from support.command_line import ended
from support.light_platform import INFERENCE
from support.trees import write_files

OURS = {"HOME": "/nowhere", "CLARIFAI_PAT": "pat"}
FOREIGN = [
    "https://api.example.com",
    "api.example.com",
    "https://api.clarifai.com.example.com",
    "https://apiclarifai.com",
    "https://clarifai.com.",
    "https://10.0.0.1:443",
    "https://localhost.example.com",
    "HTTPS://API.example.com/https://api.clarifai.com",
]
KNOWN = [
    "https://api.clarifai.com",
    "api.clarifai.com",
    "https://API.eu.Clarifai.com:443/",
    "https://127.0.0.1:8443",
    "https://[::1]:8443",
    "localhost:8443",
]


def api(base: str, **environ: str) -> str:
    """Return the address of the API that a token would be sent to."""
    return Account.resolve(Clarifai("me", "main", base), {**OURS, **environ}).api_base


@pytest.mark.parametrize("address", FOREIGN)
def test_what_only_the_manifest_names_gets_no_token(address: str) -> None:
    """A pull request can change a manifest; the hint names the variable that it can't."""
    with pytest.raises(NotAuthorisedError, match="only the manifest names") as caught:
        api(address)
    (problem,) = caught.value.problems
    assert problem.code == "api-base-foreign"
    assert "CLARIFAI_API_BASE=" in (problem.hint or "")
    assert api(address, CLARIFAI_API_BASE=address) == address
    assert Account.resolve(Clarifai("me", "main"), {**OURS, "CLARIFAI_API_BASE": address}).api_base


@pytest.mark.parametrize("address", KNOWN)
def test_clarifais_own_and_this_machine_need_no_leave(address: str) -> None:
    """However they are written."""
    assert api(address) == address


def test_the_environment_means_one_place() -> None:
    """Scheme, host and port, and not how they are spelled."""
    for same in ("https://API.example.com", "api.example.com:443", "https://api.example.com./x"):
        assert api("https://api.example.com", CLARIFAI_API_BASE=same)
    for other in ("https://api.example.com:8443", "http://127.0.0.1:1", "https://b.example", "?"):
        with pytest.raises(NotAuthorisedError, match="only the manifest names"):
            api("https://api.example.com", CLARIFAI_API_BASE=other)


def test_a_context_may_name_it_too(tmp_path: Path) -> None:
    """The official CLI's is the user's own, as the environment is."""
    context = b"current_context: c\ncontexts: {c: {CLARIFAI_API_BASE: 'https://api.example.com'}}\n"
    write_files(tmp_path, {".config/clarifai/config": context})
    assert api("https://api.example.com", HOME=str(tmp_path))


@pytest.mark.parametrize("command", ["plan", "apply", "versions"])
def test_commands_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Before anything is sent."""
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CLARIFAI_API_BASE", raising=False)
    manifest = (
        b"model: {id: a, type: text-to-text}\nstorage: {bucket: models}\n"
        b"clarifai: {user_id: me, app_id: main, api_base: 'https://api.example.com'}\n"
    )
    write_files(tmp_path, {"clarifai.yaml": manifest, "inference.py": INFERENCE.encode()})
    ran = ended(command, tmp_path / "clarifai.yaml")
    assert ran.code == 4
    assert "api-base-foreign" in ran.err
