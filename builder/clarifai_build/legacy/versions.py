"""Which version folder of a Triton repository is the model that was served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clarifai_build.repository_layout import CONFIG, VERSION


def served(folder: Path, config: Any, notes: list[str]) -> str:
    """Return the name of the version folder that answers requests which name none.

    Triton loads what version_policy says, by default the newest, and answers from the newest that
    is loaded. An artifact has one version: the others, and a policy about them, become notes.
    """
    there = sorted(number for path in folder.iterdir() if (number := number_of(path)))
    if not there:
        return VERSION
    policy = config.version_policy
    loaded = there
    if policy.WhichOneof("policy_choice") == "specific":
        wanted = [int(number) for number in policy.specific.versions]
        loaded = [number for number in there if number in wanted] or there
        notes.append(f"{CONFIG}: version_policy specific {wanted}: an artifact has one version")
    chosen = loaded[-1]
    notes += [f"version folder {number}" for number in there if number != chosen]
    return str(chosen)


def policy(config: Any, notes: list[str]) -> str | None:
    """Return the manifest's version_policy, or None where the default says the same."""
    choice = config.version_policy.WhichOneof("policy_choice")
    count = config.version_policy.latest.num_versions
    if choice == "latest" and count > 1:
        notes.append(f"{CONFIG}: version_policy latest {count}: an artifact has one version")
    return "all" if choice == "all" else None


def number_of(path: Path) -> int:
    """Return the version that a folder holds, or 0: Triton passes over any other name."""
    name = path.name
    is_version = name.isascii() and name.isdecimal() and not name.startswith("0")
    return int(name) if is_version and path.is_dir() else 0
