"""Odd text is the user's mistake, or none: never a crash."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clarifai_build.cli.main import main
from support.bounded import bounded, model_in
from support.odd_text import INFERENCE, manifest_with, model_with, odd_texts, text_fields

DRAWN = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Lengths around what names, paths and messages may have.
LONG = st.sampled_from(["x" * 256, "x/" * 3000, "y" * 70_000])
VALUES = odd_texts | LONG
SMALL_FILES = (
    "labels.txt",
    "requirements.txt",
    "inference.py",
    ".clarifaiignore",
    "clarifai.lock",
    "config.pbtxt",
    "clarifai_config.yaml",
    "inference_parameters.json",
    "plan.json",
    "model.py",
    "x.zip",
    "x.zip.provenance.json",
)
CONTENTS = st.sampled_from(
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\0",
        b"\xff\xfe\xfa",
        b'"\\ud800"',
        b"1" * 5000,
        b"1e999",
        b"NaN",
        b"null",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "digest": null, "requirements": 5}',
        b"(" * 1000,
        b"a = " + b"-" * 5000 + b"1",
        b"lambda: " * 2000,
        b"name: '" + b"a" * 5000 + b"'",
        b"{{ x }}{% raw %}",
        b"- " * 3000,
        b"\xef\xbb\xbf",
        b"PK\5\6" + b"\xff" * 18,
        b"\r\r\n\x85",
    ]
) | odd_texts.map(lambda text: text.encode("utf-8", "surrogatepass"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Caches and homes of the tests' own, and no account."""
    for name in [name for name in os.environ if name.startswith(("CLARIFAI_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Whoever is asked is not there: this test is not about answers.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    return


def crashes(*arguments: str | Path) -> str:
    """Return what crashed, or nothing: exit code 70 is a bug of ours."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    return f"{arguments} ended with {code}" if code == 70 else ""


@DRAWN
@given(st.sampled_from(text_fields()), VALUES)
@example(("model", "id"), "a\0b")
@example(("triton", "version_policy"), "9" * 5000)
def test_no_value_of_a_manifest_is_a_bug(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], path: tuple[str, ...], value: str
) -> None:
    """Each field takes odd text, or refuses it: `validate`, `config`, `build`, `lock`, `diff`."""
    shutil.rmtree(tmp_path / "model", ignore_errors=True)
    manifest = model_with(tmp_path / "model", manifest_with(path, value))
    (tmp_path / "model" / "net.onnx").write_bytes(b"weights")
    assert crashes("validate", manifest) == "", capfd.readouterr()
    assert crashes("config", manifest) == "", capfd.readouterr()
    assert crashes("build", manifest, "--output", tmp_path / "x.zip") == "", capfd.readouterr()
    assert crashes("diff", "-f", manifest, tmp_path / "x.zip") == "", capfd.readouterr()
    assert crashes("lock", manifest) == "", capfd.readouterr()
    assert crashes("lock", "--check", manifest) == "", capfd.readouterr()
    assert crashes("render", "-o", tmp_path / "model" / "out", manifest) == "", capfd.readouterr()
    # There is no account, so that nobody is asked.
    assert crashes("plan", manifest) == "", capfd.readouterr()


@DRAWN
@given(st.sampled_from(SMALL_FILES), CONTENTS)
@example("clarifai.lock", b"[" * 100_000)
@example("plan.json", b"[" * 100_000)
@example("inference_parameters.json", b"[" * 100_000)
def test_no_small_file_is_a_bug(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    """Whatever a file holds that a command reads, the command says what is wrong with it."""
    shutil.rmtree(tmp_path / "model", ignore_errors=True)
    manifest = model_with(tmp_path / "model", manifest_with(("model", "id"), "fine"))
    folder = manifest.parent
    (folder / name).write_bytes(content)
    if name in ("config.pbtxt", "clarifai_config.yaml", "inference_parameters.json"):
        if name == "inference_parameters.json":
            (folder / "config.pbtxt").write_text('name: "a"')
        (folder / "1").mkdir(exist_ok=True)
        (folder / "1" / "inference.py").write_text(INFERENCE)
        manifest.unlink()
        assert crashes("import", folder, "--type", "text-to-text") == "", capfd.readouterr()
    elif name == "plan.json":
        assert crashes("apply", folder / name) == "", capfd.readouterr()
    elif name.startswith("x.zip"):
        assert crashes("inspect", folder / "x.zip") == "", capfd.readouterr()
        assert crashes("diff", "-f", manifest, folder / "x.zip") == "", capfd.readouterr()
        assert crashes("build", manifest, "--output", folder / "x.zip") == "", capfd.readouterr()
    else:
        assert crashes("validate", manifest) == "", capfd.readouterr()
        assert crashes("build", manifest, "--output", tmp_path / "y.zip") == "", capfd.readouterr()
        assert crashes("build", manifest, "--list") == "", capfd.readouterr()
        assert crashes("lock", "--check", manifest) == "", capfd.readouterr()


@pytest.mark.parametrize(
    "text",
    [
        'model: {id: "a\\0b", type: text-to-text}\n',
        'model: {id: a, type: text-to-text}\nweights: [{to: ".", from: x}]\n',
        'model: {id: a, type: text-to-text}\nweights: [{to: "", from: ""}]\n',
        f'model: {{id: a, type: text-to-text}}\ntriton: {{max_batch_size: "{"9" * 5000}"}}\n',
    ],
)
def test_mistakes_that_were_bugs_are_told(tmp_path: Path, text: str) -> None:
    """Values of the right type that no one would write end with 3, and name their place."""
    model_in(tmp_path, text)
    ran = bounded("validate", "clarifai.yaml", cwd=tmp_path)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "clarifai.yaml:" in ran.stdout


def test_a_lock_of_brackets_is_told(tmp_path: Path) -> None:
    """A hundred thousand brackets are no lock."""
    model_in(tmp_path)
    (tmp_path / "clarifai.lock").write_text("[" * 100_000)
    ran = bounded("build", "clarifai.yaml", cwd=tmp_path)
    assert ran.returncode == 3
    assert "error[lock-unreadable]" in ran.stderr


@pytest.mark.parametrize(
    "arguments", [["init", "--type", "text-to-text"], ["import"], ["inspect"]], ids=" ".join
)
def test_a_path_that_no_system_takes_is_told(tmp_path: Path, arguments: list[str]) -> None:
    """A name that is too long is no bug, wherever it is first looked at."""
    ran = bounded(*arguments, "x" * 300, cwd=tmp_path)
    assert ran.returncode == 1, ran.stderr
    assert "error[unreadable]" in ran.stderr
    assert "File name too long" in ran.stderr


def test_a_cache_whose_name_no_system_takes_is_told(tmp_path: Path) -> None:
    """It is looked at before anything is written there."""
    model_in(tmp_path)
    ran = bounded("test", "clarifai.yaml", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / ("x" * 300)))
    assert ran.returncode == 1, ran.stderr
    assert "File name too long" in ran.stderr


# In the place of a folder: nothing, not even root, writes there.
PLACES = ["/proc/nowhere", "file"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "arguments",
    [["plan", "--sandbox"], ["gc", "--sandbox"], ["test"], ["build"], ["lock"]],
    ids=" ".join,
)
def test_a_cache_that_cannot_be_written_is_told(
    tmp_path: Path, place: str, arguments: list[str]
) -> None:
    """A sandbox and environments need a cache, and name the place; what needs none goes on."""
    model_in(tmp_path)
    (tmp_path / "file").write_text("")
    environ = {"XDG_CACHE_HOME": str(tmp_path / place)}
    ran = bounded(*arguments, "clarifai.yaml", cwd=tmp_path, **environ)
    if arguments in (["build"], ["lock"]):
        assert ran.returncode == 0, ran.stderr
    else:
        assert ran.returncode == 1, ran.stderr
        assert "error[unwritable]" in ran.stderr
        assert "set XDG_CACHE_HOME" in ran.stderr


def test_a_sandbox_state_of_other_things_is_told(tmp_path: Path) -> None:
    """Files of the sandbox that someone else wrote are named, with the way out."""
    state = tmp_path / "cache" / "clarifai-build" / "sandbox"
    state.mkdir(parents=True)
    (state / "phase.json").write_text("[" * 100_000)
    ran = bounded("sandbox", "status", cwd=tmp_path)
    assert ran.returncode == 1, ran.stderr
    assert "error[sandbox-state-broken]" in ran.stderr
