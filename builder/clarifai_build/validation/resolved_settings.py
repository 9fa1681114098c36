"""Every setting of a manifest as it is resolved, and where each came from. Secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from clarifai_build.manifest.document import Document
from clarifai_build.manifest.schema import manifest_schema
from clarifai_build.manifest.settings import setting
from clarifai_build.manifest.types import Manifest
from clarifai_build.manifest.yaml_reader import Steps
from clarifai_build.util import urls
from clarifai_build.util.tokens.variables import CREDENTIALS
from clarifai_build.util.urls import redact_url
from clarifai_build.validation.load import Examined

MASK = "***"
ACCOUNT: Mapping[Steps, str] = {
    ("clarifai", "user_id"): "CLARIFAI_USER_ID",
    ("clarifai", "app_id"): "CLARIFAI_APP_ID",
    ("clarifai", "api_base"): "CLARIFAI_API_BASE",
}
# `from` is a keyword of Python, so that `Weight` has another name for it.
_RENAMED = {"source": "from"}


class ResolvedSetting(NamedTuple):
    """One setting: its path in the manifest, its value as plain data, where it came from."""

    path: Steps
    value: Any
    origin: str


def settings(examined: Examined, environ: Mapping[str, str]) -> Iterator[ResolvedSetting]:
    """Yield every setting of a manifest that has no errors, in the order of the schema."""
    if examined.manifest is None or examined.document is None:
        return
    for path, value in _leaves(examined.manifest, ()):
        name = ACCOUNT.get(path, "")
        if value is None and name and (found := setting(name, environ)):
            yield ResolvedSetting(path, _shown(path, found.value), found.origin)
        else:
            yield ResolvedSetting(
                path, _shown(path, value), _origin(examined, examined.document, path)
            )
    for name in CREDENTIALS:
        if found := setting(name, environ):
            yield ResolvedSetting((name,), MASK, found.origin)


def _shown(path: Steps, value: Any) -> Any:
    # Keys of triton.parameters are the user's own: one called `source` need not be an address.
    is_address = path[-1] in urls.FIELDS and path[0] != "triton"
    return redact_url(value) if is_address and isinstance(value, str) else value


def _origin(examined: Examined, document: Document, path: Steps) -> str:
    if path in examined.origins:
        return examined.origins[path]
    if path in document.values:
        return f"{document.name}:{document.values[path].line}"
    return "default"


def _leaves(value: Any, path: Steps) -> Iterator[tuple[Steps, Any]]:
    """Yield plain values; a list of plain values counts as one."""
    if isinstance(value, Manifest):
        for name in manifest_schema()["properties"]:
            yield from _leaves(getattr(value, name), (name,))
    elif is_dataclass(value):
        for field in fields(value):
            name = _RENAMED.get(field.name, field.name)
            yield from _leaves(getattr(value, field.name), (*path, name))
    elif path == ("triton", "parameters"):
        for name, text in value:
            yield (*path, name), text
    elif isinstance(value, tuple) and any(is_dataclass(item) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif isinstance(value, tuple):
        yield path, list(value)
    else:
        yield path, str(value) if isinstance(value, Path) else value
