"""What child processes see: neither credentials nor what leads Python elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clarifai_build.util.processes.child_environment import child_environment, without_tokens
from clarifai_build.util.tokens.variables import CREDENTIALS


@pytest.mark.parametrize(
    "name", [*CREDENTIALS, "AWS_PROFILE", "AWS_SECURITY_TOKEN", "CLARIFAI_USER_ID"]
)
def test_credentials_stay_here(name: str) -> None:
    """Not the tokens alone: what names an account is nobody's business either."""
    assert child_environment({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "PIP_TARGET"),
        *("PIP_DRY_RUN", "PIP_REQUIREMENT", "PIP_NO_DEPS", "PIP_REQUIRE_HASHES"),
    ],
)
def test_python_finds_its_own(name: str) -> None:
    """A child with a Python of its own must not find the packages of ours."""
    assert child_environment({name: "x"}) == {}


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_INDEX_URL", "LD_LIBRARY_PATH", "HOME"])
def test_what_children_need_passes(name: str) -> None:
    """Where packages come from, and where libraries lie."""
    assert child_environment({name: "/x"}) == {name: "/x"}


def test_the_tool_as_a_child_may_fetch_weights() -> None:
    """`build --check` reads buckets as the build did, and talks to no platform."""
    environ = {"CLARIFAI_PAT": "x", "CLARIFAI_SESSION_TOKEN": "x", "AWS_ACCESS_KEY_ID": "x"}
    assert without_tokens(environ) == {"AWS_ACCESS_KEY_ID": "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("GITHUB_TOKEN", "CI_JOB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "CI_JOB_JWT"),
        *(
            "TWINE_PASSWORD",
            "PGPASSWORD",
            "OPENAI_API_KEY",
            "APIKEY",
            "DEPLOY_KEY",
            "client_secret",
        ),
        *("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_KEY", "UV_PUBLISH_TOKEN", "MY_PAT"),
        *("DOCKER_AUTH_CONFIG", "BASH_ENV", "ENV"),
    ],
)
def test_secrets_of_other_services_stay_here(name: str) -> None:
    """CI hands over those of many, and a shell's startup file is where some services keep them."""
    assert child_environment({name: "/x"}) == {}


def test_an_address_with_a_password_stays_here() -> None:
    """Whatever its variable is called."""
    password = "correct-horse"
    assert child_environment({"DATABASE": f"postgres://me:{password}@host/db"}) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_INTERNAL_PASSWORD", "UV_DEFAULT_INDEX"),
        *("https_proxy", "ALL_PROXY"),
    ],
)
def test_indexes_and_proxies_may_have_passwords(name: str) -> None:
    """Without them nothing could be installed."""
    environ = {name: "https://me:correct-horse@host"}
    assert child_environment(environ) == environ


@pytest.mark.parametrize("name", ["TOKENIZERS_PARALLELISM", "KEYBOARD", "PATIENCE", "PWD", "LANG"])
def test_words_are_whole(name: str) -> None:
    """A variable whose name only begins like that of a secret passes."""
    assert child_environment({name: "/x"}) == {name: "/x"}


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_LITERAL_PATHSPECS"]
)
def test_the_repository_of_a_hook_is_not_that_of_a_child(name: str) -> None:
    """Git finds the one that it is started in; pip clones others."""
    assert child_environment({name: "x", "GIT_SSH_COMMAND": "ssh"}) == {"GIT_SSH_COMMAND": "ssh"}


@pytest.mark.parametrize("name", ["WEED_JWT_SIGNING_KEY", "TRITONSERVER_X", "TRITON_CLOUD_X"])
def test_engines_are_configured_by_the_sandbox_alone(name: str) -> None:
    """Each line of SeaweedFS's configuration has such a variable."""
    assert child_environment({name: "x"}) == {}


@pytest.mark.parametrize("name", ["PATH", "LD_LIBRARY_PATH"])
@pytest.mark.parametrize(
    ("path", "kept"),
    [(".:/bin", "/bin"), ("/bin:", "/bin"), ("x:/a::/b", "/a:/b"), (".", os.devnull)],
)
def test_nothing_is_searched_for_in_the_folder_of_a_child(name: str, path: str, kept: str) -> None:
    """A dot, nothing, or a relative path would be a place in a model's repository."""
    assert child_environment({name: path}) == {name: kept}


def test_files_stay_the_same_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path that leads somewhere here leads there from everywhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").touch()
    given = {"SSL_CERT_FILE": "ca.pem", "PIP_CERT": "none.pem", "PIP_FIND_LINKS": "https://a/b"}
    found = child_environment(given)
    assert found == {**given, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    found = without_tokens({"PYTHONPATH": "builder:/x", "AWS_CONFIG_FILE": "ca.pem"})
    assert found == {
        "PYTHONPATH": f"{tmp_path / 'builder'}:/x",
        "AWS_CONFIG_FILE": str(tmp_path / "ca.pem"),
    }
