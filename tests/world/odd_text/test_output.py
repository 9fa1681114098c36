"""Whatever a value holds, no output controls a terminal or a CI service."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarifai_build import model_tests
from clarifai_build.cli.console import Console
from clarifai_build.cli.main import main
from clarifai_build.errors import BuilderError, RegistryError
from clarifai_build.manifest import yaml_writer
from clarifai_build.progress import Event, warn
from support.bounded import bounded
from support.command_line import Ran, ended
from support.odd_text import (
    COMMANDS,
    INFERENCE,
    manifest_with,
    model_with,
    odd_texts,
    raw_in,
    text_fields,
)
from support.token_samples import SAMPLES

DRAWN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ATTACK = "a\n::stop-commands::x\x1b[2J\u202e##[add-mask]\u2028\x9b"


def raw(ran: Ran) -> list[str]:
    """Return what controls somebody, in either stream."""
    return [*raw_in(ran.out), *raw_in(ran.err)]


@DRAWN
@given(st.sampled_from(text_fields()), odd_texts)
def test_no_value_of_a_manifest_reaches_the_terminal_raw(
    tmp_path: Path, path: tuple[str, ...], value: str
) -> None:
    """`validate` in each form, `config` and `build --list` show it escaped."""
    manifest = model_with(tmp_path / "model", manifest_with(path, value))
    for output in ("text", "json", "sarif"):
        assert raw(ended("validate", manifest, "-o", output)) == []
    ran = ended("validate", manifest, "-o", "github")
    ours = ("::error title=", "::warning title=")
    assert not [line for line in ran.out.split("\n") if line and not line.startswith(ours)]
    assert list(raw_in(ran.out.replace("::error ", "").replace("::warning ", ""))) == []
    assert raw(ended("config", manifest)) == []
    assert raw(ended("build", manifest, "--list")) == []


def test_the_line_that_stops_commands_is_no_line(tmp_path: Path) -> None:
    """A folder whose name begins a line with `::` is told on one line."""
    manifest = model_with(tmp_path, manifest_with(("code", "path"), "a\n::stop-commands::x"))
    ran = ended("validate", manifest)
    assert ran.code == 3
    assert r"there is no folder 'a\n::stop-commands::x'" in ran.out


@pytest.mark.parametrize("name", [f"b{text}.py" for text in COMMANDS])
def test_no_file_name_reaches_the_terminal_raw(tmp_path: Path, name: str) -> None:
    """A name in the code folder is escaped wherever it is listed or refused."""
    manifest = model_with(tmp_path, manifest_with(("model", "id"), "fine"))
    (tmp_path / name).write_text(INFERENCE)
    for arguments in (["validate"], ["build", "--list"], ["build"]):
        ran = ended(arguments[0], manifest, *arguments[1:])
        assert raw(ran) == [], arguments
        assert ran.out + ran.err != ""


@pytest.mark.parametrize("name", ["::x", "a\n::x", "##[x]", "\x1b]0;x\x07"])
def test_no_path_of_a_manifest_reaches_the_terminal_raw(tmp_path: Path, name: str) -> None:
    """A folder of such a name is shown escaped, in every form."""
    manifest = model_with(tmp_path / name, "model: 1\n")
    for output in ("text", "json", "sarif"):
        assert raw(ended("validate", manifest, "-o", output)) == []
    (annotation, *_) = ended("validate", manifest, "-o", "github").out.split("\n")
    assert annotation.startswith("::error title=")


@pytest.mark.parametrize("bytes_of_name", [b"caf\xe9", b"\xff\xfe"])
def test_a_path_that_is_not_utf8_is_told_in_every_form(
    tmp_path: Path, bytes_of_name: bytes
) -> None:
    """SARIF takes the file's bytes, and text escapes them."""
    folder = Path(str(tmp_path), bytes_of_name.decode("utf-8", "surrogateescape"))
    manifest = model_with(folder, "model: 1\n")
    for output in ("text", "json", "sarif", "github"):
        ran = ended("validate", manifest, "-o", output)
        assert ran.code == 3
        assert ran.out.encode("utf-8") != b""


