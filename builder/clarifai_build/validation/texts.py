"""Checks every text of a document, wherever it stands: none is a secret, none is unwritable."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.environment import is_online
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.util.redaction import any_has_token, has_token
from clarifai_build.util.urls import FIELDS

# What no text can hold: a null character ends it in C, half a character has no bytes.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")

# Where it stands, what is searched, and whether it is a key.
_Text = tuple[Steps, str, bool]


def secrets(document: Document) -> Iterator[Problem]:
    """Yield the texts that look like a token, a key or a password."""
    # A digest cut to 32 digits looks like a Clarifai token; the schema refuses it already.
    texts = [each for each in _texts(document) if each[0][-1:] != ("sha256",)]
    if not any_has_token(text for _, text, _ in texts):
        return
    for path, text, is_key in texts:
        is_address = bool(path) and path[-1] in FIELDS and path[0] != "triton"
        if has_token(text, address=is_address):
            yield document.problem(
                "secret-in-manifest",
                "this looks like a token or key, and a manifest is not the place for one",
                path,
                key=is_key,
                hint=f"revoke it if it is real, and {_way_of_secrets(path)}",
            )


def _way_of_secrets(path: Steps) -> str:
    """Return where a secret belongs, if not into a manifest: most of its keys are published."""
    if is_online(path):
        return "take it from the environment or a context"
    return "remove it here: a parameter of type secret has its value in Clarifai"


def unwritable(
    document: Document, known: Collection[tuple[int | None, int | None]]
) -> Iterator[Problem]:
    """Yield the texts that nothing can hold; where a problem is `known`, it says more."""
    texts = _texts(document)
    if not _UNWRITABLE.search("".join(text for _, text, _ in texts)):
        return
    for path, text, _ in texts:
        if _UNWRITABLE.search(text) and document.place(path)[:2] not in known:
            message = "a null character, or half a character, is not allowed in text"
            yield document.problem("text-character", message, path, hint="remove it")


def _texts(document: Document) -> list[_Text]:
    """Return every text with the name that says what it is; and keys, which are texts, too."""
    found: list[_Text] = []
    _add(found, document.data, (), "")
    return found


def _add(found: list[_Text], value: Value, path: Steps, name: str) -> None:
    if isinstance(value, str):
        found.append((path, f"{name}: {value}", False))
    elif isinstance(value, dict):
        called = value.get("name")
        for key, item in value.items():
            here = (*path, key)
            found.append((here, key, True))
            # What is called a password in one field is one in another.
            if isinstance(called, str) and key == "default" and isinstance(item, str):
                item = f"{called}: {item}"
            _add(found, item, here, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _add(found, item, (*path, index), name)
