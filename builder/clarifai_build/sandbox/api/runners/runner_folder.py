"""What the folder of a runner model must hold, and what its config.yaml says of its environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarifai_build.errors import SandboxError
from clarifai_build.util.small_files import MIB, TooLargeError, read_small_text

CONFIG = "config.yaml"
REQUIREMENTS = "requirements.txt"
# In this order, as the platform's image looks for it.
_MODELS = ("model.py", "1/model.py")
_PYTHONS = ("3.11", "3.12")
_DEFAULT_PYTHON = "3.12"
# What the official SDK polls with where nothing is said.
_DEFAULT_THREADS = 16


@dataclass(frozen=True, slots=True)
class RunnerFolder:
    """A runner model on disk: the Python it asks for, and how many requests it takes at once."""

    path: Path
    model_id: str
    python: str
    num_threads: int

    @property
    def requirements(self) -> Path:
        return self.path / REQUIREMENTS


def read(path: Path) -> RunnerFolder:
    """Return the runner model in a folder, or refuse what the platform could not build."""
    config = _config(path)
    model, build = (_section(config, name) for name in ("model", "build_info"))
    if not any((path / name).is_file() for name in _MODELS):
        raise _wrong("it holds no 1/model.py")
    if not (path / REQUIREMENTS).is_file():
        raise _wrong(f"it holds no {REQUIREMENTS}")
    if not isinstance(model.get("id"), str):
        raise _wrong(f"{CONFIG} has no model.id")
    python = build.get("python_version", _DEFAULT_PYTHON)
    if python not in _PYTHONS:
        known = " or ".join(f'"{each}"' for each in _PYTHONS)
        raise _wrong(f"{CONFIG}: build_info.python_version must be {known}, in quotes")
    return RunnerFolder(path, model["id"], python, _threads(config))


def _threads(config: dict[str, Any]) -> int:
    threads = config.get("num_threads", _DEFAULT_THREADS)
    if type(threads) is not int or threads < 1:
        raise _wrong(f"{CONFIG}: num_threads must be a whole number from 1")
    return threads


def _config(path: Path) -> dict[str, Any]:
    import yaml

    if not (path / CONFIG).is_file():
        below = sorted(each.parent.name for each in path.glob(f"*/{CONFIG}"))
        packed = f"; {below[0]}/ does: pack what is in that folder" if below else ""
        raise _wrong(f"its root holds no {CONFIG}{packed}")
    try:
        config = yaml.safe_load(read_small_text(path / CONFIG, MIB))
    except (yaml.YAMLError, UnicodeDecodeError, TooLargeError, RecursionError) as error:
        raise _wrong(f"{CONFIG} can't be read: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise _wrong(f"{CONFIG} is not a mapping")
    return config


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    section = config.get(name) or {}
    if not isinstance(section, dict):
        raise _wrong(f"{CONFIG}: {name} is not a mapping")
    return section


def _wrong(reason: str) -> SandboxError:
    return SandboxError.of("layout-refused", f"the tar.gz is not a runner model: {reason}")
