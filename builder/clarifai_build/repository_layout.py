"""Where things lie in a Triton model repository or a runner's folder; one place for every name."""

from __future__ import annotations

VERSION = "1"
"""The one version of a model that an artifact holds, as Triton counts them."""

CODE = VERSION + "/"
"""The version folder: what is the user's lies below it."""

CONFIG = "config.pbtxt"
RUNNER_CONFIG = "config.yaml"
LABELS = "labels.txt"
REQUIREMENTS = "requirements.txt"
MODEL = CODE + "model.py"
INFERENCE = CODE + "inference.py"
TESTS = CODE + "test.py"
SERVING = CODE + "serving.json"
RUNTIME = CODE + "clarifai_runtime/"

MEANT_TO_BE_REPLACED = frozenset({CODE + "__init__.py", INFERENCE, TESTS})
"""Generated files in whose place a user may lay one of theirs."""

ALWAYS_WRITTEN = MEANT_TO_BE_REPLACED | {MODEL, SERVING, RUNTIME + "__init__.py"}
"""What the builder writes below `CODE`, whatever the manifest says."""


def in_folder(path: str) -> str:
    """Return what a file below `CODE` is called in the user's folder, which becomes `CODE`."""
    return path.removeprefix(CODE)


RESERVED_TARGETS = frozenset(in_folder(path).partition("/")[0] for path in ALWAYS_WRITTEN)
"""Names below `CODE` that no weight may be laid at."""


ENDINGS = {"triton": ".zip", "runner": ".tar.gz"}
"""How the names of artifacts end, by target."""


def artifact_name(model_id: str, model_type: str, target: str = "triton") -> str:
    """Return what the artifact of a model is called; clarifai 9.x reads both from a zip's name."""
    return f"{model_id}_{model_type}{ENDINGS[target]}"


def artifact_names(model_id: str, model_type: str) -> tuple[str, ...]:
    """Return what artifacts of a model are called, whatever its target was when they were built."""
    return tuple(artifact_name(model_id, model_type, target) for target in ENDINGS)
