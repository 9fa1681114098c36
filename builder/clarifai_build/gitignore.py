"""Gitignore rules as Git reads them, in its dir.c and wildmatch.c: which speaks of a path itself?

A rule that speaks of a folder says nothing about what lies in it: whoever walks does not enter a
folder that stays out. Rules and paths are matched byte by byte; here a character is a byte.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Sequence
from typing import NamedTuple

_TRIMMED = re.compile(r"((?:\\.|[^\\])*?) *", re.DOTALL)
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
    "space": " \t\n\r",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}


class Rule(NamedTuple):
    """What a rule says of the paths that `regex` matches: stay out, or come back."""

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
        regex = "|".join(f"{rule.regex}()" for rule in last_first)
        return cls(re.compile(regex or "(?!)", re.DOTALL), tuple(rule.out for rule in last_first))


class Verdicts(NamedTuple):
    """What some rules say, of files and of folders."""

    files: _Matcher
    folders: _Matcher

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> Verdicts:
        """Compile rules, of which a later one outdoes an earlier one."""
        of_files = [rule for rule in rules if not rule.folders_only]
        return cls(_Matcher.of(of_files), _Matcher.of(rules))

    def out(self, path: str, folder: bool) -> bool | None:
        """Tell whether `path` stays out (True) or comes back (False), or that no rule says."""
        matcher = self.folders if folder else self.files
        path = path if path.isascii() else os.fsencode(path).decode("latin-1")
        found = matcher.regex.fullmatch(path)
        return matcher.outs[found.lastindex - 1] if found and found.lastindex else None


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
    trimmed = _TRIMMED.fullmatch(line)
    rule = trimmed[1] if trimmed else line
    back = rule.startswith("!")
    glob = rule[back:].removesuffix("/")
    if not glob:
        return None
    if "/" in glob:
        regex = _translate(glob.removeprefix("/"), across=True)
    else:
        regex = "(?:.*/)?" + _translate(glob, across=False)
    return Rule(regex, not back, rule.endswith("/"))


def _translate(glob: str, *, across: bool) -> str:
    """Turn a glob into a regular expression; `across` is whether `**` may span folders."""
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
    return "".join(parts)


def _stars(glob: str, at: int, *, begins: bool) -> tuple[str, int]:
    end = at + 1
    while glob.startswith("*", end):
        end += 1
    if begins and end > at + 1:
        if glob.startswith("/", end):
            return "(?:.*/)?", end + 1
        if end == len(glob) or glob.startswith("\\/", end):
            return ".*", end
    return "[^/]*", end


def _bracket(glob: str, at: int) -> tuple[str, int]:
    """Read what stands in brackets from `at` on."""
    negated = glob.startswith(("!", "^"), at)
    at += negated
    members: set[str] = set()
    before, first = "", at
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
    members = members | {"/"} if negated else members - {"/"}
    listed = "".join(map(re.escape, sorted(members)))
    return f"[{'^' * negated}{listed}]" if listed else "(?!)"


def _character(glob: str, at: int) -> str:
    if at < len(glob):
        return glob[at]
    raise ValueError("it ends in the middle of a [ or after a backslash")
