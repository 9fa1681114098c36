"""Whether a requirement counts where models are served: its marker, asked of Linux on x86-64."""

from __future__ import annotations

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


def is_for_linux(requirement: str) -> bool:
    """Return False for a requirement that pip passes over on Linux, whatever its Python."""
    _, text = split_marker(requirement)
    if not text:
        return True
    from packaging.markers import InvalidMarker, Marker

    try:
        marker = Marker(text)
    except InvalidMarker:
        return True
    return any(marker.evaluate(_environment(minor)) for minor in _MINORS)


def _environment(minor: int) -> dict[str, str]:
    version = f"3.{minor}"
    return {**_LINUX, "python_version": version, "python_full_version": f"{version}.0"}
