"""The environment of child processes: without credentials, and without what redirects Python.

pip builds foreign source packages, a model's tests are the model's, and engines run its code: none
of them needs what opens a bucket or an account.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

TOKENS = ("CLARIFAI_PAT", "CLARIFAI_SESSION_TOKEN")
"""Variables that hold a token of the platform's."""

CREDENTIALS = (
    *TOKENS,
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
)
"""Variables whose values are secret, of those that this tool or its libraries read."""

# PYTHON: PYTHONPATH and PYTHONHOME would mix the packages of two environments.
_PREFIXES = ("AWS_", "CLARIFAI_", "PYTHON")
# Each makes pip install into another place, or other versions, than its arguments say.
_REDIRECTS_PIP = ("TARGET", "PREFIX", "USER", "ROOT", "PYTHON", "CONSTRAINT")
_DROPPED = frozenset((*CREDENTIALS, "VIRTUAL_ENV", *(f"PIP_{name}" for name in _REDIRECTS_PIP)))


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a child may see of `environ`.

    Where packages come from (`PIP_INDEX_URL`, `UV_INDEX_URL`) stays: an index may ask for
    credentials of its own.
    """
    return {
        name: value
        for name, value in environ.items()
        if name not in _DROPPED and not name.startswith(_PREFIXES)
    }


def without_tokens(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for this tool itself, as a child that talks to no platform."""
    return {name: value for name, value in environ.items() if name not in TOKENS}
