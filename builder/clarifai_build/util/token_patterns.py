"""What tokens and keys look like: one table for files, manifests and all that is shown."""

from __future__ import annotations

from typing import NamedTuple


class TokenPattern(NamedTuple):
    """A kind of secret.

    `pattern` is a regular expression over ASCII; it is sought only where one of `marks` stands,
    since a plain search takes a fraction of the time. Those of `alone` say what they are by
    themselves, wherever they stand; the others need what is written before them.
    """

    name: str
    marks: tuple[str, ...]
    pattern: str
    alone: bool = True


_BEGIN, _END = "(?<![0-9A-Za-z])", "(?![0-9A-Za-z])"

TOKEN_PATTERNS = (
    TokenPattern(
        "a private key", ("PRIVATE KEY",), r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
    ),
    # AKIA is a key for good, ASIA one of a session.
    TokenPattern(
        "an AWS access key", ("AKIA", "ASIA"), _BEGIN + r"(?:AKIA|ASIA)[0-9A-Z]{16}" + _END
    ),
    TokenPattern(
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        _BEGIN + r"(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_\w{60,})",
    ),
    TokenPattern("a GitLab token", ("glpat-",), _BEGIN + r"glpat-[\w-]{20,}"),
    TokenPattern("a Hugging Face token", ("hf_",), _BEGIN + r"hf_[0-9A-Za-z]{30,}"),
    TokenPattern("a Slack token", ("xox",), _BEGIN + r"xox[abprs]-[0-9A-Za-z-]{20,}"),
    TokenPattern("a Google API key", ("AIza",), _BEGIN + r"AIza[\w-]{35}(?![\w-])"),
    # A token of Clarifai's is 32 hex digits, as is many a digest: in files it takes its variable
    # to tell. Between the two stand at most the brackets, quotes and signs of an assignment.
    TokenPattern(
        "a Clarifai token",
        ("CLARIFAI_",),
        r"CLARIFAI_(?:PAT|SESSION_TOKEN)\W{1,16}[0-9a-f]{32}",
        alone=False,
    ),
)

BARE_TOKEN = _BEGIN + "[0-9a-f]{32}" + _END
"""A token of Clarifai's by itself: where text is shown, a digest that is masked does no harm."""
