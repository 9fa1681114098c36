"""A plan as text: one line an action, and a last line that counts them."""

from __future__ import annotations

from clarifai_build.plan import Action, ActionKind, Plan

_SIGNS: dict[ActionKind, str] = {
    "create-model": "+ create model",
    "update-model": "~ update model",
    "upload": "+ upload artifact",
    "create-version": "+ create version",
    "delete-version": "- destroy version",
    "wait": "  wait for version",
}


def plan_text(plan: Plan) -> str:
    """Return what `plan` prints."""
    registration = plan.registration
    head = f"{registration.model.id} ({registration.model.type}), tree {registration.artifact}"
    signs = [_SIGNS[action.kind][0] for action in plan.actions]
    count = (
        f"Plan: {signs.count('+')} to add, {signs.count('~')} to change, "
        f"{signs.count('-')} to destroy."
    )
    lines = [_line(action) for action in plan.actions] or ["  nothing to do"]
    return "\n".join([head, *lines, count])


def _line(action: Action) -> str:
    name = f" {action.version}" if action.version else ""
    return f"  {_SIGNS[action.kind]}{name}: {action.reason}"
