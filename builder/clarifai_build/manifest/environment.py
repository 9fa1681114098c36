"""`${env:NAME}` and `${env:NAME:-default}` in the manifest's fields that allow them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from clarifai_build.errors import MOST_TOLD, Problem, Severity, untold
from clarifai_build.manifest import settings
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.schema import walk
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.util.tokens.variables import credential_values, is_credential, names_a_user

# A default ends at the first `}`: there is no way to escape one. A reference in it is none, or
# text with many that don't end would be read to its end from each of them.
REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^}$]|\$(?!\{))*))?\}")
# More than this many in one value are a mistake.
_MOST_REFERENCES = 100
# Commands that stay offline (validate, build) never use these.
_ONLINE_SECTIONS: tuple[Steps, ...] = (("storage",), ("clarifai",), ("runner", "deployment"))


@dataclass(frozen=True, slots=True)
class Resolved:
    """A document with its references replaced; `origins` says where each value came from."""

    document: Document
    problems: tuple[Problem, ...]
    origins: Mapping[Steps, str]


def resolve(document: Document, environ: Mapping[str, str], *, offline: bool = False) -> Resolved:
    """Replace the references in `document`.

    With `offline`, what only the network needs (storage, clarifai, a deployment) may stay
    unresolved: an unset variable there is a warning, and the reference stays as it is written.
    """
    resolver = _Resolver(document, environ, offline)
    data = resolver.replaced(document.data, ())
    return Resolved(replace(document, data=data), tuple(resolver.problems), resolver.origins)


@functools.cache
def allowed_fields() -> frozenset[Steps]:
    """Return the paths whose values may hold references; items of lists are `"*"`."""
    return frozenset(path for path, schema in walk() if schema.get("x-env"))


def is_online(path: Steps) -> bool:
    """Return whether what stands here is used by commands that reach the network alone."""
    return any(path[: len(section)] == section for section in _ONLINE_SECTIONS)


class _Resolver:
    def __init__(self, document: Document, environ: Mapping[str, str], offline: bool) -> None:
        self.document, self.environ, self.offline = document, environ, offline
        self.problems: list[Problem] = []
        self.origins: dict[Steps, str] = {}

    @functools.cached_property
    def secrets(self) -> frozenset[str]:
        """What no field may hold; most manifests refer to no variable."""
        return credential_values(self.environ)

    def replaced(self, value: Value, path: Steps) -> Value:
        if isinstance(value, dict):
            return {key: self.replaced(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.replaced(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._text(value, path)
        return value

    def _text(self, text: str, path: Steps) -> str:
        generic = tuple("*" if isinstance(step, int) else step for step in path)
        if generic not in allowed_fields():
            if REFERENCE.search(text):
                hint = "write the value itself"
                self._problem("env-not-allowed", "this field takes no ${env:…}", path, hint)
            return text
        if text.count("${") > _MOST_REFERENCES:
            message = f"more than {_MOST_REFERENCES} references in one value"
            self._problem("env-syntax", message, path, "write the value itself")
            return text
        if "${" in REFERENCE.sub("", text):
            hint = "write ${env:NAME} or ${env:NAME:-default}"
            self._problem("env-syntax", "a reference that can't be read", path, hint)
        return REFERENCE.sub(lambda match: self._value(match, path), text)

    def _value(self, match: re.Match[str], path: Steps) -> str:
        name, default = match.groups()
        # By its name, whether or not it is set here: it will be in CI.
        if is_credential(name):
            return self._refused(match, path, f"{name} holds a credential")
        found = settings.setting(name, self.environ)
        if found is not None and any(secret in found.value for secret in self.secrets):
            return self._refused(match, path, f"{name} has the value of a variable that is secret")
        if found is not None and names_a_user(found.value):
            return self._refused(match, path, f"{name} holds an address with a user or a password")
        if found is not None:
            self.origins[path] = found.origin
            return found.value
        if default is not None:
            self.origins[path] = f"default of ${{env:{name}}}"
            return str(default)
        warn = self.offline and is_online(path)
        self._problem(
            "env-unset",
            f"the environment variable {name} is not set",
            path,
            f"set it, or give a default: ${{env:{name}:-value}}",
            "warning" if warn else "error",
        )
        return match[0]

    def _refused(self, match: re.Match[str], path: Steps, why: str) -> str:
        message = f"{why}, and what stands in this field is shown, and sent to others"
        hint = "name a variable without secrets; credentials are read from the environment as it is"
        self._problem("env-secret", message, path, hint)
        return match[0]

    def _problem(
        self, code: str, message: str, path: Steps, hint: str, severity: Severity = "error"
    ) -> None:
        if len(self.problems) < MOST_TOLD:
            made = self.document.problem(code, message, path, hint=hint, severity=severity)
        else:
            made = untold(code, self.document.name, severity)
        self.problems.append(made)
