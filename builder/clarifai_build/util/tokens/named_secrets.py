"""Passwords and tokens that tell by the name that they are given, or the words before them."""

from __future__ import annotations

from clarifai_build.util.tokens.token_pattern import (
    ASSIGNED,
    BEGIN,
    END,
    HEX_RUN,
    REAL,
    TWO_DIGITS,
    WORDS,
    TokenPattern,
    named,
)

_LOGIN_PASSWORD = (
    WORDS + r"(?P<secret>(?![$%{<])(?=[^\s\"']{0,60}?\d)(?=[^\s\"']{0,60}?[A-Za-z])"
    r"[^\s\"'`,;<>(){}\[\]\\]{8,64})(?![^\s\"'])"
)
# Between two words of a netrc file, which may be lines of a notebook.
_GAP = r"(?:\\[nt]|[\s\",]){1,40}"
# Many a name ends in _pass: a filter's, a layer's.
_OWNERS = (
    "(?:"
    + "|".join(
        f"(?<={owner})"
        for owner in ("db", "sql", "redis", "user", "root", "admin", "sudo", "ssh", "ftp", "smtp")
    )
    + ")"
)
_CLARIFAI = (
    r"(?:(?:CLARIFAI|[Cc]larifai)\w{0,24}?(?:PAT|TOKEN|KEY|[Pp]at|[Tt]oken|[Kk]ey)\w{0,16}"
    r"|(?:(?<![A-Za-z])|(?<=\\n))(?:PAT|[Pp]at|TOKEN|[Tt]oken)|(?i:personal_?access_?token|kaggle_?key)"
    r"|(?i:authorization)\W{1,9}Key|[\"']Key"
    # As in kaggle.json, whatever its name; and calls that take it without a name.
    r"|[\"']username\\?[\"']\s?:\s?\\?[\"'][\w.@-]{1,40}\\?[\"'],\s?\\?[\"']key\\?[\"']"
    r"|(?:\b|(?<=\\n))(?:ClarifaiA(?:pp|pi|PI)|User|V2Stub|Clarifai(?:Client|AuthHelper))\([^()\n]{0,60}?)"
)


NAMED = (
    TokenPattern(
        "a password of a machine",
        ("machine",),
        rf"machine{_GAP}[^\s\\]{{1,255}}?{_GAP}login{_GAP}[^\s\\]{{1,255}}?{_GAP}password{_GAP}"
        r"(?P<secret>(?![$%{<*])[^\s\\\"']+)",
    ),
    # A token of Clarifai's is 32 hex digits, as is many a digest: it takes its name to tell.
    TokenPattern(
        "a Clarifai token", (HEX_RUN,), f"{_CLARIFAI}{ASSIGNED}(?P<secret>[0-9a-f]{{32}}){END}"
    ),
    # As Kubernetes keeps it.
    TokenPattern(
        "a Clarifai token in base64",
        ("clarifai_",),
        r"(?i:clarifai)_\w{0,24}?(?:PAT|TOKEN|KEY|pat|token|key)\w{0,16}"
        + ASSIGNED
        + r"(?P<secret>[MNOYZ][0-9A-Za-z]{42}=)",
        any_case=True,
    ),
    # So is a commit; the call tells.
    TokenPattern(
        "a Weights & Biases key",
        (HEX_RUN,),
        rf"wandb\.login\((?:{_GAP})?(?:key\s?=\s?)?\\?[\"'](?P<secret>[0-9a-f]{{40}}){END}",
    ),
    named(
        "a secret key",
        "secret api_key apikey access_token accesstoken auth_token authtoken refresh_token",
        r"secret(?:_?key)?|api_?key|(?:access|auth)_?token|refresh_token",
        WORDS + TWO_DIGITS + r"(?=[\d_-]{0,80}[A-Za-z])[\w-]{20,999}(?![\w+=~.(\[/:-])",
    ),
    TokenPattern(
        "a password",
        ("password", "passwd", "pwd", "_pass"),
        rf"(?i:password|passwd|(?<![a-z])pwd|{_OWNERS}_pass(?![a-z]))"
        r"(?:\\?[\"'\]]{0,2}[ \t]?[:=][ \t]?\\?[\"']?|>|(?<=--password)[ \t]+[\"']?"
        # As in NuGet's settings.
        r"|\\?[\"'][ \t]value=\\?[\"'])" + WORDS + r"(?P<secret>"
        r"(?=[^\s\"']{0,60}?\d)(?=[^\s\"']{0,60}?[a-z])(?=[^\s\"']{0,60}?[A-Z!@#%^&*?~+])"
        r"(?![$%{<\[(\\]|(?i:pass))[^\s\"'`,;<>(){}\[\]\\]{8,64})(?=[\"'\s\\,;<]|\Z)",
        any_case=True,
    ),
    TokenPattern(
        "a login on a command line",
        (" -u ", " --user ", " --user=", "sshpass -p", " login -"),
        r"(?: -u | --user[ =])[\"']?[\w.@+-]{1,80}:"
        + _LOGIN_PASSWORD
        + r"|sshpass -p ?[\"']?"
        # A group may have its name but once.
        + _LOGIN_PASSWORD.replace("<secret>", "<token>")
        + r"| login (?:-u[ =]?\S{1,80} |--username[ =]\S{1,80} )-p ?"
        + _LOGIN_PASSWORD.replace("?P<secret>", ""),
    ),
    TokenPattern(
        "a header with a login",
        ("authorization",),
        r"(?i:authorization)\\?[\"'\])]{0,2}\s?[:=,]\s?[bf]?\\?[\"']?(?:"
        r"(?i:bearer|token) " + REAL + TWO_DIGITS + r"(?P<token>[\w.~+/-]{20,999}={0,2})"
        # "user:password", "username:password", and the one of the standard.
        r"|(?i:basic) (?!dXNlcjpwYXNz|dXNlcm5hbWU6|QWxhZGRpbjpvcGVu)"
        r"(?P<secret>(?=[^\s\"']{0,60}?[0-9A-Z])[0-9A-Za-z+/_-]{15,999}={0,2}))(?![\w(.\[{$])",
        any_case=True,
    ),
)

BARE_TOKEN = TokenPattern("a Clarifai token", (HEX_RUN,), BEGIN + "[0-9a-f]{32}" + END)
"""A token of Clarifai's by itself: where text is shown, a digest that is masked does no harm."""
