"""A requirements file as pip reads it: each line is a requirement, or options for them all.

The one reader of such files; docs/decisions/0021 says why it is our own. What can't be read is a
line like the others, with the reason in `error`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from clarifai_build.errors import Problem, SourceError, cannot_read
from clarifai_build.requirements.text import decode, logical_lines
from clarifai_build.util.small_files import MIB, read_small

if TYPE_CHECKING:
    from optparse import OptionParser

MAX_BYTES = 4 * MIB
"""Of a requirements file: thousands of pins, each with the hashes of all its wheels."""

_VALUES = (
    ("-i", "--index-url", "--pypi-url"),
    ("--extra-index-url",),
    ("-c", "--constraint"),
    ("-r", "--requirement"),
    ("-e", "--editable"),
    ("-f", "--find-links"),
    ("--no-binary",),
    ("--only-binary",),
    ("--all-releases",),
    ("--only-final",),
    ("--trusted-host",),
    ("--use-feature",),
    ("--global-option",),
    ("--hash",),
    ("-C", "--config-settings", "--config-setting"),
)
_SWITCHES = ("--no-index", "--prefer-binary", "--require-hashes", "--pre")
_NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")


class Line(NamedTuple):
    """A logical line. `options` maps long names to values; that of a switch has none.

    `requirement` is empty for a line of options; `error` says why pip would refuse the line.
    """

    first: int
    last: int
    text: str
    requirement: str = ""
    options: Mapping[str, tuple[str, ...]] = _NONE
    error: str = ""

    @property
    def editable(self) -> str:
        """What is to be installed in place, if anything."""
        return "" if self.requirement else next(iter(self.values("--editable")), "")

    @property
    def is_setting(self) -> bool:
        """Whether its options hold for all requirements."""
        return not (self.requirement or self.editable or self.error)

    @property
    def included(self) -> tuple[str, ...]:
        """The files whose lines stand in place of this one."""
        return self.values("--requirement") if self.is_setting else ()

    @property
    def constrained_by(self) -> tuple[str, ...]:
        return self.values("--constraint") if self.is_setting else ()

    @property
    def variables(self) -> list[str]:
        """The environment variables that pip would put in, as they are written."""
        return _VARIABLE.findall(self.text)

    def values(self, option: str) -> tuple[str, ...]:
        return self.options.get(option, ())


def read(file: Path, shown: str = "") -> tuple[Line, ...]:
    """Read a file, which errors call `shown`. Raises SourceError."""
    return lines_of(content_of(file, shown), shown or str(file))


def content_of(file: Path, shown: str = "") -> bytes:
    """Return what is in a file. Raises SourceError."""
    try:
        return read_small(file, MAX_BYTES)
    except OSError as error:
        raise SourceError(cannot_read(shown or file, error)) from error


def lines_of(content: bytes, shown: str) -> tuple[Line, ...]:
    """Read the content of a file. Raises SourceError where it is not text."""
    return tuple(lines_in(text_of(content, shown)))


def text_of(content: bytes, shown: str) -> str:
    """Return the content as text. Raises SourceError where it is none."""
    try:
        return decode(content)
    except ValueError as error:
        hint = "save it as UTF-8"
        raise SourceError(
            Problem("not-utf8", f"{shown}: {error}", shown, 1, 1, hint=hint)
        ) from None


def lines_in(text: str) -> Iterator[Line]:
    """Yield the lines of a text."""
    for first, last, line in logical_lines(text):
        words, options = _split(line)
        if not options:
            yield Line(first, last, line, words)
            continue
        try:
            yield Line(first, last, line, words, _parsed(options))
        except ValueError as error:
            yield Line(first, last, line, words, error=str(error))


def _split(line: str) -> tuple[str, str]:
    """Divide a line at the first word that begins with a dash: a marker is no option."""
    if "-" not in line:
        return line, ""
    words = line.split(" ")
    count = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return " ".join(words[:count]).strip(), " ".join(words[count:])


def _parsed(options: str) -> dict[str, tuple[str, ...]]:
    import shlex

    try:
        words = shlex.split(options)
    except ValueError as error:
        raise ValueError(f"its options can't be told apart: {error}") from None
    # Words after the options are nothing to pip.
    values, _ = _parser().parse_args(words)
    found: dict[str, Any] = vars(values)
    return {name: tuple(given) for name, given in found.items() if given}


@functools.cache
def _parser() -> OptionParser:
    # As pip: with abbreviations, joined values and all else that optparse knows.
    from optparse import OptionParser

    class Parser(OptionParser):
        def error(self, msg: str) -> Any:
            raise ValueError(f"pip reads no such options in a requirements file: {msg}")

    parser = Parser(add_help_option=False)
    for names in _VALUES:
        name = next(name for name in names if name.startswith("--"))
        parser.add_option(*names, dest=name, action="append")
    for name in _SWITCHES:
        parser.add_option(name, dest=name, action="append_const", const="")
    return parser
