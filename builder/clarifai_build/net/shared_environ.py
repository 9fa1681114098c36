"""An environment together with what was made from it, so that it is made once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

Made = TypeVar("Made")


class SharedEnviron(Mapping[str, str]):
    """Variables that stay as they are, and what was made from them.

    Whoever is handed the same one shares that: a fleet has one session and one client a store.
    What a changed copy leads to is made anew. The repr shows no value: some of them are tokens.
    """

    __slots__ = ("_lock", "_made", "_variables")

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)
        self._made: dict[Callable[[Mapping[str, str]], Any], Any] = {}
        self._lock = threading.RLock()

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return f"<SharedEnviron of {len(self)} variables>"

    def once(self, make: Callable[[Mapping[str, str]], Made]) -> Made:
        """Return what `make` gives for the variables; it is called once, by one thread."""
        with self._lock:
            if make not in self._made:
                # Not this object: the two would keep each other alive.
                self._made[make] = make(self._variables)
            made: Made = self._made[make]
            return made


def made_once(make: Callable[[Mapping[str, str]], Made], environ: Mapping[str, str]) -> Made:
    """Return what `make` gives for an environment: made before, where that is a shared one."""
    return environ.once(make) if isinstance(environ, SharedEnviron) else make(environ)
