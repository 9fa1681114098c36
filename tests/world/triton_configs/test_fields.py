"""config.pbtxt as the world has it: each field is carried over, refused or told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarifai_build.errors import BuilderError, ManifestError
from clarifai_build.legacy.imported import Imported
from clarifai_build.legacy.importer import import_folder
from support.command_line import ended
from support.trees import write_files

TEXT = """
input { name: "text" data_type: TYPE_STRING dims: 1 }
output { name: "text" data_type: TYPE_STRING dims: 1 }
"""
IMAGE = """
input { name: "image" data_type: TYPE_UINT8 dims: [-1, -1, 3] }
output { name: "embeddings" data_type: TYPE_FP32 dims: -1 }
"""
PYTHON = 'backend: "python" max_batch_size: 4 dynamic_batching { }\n'
CODE = "class InferenceModel:\n    def get_predictions(self, items): return list(items)\n"


def parameter(name: str, value: str) -> str:
    """Return a parameter of the backend as config.pbtxt has it."""
    return f"parameters {{ key: '{name}' value {{ string_value: '{value}' }} }}"


def repository(folder: Path, config: str, code: str = CODE, **more: str) -> Path:
    """Write a repository; further files are named by their path with `__` for `/`."""
    files = {"config.pbtxt": config, "1/inference.py": code}
    files |= {name.replace("__", "/"): text for name, text in more.items()}
    return write_files(folder, {name: text.encode() for name, text in files.items()})


def imported(folder: Path, config: str, **more: str) -> Imported:
    """Import a repository with this config, and check that its manifest loads."""
    repository(folder, config, **more)
    ran = ended("import", folder)
    assert ran.code == 0, ran.err
    return import_folder(folder)


def refusal(folder: Path, config: str, type_name: str | None = None) -> BuilderError:
    """Return why a config is refused; nothing is written then."""
    repository(folder, config)
    before = sorted(folder.rglob("*"))
    with pytest.raises(BuilderError) as caught:
        import_folder(folder, type_name)
    assert sorted(folder.rglob("*")) == before
    return caught.value


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("model_operations { op_library_filename: ['x.so'] }", "model_operations"),
        ("dynamic_batching { preserve_ordering: true }", "dynamic_batching.preserve_ordering"),
        ("instance_group { rate_limiter { priority: 2 } }", "instance_group.rate_limiter"),
        ("instance_group { gpus: [0] kind: KIND_GPU }", "instance_group.gpus"),
        ("instance_group { count: 1 } instance_group { count: 2 }", "1 instance groups beyond"),
        ("instance_group { kind: KIND_MODEL }", "KIND_MODEL"),
        ("optimization { graph { level: 1 } }", "optimization"),
        ("model_warmup { name: 'w' }", "model_warmup"),
        ("metric_tags { key: 'a' value: 'b' }", "metric_tags"),
        ("version_policy { latest { num_versions: 3 } }", "version_policy latest 3"),
        ("version_policy { specific { versions: 7 } }", "version_policy specific [7]"),
        ("a_field_of_tomorrow: 3", "a_field_of_tomorrow"),
        (parameter("EXECUTION_ENV_PATH", "/opt/e.tar.gz"), "EXECUTION_ENV_PATH"),
        (parameter("vocabulary", "$$TRITON_MODEL_DIRECTORY/vocab.txt"), "vocabulary"),
        (parameter("up", "$$TRITON_MODEL_DIRECTORY/1/../x"), "up"),
    ],
)
def test_what_has_no_key_is_told(tmp_path: Path, more: str, told: str) -> None:
    """The model is carried over, and what is left out of its config is named."""
    result = imported(tmp_path, PYTHON.replace("dynamic_batching { }", "") + more + TEXT)
    assert told in "\n".join(result.notes)
    assert "parameters" not in result.manifest["triton"]
    assert f"not carried over: {result.notes[0]}" in (tmp_path / "clarifai.yaml").read_text()


@pytest.mark.parametrize(
    ("more", "key", "value"),
    [
        ("version_policy { all { } }", "version_policy", "all"),
        ("response_cache { enable: true }", "response_cache", True),
        ("model_transaction_policy { decoupled: true }", "streaming", True),
        ("parameters { key: 'a\\n#b' value { string_value: 'c: d' } }", "parameters",
         {"a\n#b": "c: d"}),
    ],
)  # fmt: skip
def test_what_has_a_key_is_carried(tmp_path: Path, more: str, key: str, value: Any) -> None:
    """It says the same in the manifest."""
    config = 'backend: "python" max_batch_size: 1\n' + more + TEXT
    result = imported(tmp_path, config)
    assert result.manifest["triton"][key] == value
    assert result.notes == ()


def test_an_environment_inside_the_artifact_is_kept(tmp_path: Path) -> None:
    """EXECUTION_ENV_PATH stays where its file is packed, and goes where it is not."""
    path = "$$TRITON_MODEL_DIRECTORY/1/env.tar.gz"
    config = PYTHON + parameter("EXECUTION_ENV_PATH", path) + TEXT
    kept = imported(tmp_path / "a", config, **{"1__env.tar.gz": "x"})
    assert kept.manifest["triton"]["parameters"] == {"EXECUTION_ENV_PATH": path}
    config = config.replace("/1/", "/")
    lost = imported(tmp_path / "b", config, **{"env.tar.gz": "x"})
    assert "parameters" not in lost.manifest["triton"]
    assert any("EXECUTION_ENV_PATH" in note and "folder 1" in note for note in lost.notes)


@pytest.mark.parametrize(
    ("config", "code", "told"),
    [
        ('backend: "onnxruntime"' + TEXT, "config-unsupported", "onnxruntime"),
        ('platform: "tensorrt_plan"' + TEXT, "config-unsupported", "tensorrt_plan"),
        ('platform: "ensemble" ensemble_scheduling { }' + TEXT, "config-unsupported", "ensemble"),
        ('backend: "python" sequence_batching { }' + TEXT, "config-unsupported", "sequence"),
        ('backend: "python" default_model_filename: "m.py"' + TEXT, "config-unsupported", "m.py"),
        (PYTHON + TEXT.replace('"text"', '"tokens"'), "tensors-differ", "tokens"),
        (PYTHON + TEXT.replace("STRING", "INT64"), "tensors-differ", "TYPE_INT64"),
        (PYTHON + TEXT.replace("dims: 1", "dims: [1, 7]"), "tensors-differ", "[1, 7]"),
        (PYTHON + TEXT.replace("dims: 1", "dims: 2"), "tensors-differ", "[2]"),
        (PYTHON + TEXT + 'input { name: "seed" data_type: TYPE_INT32 dims: 1 optional: true }',
         "tensors-differ", "seed"),
    ],
)  # fmt: skip
def test_a_model_that_no_artifact_serves_is_refused(
    tmp_path: Path, config: str, code: str, told: str
) -> None:
    """With `--type` as well: the name of a type does not make another model of it."""
    error = refusal(tmp_path, config, "text-to-text")
    assert isinstance(error, ManifestError)
    assert {problem.code for problem in error.problems} == {code}
    assert told in str(error)
    assert all(problem.hint for problem in error.problems)


@pytest.mark.parametrize(("name", "renamed"), [("m.py", True), ("libm.so", False)])
def test_only_python_is_to_be_renamed(tmp_path: Path, name: str, renamed: bool) -> None:
    """Nobody is told to call a library model.py."""
    error = refusal(tmp_path, f'backend: "python" default_model_filename: "{name}"' + TEXT)
    (problem,) = error.problems
    assert ("call that file model.py" in str(problem.hint)) == renamed


def test_no_type_is_proposed_that_does_not_fit(tmp_path: Path) -> None:
    """Where no type has the tensors, the hint does not say that `--type` would help."""
    error = refusal(tmp_path, PYTHON + TEXT.replace('"text"', '"tokens"'))
    hint = error.problems[0].hint
    assert hint is not None
    assert "--type TYPE" in hint
    assert "|" not in hint


def test_images_with_channels_first_are_another_model(tmp_path: Path) -> None:
    """[3, H, W] is no image of H = 3."""
    error = refusal(tmp_path, PYTHON + IMAGE.replace("-1, -1, 3", "3, 224, 224"))
    assert "[3, 224, 224]" in str(error)


def test_dims_without_a_batch_are_those_of_one_item(tmp_path: Path) -> None:
    """Under max_batch_size 0 the first dim is the batch, not the height."""
    config = PYTHON.replace("4", "0") + IMAGE.replace("-1, -1, 3", "1, 480, 640, 3")
    assert imported(tmp_path, config).manifest["shapes"] == {"image": [480, 640]}


@pytest.mark.parametrize(("ragged", "expected"), [("", False), ("allow_ragged_batch: true", None)])
def test_code_gets_images_as_it_got_them(
    tmp_path: Path, ragged: str, expected: bool | None
) -> None:
    """Images of several sizes come in one batch only where they did before."""
    config = PYTHON + IMAGE.replace("3] }", f"3] {ragged} }}")
    assert imported(tmp_path, config).manifest["triton"].get("ragged") is expected


@pytest.mark.parametrize(
    ("policy", "folders", "expected"),
    [
        ("", ("1", "2"), "2"),
        ("", ("2", "10"), "10"),
        ("", ("3",), "3"),
        ("version_policy { all { } }", ("1", "3"), "3"),
        ("version_policy { specific { versions: [1, 2] } }", ("1", "2", "3"), "2"),
        ("version_policy { specific { versions: 1 } }", ("1", "3"), "1"),
        ("", ("1", "02", "x3", "٤"), "1"),
    ],
)
def test_the_version_that_answered_is_the_one_imported(
    tmp_path: Path, policy: str, folders: tuple[str, ...], expected: str
) -> None:
    """As Triton chooses it: the newest that its policy loads."""
    write_files(tmp_path, {"config.pbtxt": (PYTHON + policy + TEXT).encode()})
    write_files(tmp_path, {f"{name}/inference.py": CODE.encode() for name in folders})
    ran = ended("import", tmp_path)
    assert ran.code == 0, ran.err
    result = import_folder(tmp_path)
    assert result.manifest["code"]["path"] == expected
    others = [name for name in folders if name != expected and name.strip("0123456789") == ""]
    told = [note for note in result.notes if note.startswith("version folder")]
    assert told == [f"version folder {name}" for name in others if not name.startswith("0")]


def test_a_folder_of_repositories_names_those_in_it(tmp_path: Path) -> None:
    """Whoever names the folder above is told which ones are meant."""
    repository(tmp_path / "one", PYTHON + TEXT)
    repository(tmp_path / "two", PYTHON + TEXT)
    ran = ended("import", tmp_path)
    assert ran.code == 64
    assert str(tmp_path / "one") in ran.err
    assert str(tmp_path / "two") in ran.err


def test_what_lies_beside_the_version_is_told(tmp_path: Path) -> None:
    """Code that reads it by `..` would not find it: environments, stubs, vocabularies."""
    more = {"env.tar.gz": "x", "triton_python_backend_stub": "x", "assets__vocab.txt": "x"}
    result = imported(tmp_path, PYTHON + TEXT, **more, **{"requirements.txt": "numpy\n"})
    told = sorted(note.partition(":")[0] for note in result.notes)
    assert told == ["assets/", "env.tar.gz", "triton_python_backend_stub"]
