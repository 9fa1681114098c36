"""Manifests that a search can't see: not checked out, or not among what was searched.

That no manifest names a model is known only where nothing of the kind is left open.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.manifest.discovery import passed_over
from clarifai_build.manifest.resemblance import (
    head_of,
    is_called_like_one,
    names_model,
    varies_to,
)
from clarifai_build.util import git
from clarifai_build.util.vcs.process import repository_above

_YAML = "*.y*ml*"
_INIT = "`git submodule update --init --recursive`, or leave it out of what is searched"
_GIVE = "give it, too, or remove it"
_SET = "`destroy` the model by itself, with the environment that names it"
_BRING = "`git restore` it, or `git rm` it where it is meant to be gone"


def not_checked_out(folders: Iterable[Path]) -> list[Problem]:
    """Return a warning for what Git has below the folders, is not there, and is or may hold a
    manifest. Raises GitError where Git does not say."""
    return [problem for folder in folders for problem in _missing(folder)]


def naming_elsewhere(manifests: Iterable[Path], models: Collection[str]) -> list[Problem]:
    """Return a warning for each manifest that names one of the models in another environment."""
    why = "its id refers to the environment"
    return [
        passed_over(str(file), f"may name model '{model}'", why, _SET)
        for file in manifests
        for model in sorted(models)
        if varies_to(head_of(str(file)) or "", model)
    ]


def others_naming(manifests: Collection[Path], models: Collection[str]) -> list[Problem]:
    """Return a warning for each file of the manifests' repositories, which they are not, that names
    one of the models. Raises GitError where Git does not say what there is."""
    given = {os.path.realpath(file) for file in manifests}
    tops = {top for top in (repository_above(file.parent) for file in manifests) if top}
    return [
        passed_over(str(top / path), f"names model '{model}'", "it was not given", _GIVE)
        for top in sorted(tops)
        for path in git.files_called(top, _YAML)
        if os.path.realpath(top / path) not in given
        for model in sorted(_named(top, path, models))
    ]


def _missing(folder: Path) -> Iterator[Problem]:
    for one in git.tracked(folder):
        file = folder / one.path
        if one.submodule and not (file.is_dir() and any(file.iterdir())):
            why = "it is a submodule that is not initialised"
            yield passed_over(str(file), "may hold manifests", why, _INIT)
        elif is_called_like_one(file.name) and not os.path.lexists(file):
            why = "it is in Git, but not in the work tree"
            yield passed_over(str(file), "is passed over", why, _BRING)


def _named(top: Path, path: str, models: Collection[str]) -> Iterator[str]:
    file = str(top / path)
    text = head_of(file)
    if text is None and not os.path.lexists(file):
        text = git.staged(top, path).decode(errors="replace")
    yield from (model for model in models if names_model(text or "", model))
