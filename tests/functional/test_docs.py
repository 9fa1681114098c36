"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_command_and_option_is_documented() -> None:
    """docs/reference/commands.md is what `make reference` would write."""
    script = ROOT / "scripts" / "commands_reference.py"
    spec = importlib.util.spec_from_file_location("commands_reference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page()
