"""Passwords, tokens and signatures in addresses."""

from __future__ import annotations

from clarifai_build.util.tokens.token_pattern import (
    REAL,
    TWO_DIGITS,
    WORDS,
    TokenPattern,
    beginning,
)

PASSWORD_IN_URL = "a password in an address"

IN_ADDRESSES = (
    # Not the words of documentation in place of a password, nor what a database of one's own has.
    TokenPattern(
        PASSWORD_IN_URL,
        ("://",),
        # Some write the @ of a user's address as it is, which is read so.
        r"(?<!github)://(?P<user>[\w.%+~!-]{0,80}(?:(?<!//git)@[\w-]{1,80}(?:\.[\w-]{1,80}){1,4})?):(?!\$\w+@|%[sd]@|\*+@|x+@|\.+@)"
        r"(?!(?i:(?:my|your|the|a|db|some)?[_-]?(?:pass|passwd|password|pwd|pw|secret|token|key|pat"
        r"|credentials?)(?:[_-]?here)?|changeme|user(?:name)?|example|placeholder|redacted)@)"
        r"(?!(?P=user)@(?:localhost|127\.|\[::1\]|db\b|postgres\b|redis\b|mysql\b|rabbitmq\b))"
        r"(?P<secret>[^\s/@:\"'`<>(){}\[\]\\|^][^\s/@\"'`<>(){}\[\]\\|^]{0,255})@(?=[\w\[$%{.-])"
        r"|(?<!ssh)://(?=[A-Za-z_-]{0,99}\d)(?P<token>[\w-]{20,255})(?::x-oauth-basic)?@(?![\w.-]*sentry)",
    ),
    TokenPattern(
        "a token in an address",
        ("?token=", "&token=", "/t/"),
        # Conda's channels have them in their paths.
        r"/t/(?P<token>[a-z]{2}-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})|[?&]token="
        + REAL
        + WORDS
        + TWO_DIGITS
        + r"(?P<secret>[\w.-]{20,999})(?![\w(\[{])",
        in_words=True,
    ),
    beginning(
        "a signed address", "X-Amz-Signature= X-Goog-Signature=", r"(?P<secret>[0-9a-f]{64,})"
    ),
)
