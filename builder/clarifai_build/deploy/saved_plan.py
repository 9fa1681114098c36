"""Plans kept in a file, to be applied later exactly as they were shown, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clarifai_build import resources
from clarifai_build.deploy.planning import Plan
from clarifai_build.errors import StalePlanError, UsageError
from clarifai_build.util.canonical_json import json_sha256
from clarifai_build.util.small_files import MIB, read_small_json

# Another major version is refused as such; whatever else differs, the schema finds.
MAJOR = "1"
# A plan names each changed file of each model.
_MAX_BYTES = 256 * MIB


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan file: its id, how it was made, and the digest of what each manifest's was made from.

    `states` has the manifests as they were named, from where `plan` ran; `prune` the models to
    destroy, with their versions.
    """

    file: Path
    id: str
    sandbox: bool
    adopt: bool
    prune: Mapping[str, tuple[str, ...]]
    states: Mapping[str, str]

    def check(self, manifest: str, plan: Plan) -> None:
        """Raise StalePlanError unless everything is as it was when the plan was shown."""
        if any(version.recorded.apply == self.id for version in plan.observed.versions):
            raise StalePlanError.of(
                "plan-applied",
                f"{self.file} was applied before",
                file=str(self.file),
                hint="make a new plan",
            )
        if state_of(plan) != self.states[manifest]:
            raise StalePlanError.of(
                "plan-stale",
                f"the manifest, its files, the platform or the bucket have changed since "
                f"{self.file} was made for {manifest}",
                file=str(self.file),
                hint="make a new plan and look at it",
            )


def load(file: Path) -> SavedPlan:
    """Read what `plan --out` wrote; raises UsageError where the file is something else."""
    document = _document(file)
    _check_form(file, document)
    return SavedPlan(
        file=file,
        id=document["id"],
        sandbox=document["sandbox"],
        adopt=document["adopt"],
        prune={one["model"]: tuple(one["versions"]) for one in document["prune"]},
        states={model["manifest"]: model["state"] for model in document["models"]},
    )


def check_target(file: Path) -> None:
    """Raise UsageError where a file that is no plan lies in the place of one."""
    try:
        if not file.exists() or file.stat().st_size == 0:
            return
        load(file)
    except OSError:
        return  # writing it will say why
    except UsageError as error:
        if error.problems[0].code == "plan-version":
            return
        raise UsageError.of(
            "output-target",
            f"{file} is there already, and no plan",
            file=str(file),
            hint="move it, or name another file",
        ) from error


def _document(file: Path) -> Any:
    try:
        return read_small_json(file, _MAX_BYTES)
    except OSError as error:
        raise UsageError.of(
            "plan-unreadable", f"{file} can't be read: {error.strerror}", file=str(file)
        ) from error
    except ValueError as error:
        raise _no_plan(file, str(error)) from error


def _check_form(file: Path, document: Any) -> None:
    """Hold the file against the published schema of plans."""
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import best_match

    # First: by the schema, a newer form would only be a wrong value.
    version = document.get("format_version") if isinstance(document, dict) else None
    if isinstance(version, str) and version.partition(".")[0] != MAJOR:
        raise UsageError.of(
            "plan-version",
            f"{file} has the form {version}, this tool reads {MAJOR}.x",
            hint="make a new plan",
        )
    validator = Draft7Validator(json.loads(resources.plan_schema_text()))
    if error := best_match(validator.iter_errors(document)):
        raise _no_plan(file, f"{error.json_path}: {error.message}")


def _no_plan(file: Path, reason: str) -> UsageError:
    return UsageError.of(
        "plan-unreadable",
        f"{file} is not a plan that `clarifai-build plan --out` wrote: {reason}",
        file=str(file),
        hint="make a new plan",
    )


def state_of(plan: Plan) -> str:
    """Return the digest of all that a plan was made from: what is wanted, and what is there."""
    registration, observed = plan.registration, plan.observed
    model, stored = observed.model, observed.stored
    state: dict[str, Any] = {
        "registration": registration.digest,
        "description": registration.model.description,
        "visibility": registration.model.visibility,
        "project": registration.project,
        "model": model and [model.type, model.description, model.visibility, model.managed],
        "versions": [
            [version.id, version.health, version.description, version.visibility]
            for version in observed.versions
        ],
        "stored": stored and [stored.size, stored.etag],
        "actions": [[action.kind, action.version] for action in plan.actions],
    }
    if compute := observed.compute:
        found = compute.deployment
        state["deployment"] = found and [found.id, found.version_id, asdict(found.spec)]
        state["wanted"] = registration.deployment and asdict(registration.deployment)
    # Plans that are saved already hold digests of this spelling.
    return json_sha256(state, spaced=True)
