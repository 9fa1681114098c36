"""Gitignore rules as Git reads them, in its dir.c and wildmatch.c: which rule matches the path?

A rule that matches a folder says nothing about what lies in it: the walk does not enter a folder
that stays out. Rules and paths are matched byte by byte; here a character is a byte.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

# No path is longer (Linux's PATH_MAX).
_LONGEST = 4096
_LITERAL = re.compile(r"[^*?[\\]*")
_NAMED = re.compile(r"\[:([^\]]*):\]")
_PRINTED = string.ascii_letters + string.digits + string.punctuation
_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, range(32))) + "\x7f",
    "digit": string.digits,
    "graph": _PRINTED,
    "lower": string.ascii_lowercase,
    "print": _PRINTED + " ",
    "punct": string.punctuation,
    # Git's isspace() knows neither vertical tabs nor form feeds.
    "space": " \t\n\r",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}


_STAR, _FOLDERS, _ALL = "[^/]*", "(?:.*/)?", ".*"
_FEWEST = {_STAR: "[^/]*?", _FOLDERS: "(?:.*?/)??", _ALL: ".*?"}


class Rule(NamedTuple):
    """What a rule says of the paths that `regex` matches: stay out, or come back.

    In the names of its groups, a null character stands for the number of the rule.
    """

    regex: str
    out: bool
    folders_only: bool


class _Matcher(NamedTuple):
    regex: re.Pattern[str]
    outs: tuple[bool, ...]

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> _Matcher:
        """Put the last rule first: of the alternatives that match, the first one wins."""
        last_first = rules[::-1]
        regexes = [
            rule.regex.replace("\0", f"r{place}_") + f"(?P<rule{place}>)"
            for place, rule in enumerate(last_first)
        ]
        regex = re.compile("|".join(regexes) or "(?!)", re.DOTALL)
        return cls(regex, tuple(rule.out for rule in last_first))


class Verdicts(NamedTuple):
    """What some rules say, of files and of folders."""

    files: _Matcher
    folders: _Matcher

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> Verdicts:
        """Compile rules, of which a later one overrides an earlier one."""
        of_files = [rule for rule in rules if not rule.folders_only]
        return cls(_Matcher.of(of_files), _Matcher.of(rules))

    def out(self, path: str, folder: bool) -> bool | None:
        """Return whether `path` stays out (True) or comes back (False), or that no rule says."""
        matcher = self.folders if folder else self.files
        # Most paths are ASCII: this saves two conversions each.
        path = path if path.isascii() else os.fsencode(path).decode("latin-1")
        found = matcher.regex.fullmatch(path)
        if found is None or found.lastgroup is None:
            return None
        return matcher.outs[int(found.lastgroup.removeprefix("rule"))]


def lines_in(text: bytes) -> list[str]:
    """Return the lines of a file of rules; raises UnicodeDecodeError where it is not UTF-8."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    text.decode("utf-8")
    return [line.removesuffix("\r") for line in text.decode("latin-1").split("\n")]


def read_rule(line: str) -> Rule | None:
    """Read a line; None where it holds no rule.

    Raises ValueError with the reason for a rule that Git takes and never applies.
    """
    if line.startswith("#"):
        return None
    if "\0" in line:
        raise ValueError("it holds a null character")
    rule = _trimmed(line)
    if len(rule) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST:,} bytes, as no path is")
    back = rule.startswith("!")
    glob = rule[back:].removesuffix("/")
    if not glob:
        return None
    if "/" in glob:
        parts = _parts(glob.removeprefix("/"), across=True)
    else:
        parts = [_FOLDERS, *_parts(glob, across=False)]
    return Rule(_joined(parts), not back, rule.endswith("/"))


def _trimmed(line: str) -> str:
    """Drop the spaces at the end, as Git does, but for one after a backslash."""
    rule = line.rstrip(" ")
    backslashes = len(rule) - len(rule.rstrip("\\"))
    return line[: len(rule) + 1] if backslashes % 2 else rule


