"""The steps that a plan may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActionKind = Literal[
    "upload",
    "create-model",
    "adopt-model",
    "update-model",
    "delete-version",
    "create-version",
    "update-version",
    "wait",
    "create-cluster",
    "create-nodepool",
    "create-deployment",
    "update-deployment",
]
BEFORE_ALL: tuple[ActionKind, ...] = ("create-cluster", "create-nodepool")
"""What is made before anything is uploaded: compute that a deployment wants."""
AFTER_ALL: tuple[ActionKind, ...] = ("create-deployment", "update-deployment")
"""What waits for a version that answers."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step. `version` is the id of the version it is about, where there is one already.

    `destructive`: it destroys something that may be in use. `costly`: it makes what costs money,
    and the manifest does not ask for that.
    """

    kind: ActionKind
    reason: str
    version: str = ""
    destructive: bool = False
    costly: bool = False
