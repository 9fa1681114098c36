"""The survivors that were judged, each with the reason why no test can, or should, notice it."""

from __future__ import annotations

from collections.abc import Iterable

from mutation.sites import Key


def parse(text: str) -> dict[Key, str]:
    """Read blocks of four lines, told apart by blank lines; `#` begins a comment.

    Raises ValueError for a block that is something else.
    """
    blocks = text.split("\n\n")
    lines = ([line for line in block.splitlines() if not line.startswith("#")] for block in blocks)
    return dict(_block(block) for block in lines if any(line.strip() for line in block))


def _block(lines: list[str]) -> tuple[Key, str]:
    marks = [line[:2] for line in lines[1:]]
    module, _, function = lines[0].partition(" ")
    if marks != ["- ", "+ ", "= "] or not function or not lines[3][2:].strip():
        raise ValueError(f"not a judged mutant: {' | '.join(lines)}")
    return Key(module, function.strip(), lines[1][2:], lines[2][2:]), lines[3][2:]


def block(key: Key) -> str:
    """Write a mutant as its block begins: a survivor is printed as it would be judged."""
    return f"{key.module} {key.function}\n- {key.before}\n+ {key.after}"


def outdated(judged: Iterable[Key], known: Iterable[Key]) -> list[Key]:
    """Return what was judged in these modules and can't be made any more."""
    known = set(known)
    modules = {key.module for key in known}
    return [key for key in judged if key.module in modules and key not in known]
