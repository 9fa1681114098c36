"""Variables that hold credentials, by their names, and how their values are kept out of text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping

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

# What others call theirs, in CI above all. Whole words: MAX_TOKENS holds none.
_SECRET_WORDS = re.compile(
    r"(?:\A|_)(?:TOKEN|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PASS|PAT|CREDENTIALS?|APIKEY|COOKIE"
    r"|(?:API|ACCESS|SECRET|PRIVATE|ACCOUNT|STORAGE|SIGNING|ENCRYPTION|DEPLOY|SSH|KAGGLE|AUTH"
    r"|MASTER|OPENAI)_KEY|JWT|CONNECTION_STRING|AUTH_CONFIG|WEBHOOK)(?:_|\Z)"
    r"|_(?:PWD?|AUTH)\Z|PASSWORD\Z",
    re.IGNORECASE,
)
_USER_OF_ADDRESS = re.compile(r"://([^/\s@]+)@")
# Where a secret lies, or how long it holds, is none.
_NO_SECRET = re.compile(
    r"_(?:FILE|PATH|DIR|URI|ENDPOINT|EXPIRATION|EXPIRES|TTL|TYPE|NAME|COUNT|LIMIT)\Z", re.IGNORECASE
)
# Characters: to mask shorter values would make other words unreadable.
_SHORTEST_SECRET = 8


def is_credential(name: str) -> bool:
    """Return whether a variable of this name holds a token, a key or a password."""
    if name.upper() in CREDENTIALS:
        return True
    return bool(_SECRET_WORDS.search(name)) and not _NO_SECRET.search(name)


def credential_values(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return the values of variables that are credentials by their names."""
    return _worth_hiding(value for name, value in environ.items() if is_credential(name))


def secret_values(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return what of an environment may not be shown: credentials, and users in addresses."""
    users = (user for value in environ.values() for user in _USER_OF_ADDRESS.findall(value))
    return credential_values(environ) | _worth_hiding(users)


def names_a_user(value: str) -> bool:
    """Return whether a value is an address with a password, as of a database, or with a token."""
    users = _USER_OF_ADDRESS.findall(value)
    return any(":" in user or len(user) >= _SHORTEST_SECRET for user in users)


def _worth_hiding(values: Iterable[str]) -> frozenset[str]:
    stripped = (value.strip() for value in values)
    # A path is where a secret lies.
    return frozenset(
        value
        for value in stripped
        if len(value) >= _SHORTEST_SECRET and not value.startswith(("/", "~"))
    )


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """Replace secrets by asterisks: the last that happens to text before it is shown."""
    # The longest first: one may be a part of another.
    for secret in sorted(secrets, key=len, reverse=True):
        for written in {secret, json.dumps(secret)[1:-1]}:
            text = text.replace(written, "*" * len(written))
    return text
