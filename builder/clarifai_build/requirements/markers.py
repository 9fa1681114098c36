"""Whether a requirement counts where models are served: its marker, asked of Linux on x86-64."""

from __future__ import annotations

from collections.abc import Iterable

from clarifai_build.requirements.location import split_marker

_LINUX = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}
# Where a marker asks for a version, one of them may be the model's.
_MINORS = range(8, 16)
# What images are built with is a late one of its series.
_PATCH = 15


def is_for_linux(requirement: str) -> bool:
    """Return False for a requirement that pip passes over on Linux, whatever its Python."""
    return _holds(requirement, (_environment(f"3.{minor}") for minor in _MINORS))


def is_for_python(requirement: str, python: str) -> bool:
    """Return whether pip installs a requirement on Linux with a Python, such as 3.12."""
    return _holds(requirement, (_environment(python, _PATCH),))


def _holds(requirement: str, environments: Iterable[dict[str, str]]) -> bool:
    _, text = split_marker(requirement)
    if not text:
        return True
    from packaging.markers import InvalidMarker, Marker

    try:
        marker = Marker(text)
    except InvalidMarker:
        return True
    return any(marker.evaluate(environment) for environment in environments)


def _environment(python: str, patch: int = 0) -> dict[str, str]:
    full = f"{python}.{patch}"
    # Of a file, no line is an extra's.
    return {**_LINUX, "python_version": python, "python_full_version": full, "extra": ""}
