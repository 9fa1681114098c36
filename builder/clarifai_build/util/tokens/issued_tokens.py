"""Keys and tokens that tell by their own form who issued them."""

from __future__ import annotations

from clarifai_build.util.tokens.token_pattern import (
    END,
    REAL,
    TWO_DIGITS,
    TokenPattern,
    beginning,
    named,
)

# Characters of a part that more must follow: without a bound, a text of nothing but beginnings
# would take the square of its length.
_LONGEST = 4096
# What stands before the words that say it in a private key's first line.
_KEY_KINDS = ("", "RSA ", "EC ", "DSA ", "PGP ", "ANY ", "OPENSSH ", "ENCRYPTED ")
_BEGIN_KEY = (
    "(?:"
    + "".join(f"(?<=-----BEGIN {kind})|" for kind in _KEY_KINDS)
    + "(?<=---- BEGIN SSH2 ENCRYPTED ))"
)

ISSUED = (
    TokenPattern(
        "a private key",
        ("PRIVATE KEY",),
        # With its body, where there is one: what is shown must not have it either.
        _BEGIN_KEY + r"PRIVATE KEY(?: BLOCK)?(?:-----| ----)"
        r"(?!(?:\\[nr]|\s){0,4}(?:\.\.\.|<|\$\{|\{\{))"
        # Code that only looks for such lines closes its quotes, and no key follows.
        r"(?!\\?[\"'`](?!(?:\\[nr]|[\s\"'+,(\[bfr\\]){0,80}[0-9A-Za-z+/]{20}))"
        r"(?:(?:\\[nr]|[\r\n]){1,4}[^-]*)?",
    ),
    beginning("a private key of PuTTY", "PuTTY-User-Key-File-", r"\d"),
    beginning("a private key of age", "AGE-SECRET-KEY-1", r"[0-9A-Z]{40,}"),
    # As in kubeconfig files.
    beginning(
        "a private key in base64",
        "LS0tLS1CRUdJTi",
        r"(?:BQUklWQVRF|BSU0Eg|BFQyBQ|BEU0Eg|BPUEVOU1NI|BFTkNSWVBURU)[0-9A-Za-z+/=]*",
    ),
    # AKIA is a key for good, ASIA one of a session; Amazon's documentation has one with EXAMPLE.
    beginning("an AWS access key", "AKIA ASIA", r"(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}" + END),
    named(
        "an AWS secret key",
        "secret",
        r"secret(?!\w{0,16}(?:name|path|file|arn))\w{0,24}(?:[ .-](?:access)?[ .-]?key\w{0,16})?",
        # Both cases, or it may be a digest.
        r"(?![0-9A-Za-z/+]{30}EXAMPLEKEY)(?=[0-9a-z/+]{0,39}[A-Z])(?=[0-9A-Z/+]{0,39}[a-z])"
        r"[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])",
    ),
    # What is in base64 begins with "origin_ec" or "er/aws".
    beginning(
        "an AWS session token",
        "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz",
        r"[0-9A-Za-z/+=%]{100,}",
    ),
    beginning("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w{36,}"),
    beginning("a GitLab token", "glpat- glptt- gldt- glrt- glcbt- glsoat-", r"[\w-]{20,}"),
    beginning("a Hugging Face token", "hf_ api_org_", r"[0-9A-Za-z]{30,}"),
    beginning(
        "a Slack token",
        "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp-",
        r"(?:xox[a-z]-)?[0-9A-Za-z%-]{20,}",
    ),
    TokenPattern(
        "a webhook",
        ("hooks.slack.com/", "/api/webhooks/"),
        r"hooks\.slack\.com/(?:services|workflows|triggers)/\w{6,}/(?!X)\w{6,}/\w{16,}"
        r"|/api/webhooks/\d{16,}/[\w-]{40,}",
    ),
    beginning("a Google API key", "AIza", r"[\w-]{35}(?![\w-])", real=""),
    beginning("a Google OAuth secret", "GOCSPX- ya29.", r"[\w-]{20,}"),
    beginning(
        "an OpenAI key",
        "sk-",
        rf"(?:proj|svcacct|admin|None)-{REAL}[\w-]{{20,}}|[0-9A-Za-z]{{32,}}",
    ),
    beginning("an Anthropic key", "sk-ant-", r"[\w-]{20,}"),
    beginning(
        "a key of an AI service",
        "r8_ gsk_ xai- pplx- tvly- jina_",
        TWO_DIGITS + r"[0-9A-Za-z]{32,}",
    ),
    beginning(
        "a key of a service for models",
        "sk-or- sk-lf- nvapi- lsv2_ pcsk_",
        TWO_DIGITS + r"(?:[0-9A-Za-z]{2,8}[_-])?(?:[0-9A-Za-z]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-)"
        r"[\w-]{8,}",
    ),
    beginning("an npm token", "npm_", r"[0-9A-Za-z]{30,}"),
    TokenPattern(
        "a registry's password",
        ("_authToken", "_auth", "_password"),
        r"(?:(?<![\w.])|(?<=\\n))_(?:authToken|auth|password)[ =]{1,3}"
        r"(?P<secret>(?![$%{<])(?=\S{0,60}?\d)[0-9A-Za-z_+/=-]{20,999})(?![\w.(])",
        in_words=True,
    ),
    TokenPattern(
        "a registry's login",
        ('"auths',),
        r"\"auths\\?\"[^}]{0,999}?\"(?:auth|identitytoken|registrytoken)\\?\"\s*:\s*\\?\""
        r"(?P<secret>[\w+/.-]{12,}={0,2})",
    ),
    beginning("a PyPI token", "pypi-", r"[\w-]{40,}"),
    beginning("a Docker Hub token", "dckr_pat_ dckr_oat_", r"[\w-]{20,}"),
    beginning(
        "a JSON web token",
        "eyJ",
        rf"[\w-]{{8,{_LONGEST}}}\.eyJ[\w-]{{8,{_LONGEST}}}\.[\w-]{{8,}}",
        real="",
    ),
    TokenPattern(
        "an Azure key",
        ("AccountKey=", "AccessKey=", "sig=", "8Q~"),
        # Not the key that Azure's emulator has everywhere.
        r"(?:Account|Access)Key=(?!Eby8vdM02xNO)" + REAL + r"[0-9A-Za-z/+]{40,}={0,2}"
        r"|(?<=[?&;])sig=[0-9A-Za-z/+%]{40,}"
        r"|(?<=[0-9A-Za-z_~.-]{3})8Q~[0-9A-Za-z_~.-]{31,34}",
    ),
    named(
        "a key of Azure's storage",
        "storage_key account_key",
        r"(?:storage|account)(?:_account)?_?key",
        r"(?!Eby8vdM02xNO)[0-9A-Za-z/+]{86}==",
    ),
    beginning("a Google storage key", "GOOG1E", r"[0-9A-Z]{40,}"),
    beginning("a Google refresh token", "1//0", r"[\w-]{40,}"),
    # The beginning of what has "api_address" or "api_url" first, in base64.
    beginning("a Neptune token", "eyJhcGlfYWRkcmVzcyI6 eyJhcGlfdXJsIjo", r"[0-9A-Za-z+/=]{40,}"),
    TokenPattern(
        "a private key in JSON",
        ('"kty',),
        r"\"kty\\?\"(?:[^}\"]|\"(?!kty)){0,900}?\"d\\?\"\s?:\s?\\?\"(?P<secret>[\w-]{20,})",
    ),
    TokenPattern(
        "a private key of WireGuard",
        ("PrivateKey",),
        r"PrivateKey\s?=\s?(?P<secret>[0-9A-Za-z+/]{42}[0-9A-Za-z+/]=)",
    ),
    beginning("a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ whsec_", r"[0-9A-Za-z+/]{20,}"),
    beginning("a SendGrid key", "SG.", rf"[\w-]{{20,{_LONGEST}}}\.[\w-]{{20,}}"),
    beginning("a Databricks token", "dapi", r"[0-9a-f]{32}(?:-\d)?" + END),
    beginning("a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{64}"),
    beginning(
        "a token of a web service",
        "hvs. hvb. glsa_ glc_ shpat_ shpca_ shppa_ shpss_ tskey- NRAK- PMAK- rubygems_ sntrys_ "
        "dp.pt. lin_api_ ntn_ ATATT3 sbp_ nfp_ figd_ pscale_ xkeysib- atlasv1.",
        TWO_DIGITS + r"[\w.-]{24,}",
    ),
    beginning("a Telegram token", ":AA", r"[\w-]{33}(?![\w-])", real="", begin=r"(?<=\d{8})"),
)
