"""The environment that a triton_conda.yaml names: what of it pip can bring.

Releases up to 9.8 wrote but the name of an environment that the platform had, into which
requirements.txt was installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from clarifai_build.errors import ManifestError
from clarifai_build.legacy import sdk_files
from clarifai_build.legacy.requirements.kept import KEPT_REQUIREMENTS
from clarifai_build.manifest.document import read
from clarifai_build.requirements.reader import lines_in

CONDA = "triton_conda.yaml"

# What the SDK's description of this environment lists, of what models use.
_WITH_TORCH_1_13 = {
    "numpy": "numpy==1.24.2",
    "cv2": "opencv-python==4.7.0.72",
    "PIL": "pillow==9.4.0",
    "torch": "torch==1.13.1",
}
_PREPARED = {"triton_conda-cp3.8-torch1.13.1-19f97078": _WITH_TORCH_1_13}
# torch needs the numpy that it was made for; the others cost time and space where nobody uses them.
_ALWAYS = ("numpy", "torch")
_NAMED = re.compile(r"triton_conda-.*?torch(?P<version>\d+(?:\.\d+)+)(?:-.*)?")

# Those that are the same on PyPI. Of another name there, or none, could be anything.
_SAME_ON_PYPI = frozenset(
    (
        *("numpy", "scipy", "pandas", "pillow", "scikit-learn", "scikit-image", "matplotlib"),
        *("torchvision", "torchaudio", "transformers", "tokenizers", "sentencepiece", "timm"),
        *("tensorflow", "onnx", "onnxruntime", "protobuf", "pyyaml", "requests", "tqdm"),
        *("diffusers", "accelerate", "safetensors", "einops", "nltk", "spacy", "xgboost"),
        *("lightgbm", "joblib", "seaborn", "ftfy", "regex", "librosa", "numba"),
    )
)
_OTHERWISE_ON_PYPI = {"pytorch": "torch", "opencv": "opencv-python", "py-opencv": "opencv-python"}
_SPEC = re.compile(
    r"(?:[\w./-]+::)?(?P<name>[A-Za-z0-9][\w.-]*)\s*"
    r"(?:=(?P<version>\d[\w.]*)(?P<build>=\S*)?|(?P<bounds>(?:[=<>!~]=|[<>])\s*\d[\w.*,<>=!~ ]*))?"
)
_SHOWN = 5


def requirements(folder: Path, code: Path, notes: list[str]) -> list[str]:
    """Return lines for pip; notes tell what none stands for. `code` is the version folder.

    An environment that can't be read is noted, and brings nothing.
    """
    if not (folder / CONDA).is_file():
        return []
    try:
        document = read(folder / CONDA)
    except ManifestError as error:
        notes.append(f"{CONDA}: {error.problems[0].message}")
        return []
    listed = document.get("dependencies")
    if isinstance(listed, list) and listed:
        return list(_listed(listed, notes))
    name = str(document.get("name") or "")
    if prepared := _PREPARED.get(name):
        used = {*_ALWAYS, *_imported(code)}
        found = [line for module, line in prepared.items() if module in used]
    elif known := _NAMED.fullmatch(name):
        found = [f"torch=={known['version']}"]
    else:
        notes.append(f"{CONDA}: the environment '{name}', which lists no packages")
        return []
    notes.append(
        f"{CONDA}: the Python of '{name}'; its {' and '.join(found)} may need one as old: where "
        f"they don't install, name newer ones in {KEPT_REQUIREMENTS}"
    )
    return found


def _listed(entries: Iterable[object], notes: list[str]) -> Iterator[str]:
    left: list[str] = []
    for entry in entries:
        if isinstance(entry, dict) and isinstance(of_pip := entry.get("pip"), list):
            yield from _of_pip(of_pip, left)
        elif isinstance(entry, str) and (line := _for_pip(entry)):
            yield line
        else:
            left.append(str(entry))
    if left:
        shown = ", ".join(f"'{each}'" for each in left[:_SHOWN])
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        notes.append(f"{CONDA}: {shown}{more}, which are conda's: add what the model needs of them")


def _of_pip(entries: Iterable[object], left: list[str]) -> Iterator[str]:
    for entry in entries:
        # A text of several lines would bring what is not seen here.
        lines = list(lines_in(str(entry)))
        if len(lines) == 1 and not lines[0].error:
            yield lines[0].text
        elif lines:
            left.append(str(entry))


def _for_pip(spec: str) -> str | None:
    """Return a line for a package of conda's that PyPI has, too."""
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        return None
    name = found["name"].lower()
    name = _OTHERWISE_ON_PYPI.get(name, name if name in _SAME_ON_PYPI else "")
    if not name:
        return None
    if found["bounds"]:
        return name + found["bounds"].replace(" ", "")
    if not found["version"]:
        return name
    # Without a build, conda's 1.24 is any 1.24.
    exact = found["build"] or found["version"].count(".") > 1
    return f"{name}=={found['version']}" + ("" if exact else ".*")


def _imported(code: Path) -> set[str]:
    files = sorted(code.rglob("*.py"))
    return {
        module.partition(".")[0] for file in files for module in sdk_files.imported_modules(file)
    }
