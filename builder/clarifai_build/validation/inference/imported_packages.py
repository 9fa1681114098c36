"""Whether requirements bring the well-known packages that code imports.

A warning must be right: packages whose own requirements are not known here may bring anything.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from clarifai_build.errors import Problem, SourceError
from clarifai_build.manifest.document import Document
from clarifai_build.requirements.inlined import inline
from clarifai_build.requirements.reader import Line
from clarifai_build.util.python_code import nodes_of

# By the module, which is often called otherwise: the package that most mean.
_PACKAGES = {
    **{name: name for name in ("torch", "torchvision", "transformers", "tensorflow")},
    **{"cv2": "opencv-python-headless", "PIL": "pillow", "sklearn": "scikit-learn"},
    "onnxruntime": "onnxruntime",
}
# What a package brings of those, by itself and by what it requires. No other package is known.
_BROUGHT: dict[str, tuple[str, ...]] = {
    "torch": ("torch",),
    "torchvision": ("torchvision", "torch", "PIL"),
    "transformers": ("transformers",),
    **dict.fromkeys(("tensorflow", "tensorflow-cpu", "tensorflow-gpu"), ("tensorflow",)),
    **dict.fromkeys(
        (
            *("opencv-python", "opencv-python-headless"),
            *("opencv-contrib-python", "opencv-contrib-python-headless"),
        ),
        ("cv2",),
    ),
    **dict.fromkeys(("pillow", "pillow-simd", "matplotlib", "seaborn", "diffusers"), ("PIL",)),
    "scikit-learn": ("sklearn",),
    **dict.fromkeys(("onnxruntime", "onnxruntime-gpu"), ("onnxruntime",)),
    **dict.fromkeys(
        (
            *("numpy", "scipy", "pandas", "requests", "httpx", "tqdm", "packaging", "regex"),
            *("pyyaml", "protobuf", "grpcio", "tritonclient", "typing-extensions", "ftfy"),
            *("sentencepiece", "tokenizers", "safetensors", "huggingface-hub", "einops"),
        ),
        (),
    ),
}
_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<extras>\s*\[)?")
# With extras, a package may bring more; those of this one are known.
_KNOWN_EXTRAS = frozenset({"tritonclient"})


def problems(
    document: Document, module: ast.Module, shown: str, folder: Path, requirements: Path | None
) -> Iterator[Problem]:
    """Yield a warning for each well-known package that is imported, and that nothing brings.

    `folder` holds the code, which Python finds before packages. Only imports that run when the
    module is loaded count, and none of a module that changes where Python looks.
    """
    imported = {
        name: node for name, node in _imported(module) if not _is_own(document, folder, name)
    }
    if not imported or _changes_path(module):
        return
    brought = _brought(requirements)
    if brought is None:
        return
    for name, node in imported.items():
        if name not in brought:
            package = _PACKAGES[name]
            column = node.col_offset + 1
            length = (node.end_col_offset or column) - node.col_offset
            yield Problem(
                "package-missing",
                f"'{name}' is imported, and the requirements don't bring it",
                shown,
                node.lineno,
                column,
                length if node.end_lineno == node.lineno else 1,
                hint=f"add {package} to the requirements, with the version that the model has",
                severity="warning",
            )


def _imported(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the table's modules that a plain statement imports; the last of each counts."""
    for node in reversed(module.body):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            if (top := name.partition(".")[0]) in _PACKAGES:
                yield top, node


def _is_own(document: Document, folder: Path, name: str) -> bool:
    """Return whether code or a weight of the user's is what Python finds."""
    weights = document.get("weights")
    targets = [
        str(weight.get("to"))
        for weight in (weights if isinstance(weights, list) else ())
        if isinstance(weight, dict)
    ]
    # Also compiled ones, of any platform.
    beside = (folder / name).exists() or any(folder.glob(f"{name}.*"))
    return beside or any(target.startswith((f"{name}/", f"{name}.")) for target in targets)


def _changes_path(module: ast.Module) -> bool:
    """Return whether it touches where Python looks, or installs something by itself."""
    return any(
        node.attr in ("path", "addsitedir", "meta_path", "run", "check_call", "system")
        for node in nodes_of(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("sys", "site", "subprocess", "os")
        and (node.value.id, node.attr) != ("os", "path")
    )


def _brought(requirements: Path | None) -> set[str] | None:
    """Return the table's modules that requirements bring; None where a line may bring any."""
    if requirements is None:
        return None  # named, and not there: that is told
    if not os.path.lexists(requirements):
        return set()
    try:
        found = inline(requirements, requirements.parent)
    except SourceError:
        return None
    brought: set[str] = set()
    for _, line in found.lines:
        of_line = _of_line(line)
        if of_line is None:
            return None
        brought.update(of_line)
    return None if found.problems else brought


def _of_line(line: Line) -> tuple[str, ...] | None:
    if line.is_setting:
        return None if line.included or line.constrained_by else ()
    name = None if line.editable or line.error else _NAME.match(line.requirement)
    if name is None or "@" in line.requirement:
        return None
    key = re.sub(r"[-_.]+", "-", name["name"]).lower()
    return None if name["extras"] and key not in _KNOWN_EXTRAS else _BROUGHT.get(key)
