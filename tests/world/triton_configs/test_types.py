"""The model's type, in each form in which code names it; folders of today's runners."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import UsageError
from clarifai_build.legacy.importer import import_folder
from clarifai_build.validation.load import examine
from support.command_line import ended
from support.trees import write_files

CONFIG = 'backend: "python" max_batch_size: 2\n'
METHOD = "    def get_predictions(self, input_data): ..."
MODEL = f"\n\nclass InferenceModel:\n{METHOD}\n"
PACKAGE = "from clarifai.models.model_serving"
SDK = f"{PACKAGE}.model_config import ModelTypes, get_model_config\n"
MODULE = f"{PACKAGE} import model_config as mc\n"
RENAMED = f"{PACKAGE}.model_config import ModelTypes as T, get_model_config as g\n"

FORMS = [
    f"{SDK}config = get_model_config(ModelTypes.text_to_image)",
    f"{SDK}config = get_model_config(model_type=ModelTypes.text_to_image)",
    f"{SDK}config = get_model_config('text-to-image')",
    f"{SDK}config = get_model_config(model_type='text-to-image')",
    f"{SDK}TYPE = ModelTypes.text_to_image\nconfig = get_model_config(TYPE)",
    f"{SDK}TYPE: str = 'text-to-image'\nconfig = get_model_config(TYPE)",
    f"{SDK}config = get_model_config(ModelTypes['text_to_image'])",
    f"{SDK}config = get_model_config(ModelTypes('text-to-image'))",
    f"{SDK}config = get_model_config(ModelTypes().text_to_image)",
    f"{MODULE}config = mc.get_model_config(mc.ModelTypes.text_to_image)",
    f"{RENAMED}config = g(T.text_to_image)",
]
DECORATED = [
    f"{PACKAGE}.models.{imports}\nclass InferenceModel:\n    @{decorator}\n{METHOD}"
    for imports, decorator in [
        ("model_types import text_to_image", "text_to_image"),
        ("model_types import *", "text_to_image"),
        ("model_types import text_to_text, text_to_image", "text_to_image"),
        ("models import model_types", "model_types.text_to_image"),
    ]
]

RUNNER = """\
model: {id: m, model_type_id: %s}
build_info: {python_version: "3.12"}
inference_compute_info: {cpu_limit: "1"}
"""


def written(folder: Path, code: str) -> Path:
    """Write a repository whose config says nothing of its type."""
    return write_files(folder, {"config.pbtxt": CONFIG.encode(), "1/inference.py": code.encode()})


@pytest.mark.parametrize("code", [*(form + MODEL for form in FORMS), *DECORATED])
def test_the_type_that_the_code_names_is_found(tmp_path: Path, code: str) -> None:
    """A string, a member of ModelTypes, a keyword, a name, a decorator: each is the type."""
    assert import_folder(written(tmp_path, code)).manifest["model"]["type"] == "text-to-image"


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_checked_against_the_manifest(tmp_path: Path, form: str) -> None:
    """`validate` sees a type that is not the manifest's wherever `import` would see it."""
    manifest = "model: {id: m, type: text-to-text}\n"
    files = {"clarifai.yaml": manifest.encode(), "inference.py": (form + MODEL).encode()}
    found = examine(write_files(tmp_path, files), {}).problems
    assert [problem.code for problem in found] == ["type-mismatch"]
    assert "'text-to-image'" in found[0].message
    line = form.splitlines()[(found[0].line or 0) - 1]
    start = (found[0].column or 0) - 1
    assert line[start : start + found[0].length] in line.partition("get_model_config(")[2] or (
        line[start : start + found[0].length] in line.partition("g(")[2]
    )


@pytest.mark.parametrize(
    "code",
    [
        SDK + "config = get_model_config(TYPE)",
        SDK + "TYPE = 'text-to-image'\nTYPE = 'text-to-text'\nconfig = get_model_config(TYPE)",
        SDK + "config = get_model_config(read())",
        SDK + "config = get_model_config(ModelTypes.nonsense)",
        "other(ModelTypes.text_to_image)",
    ],
)
def test_a_type_that_depends_is_asked_for(tmp_path: Path, code: str) -> None:
    """What the code decides only when it runs is not guessed."""
    with pytest.raises(UsageError) as caught:
        import_folder(written(tmp_path, code + MODEL))
    assert caught.value.problems[0].code == "type-missing"


@pytest.mark.parametrize("type_name", ["any-to-any", "[1]"])
def test_a_runner_folder_of_no_type_is_named_with_what_to_do(
    tmp_path: Path, type_name: str
) -> None:
    """What deploys it as it is, and how it would come here; nothing is written."""
    model = b"from clarifai.runners.models.model_class import ModelClass\n"
    config = (RUNNER % type_name).encode()
    folder = write_files(tmp_path / "m", {"config.yaml": config, "1/model.py": model})
    ran = ended("import", folder)
    assert ran.code == 64
    assert "error[runner-folder]" in ran.err
    assert "clarifai model upload" in ran.err
    assert "--type TYPE" in ran.err
    assert sorted(path.name for path in folder.iterdir()) == ["1", "config.yaml"]


@pytest.mark.parametrize(
    "config", ["a: 1\n", "[", "model: {id: m}\n", "model_name: x\nbuild_info: 1\n", "- 1\n", ""]
)
def test_another_config_yaml_is_no_runner(tmp_path: Path, config: str) -> None:
    """Many tools have a config.yaml: only what a runner's has makes it one."""
    ran = ended("import", write_files(tmp_path, {"config.yaml": config.encode()}))
    assert ran.code == 64
    assert "error[nothing-to-import]" in ran.err