def _joined(parts: Sequence[str]) -> str:
    """Join the parts of a glob so that a match takes no more than the square of a path's length.

    All stars but the last take as little as they can, for good: what follows may as well come
    sooner. What crosses folders does so together with all that comes before the next of its kind.
    """
    numbers = count()
    sections = []
    for section in _cut(parts, (_FOLDERS, _ALL)):
        begin, *stars = _cut(section, (_STAR,))
        end = stars.pop() if stars else []
        sections.append([*begin, *(_settled(piece, numbers) for piece in stars), *end])
    last = sections.pop()
    return "".join([*(_settled(section, numbers) for section in sections), *last])


def _cut(parts: Sequence[str], stars: Sequence[str]) -> list[list[str]]:
    """Cut before each of these stars."""
    pieces: list[list[str]] = [[]]
    for part in parts:
        if part in stars:
            pieces.append([])
        pieces[-1].append(part)
    return pieces


def _settled(piece: Sequence[str], numbers: Iterator[int]) -> str:
    """Return what matches a piece that begins with a star in the first way there is, and no other.

    Python 3.10 knows no atomic groups; a lookahead whose group is then repeated is one.
    """
    if not piece or piece[0] not in _FEWEST:
        return "".join(piece)
    star, *rest = piece
    name = f"\0{next(numbers)}"
    return f"(?=(?P<{name}>{_FEWEST[star]}{''.join(rest)}))(?P={name})"


def _parts(glob: str, *, across: bool) -> list[str]:
    """Turn a glob into regular expressions, stars apart; `across`: `**` may span folders."""
    # Git compares what stands before the first wildcard by itself, so `**` may follow it at once.
    literal = _LITERAL.match(glob)
    plain = literal.end() if literal else 0
    parts, at = [re.escape(glob[:plain])], plain
    while at < len(glob):
        char = glob[at]
        if char == "*":
            part, at = _stars(glob, at, begins=across and (at == plain or glob[at - 1] == "/"))
        elif char == "[":
            part, at = _bracket(glob, at + 1)
        elif char == "?":
            part, at = "[^/]", at + 1
        else:
            at += char == "\\"
            part, at = re.escape(_character(glob, at)), at + 1
        parts.append(part)
    return parts


def _stars(glob: str, at: int, *, begins: bool) -> tuple[str, int]:
    end = at + 1
    while glob.startswith("*", end):
        end += 1
    if begins and end > at + 1:
        if glob.startswith("/", end):
            return _FOLDERS, end + 1
        if end == len(glob) or glob.startswith("\\/", end):
            return _ALL, end
    return _STAR, end


def _bracket(glob: str, at: int) -> tuple[str, int]:
    """Read what stands in brackets from `at` on."""
    negated = glob.startswith(("!", "^"), at)
    at += negated
    members: set[str] = set()
    before, first = "", at
    # A `]` that comes first is a member.
    while at == first or not glob.startswith("]", at):
        char = _character(glob, at)
        named = _NAMED.match(glob, at)
        if char == "\\":
            at += 1
            before = _character(glob, at)
            members.add(before)
        elif char == "-" and before and glob[at + 1 : at + 2] not in ("", "]"):
            at += 1 + glob.startswith("\\", at + 1)
            members |= {chr(code) for code in range(ord(before), ord(_character(glob, at)) + 1)}
            before = ""
        elif named:
            members |= _named(named[1])
            at, before = named.end() - 1, ""
        else:
            before = char
            members.add(before)
        at += 1
    return _any_of(members, negated), at + 1


def _named(name: str) -> set[str]:
    if name not in _CLASSES:
        raise ValueError(f"there is no class [:{name}:]")
    return set(_CLASSES[name])


def _any_of(members: set[str], negated: bool) -> str:
    # No bracket matches a slash (wildmatch's WM_PATHNAME).
    members = members | {"/"} if negated else members - {"/"}
    listed = "".join(map(re.escape, sorted(members)))
    return f"[{'^' * negated}{listed}]" if listed else "(?!)"


def _character(glob: str, at: int) -> str:
    if at < len(glob):
        return glob[at]
    raise ValueError("it ends in the middle of a [ or after a backslash")
