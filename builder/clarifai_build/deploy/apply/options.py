"""How an apply goes about it, as its caller asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.wait import Waiting


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How an apply goes about it.

    `approve` is shown the plan that is about to be carried out, and raises to refuse it. Without a
    `lease`, two applies at once find each other out only afterwards. `id`, if given, is recorded
    with what is registered. `cancel` ends the apply from another thread.
    """

    adopt: bool = False
    lease: bool = True
    waiting: Waiting = Waiting()
    approve: Callable[[Plan], None] = lambda _plan: None
    id: str = ""
    cancel: CancelToken = NEVER
