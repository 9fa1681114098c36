"""Plans as text and as JSON (schema/plan.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from clarifai_build._version import __version__
from clarifai_build.deploy.actions import Action, ActionKind
from clarifai_build.deploy.destroy import Deletion
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.runner.kept_nowhere import KEPT_NOWHERE
from clarifai_build.inspection.file_changes import FileChange
from clarifai_build.reports.runner import runner_document, runner_lines
from clarifai_build.util.text import binary_size_text, joined, size_text

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import Reuse

FORMAT_VERSION = "1.1"
"""The first number is raised when a reader of the old form would misread the new one."""

_SIGNS: dict[ActionKind, str] = {
    "upload": "+ upload artifact",
    "create-model": "+ create model",
    "adopt-model": "~ adopt model",
    "update-model": "~ update model",
    "delete-version": "- destroy version",
    "create-version": "+ create version",
    "update-version": "~ update version",
    # Neither adds nor changes anything: the blank keeps it out of the summary's counts.
    "wait": "  wait for version",
    "create-cluster": "+ create compute cluster",
    "create-nodepool": "+ create nodepool",
    "create-deployment": "+ create deployment",
    "update-deployment": "~ update deployment",
}
_FILE_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
# The largest come first; what is left out is small.
_FILES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of one manifest; `state` is the digest of all that it was made from.

    `files` are the changes in the artifact, None where the published one can't be read.
    """

    manifest: str
    plan: Plan
    files: tuple[FileChange, ...] | None
    state: str


def plans_text(planned: Sequence[Planned], doomed: Sequence[Deletion] = ()) -> str:
    """Return what `plan` prints: a paragraph a model, and a last line that counts."""
    add, change, destroy = _count(planned, doomed)
    return "\n".join(
        [
            *(_paragraph(one) for one in planned),
            *(deletion_text(one) for one in doomed),
            f"Plan: {add} to add, {change} to change, {destroy} to destroy.",
        ]
    )


def deletion_text(doomed: Deletion) -> str:
    """Return the line about a model that no manifest names any more."""
    what = f"model {doomed.model}" if doomed.whole else f"versions of {doomed.model}"
    return joined([doomed.model, f"  - destroy {what}: no manifest of its project names it"])


def as_json(
    planned: Sequence[Planned],
    doomed: Sequence[Deletion] = (),
    errors: Sequence[dict[str, Any]] = (),
    **header: Any,
) -> dict[str, Any]:
    """Return the document of schema/plan.schema.json."""
    add, change, destroy = _count(planned, doomed)
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        **header,
        "models": [_document(one) for one in planned],
        "prune": [{"model": one.model, "versions": list(one.versions)} for one in doomed],
        "errors": list(errors),
        "summary": {"add": add, "change": change, "destroy": destroy},
    }


def _count(planned: Iterable[Planned], doomed: Sequence[Deletion]) -> tuple[int, int, int]:
    signs = [_SIGNS[action.kind][0] for one in planned for action in one.plan.actions]
    return signs.count("+"), signs.count("~"), signs.count("-") + len(doomed)


def _paragraph(planned: Planned) -> str:
    registration = planned.plan.registration
    lines = [f"{registration.model.id} ({registration.model.type})"]
    lines += runner_lines(registration.runner) if planned.plan.actions else []
    for action in planned.plan.actions:
        lines.append(_line(action, planned.plan.reuse))
        if action.kind == "create-version":
            lines += _file_lines(planned.files)
        if action.kind == "create-version" and not planned.plan.observed.is_kept:
            lines += [f"      {KEPT_NOWHERE}"]
    return joined(lines if planned.plan.actions else [*lines, "  nothing to do"])


def _line(action: Action, reuse: Reuse | None) -> str:
    if action.kind == "upload" and reuse and reuse.reused:
        return f"  + upload {reuse_text(reuse)} ({action.reason})"
    name = f" {action.version}" if action.version else ""
    return f"  {_SIGNS[action.kind]}{name}: {action.reason}"


def reuse_text(reuse: Reuse) -> str:
    """Return how much of an upload the store has, and how much travels."""
    size, there, rest = map(binary_size_text, (reuse.size, reuse.reused, reuse.to_send))
    return f"{size}: {there} are in the store, {rest} to send"


def _file_lines(files: tuple[FileChange, ...] | None) -> list[str]:
    if files is None:
        return ["      the files of the published artifact can't be read, so they are not compared"]
    lines = [
        f"      {_FILE_SIGNS[file.change]} {file.path}  {_sizes(file)}"
        for file in files[:_FILES_SHOWN]
    ]
    more = len(files) - len(lines)
    return [*lines, f"      and {more} smaller ones (--json names all)"] if more else lines


def _sizes(file: FileChange) -> str:
    sizes = [size_text(size) for size in (file.before, file.after) if size is not None]
    return " → ".join(dict.fromkeys(sizes))


def _bytes(reuse: Reuse | None) -> dict[str, int] | None:
    """Return what an upload moves, in bytes."""
    return reuse and {"size": reuse.size, "reused": reuse.reused, "to_send": reuse.to_send}


def _document(planned: Planned) -> dict[str, Any]:
    registration, live = planned.plan.registration, planned.plan.live
    return {
        "manifest": planned.manifest,
        "model": registration.model.id,
        "type": registration.model.type,
        "artifact_digest": registration.artifact_digest,
        "size": registration.size,
        "registration_digest": registration.digest,
        "target": registration.target,
        "kept": planned.plan.observed.is_kept,
        "runner": runner_document(registration.runner),
        "live": live.id if live else None,
        "state": planned.state,
        "actions": [
            {
                "kind": action.kind,
                "sign": _SIGNS[action.kind][0].strip(),
                "reason": action.reason,
                "version": action.version or None,
                "bytes": _bytes(planned.plan.reuse) if action.kind == "upload" else None,
            }
            for action in planned.plan.actions
        ],
        "files": None if planned.files is None else [asdict(file) for file in planned.files],
    }
