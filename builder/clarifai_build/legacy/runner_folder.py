"""Recognises what other tools deploy, to say what it is and where it belongs."""

from __future__ import annotations

from pathlib import Path

from clarifai_build.errors import BuilderError, UsageError
from clarifai_build.legacy.imported import GENERATION_2
from clarifai_build.manifest.document import read
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import CONFIG, MODEL

# What Clarifai's runners read: config.yaml beside 1/model.py.
RUNNER = "config.yaml"
_SECTIONS = ("build_info", "inference_compute_info", "compute", "checkpoints", "concepts")


def nothing_to_import(folder: Path) -> UsageError:
    """Return why the folder can't be imported, and what can be done instead."""
    if type_name := _runner_type(folder):
        starts = f"`clarifai-build init --type {type_name}`"
        return UsageError.of(
            "runner-folder",
            f"'{folder}' is a model for Clarifai's runners ({RUNNER}), not for Triton",
            hint="`clarifai model upload` deploys it as it is; to serve it with Triton, start a "
            f"new folder by {starts}, and put what {MODEL} does into its inference.py",
        )
    hint = "name the folder that holds one of them"
    if below := _below(folder):
        hint = f"did you mean {' or '.join(repr(str(path)) for path in below)}?"
    return UsageError.of(
        "nothing-to-import", f"'{folder}' has neither {CONFIG} nor {GENERATION_2}", hint=hint
    )


def _runner_type(folder: Path) -> str | None:
    """Return the model type of a runner's folder, `TYPE` where it is none of ours."""
    try:
        config = read(folder / RUNNER)
    except BuilderError:
        return None
    has_model = isinstance(config.get("model"), dict) or (folder / MODEL).is_file()
    if not has_model or not any(config.get(section) for section in _SECTIONS):
        return None
    name = config.get("model", "model_type_id")
    return name if isinstance(name, str) and name in MODEL_TYPES else "TYPE"


def _below(folder: Path) -> list[Path]:
    """Return the folders just below that could be imported, the first few of them."""
    found = (file.parent for name in (CONFIG, GENERATION_2) for file in folder.glob(f"*/{name}"))
    return sorted(found)[:3]
