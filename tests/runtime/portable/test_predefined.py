"""The predefined tests that travel in an artifact, run as users run them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from clarifai_runtime.model_types import MODEL_TYPES
from runtime.portable.repositories import seed_style, write_repository

COUNT_LOADS = """
    def __init__(self):
        with open(__file__ + ".loads", "a") as log:
            log.write("x")
"""


def pytest_in(folder, *arguments):
    """Run plain pytest in a folder; return its exit code and output."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command,
        cwd=str(folder),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_all_model_types_share_one_run(tmp_path, mode):
    """Fault 19: repositories whose modules have the same names can share one pytest run."""
    for model_type in MODEL_TYPES:
        source = "import helper\n" + seed_style(model_type)
        source += f"\nassert helper.NAME == {model_type!r}\n"
        folder = write_repository(tmp_path, model_type, source, name=model_type, vendor=True)
        (folder / "helper.py").write_text(f"NAME = {model_type!r}\n")
    files = [f"{model_type}/1/test.py" for model_type in MODEL_TYPES]
    code, output = pytest_in(tmp_path, f"--import-mode={mode}", *files)
    assert code == 0, output
    assert f"{6 * len(MODEL_TYPES)} passed" in output


def test_the_model_is_loaded_once(tmp_path):
    """Fault 19: all tests share one loaded model."""
    source = seed_style("text-to-text")
    start = source.index("    def __init__")
    end = source.index("    @config")
    source = source[:start] + COUNT_LOADS.lstrip("\n") + "\n" + source[end:]
    folder = write_repository(tmp_path, "text-to-text", source, vendor=True)
    code, output = pytest_in(tmp_path, "model/1/test.py")
    assert code == 0, output
    assert (folder / "inference.py.loads").read_text() == "x"


@pytest.mark.parametrize(
    ("model_type", "body", "said"),
    [
        ("text-to-text", "[]", "0 outputs for"),
        (
            "visual-classifier",
            "[config.inference.return_type([2.0, 0]) for _ in input_data]",
            "0 and 1",
        ),
        ("text-embedder", "[config.inference.return_type([]) for _ in input_data]", "empty"),
        ("visual-segmenter", "[config.inference.return_type([[9]]) for _ in input_data]", "0 to 1"),
    ],
)
def test_wrong_models_fail(tmp_path, model_type, body, said):
    """Fault 19: the tests take the path that serves, so what it refuses fails here."""
    write_repository(tmp_path, model_type, seed_style(model_type, body), vendor=True)
    code, output = pytest_in(tmp_path, "model/1/test.py")
    assert code == 1
    assert said in output


def test_wrong_repositories_fail(tmp_path):
    """A config.pbtxt of another type, and labels that are blank, are found."""
    folder = write_repository(tmp_path, "visual-classifier", vendor=True)
    config = folder.parent / "config.pbtxt"
    config.write_text(config.read_text().replace("softmax_predictions", "scores"))
    (folder.parent / "labels.txt").write_text("first\n\n")
    code, output = pytest_in(tmp_path, "model/1/test.py")
    assert code == 1
    assert "outputs of config.pbtxt must be ['softmax_predictions']" in output
    assert "labels.txt has a blank line" in output


def test_users_add_tests_to_the_class(tmp_path):
    """`self.predict(inputs, **parameters)` answers with the type's output objects."""
    declared = [
        {"name": "suffix", "type": "string", "default": "!"},
        {"name": "token", "type": "secret"},
    ]
    body = '[config.inference.return_type(item + kwargs["suffix"]) for item in input_data]'
    source = seed_style("text-to-text", body)
    folder = write_repository(tmp_path, "text-to-text", source, vendor=True, params=declared)
    test = folder / "test.py"
    text = test.read_text().replace("parameters = {}", 'parameters = {"token": "t"}')
    test.write_text(
        text
        + "\n    def test_mine(self):\n"
        + '        first, second = self.predict(["a", "b"], suffix="?")\n'
        + '        assert (first.predicted_text, second.predicted_text) == ("a?", "b?")\n'
    )
    code, output = pytest_in(tmp_path, "model/1/test.py")
    assert code == 0, output
    assert "7 passed" in output


def test_streaming_models_are_tested_too(tmp_path):
    """A decoupled model runs the same tests."""
    source = seed_style("text-to-text")
    write_repository(tmp_path, "text-to-text", source, vendor=True, streaming=True)
    code, output = pytest_in(tmp_path, "model/1/test.py")
    assert code == 0, output
