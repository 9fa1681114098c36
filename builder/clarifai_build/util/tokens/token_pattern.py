"""The form of an entry of the table of secrets, and what many entries are put together from."""

from __future__ import annotations

from typing import NamedTuple


class TokenPattern(NamedTuple):
    """A kind of secret: how it begins, and a regular expression over ASCII from there on.

    It begins with one of `starts`: with `in_words`, only in or just before 20 characters in a row
    that tokens consist of; with `any_case`, however that is written. Where the pattern has a
    group `secret`, that alone is the secret, and what stands before it tells that it is one.
    """

    name: str
    starts: tuple[str, ...]
    pattern: str
    in_words: bool = False
    any_case: bool = False


HEX_RUN = "0" * 32
"""The start of what tells itself by 32 hex digits in a row, and by what stands before them."""

# An escape of JSON, Python or an address ends in letters and digits that belong to no word.
BEGIN = (
    r"(?:(?<![0-9A-Za-z])|(?<=\\[abfnrtv])|(?<=\\u[0-9A-Fa-f]{4})"
    r"|(?<=\\x[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2}))"
)
END = "(?![0-9A-Za-z])"
# The digests of wheels' records and of npm's lock files begin with anything.
NO_DIGEST = "(?<!sha256=)(?<!sha384=)(?<!sha512=)(?<!sha256-)(?<!sha384-)(?<!sha512-)"
# What documentation writes in place of a token.
REAL = r"(?![\w-]{0,16}(?:[xX]{6}|your|YOUR|example|EXAMPLE))"
WORDS = r"(?![^\s\"']{0,99}?(?i:example|placeholder|change|your|test|fake|dummy|12345|xxxx))"
TWO_DIGITS = r"(?=[\w.-]{0,60}?\d[\w.-]{0,60}?\d)"
# Between a name and its value: the brackets, quotes, types and signs of an assignment.
ASSIGNED = (
    r"(?:\\[nrt]|\W|(?:str|Optional|Final|[Vv]alue|default|or)\b|[BbFfRrUu](?=\\?[\"'])){1,40}?"
)


def beginning(
    name: str, starts: str, body: str, real: str = REAL, begin: str = BEGIN
) -> TokenPattern:
    """Return the entry of tokens that tell what they are by how they begin."""
    marks = tuple(starts.split())
    begins = "|".join(mark.replace(".", r"\.") for mark in marks)
    pattern = f"{begin}{NO_DIGEST}(?:{begins}){real}(?:{body})"
    return TokenPattern(name, marks, pattern, in_words=True)


def named(name: str, starts: str, names: str, value: str) -> TokenPattern:
    """Return the entry of values that are secret because of the name they are given."""
    pattern = f"(?i:{names}){ASSIGNED}{REAL}(?P<secret>{value})"
    return TokenPattern(name, tuple(starts.split()), pattern, any_case=True)
