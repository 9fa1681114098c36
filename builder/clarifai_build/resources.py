"""Finds what ships beside the code: in a checkout at its root, in a wheel under `_data/`."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _data(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.exists() else _PACKAGE.parents[1] / name


def schema_text() -> str:
    """Return the JSON Schema of a manifest."""
    return (_data("schema") / "clarifai.schema.json").read_text(encoding="utf-8")


def plan_schema_text() -> str:
    """Return the JSON Schema of what `plan --json` prints."""
    return (_data("schema") / "plan.schema.json").read_text(encoding="utf-8")


def template_dir() -> Path:
    """Return the cookiecutter template of a Triton model repository."""
    return _data("cookiecutter-template")


def files_below(folder: Path) -> dict[str, bytes]:
    """Return every file by its path below `folder`, but for what pip compiles where it installs."""
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    # pip compiles what it installs; the digest of a rendering must not depend on that.
    return {name: path.read_bytes() for name, path in named.items() if "__pycache__/" not in name}


def runtime_dir() -> Path:
    """Return the package that travels inside every artifact."""
    return _PACKAGE.parent / "clarifai_runtime"


def starters_dir() -> Path:
    """Return the folder with the starting files that `init` writes."""
    return _PACKAGE / "starters"
