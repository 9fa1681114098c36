"""The folder of the code as it is: what can't be looked at is told, and hides nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.validation.load import examine
from support.trees import write_files

INFERENCE = b"class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
MODEL = "model: {id: m, type: text-to-text}\n"


def told(folder: Path, text: str) -> list[tuple[str, str]]:
    """Examine a manifest; return code and file name of each problem."""
    write_files(folder, {"clarifai.yaml": text.encode()})
    return [(p.code, Path(p.file or "").name) for p in examine(folder, {}).problems]


def test_a_folder_that_can_not_be_looked_at_is_named(tmp_path: Path) -> None:
    """Its name is longer than names can be; one that is not there is another matter."""
    name = "x" * 300
    assert told(tmp_path, f"{MODEL}code: {{path: {name}}}\n") == [("unreadable", name)]
    assert told(tmp_path, f"{MODEL}code: {{path: src}}\n") == [("code-missing", "clarifai.yaml")]
    (tmp_path / "file").touch()
    assert told(tmp_path, f"{MODEL}code: {{path: file}}\n") == [("code-missing", "clarifai.yaml")]


@pytest.mark.parametrize("there", [True, False])
def test_rules_that_can_not_be_read_hide_no_other_problem(tmp_path: Path, there: bool) -> None:
    """The code is looked at as if there were none."""
    (tmp_path / ".clarifaiignore").mkdir()
    if there:
        write_files(tmp_path, {"inference.py": b"x ="})
    other = ("inference-missing", "clarifai.yaml")
    if there:
        other = ("inference-syntax", "inference.py")
    assert sorted(told(tmp_path, MODEL)) == sorted([("unreadable", ".clarifaiignore"), other])


def test_weights_of_another_form_are_the_schema_s(tmp_path: Path) -> None:
    """One without a target or a source clashes with nothing."""
    write_files(tmp_path, {"inference.py": INFERENCE, "w": b""})
    text = f"{MODEL}weights: [{{to: 1, from: x}}, {{to: w}}, 3]\n"
    assert sorted(code for code, _ in told(tmp_path, text)) == [
        *["missing-key"] * 3,
        *["wrong-type"] * 2,
    ]


def test_a_model_that_vanishes_is_named(tmp_path: Path) -> None:
    """A link that leads nowhere stands in its place."""
    write_files(tmp_path, {"inference.py": INFERENCE})
    (tmp_path / "model.py").symlink_to("nowhere")
    assert told(tmp_path, MODEL) == [("symlink", "model.py")]
