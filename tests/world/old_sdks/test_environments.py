"""What a model of an old SDK found in the platform's environment comes along as requirements."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.legacy.importer import Imported, import_folder
from clarifai_build.scaffold import write_missing
from clarifai_build.validation.load import examine
from support.old_sdks import write_repository

KEPT = "requirements.serving.txt"
STANDARD = "name: triton_conda-cp3.8-torch1.13.1-19f97078"
CODE = """
import torch
from transformers import pipeline

class InferenceModel:
  def get_predictions(self, input_data, **kwargs):
    return self.model(input_data)
"""


def imported(
    folder: Path, conda: str, needs: str = "clarifai>9.5.3\nscipy\n", code: str = CODE
) -> Imported:
    """Import a repository with this environment."""
    write_repository(folder, "9.7.4", "text-to-text")
    (folder / "1" / "inference.py").write_text(code)
    (folder / "requirements.txt").write_text(needs)
    (folder / "triton_conda.yaml").write_text(conda)
    return import_folder(folder)


def lines_of(found: Imported) -> list[str]:
    """Return the lines of the requirements that are kept."""
    return found.files[KEPT].splitlines()


def test_the_environment_of_the_platform_brings_torch(tmp_path: Path) -> None:
    """As an example of clarifai 9.7: torch stands nowhere but in the environment's name."""
    needs = "clarifai>9.5.3 # for upload\ntritonclient[all]\ntransformers==4.30.2"
    found = imported(tmp_path, STANDARD, needs)
    own = ["tritonclient[all]", "transformers==4.30.2"]
    assert lines_of(found) == [*own, "numpy==1.24.2", "torch==1.13.1"]
    assert found.manifest["code"]["requirements"] == KEPT
    assert any("triton_conda.yaml: the Python of" in note for note in found.notes)
    assert not any("only what lies in the version folder" in note for note in found.notes)
    write_missing(tmp_path, found.all_files())
    assert examine(tmp_path / "clarifai.yaml", {}, offline=True).problems == ()


def test_what_code_imports_of_it_comes_along_and_own_lines_count(tmp_path: Path) -> None:
    """OpenCV and Pillow where they are used; the version of requirements.txt, where it has one."""
    code = f"import cv2\nfrom PIL import Image\n{CODE}"
    found = imported(tmp_path, STANDARD, "Pillow==10.0.0\nTorch>=1.7\n", code)
    brought = ["numpy==1.24.2", "opencv-python==4.7.0.72"]
    assert lines_of(found) == ["Pillow==10.0.0", "Torch>=1.7", *brought]


def test_an_environment_of_another_name_tells_its_torch(tmp_path: Path) -> None:
    """Without a list, the name is all there is."""
    assert "torch==2.0.1" in lines_of(imported(tmp_path, "name: triton_conda-cp3.10-torch2.0.1-ab"))


@pytest.mark.parametrize("conda", ["name: mine\n", "- a\n", "{", "", "dependencies: 3\n"])
def test_an_environment_that_says_nothing_is_noted(tmp_path: Path, conda: str) -> None:
    """What pip could bring of it is unknown; the rest is imported."""
    found = imported(tmp_path, conda)
    assert lines_of(found) == ["scipy"]
    assert any(note.startswith("triton_conda.yaml: ") for note in found.notes)


LISTED = """
name: mine
channels: [conda-forge]
dependencies:
  - python=3.8.16=he550d4f_1_cpython
  - _libgcc_mutex=0.1=conda_forge
  - bzip2=1.0.8=h7f98852_4
  - numpy=1.24.2=py38h10c12cc_0
  - conda-forge::pandas=1.5
  - pytorch==1.13.1
  - pillow >=9,<10
  - scikit-learn
  - pip
  - pip:
      - opencv-python==4.7.0.72
      - clarifai==9.7.4
      - --extra-index-url https://download.pytorch.org/whl/cu118
      - "a\\nb"
"""


