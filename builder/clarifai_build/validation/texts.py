"""Checks every text of a document, wherever it stands: none is a secret, none is unwritable."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.environment import ONLINE_SECTIONS
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.util.redaction import has_token
from clarifai_build.util.urls import FIELDS

# What no text can hold: a null character ends it in C, half a character has no bytes.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def secrets(document: Document) -> Iterator[Problem]:
    """Yield the texts that look like a token, a key or a password."""
    for path, text, is_key in _texts(document.data, ()):
        is_address = bool(path) and path[-1] in FIELDS and path[0] != "triton"
        # A digest cut to 32 digits looks like a Clarifai token; the schema refuses it already.
        if path[-1:] != ("sha256",) and has_token(text, address=is_address):
            yield document.problem(
                "secret-in-manifest",
                "this looks like a token or key, and a manifest is not the place for one",
                path,
                key=is_key,
                hint=f"revoke it if it is real, and {_way_of_secrets(path)}",
            )


def _way_of_secrets(path: Steps) -> str:
    """Return where a secret belongs, if not into a manifest: most of its keys are published."""
    if path[0] in ONLINE_SECTIONS:
        return "take it from the environment or a context"
    return "remove it here: a parameter of type secret has its value in Clarifai"


def unwritable(
    document: Document, known: Collection[tuple[int | None, int | None]]
) -> Iterator[Problem]:
    """Yield the texts that nothing can hold; where a problem is `known`, it says more."""
    for path, text, _ in _texts(document.data, ()):
        if _UNWRITABLE.search(text) and document.place(path)[:2] not in known:
            message = "a null character, or half a character, is not allowed in text"
            yield document.problem("text-character", message, path, hint="remove it")


def _texts(value: Value, path: Steps) -> Iterator[tuple[Steps, str, bool]]:
    """Yield every text, each with the name that says what it is; and keys, which are texts, too."""
    if isinstance(value, str):
        name = next((step for step in reversed(path) if isinstance(step, str)), "")
        yield path, f"{name}: {value}", False
    elif isinstance(value, dict):
        called = value.get("name")
        for key, item in value.items():
            yield (*path, key), key, True
            # What is called a password in one field is one in another.
            if isinstance(called, str) and key == "default" and isinstance(item, str):
                item = f"{called}: {item}"
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
