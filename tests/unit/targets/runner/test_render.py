"""A runner's folder: what the platform reads is what the manifest says, and text stays text."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clarifai_build.manifest.types import (
    Checkpoints,
    Compute,
    Manifest,
    Model,
    Param,
    Runner,
    RunnerSecret,
    Triton,
)
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import RUNTIME
from clarifai_build.targets.rendering import generated_files_of
from clarifai_build.targets.runner.declaration import RunnerDeclaration
from clarifai_build.targets.runner.sdk import CLARIFAI, base_image
from clarifai_build.targets.template import TEMPLATE_VERSION
from support.trees import manifest_of

GOLDEN = Path(__file__).parents[3] / "golden" / "runner_templates.json"
LABELS = ("cat", "dog")
LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def manifest(model_type: str = "visual-detector", **fields: Any) -> Manifest:
    """Return a manifest whose target is runner, other fields as given."""
    made = replace(manifest_of(Path("/models")), model=Model("lines", model_type))
    return replace(made, target="runner", **{"runner": Runner(), **fields})


def rendered(made: Manifest, labels: tuple[str, ...] = LABELS) -> dict[str, bytes]:
    """Render with labels where the type has them."""
    has_labels = MODEL_TYPES[made.model.type].has_labels
    return generated_files_of(made, labels if has_labels else ())


def config_of(files: dict[str, bytes]) -> Any:
    """Read a config.yaml as the platform's tools do."""
    return yaml.safe_load(files["config.yaml"])


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_the_layout_is_a_runners(name: str) -> None:
    """Three files at the top, code that compiles below, and nothing of Triton's."""
    files = rendered(manifest(name))
    top = {path for path in files if "/" not in path}
    expected = {"config.yaml", "Dockerfile", "requirements.txt"}
    assert top == expected | ({"labels.txt"} if MODEL_TYPES[name].has_labels else set())
    assert {"1/model.py", "1/serving.json", "1/inference.py"} <= files.keys()
    for path, content in files.items():
        if path.endswith(".py"):
            compile(content, path, "exec")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", MODEL_TYPES)
def test_model_imports_the_standard_library_and_clarifai_alone(name: str, streaming: bool) -> None:
    """All else is a mock at upload; and what is imported is used: the upload is linted."""
    made = manifest(name, triton=Triton(1, ragged=False, streaming=streaming))
    text = rendered(made)["1/model.py"].decode()
    tree = ast.parse(text)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = [getattr(node, "module", node.names[0].name) for node in imports]
    assert {one for one in modules if not one.startswith("clarifai.")} <= {"os", "sys", "typing"}
    used = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert {alias.name for node in imports for alias in node.names} <= set(used)
    methods = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert ("generate" in methods) == streaming


def test_config_says_what_the_manifest_does() -> None:
    """Each field under `runner:` ends in its place, and concepts are the labels."""
    runner = Runner(
        python="3.11",
        compute=Compute("500m", "8Gi", 1, ("NVIDIA-A10G", "NVIDIA-*"), "24Gi"),
        num_threads=32,
        secrets=(RunnerSecret("search", "SEARCH_KEY"),),
        image="registry.example.com/base:1",
        checkpoints=Checkpoints("org/model", "build"),
    )
    files = rendered(manifest(runner=runner))
    assert config_of(files) == {
        "model": {"id": "lines", "model_type_id": "visual-detector"},
        "build_info": {
            "python_version": "3.11",
            "platform": "linux/amd64",
            "image": "registry.example.com/base:1",
        },
        "inference_compute_info": {
            "cpu_limit": "500m",
            "cpu_memory": "8Gi",
            "num_accelerators": 1,
            "accelerator_type": ["NVIDIA-A10G", "NVIDIA-*"],
            "accelerator_memory": "24Gi",
        },
        "num_threads": 32,
        "secrets": [{"id": "search", "env_var": "SEARCH_KEY", "type": "env"}],
        "checkpoints": {"type": "huggingface", "repo_id": "org/model", "when": "build"},
        "concepts": [{"id": label, "name": label} for label in LABELS],
    }
    dockerfile = files["Dockerfile"].decode()
    assert "\nFROM registry.example.com/base:1\n" in dockerfile
    assert '"download-checkpoints"' in dockerfile
    assert '"CLARIFAI_CHECKPOINTS"' in files["1/model.py"].decode()


def test_what_is_not_set_is_not_there() -> None:
    """The platform's own image, nothing from a hub, no secrets."""
    files = rendered(manifest("text-to-text"))
    assert config_of(files).keys() == {
        *("model", "build_info", "inference_compute_info", "num_threads")
    }
    assert f"\nFROM {base_image('3.12')}\n" in files["Dockerfile"].decode()
    assert "download-checkpoints" not in files["Dockerfile"].decode()
    assert "CHECKPOINTS" not in files["1/model.py"].decode()
    assert files["requirements.txt"].decode().splitlines()[-1] == f"clarifai=={CLARIFAI}"


def test_an_instance_stands_in_place_of_compute() -> None:
    """In the folder and in what the platform is told."""
    made = manifest(runner=Runner(instance="g5.xlarge"))
    config = config_of(rendered(made))
    assert config["compute"] == {"instance": "g5.xlarge"}
    assert "inference_compute_info" not in config
    declared = RunnerDeclaration.of(made, LABELS)
    assert (declared.compute, declared.instance) == ({}, "g5.xlarge")


def test_where_it_runs_is_no_part_of_the_artifact() -> None:
    """Nor is the description."""
    other = manifest(model=Model("lines", "visual-detector", "Another description."))
    assert rendered(other) == rendered(manifest())


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=4))
def test_any_label_arrives(labels: list[str]) -> None:
    """No label that fits on a line is changed on its way into config.yaml."""
    files = rendered(manifest(), labels=tuple(labels))
    assert [one["id"] for one in config_of(files)["concepts"]] == labels
    assert [one["name"] for one in config_of(files)["concepts"]] == labels
    assert json.loads(files["1/serving.json"])["labels"] == labels


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT)
def test_any_text_of_a_parameter_arrives(default: str, description: str) -> None:
    """As the literal that Python reads the same, in the same ASCII everywhere."""
    made = manifest(params=(Param("p", "string", default, description),))
    text = rendered(made)["1/model.py"].decode("ascii")
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (param,) = (call for call in calls if getattr(call.func, "id", "") == "Param")
    given = {one.arg: ast.literal_eval(one.value) for one in param.keywords}
    expected = {"default": default, **({"description": description} if description else {})}
    assert given == expected


def test_a_secret_is_no_argument() -> None:
    """It comes from the environment of the process."""
    made = manifest(params=(Param("key", "secret"), Param("limit", "number", 2)))
    text = rendered(made)["1/model.py"].decode()
    assert '{"limit": limit}' in text
    assert "key" not in text
    assert len(json.loads(rendered(made)["1/serving.json"])["params"]) == 2


def digest() -> str:
    """Return one digest of what all types are rendered to, without the runtime."""
    whole = hashlib.sha256()
    for name in sorted(MODEL_TYPES):
        for path, content in sorted(rendered(manifest(name)).items()):
            if not path.startswith(RUNTIME):
                whole.update(f"{name} {path} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def test_a_version_of_the_template_gives_these_bytes() -> None:
    """Where they change after a release, the version is raised."""
    assert json.loads(GOLDEN.read_text())[str(TEMPLATE_VERSION)] == digest()
