"""What a runner is declared as, for tests that build none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Declared:
    """A declaration, as `RunnerDeclaration` is one."""

    compute: Mapping[str, Any]
    concepts: tuple[str, ...]
    signatures: tuple[Mapping[str, Any], ...]
    num_threads: int
    platform: str
    secrets: tuple[Mapping[str, str], ...]
    instance: str | None = None


def declared(**changed: Any) -> Declared:
    """Return one that has something of everything."""
    whole: dict[str, Any] = {
        "compute": {"cpu_limit": "1", "cpu_memory": "2Gi"},
        "concepts": ("dög",),
        "signatures": ({"name": "predict", "method_type": "UNARY_UNARY"},),
        "num_threads": 16,
        "platform": "linux/amd64",
        "secrets": ({"id": "hub", "env_var": "HUB_TOKEN", "type": "env"},),
    }
    return Declared(**{**whole, **changed})
