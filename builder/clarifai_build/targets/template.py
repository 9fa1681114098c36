"""The cookiecutter template, compiled once a process and rendered in memory.

The files are those that `cookiecutter.generate.generate_files` writes, which the tests hold it to.
That compiles every file for every model, into a folder on disk, and changes the working directory
of the process meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from clarifai_build.resources import files_below, template_dir

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEMPLATE_VERSION = 3
"""Raised when the template gives other bytes for the same manifest."""


class _File(NamedTuple):
    """A file of the template: its path, its content as a template where it is text, and what ends
    its lines."""

    path: Template
    content: Template | bytes
    newline: str


def render_template(variables: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of the template by their paths, for cookiecutter's variables by name."""
    context = {"cookiecutter": variables}
    rendered = {file.path.render(context): file for file in _files()}
    # A name that comes out empty is that of a file which is left out.
    return {
        path: _content(file, context)
        for path, file in rendered.items()
        if path and not path.endswith("/")
    }


def _content(file: _File, context: Mapping[str, Any]) -> bytes:
    if isinstance(file.content, bytes):
        return file.content
    return file.content.render(context).replace("\n", file.newline).encode()


@functools.cache
def _files() -> tuple[_File, ...]:
    # Imported here: most commands find what they need in the cache of rendered files.
    from cookiecutter.environment import StrictEnvironment

    (project,) = (path for path in template_dir().iterdir() if "{{" in path.name)
    # As cookiecutter makes it, with its filters.
    environment = StrictEnvironment(keep_trailing_newline=True)
    return tuple(
        _compiled(environment, path, content) for path, content in files_below(project).items()
    )


def _compiled(environment: Environment, path: str, content: bytes) -> _File:
    name = environment.from_string(path)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return _File(name, content, "")
    newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return _File(name, environment.from_string(text), newline)
