"""What a runner's config.yaml says of its image and its compute, as the manifest has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clarifai_build.manifest.document import Document
from clarifai_build.targets.runner.sdk import PLATFORM

_COMPUTE = (
    *("cpu_limit", "cpu_memory", "num_accelerators"),
    *("accelerator_type", "accelerator_memory"),
)


def settings_of(document: Document, notes: list[str]) -> dict[str, Any]:
    """Return the section `runner`; what it can't hold becomes a note."""
    found: dict[str, Any] = {**_build(document, notes), **_compute(document, notes)}
    if (threads := document.get("num_threads")) is not None:
        found["num_threads"] = threads
    if secrets := list(_secrets(document, notes)):
        found["secrets"] = secrets
    if checkpoints := _checkpoints(document, notes):
        found["checkpoints"] = checkpoints
    return found


def _build(document: Document, notes: list[str]) -> dict[str, Any]:
    build = _mapping(document, "build_info", notes)
    found: dict[str, Any] = {}
    if "python_version" in build:
        # As it is written: to YAML, 3.11 without quotes is a number.
        found["python"] = document.source(("build_info", "python_version")).strip("\"'")
    if image := build.get("image"):
        found["image"] = image
    if (platform := build.get("platform")) not in (None, PLATFORM):
        notes.append(f"build_info.platform '{platform}': models are built for {PLATFORM}")
    _tell(notes, "build_info", build, ("python_version", "image", "platform"))
    return found


def _compute(document: Document, notes: list[str]) -> dict[str, Any]:
    info = _mapping(document, "inference_compute_info", notes)
    _tell(notes, "inference_compute_info", info, _COMPUTE)
    compute = _mapping(document, "compute", notes)
    _tell(notes, "compute", compute, ("instance", "gpu"))
    instance = compute.get("instance") or compute.get("gpu")
    carried = {name: info[name] for name in _COMPUTE if name in info}
    if carried and instance:
        notes.append(f"compute.instance '{instance}': inference_compute_info counts")
    if carried:
        return {"compute": carried}
    return {"instance": instance} if instance else {}


def _secrets(document: Document, notes: list[str]) -> Iterator[dict[str, Any]]:
    entries = document.get("secrets")
    for number, entry in enumerate(entries if isinstance(entries, list) else (), 1):
        if not isinstance(entry, dict) or "id" not in entry:
            notes.append(f"secret {number}, which has no id")
            continue
        # Told without it: what it was is nobody else's to know.
        if "value" in entry:
            notes.append(f"the value of the secret '{entry['id']}': set it in Clarifai")
        _tell(notes, f"secret '{entry['id']}'", entry, ("id", "env_var", "type", "value"))
        yield {name: entry[name] for name in ("id", "env_var") if name in entry}


def _checkpoints(document: Document, notes: list[str]) -> dict[str, Any]:
    found = _mapping(document, "checkpoints", notes)
    if found.get("hf_token"):
        notes.append("checkpoints.hf_token: a token belongs in no file; revoke it if it was in Git")
    known = ("type", "repo_id", "when")
    _tell(notes, "checkpoints", found, (*known, "hf_token"))
    carried = {name: found[name] for name in known if name in found}
    if carried.get("when") == "upload":
        notes.append("checkpoints.when 'upload': pin the files under weights; now it is 'runtime'")
        carried["when"] = "runtime"
    return carried


def _mapping(document: Document, name: str, notes: list[str]) -> Mapping[str, Any]:
    value = document.get(name)
    if value is None or isinstance(value, dict):
        return value or {}
    notes.append(f"{name}, which is not a mapping")
    return {}


def _tell(notes: list[str], where: str, section: Mapping[str, Any], known: Iterable[str]) -> None:
    names = set(known)
    notes += [f"{where}: {key}" for key in section if key not in names]