def test_listed_packages_are_carried_as_far_as_pip_brings_them(tmp_path: Path) -> None:
    """pip's as they are, conda's where PyPI has the same; the others are told."""
    found = imported(tmp_path, LISTED)
    assert lines_of(found) == [
        "scipy",
        "numpy==1.24.2",
        "pandas==1.5.*",
        "torch==1.13.1",
        "pillow>=9,<10",
        "scikit-learn",
        "opencv-python==4.7.0.72",
        "--extra-index-url https://download.pytorch.org/whl/cu118",
    ]
    (note,) = [note for note in found.notes if note.startswith("triton_conda.yaml")]
    assert all(name in note for name in ("python=3.8.16", "_libgcc_mutex", "bzip2", "'pip'"))


def test_without_requirements_of_its_own_it_gets_those(tmp_path: Path) -> None:
    """The file is named, though the repository has none."""
    write_repository(tmp_path, "9.7.4", "text-to-text")
    (tmp_path / "requirements.txt").unlink()
    (tmp_path / "triton_conda.yaml").write_text(STANDARD)
    found = import_folder(tmp_path)
    assert found.manifest["code"]["requirements"] == KEPT
    assert "torch==1.13.1" in lines_of(found)


def warned(folder: Path, needs: str | None, code: str = CODE) -> list[str]:
    """Return the messages of package-missing for a model with such requirements."""
    folder.mkdir(exist_ok=True)
    (folder / "clarifai.yaml").write_text("model: {id: m, type: text-to-text}\n")
    (folder / "inference.py").write_text(code)
    if needs is not None:
        (folder / "requirements.txt").write_text(needs)
    problems = examine(folder / "clarifai.yaml", {}, offline=True).problems
    assert {problem.severity for problem in problems} <= {"warning"}
    return [problem.message for problem in problems if problem.code == "package-missing"]


@pytest.mark.parametrize(
    ("needs", "names"),
    [
        (None, ["torch", "transformers"]),
        ("numpy\ntransformers==4.30.2\n", ["torch"]),
        ("torch ; python_version > '3'\n--pre\n", ["transformers"]),
        ("tritonclient[all]\nTransformers\ntorchvision\n", []),
        ("timm\n", []),  # it requires torch; of others one can't know
        ("transformers[torch]\n", []),
        ("numpy @ https://a.example.com/numpy-1-py3-none-any.whl\n", []),
        ("git+https://a.example.com/a.git\n", []),
        ("-r https://a.example.com/base.txt\n", []),
    ],
)
def test_a_package_that_nothing_brings_is_told(
    tmp_path: Path, needs: str | None, names: list[str]
) -> None:
    """Only where it is sure: any package that is not known may bring others."""
    assert [message.split("'")[1] for message in warned(tmp_path, needs)] == names


@pytest.mark.parametrize(
    "code",
    [
        "try:\n  import torch\nexcept ImportError:\n  torch = None\n",
        "def load():\n  import torch\n",
        "from . import torch\n",
        "from .torch import nn\n",
        "import sys\nsys.path.insert(0, 'vendored')\nimport torch\n",
        "import cv2_enumerate_cameras\nimport torchish\n",
    ],
)
def test_an_import_that_may_do_without_is_not(tmp_path: Path, code: str) -> None:
    """One that is optional, late, of the user's own, or from a path that the code adds."""
    model = CODE.partition("pipeline\n")[2]
    assert warned(tmp_path, None, code + model) == []


@pytest.mark.parametrize("own", ["torch.py", "torch/__init__.py", "torch.cpython-310-x.so"])
def test_a_module_of_the_users_own_is_no_package(tmp_path: Path, own: str) -> None:
    """It lies beside inference.py, where Python looks first."""
    (tmp_path / own).parent.mkdir(exist_ok=True)
    (tmp_path / own).write_text("")
    assert warned(tmp_path, "transformers\n") == []
