"""A password in an address is a secret wherever it stands, and is told before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.provenance.statement import _repository
from clarifai_build.validation.load import examine
from support.token_samples import BODY
from support.trees import write_files

ADDRESS = "https://deploy:" + "s3cr3t@host.example.com/simple"
BARE = "model: {id: a, type: text-to-text}"
MANIFEST = "model: {id: a, type: text-classifier, labels: labels.txt}\n"
MODEL = "class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
FILES = {
    "clarifai.yaml": MANIFEST,
    "inference.py": MODEL,
    "labels.txt": "x\ny\n",
    "requirements.txt": "numpy\n",
}


def told(folder: Path, files: dict[str, str]) -> list[tuple[str, str, int | None]]:
    """Return what `validate` says of a model with these files: code, file and line."""
    write_files(folder, {name: text.encode() for name, text in {**FILES, **files}.items()})
    return [(p.code, Path(p.file or "").name, p.line) for p in examine(folder, {}).problems]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("requirements.txt", f"numpy\n--extra-index-url {ADDRESS}\n", 2),
        ("requirements.txt", f"--index-url={ADDRESS}\nnumpy\n", 1),
        ("requirements.txt", f"x @ {ADDRESS}/x-1.0-py3-none-any.whl\n", 1),
        ("requirements.txt", "\n\ngit+https://oauth2:" + "s3cr3t@host.example.com/a.git\n", 3),
        ("requirements.txt", f"# {ADDRESS}\nnumpy\n", 1),
        ("requirements.txt", f"git+https://{BODY[:30]}@host.example.com/a.git\n", 1),
        ("labels.txt", f"x\n{ADDRESS}\n", 2),
        ("inference.py", f'{MODEL}\nURL = "{ADDRESS}"\n', 4),
    ],
)
def test_validate_tells_the_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    """In each file that it reads."""
    assert told(tmp_path, {name: text}) == [("secret", name, line)]


@pytest.mark.parametrize(
    "field",
    [
        f"model: {{id: a, type: text-to-text, description: 'see {ADDRESS}'}}",
        f"model: {{id: a, type: text-classifier, labels: [x, '{ADDRESS}']}}",
        f"{BARE}\ntriton: {{parameters: {{url: '{ADDRESS}'}}}}",
        f"{BARE}\ntriton: {{parameters: {{'{ADDRESS}': x}}}}",
        f"{BARE}\nparams: [{{name: url, type: string, default: '{ADDRESS}'}}]",
        f"{BARE}\ntriton: {{parameters: {{OPENAI_API_KEY: '{BODY[:30]}'}}}}",
        f"{BARE}\nparams: [{{name: api_key, type: string, default: '{BODY[:30]}'}}]",
    ],
)
def test_no_field_of_a_manifest_takes_one(tmp_path: Path, field: str) -> None:
    """Be it text, a label, a parameter of Triton's or of the model's."""
    codes = {code for code, *_ in told(tmp_path, {"clarifai.yaml": field + "\n"})}
    assert codes == {"secret-in-manifest"}


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://user:password@host/simple",
        "--extra-index-url https://host.example.com:8443/simple",
        "x @ git+https://git@host.example.com/a.git@v1",
    ],
)
def test_placeholders_and_plain_addresses_pass(tmp_path: Path, line: str) -> None:
    """pip takes ${NAME} from the environment; documentation names nobody."""
    assert told(tmp_path, {"requirements.txt": f"{line}\n"}) == []


def test_what_is_no_secret_can_be_said(tmp_path: Path) -> None:
    """By the path that the problem names."""
    manifest = f"{MANIFEST}code: {{allow_secrets: [requirements.txt]}}\n"
    files = {"requirements.txt": f"-i {ADDRESS}\n", "clarifai.yaml": manifest}
    assert told(tmp_path, files) == []


@pytest.mark.parametrize(
    ("remote", "recorded"),
    [
        ("https://deploy:" + "s3cr3t@host.example.com/a.git", "git+https://host.example.com/a.git"),
        ("git@host.example.com:a/b.git", "git+git@host.example.com:a/b.git"),
        ("deploy:" + "s3cr3t@host.example.com:a/b.git", "git+host.example.com:a/b.git"),
        (f"{BODY[:40]}@host.example.com:a/b.git", "git+host.example.com:a/b.git"),
        ("https://host.example.com/ghp_" + f"{BODY[:36]}/a.git", "git"),
    ],
)
def test_provenance_names_a_remote_without_who_logs_in(remote: str, recorded: str) -> None:
    """In every form of address that Git takes."""
    assert _repository(remote) == recorded
