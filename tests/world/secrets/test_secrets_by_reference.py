"""No secret of the environment gets out by references, by output or by redirections."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clarifai_build.cli.console import Console
from clarifai_build.cli.main import main
from clarifai_build.errors import SourceError
from clarifai_build.net.web import web_opener
from clarifai_build.util.tokens.variables import is_credential, secret_values, without_secrets
from clarifai_build.validation.load import examine, load
from clarifai_build.weights.locate import locate
from support.trees import write_files

SECRET = "not-a-" + "real+secret/value"
MODEL = b"class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
DIGEST = "0f" * 32
FIELDS = {
    "id": "model: {{id: 'a-{}', type: text-to-text}}",
    "description": "model: {{id: a, type: text-to-text, description: 'x {}'}}",
    "from": "model: {{id: a, type: text-to-text}}\n"
    "weights: [{{to: w, from: 'http://h/{}', sha256: " + DIGEST + "}}]",
    "bucket": "model: {{id: a, type: text-to-text}}\nstorage: {{bucket: '{}'}}",
    "prefix": "model: {{id: a, type: text-to-text}}\nstorage: {{bucket: abc, prefix: '{}'}}",
    "region": "model: {{id: a, type: text-to-text}}\nstorage: {{bucket: abc, region: '{}'}}",
    "endpoint_url": "model: {{id: a, type: text-to-text}}\n"
    "storage: {{bucket: abc, endpoint_url: 'https://{}'}}",
    "public_base_url": "model: {{id: a, type: text-to-text}}\n"
    "storage: {{bucket: abc, public_base_url: 'https://h/{}'}}",
    "user_id": "model: {{id: a, type: text-to-text}}\nclarifai: {{user_id: '{}'}}",
    "app_id": "model: {{id: a, type: text-to-text}}\nclarifai: {{app_id: '{}'}}",
    "api_base": "model: {{id: a, type: text-to-text}}\nclarifai: {{api_base: 'https://{}'}}",
}
HIDING = ["AWS_SECRET_ACCESS_KEY", "CLARIFAI_PAT", "GITHUB_TOKEN", "DB_PASSWORD", "hf_token"]


def manifest(folder: Path, field: str, reference: str) -> Path:
    """Write a model whose manifest refers to the environment in one field."""
    text = FIELDS[field].format(reference).encode()
    return write_files(folder, {"clarifai.yaml": text, "inference.py": MODEL})


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("offline", [True, False])
def test_no_field_takes_a_credential(tmp_path: Path, field: str, offline: bool) -> None:
    """Whether or not it is set, with a default or without; its value is in no problem."""
    for name in HIDING:
        for reference in (f"${{env:{name}}}", f"${{env:{name}:-x}}"):
            folder = manifest(tmp_path, field, reference)
            for environ in ({}, {name: SECRET}):
                examined = examine(folder, environ, offline=offline)
                assert "env-secret" in [problem.code for problem in examined.errors]
                assert SECRET not in repr(examined.problems)


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_value_that_is_secret_elsewhere_is_secret(tmp_path: Path, field: str) -> None:
    """Under another name, and with something around it."""
    folder = manifest(tmp_path, field, "${env:HARMLESS}")
    environ = {"HARMLESS": f"a{SECRET}b", "AWS_SECRET_ACCESS_KEY": SECRET}
    (problem,) = [p for p in examine(folder, environ).errors if p.code == "env-secret"]
    assert problem.line
    assert SECRET not in repr(problem)


@pytest.mark.parametrize("user", ["me:hunter2", ":pw", "0123456789abcdef"])
def test_an_address_with_a_password_is_secret(tmp_path: Path, user: str) -> None:
    """As of a database or an index of packages, whatever its variable is called."""
    folder = manifest(tmp_path, "from", "${env:HARMLESS}")
    (problem,) = examine(folder, {"HARMLESS": f"postgres://{user}@db.example/x"}).errors
    assert problem.code == "env-secret"
    assert user not in repr(problem)
    assert not examine(folder, {"HARMLESS": "ssh://git@github.com/me/x"}).errors


@pytest.mark.parametrize(
    "name",
    [
        *("GITHUB_TOKEN", "CI_JOB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "NPM_TOKEN", "VAULT_TOKEN"),
        *("OPENAI_API_KEY", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "KAGGLE_KEY", "PGPASSWORD"),
        *("RAILS_MASTER_KEY", "OPENAI_KEY", "NPM_AUTH", "SLACK_WEBHOOK", "JWT", "DOCKERHUB_PW"),
        *("MYSQL_PWD", "DOCKER_AUTH_CONFIG", "SSH_PRIVATE_KEY", "aws_session_token", "MY_PAT"),
    ],
)
def test_names_of_credentials(name: str) -> None:
    """As CI and tools call them."""
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        *("MODEL_NAME", "BUCKET", "AWS_REGION", "GITHUB_SHA", "PWD", "OLDPWD", "PATH", "MODEL_KEY"),
        *("AUTHOR", "SSH_AUTH_SOCK", "CACHE_KEY", "WEIGHTS_KEY", "JWT_PATH", "NPM_AUTH_TYPE"),
        *("TOKENIZERS_PARALLELISM", "MAX_TOKENS", "AWS_WEB_IDENTITY_TOKEN_FILE", "CLARIFAI_APP_ID"),
    ],
)
def test_names_of_others(name: str) -> None:
    """What only sounds like it, and where a secret lies."""
    assert not is_credential(name)


def test_values_of_credentials_are_in_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """On either stream, in text and in JSON; what was asked for with its secrets is whole."""
    quoted = 'pass"word\\1'
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    monkeypatch.setenv("DB_PASSWORD", quoted)
    monkeypatch.setenv("PIP_INDEX_URL", "https://deploy:" + "s3cr3t-of-ours@host/simple")
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.out(f"a {SECRET} b")
    console.json({"value": [quoted, "deploy:" + "s3cr3t-of-ours"]})
    console.err(f"a {SECRET} b {quoted}")
    shown = out.getvalue() + err.getvalue()
    assert json.loads(out.getvalue().partition("\n")[2])["value"] == ["*" * 13, "*" * 21]
    assert not [text for text in (SECRET, quoted, "s3cr3t-of-ours") if text in shown]
    console.out(SECRET, with_secrets=True)
    assert out.getvalue().endswith(f"{SECRET}\n")


def test_short_values_and_paths_are_shown() -> None:
    """To mask them would mask other words."""
    environ = {"A_TOKEN": "1", "B_TOKEN": "/run/secrets/b", "C_TOKEN": SECRET}
    assert secret_values(environ) == {SECRET}
    assert without_secrets("1 /run/secrets/b", secret_values(environ)) == "1 /run/secrets/b"


def test_config_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that shows what a manifest resolves to."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    manifest(tmp_path, "from", "${env:AWS_SECRET_ACCESS_KEY}")
    assert main(["config", "--show", str(tmp_path)]) == 3
    shown = capsys.readouterr()
    assert "env-secret" in shown.err
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize("source", ["/proc/self/environ", "linked", "/proc/self/../version"])
def test_no_weight_is_the_environment_itself(tmp_path: Path, source: str) -> None:
    """Its digest, which a refusal tells, would do to have it packed."""
    text = f"{FIELDS['id'].format('b')}\ncode: {{path: code}}\n"
    text += f"weights: [{{to: w, from: {source}, sha256: {DIGEST}}}]\n"
    write_files(tmp_path, {"clarifai.yaml": text.encode(), "code/inference.py": MODEL})
    (tmp_path / "linked").symlink_to("/proc/self/environ")
    with pytest.raises(SourceError, match="says of itself") as caught:
        locate(load(tmp_path, {}))
    assert [problem.code for problem in caught.value.problems] == ["weight-missing"]


class Handler(http.server.BaseHTTPRequestHandler):
    """Redirects what comes to /from, and notes the headers of what comes to /to."""

    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        leads_on = self.path.endswith("/from")
        self.send_response(302 if leads_on else 200)
        self.send_header("Location" if leads_on else "X-End", f"http://127.0.0.1:{self.port}/to")
        self.send_header("Content-Length", "0")
        self.end_headers()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A proxy that answers in place of any host, and what it was sent."""
    handler = type("Noting", (Handler,), {"seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], handler.seen  # type: ignore[attr-defined]
        server.shutdown()


def test_a_redirection_takes_no_credentials_along(
    proxy: tuple[int, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the proxy go to the proxy, not to a host that is reached without it."""
    port, seen = proxy
    monkeypatch.setenv("http_proxy", f"http://me:{'hunter2'}@127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    web_opener().open("http://elsewhere.example/from", timeout=10).close()
    assert ["proxy-authorization" in headers for headers in seen] == [True, False]
