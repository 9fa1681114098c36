"""Whether a repository's code takes one item or a list: clarifai changed that with 9.11.

The first sign that speaks decides. What the code returns comes first: it was made to run, while
requirements and generated files tell which clarifai it was begun with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.errors import SourceError
from clarifai_build.legacy import sdk_files
from clarifai_build.legacy.requirements.conda_environment import CONDA
from clarifai_build.repository_layout import INFERENCE, MODEL, REQUIREMENTS, in_folder
from clarifai_build.requirements.reader import read
from clarifai_build.validation.inference.prediction_form import Form, annotated_form, returned_form

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

# Of each kind of release, what tells a requirement that allows it.
_RELEASES = ("9.7.0", "9.8.0", "9.9.0", "9.10.4", "9.11.0", "10.0.0", "10.1.0", "11.0.0")
_FIRST_WITH_LISTS = "9.11"
# What clarifai up to 9.10.4 wrote into every requirements.txt; later ones have >9.10.4.
_WRITTEN_BY_ITEM_RELEASES = ">9.5.3"
_DECORATORS = "clarifai.models.model_serving.models.model_types"


def takes_item(folder: Path, version: str, notes: list[str]) -> bool:
    """Return whether `get_predictions` takes one item; note where nothing in the files says.

    `version` is the name of the version folder, which holds the code.
    """
    code = folder / version
    if not (code / in_folder(INFERENCE)).is_file():
        return False
    signs: tuple[Callable[[], Form | None], ...] = (
        partial(_code, code / in_folder(INFERENCE)),
        partial(_requirement, folder / REQUIREMENTS),
        # The first file was written by clarifai up to 9.8 alone.
        partial(_generated, folder / CONDA, code / in_folder(MODEL)),
        partial(_decorator, code / in_folder(INFERENCE)),
    )
    for sign in signs:
        if form := sign():
            return form == "item"
    notes.append(
        "whether get_predictions takes a list or, as before clarifai 9.11, one item: it is called "
        "with a list; if it takes one item, set code.per_item: true"
    )
    return False


def _code(inference: Path) -> Form | None:
    module = sdk_files.parsed(inference)
    if module is None:
        return None
    found = returned_form(module)
    return found.form if found else annotated_form(module)


def _requirement(file: Path) -> Form | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = read(file) if file.is_file() else ()
    except SourceError:
        return None
    for line in lines:
        try:
            requirement = Requirement(line.requirement)
        except InvalidRequirement:
            continue
        if requirement.name.lower() == "clarifai":
            return _form_of(requirement.specifier)
    return None


def _form_of(specifiers: SpecifierSet) -> Form | None:
    """Return how the releases that a requirement allows call; None where they differ."""
    from packaging.version import Version

    if str(specifiers) == _WRITTEN_BY_ITEM_RELEASES:
        return "item"
    # A release that is named exactly need not be one of the samples.
    named = [each.version for each in specifiers if each.operator in ("==", "<=", ">=", "~=")]
    samples = (*_RELEASES, *(version for version in named if not version.endswith(".*")))
    first = Version(_FIRST_WITH_LISTS)
    allowed = [Version(version) for version in specifiers.filter(samples)]
    forms: set[Form] = {"list" if version >= first else "item" for version in allowed}
    return forms.pop() if len(forms) == 1 else None


def _generated(conda: Path, model: Path) -> Form | None:
    old = conda.is_file() or sdk_files.is_sdk_model(model)
    return "item" if old else None


def _decorator(inference: Path) -> Form | None:
    # Clarifai 9.11 and 10.0 have these, too, but their template has get_model_config instead.
    modules = sdk_files.imported_modules(inference)
    return "item" if _DECORATORS in modules else None
