"""What tokens, keys and passwords look like: one table for files, manifests and all that is shown.

Each entry has samples in `tests/support/token_samples.py`, and tests that seek them in all three.
"""

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
_BEGIN = (
    r"(?:(?<![0-9A-Za-z])|(?<=\\[abfnrtv])|(?<=\\u[0-9A-Fa-f]{4})"
    r"|(?<=\\x[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2}))"
)
_END = "(?![0-9A-Za-z])"
# The digests of wheels' records and of npm's lock files begin with anything.
_NO_DIGEST = "(?<!sha256=)(?<!sha384=)(?<!sha512=)(?<!sha256-)(?<!sha384-)(?<!sha512-)"
# What documentation writes in place of a token.
_REAL = r"(?![\w-]{0,16}(?:[xX]{6}|your|YOUR|example|EXAMPLE))"
_WORDS = r"(?![^\s\"']{0,99}?(?i:example|placeholder|change|your|test|fake|dummy|12345|xxxx))"
_TWO_DIGITS = r"(?=[\w.-]{0,60}?\d[\w.-]{0,60}?\d)"
# Between a name and its value: the brackets, quotes, types and signs of an assignment.
_ASSIGNED = (
    r"(?:\\[nrt]|\W|(?:str|Optional|Final|[Vv]alue|default|or)\b|[BbFfRrUu](?=\\?[\"'])){1,40}?"
)
# Characters of a part that more must follow: without a bound, a text of nothing but beginnings
# would take the square of its length.
_LONGEST = 4096
_LOGIN_PASSWORD = (
    _WORDS + r"(?P<secret>(?![$%{<])(?=[^\s\"']{0,60}?\d)(?=[^\s\"']{0,60}?[A-Za-z])"
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
# What stands before the words that say it in a private key's first line.
_KEY_KINDS = ("", "RSA ", "EC ", "DSA ", "PGP ", "ANY ", "OPENSSH ", "ENCRYPTED ")
_BEGIN_KEY = (
    "(?:"
    + "".join(f"(?<=-----BEGIN {kind})|" for kind in _KEY_KINDS)
    + "(?<=---- BEGIN SSH2 ENCRYPTED ))"
)
_CLARIFAI = (
    r"(?:(?:CLARIFAI|[Cc]larifai)\w{0,24}?(?:PAT|TOKEN|KEY|[Pp]at|[Tt]oken|[Kk]ey)\w{0,16}"
    r"|(?:(?<![A-Za-z])|(?<=\\n))(?:PAT|[Pp]at|TOKEN|[Tt]oken)|(?i:personal_?access_?token|kaggle_?key)"
    r"|(?i:authorization)\W{1,9}Key|[\"']Key"
    # As in kaggle.json, whatever its name; and calls that take it without a name.
    r"|[\"']username\\?[\"']\s?:\s?\\?[\"'][\w.@-]{1,40}\\?[\"'],\s?\\?[\"']key\\?[\"']"
    r"|(?:\b|(?<=\\n))(?:ClarifaiA(?:pp|pi|PI)|User|V2Stub|Clarifai(?:Client|AuthHelper))\([^()\n]{0,60}?)"
)


def _beginning(
    name: str, starts: str, body: str, real: str = _REAL, begin: str = _BEGIN
) -> TokenPattern:
    """Return the entry of tokens that tell what they are by how they begin."""
    marks = tuple(starts.split())
    begins = "|".join(mark.replace(".", r"\.") for mark in marks)
    pattern = f"{begin}{_NO_DIGEST}(?:{begins}){real}(?:{body})"
    return TokenPattern(name, marks, pattern, in_words=True)


def _named(name: str, starts: str, names: str, value: str) -> TokenPattern:
    """Return the entry of values that are secret because of the name they are given."""
    pattern = f"(?i:{names}){_ASSIGNED}{_REAL}(?P<secret>{value})"
    return TokenPattern(name, tuple(starts.split()), pattern, any_case=True)


PASSWORD_IN_URL = "a password in an address"

TOKEN_PATTERNS = (
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
    _beginning("a private key of PuTTY", "PuTTY-User-Key-File-", r"\d"),
    _beginning("a private key of age", "AGE-SECRET-KEY-1", r"[0-9A-Z]{40,}"),
    # As in kubeconfig files.
    _beginning(
        "a private key in base64",
        "LS0tLS1CRUdJTi",
        r"(?:BQUklWQVRF|BSU0Eg|BFQyBQ|BEU0Eg|BPUEVOU1NI|BFTkNSWVBURU)[0-9A-Za-z+/=]*",
    ),
    # AKIA is a key for good, ASIA one of a session; Amazon's documentation has one with EXAMPLE.
    _beginning("an AWS access key", "AKIA ASIA", r"(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}" + _END),
    _named(
        "an AWS secret key",
        "secret",
        r"secret_?-?(?:access)?_?-?key|(?<=aws_)secret|(?<=aws)secret",
        r"(?![0-9A-Za-z/+]{30}EXAMPLEKEY)[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])",
    ),
    # What is in base64 begins with "origin_ec" or "er/aws".
    _beginning(
        "an AWS session token",
        "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz",
        r"[0-9A-Za-z/+=%]{100,}",
    ),
    _beginning("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w{36,}"),
    _beginning("a GitLab token", "glpat- glptt- gldt- glrt- glcbt- glsoat-", r"[\w-]{20,}"),
    _beginning("a Hugging Face token", "hf_ api_org_", r"[0-9A-Za-z]{30,}"),
    _beginning(
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
    _beginning("a Google API key", "AIza", r"[\w-]{35}(?![\w-])", real=""),
    _beginning("a Google OAuth secret", "GOCSPX- ya29.", r"[\w-]{20,}"),
    _beginning(
        "an OpenAI key",
        "sk-",
        rf"(?:proj|svcacct|admin|None)-{_REAL}[\w-]{{20,}}|[0-9A-Za-z]{{32,}}",
    ),
    _beginning("an Anthropic key", "sk-ant-", r"[\w-]{20,}"),
    _beginning(
        "a key of an AI service",
        "r8_ gsk_ xai- pplx- tvly- jina_",
        _TWO_DIGITS + r"[0-9A-Za-z]{32,}",
    ),
    _beginning(
        "a key of a service for models",
        "sk-or- sk-lf- nvapi- lsv2_ pcsk_",
        _TWO_DIGITS + r"(?:[0-9A-Za-z]{2,8}[_-])?(?:[0-9A-Za-z]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-)"
        r"[\w-]{8,}",
    ),
    _beginning("an npm token", "npm_", r"[0-9A-Za-z]{30,}"),
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
    _beginning("a PyPI token", "pypi-", r"[\w-]{40,}"),
    _beginning("a Docker Hub token", "dckr_pat_ dckr_oat_", r"[\w-]{20,}"),
    _beginning(
        "a JSON web token",
        "eyJ",
        rf"[\w-]{{8,{_LONGEST}}}\.eyJ[\w-]{{8,{_LONGEST}}}\.[\w-]{{8,}}",
        real="",
    ),
    TokenPattern(
        "an Azure key",
        ("AccountKey=", "AccessKey=", "sig=", "8Q~"),
        # Not the key that Azure's emulator has everywhere.
        r"(?:Account|Access)Key=(?!Eby8vdM02xNO)" + _REAL + r"[0-9A-Za-z/+]{40,}={0,2}"
        r"|(?<=[?&;])sig=[0-9A-Za-z/+%]{40,}"
        r"|(?<=[0-9A-Za-z_~.-]{3})8Q~[0-9A-Za-z_~.-]{31,34}",
    ),
    _named(
        "a key of Azure's storage",
        "storage_key account_key",
        r"(?:storage|account)(?:_account)?_?key",
        r"(?!Eby8vdM02xNO)[0-9A-Za-z/+]{86}==",
    ),
    _beginning("a Google storage key", "GOOG1E", r"[0-9A-Z]{40,}"),
    _beginning("a Google refresh token", "1//0", r"[\w-]{40,}"),
    # The beginning of what has "api_address" or "api_url" first, in base64.
    _beginning("a Neptune token", "eyJhcGlfYWRkcmVzcyI6 eyJhcGlfdXJsIjo", r"[0-9A-Za-z+/=]{40,}"),
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
    _beginning("a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ whsec_", r"[0-9A-Za-z+/]{20,}"),
    _beginning("a SendGrid key", "SG.", rf"[\w-]{{20,{_LONGEST}}}\.[\w-]{{20,}}"),
    _beginning("a Databricks token", "dapi", r"[0-9a-f]{32}(?:-\d)?" + _END),
    _beginning("a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{64}"),
    _beginning(
        "a token of a web service",
        "hvs. hvb. glsa_ glc_ shpat_ shpca_ shppa_ shpss_ tskey- NRAK- PMAK- rubygems_ sntrys_ "
        "dp.pt. lin_api_ ntn_ ATATT3 sbp_ nfp_ figd_ pscale_ xkeysib- atlasv1.",
        _TWO_DIGITS + r"[\w.-]{24,}",
    ),
    _beginning("a Telegram token", ":AA", r"[\w-]{33}(?![\w-])", real="", begin=r"(?<=\d{8})"),
    TokenPattern(
        "a password of a machine",
        ("machine",),
        rf"machine{_GAP}[^\s\\]{{1,255}}?{_GAP}login{_GAP}[^\s\\]{{1,255}}?{_GAP}password{_GAP}"
        r"(?P<secret>(?![$%{<*])[^\s\\\"']+)",
    ),
    # A token of Clarifai's is 32 hex digits, as is many a digest: it takes its name to tell.
    TokenPattern(
        "a Clarifai token", (HEX_RUN,), f"{_CLARIFAI}{_ASSIGNED}(?P<secret>[0-9a-f]{{32}}){_END}"
    ),
    # As Kubernetes keeps it.
    TokenPattern(
        "a Clarifai token in base64",
        ("clarifai_",),
        r"(?i:clarifai)_\w{0,24}?(?:PAT|TOKEN|KEY|pat|token|key)\w{0,16}"
        + _ASSIGNED
        + r"(?P<secret>[MNOYZ][0-9A-Za-z]{42}=)",
        any_case=True,
    ),
    # So is a commit; the call tells.
    TokenPattern(
        "a Weights & Biases key",
        (HEX_RUN,),
        rf"wandb\.login\((?:{_GAP})?(?:key\s?=\s?)?\\?[\"'](?P<secret>[0-9a-f]{{40}}){_END}",
    ),
    _named(
        "a secret key",
        "secret api_key apikey access_token accesstoken auth_token authtoken refresh_token",
        r"secret(?:_?key)?|api_?key|(?:access|auth)_?token|refresh_token",
        _WORDS + _TWO_DIGITS + r"(?=[\d_-]{0,80}[A-Za-z])[\w-]{20,999}(?![\w+=~.(\[/:-])",
    ),
    TokenPattern(
        "a password",
        ("password", "passwd", "pwd", "_pass"),
        rf"(?i:password|passwd|(?<![a-z])pwd|{_OWNERS}_pass(?![a-z]))"
        r"(?:\\?[\"'\]]{0,2}[ \t]?[:=][ \t]?\\?[\"']?|>|(?<=--password)[ \t]+[\"']?"
        # As in NuGet's settings.
        r"|\\?[\"'][ \t]value=\\?[\"'])" + _WORDS + r"(?P<secret>"
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
        r"(?i:bearer|token) " + _REAL + _TWO_DIGITS + r"(?P<token>[\w.~+/-]{20,999}={0,2})"
        # "user:password", "username:password", and the one of the standard.
        r"|(?i:basic) (?!dXNlcjpwYXNz|dXNlcm5hbWU6|QWxhZGRpbjpvcGVu)"
        r"(?P<secret>(?=[^\s\"']{0,60}?[0-9A-Z])[0-9A-Za-z+/_-]{15,999}={0,2}))(?![\w(.\[{$])",
        any_case=True,
    ),
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
        + _REAL
        + _WORDS
        + _TWO_DIGITS
        + r"(?P<secret>[\w.-]{20,999})(?![\w(\[{])",
        in_words=True,
    ),
    _beginning(
        "a signed address", "X-Amz-Signature= X-Goog-Signature=", r"(?P<secret>[0-9a-f]{64,})"
    ),
)

BARE_TOKEN = TokenPattern("a Clarifai token", (HEX_RUN,), _BEGIN + "[0-9a-f]{32}" + _END)
"""A token of Clarifai's by itself: where text is shown, a digest that is masked does no harm."""
