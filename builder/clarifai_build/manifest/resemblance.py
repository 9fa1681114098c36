"""Which files look like manifests, though they may be called something else."""

from __future__ import annotations

import os
import re

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.util.small_files import read_start

# Bytes. The model, which a manifest begins with by custom, stands in the first few hundred.
_HEAD = 64 << 10
_ALL_BUT_NAMED = re.compile(r"(?:^|\.)clarifai\.ya?ml$", re.IGNORECASE)
# JSON is YAML, too; of such files, and of those without an ending, only ones called so are read.
_YAML = re.compile(r".*?\.ya?ml|(?:.*\.)?clarifai(?:\.json)?(?=$|[~.])", re.IGNORECASE | re.DOTALL)
# Samples are no manifests yet; a model of the second generation has its own file.
_SAMPLE = re.compile(
    r"\.(?:example|sample|template|tmpl|j2|dist|in)$|^clarifai_config\.ya?ml$", re.IGNORECASE
)
_KEYS = "model|code|weights|shapes|triton|params|storage|clarifai"
_ANY_KEY = re.compile(rf"""^[ \t]*\{{?[ \t]*["']?(?:{_KEYS})["']?[ \t]*:""", re.MULTILINE)
_MODEL = re.compile(r"""^\{?[ \t]*["']?model["']?[ \t]*:""", re.MULTILINE)
_ID = r"""(?<![\w-])id["']?[ \t]*:[ \t]*["']?"""
_REFERENCE = re.compile(r"\$\{[^{}]{0,999}\}")
_ID_VALUE = re.compile(rf"""{_ID}((?:\$\{{[^{{}}]{{0,999}}\}}|[\w.-])+)""")
_TYPE = re.compile(
    rf"""(?<![\w-])type["']?[ \t]*:[ \t]*["']?(?:{"|".join(MODEL_TYPES)})(?![\w-])"""
)


def is_called_like_one(name: str) -> bool:
    """Return whether a name is that of a manifest, but for case and the spelling of `.yaml`."""
    return bool(_ALL_BUT_NAMED.search(name))


def looks_like_one(file: str, *, by_content: bool) -> bool:
    """Return whether a file looks like a manifest: by its name, or also by what it says.

    What can't be read, or says nothing any more, may have been one.
    """
    # Most files say so at the first look.
    lower = file.lower()
    if ".y" not in lower and "clarifai" not in lower:
        return False
    folder, name = os.path.split(file)
    yaml = _YAML.match(name)
    if yaml is None or _SAMPLE.search(name) or _is_copy(folder, name, yaml[0]):
        return False
    if is_called_like_one(name):
        text = head_of(file)
        return not text or not text.strip() or bool(_ANY_KEY.search(text))
    if "clarifai" in name.lower():
        return bool(_MODEL.search(head_of(file) or ""))
    return by_content and _is_whole(head_of(file) or "")


def head_of(file: str) -> str | None:
    """Return how a text file begins; None where it can't be read, or is none."""
    try:
        content = read_start(file, _HEAD)
    except OSError:
        return None
    return None if b"\0" in content else content.decode("utf-8-sig", "replace")


def names_model(text: str, model: str) -> bool:
    """Return whether a text has a model's id, be it in another environment than this one.

    An id that refers to the environment is one model here, and another where it applies next.
    """
    return any(_may_be(one[1], model) for one in _ID_VALUE.finditer(text))


def varies_to(text: str, model: str) -> bool:
    """Return whether an id in a text refers to the environment, and may be that model's."""
    return any("${" in one[1] and _may_be(one[1], model) for one in _ID_VALUE.finditer(text))


def _may_be(written: str, model: str) -> bool:
    literal = [re.escape(part) for part in _REFERENCE.split(written)]
    # To look for many would take long, and nearly any name would do.
    return len(literal) > 4 or bool(re.fullmatch(".*".join(literal), model))


def _is_whole(text: str) -> bool:
    return all(re.search(pattern, text) for pattern in (_MODEL, _ID, _TYPE))


def _is_copy(folder: str, name: str, original: str) -> bool:
    """Return whether it is what an editor or a person kept of a file that is there: `a.yaml~`."""
    return name != original and os.path.exists(os.path.join(folder, original))  # noqa: PTH110, PTH118 - text