def test_what_others_say_is_told_line_by_line() -> None:
    """Lines of an answer or a log stay lines, none of which begins with a command."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    error = RegistryError.of("api-refused", f"PostModels: {ATTACK}\n::error::y", hint=ATTACK)
    console.failure(error)
    progress = console.progress()
    progress(Event(f"model {ATTACK}", "running", ATTACK))
    warn(progress, "code", ATTACK, stage=ATTACK, hint=ATTACK)
    assert list(raw_in(err.getvalue())) == []
    assert "\n    | \\u003a:error::y\n" not in err.getvalue()
    assert "\n    | ::error::y\n" in err.getvalue()


def test_json_is_inert_and_says_the_same() -> None:
    """What a script parses has the value as it is; what a CI service reads in it is no command."""
    out = io.StringIO()
    console = Console(out, io.StringIO())
    console.json_errors = True
    console.failure(BuilderError.of("code", ATTACK))
    assert list(raw_in(out.getvalue())) == []
    assert json.loads(out.getvalue())["error"]["message"] == ATTACK


@DRAWN
@given(odd_texts)
def test_no_legacy_config_reaches_the_terminal_raw(tmp_path: Path, value: str) -> None:
    """`import` escapes what it names of the files it reads."""
    folder = tmp_path / "old"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "inference.py").write_text(INFERENCE)
    config = {"clarifai_model": {"type": "text-to-text", "clarifai_model_id": value, value: value}}
    text = "\n".join(yaml_writer.block(config)) + "\n"
    (folder / "clarifai_config.yaml").write_text(text, encoding="utf-8", newline="")
    assert raw(ended("import", folder)) == []


def test_python_warns_nobody_of_what_stands_in_a_file(tmp_path: Path) -> None:
    """Warnings of Python's parser, which quote the file, are not written."""
    model_with(tmp_path, manifest_with(("model", "id"), "fine"))
    (tmp_path / "inference.py").write_text(INFERENCE + "value = '\\d'\n")
    # What is the default from Python 3.12 on.
    ran = bounded(
        "validate", "clarifai.yaml", cwd=tmp_path, PYTHONWARNINGS="default:invalid escape"
    )
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr == "1 manifest: no problems\n"


def test_bars_show_what_lines_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, too, progress is inert and without the credentials of the environment."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("DEPLOY_TOKEN", "made-up-for-this-test")
    err = io.StringIO()
    monkeypatch.setattr(err, "isatty", lambda: True)
    with closing(Console(io.StringIO(), err)) as console:
        progress = console.progress()
        text = f"{ATTACK} made-up-for-this-test"
        progress(Event(f"model {text}", "running", done=1, total=2))
        progress(Event(f"model {text}", "done", text))
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", err.getvalue())
    assert list(raw_in(shown)) == []
    assert "made-up-for-this-test" not in shown
    assert "*" * len("made-up-for-this-test") in shown


@pytest.mark.parametrize("before", ["plan --token=", "cache ", "init q --type ", ""])
def test_usage_repeats_no_credential(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], before: str
) -> None:
    """What is typed where it does not belong is told without the token in it."""
    monkeypatch.setenv("DEPLOY_TOKEN", "made-up-for-this-test")
    for typed in ("made-up-for-this-test", SAMPLES["an AWS access key"][0]):
        with pytest.raises(SystemExit):
            main(f"{before}{typed}".split())
        told = capfd.readouterr().err
        assert "*" * 8 in told
        assert typed not in told


def test_what_a_model_says_in_its_tests_is_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log of CI has pytest's report with the model's words escaped, and no credential."""
    monkeypatch.setattr(model_tests, "make_environment", lambda *_: Path(sys.executable))
    monkeypatch.setenv("DEPLOY_TOKEN", "made-up-for-this-test")
    text = "model: {id: odd, type: text-to-text}\nstorage: {bucket: models-of-ours}\n"
    manifest = model_with(tmp_path, text)
    raising = f"raise ValueError({ATTACK!r} + '\\nmade-up-' + 'for-this-test')"
    (tmp_path / "inference.py").write_text(INFERENCE.replace("...", raising))
    ran = ended("test", manifest)
    assert ran.code == 1
    assert raw(ran) == []
    assert "ValueError" in ran.out
    assert "made-up-for-this-test" not in ran.out + ran.err
