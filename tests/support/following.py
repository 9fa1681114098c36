"""Commands whose problem is told, and that succeed once its hint was followed."""

from __future__ import annotations

from pathlib import Path

from support.command_line import ended


def told(code: str, *arguments: str | Path) -> str:
    """Run a command that ends with this code; return what it says."""
    ran = ended(*map(str, arguments))
    said = ran.out + ran.err
    assert ran.code != 0, said
    assert f"error[{code}]" in said, said
    return said


def fine(*arguments: str | Path) -> None:
    """Run a command that succeeds and finds nothing."""
    ran = ended(*map(str, arguments))
    assert ran.code == 0, ran.out + ran.err
    assert "error[" not in ran.out + ran.err


def warned(code: str, *arguments: str | Path) -> str:
    """Run a command that succeeds and warns of this code; return what it says."""
    ran = ended(*map(str, arguments))
    said = ran.out + ran.err
    assert ran.code == 0, said
    assert f"warning[{code}]" in said, said
    return said


def live() -> None:
    """Apply, and find that what is live is what the manifest says, to the last byte."""
    fine("apply", "--yes")
    fine("verify")
