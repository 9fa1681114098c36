"""What can't be where no bucket keeps the artifacts of a runner."""

from __future__ import annotations

from clarifai_build.errors import UsageError

KEPT_NOWHERE = (
    "no `storage`: the artifact is kept nowhere but on the platform, so no lease keeps other "
    "machines away, `rollback` has nothing to go back to, and `verify` compares digests only"
)
"""Said with each version that is made so."""


def nothing_kept(model_id: str) -> UsageError:
    """Return the error about an earlier version whose artifact is needed."""
    return UsageError.of(
        "nothing-kept",
        f"the artifacts of '{model_id}' are kept nowhere: its manifest has no 'storage:'",
        hint="check out the commit of that version, and apply it",
    )
