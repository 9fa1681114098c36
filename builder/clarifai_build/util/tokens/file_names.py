"""Names of files that hold keys and passwords: one table for what stays out and what is refused.

What lies in a home folder or beside a checkout by itself stays out in silence; what somebody put
among the code is refused, so that it is seen. Names are compared in lower case.
"""

from __future__ import annotations

LEFT_OUT = (
    ".env",
    ".env.*",
    ".envrc",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".aws",
    ".ssh",
    ".gnupg",
    ".kube",
    ".docker",
    ".git-credentials",
)
"""Left out by default, in the language of `source.ignore`."""

REFUSED = {
    "a private key": """
        id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk id_xmss *.key *.p8 *.pk8 *.ppk
        key.pem *-key.pem *_key.pem *.key.pem privkey*.pem private*.pem *.p12 *.pfx *.pkcs12 *.jks
        *.jceks *.bks *.keystore""",
    "a store of passwords": """
        *.kdbx *.kdb *.agilekeychain *.psafe3 *.ovpn .htpasswd *.htpasswd vault_pass vault_pass.txt
        .vault_pass .vault_pass.txt .vault-password vault-password.txt""",
    "an environment with secrets": """
        *.env *.env.local *.env.prod *.env.production *.env.secret *.env.staging env.local env.prod
        env.production env.secret env.staging .renviron""",
    "credentials": """
        kaggle.json credentials credentials.json credentials.yaml credentials.yml credentials.toml
        credentials.csv credentials.db *-credentials *_credentials *-credentials.json
        *_credentials.json client_secret*.json
        service-account*.json service_account*.json serviceaccount*.json *-service-account.json
        *_service_account.json *accesskeys.csv rootkey.csv *secrets.toml *secrets.yaml
        *secrets.yml *secrets.json *secrets.ini .secrets *secrets.env""",
    "the credentials of a tool": """
        .dockercfg .dockerconfigjson .pgpass pgpass.conf .my.cnf .mylogin.cnf .s3cfg .boto
        .passwd-s3fs rclone.conf .rclone.conf .databrickscfg .vault-token .authinfo .msmtprc
        .terraformrc terraform.rc credentials.tfrc.json application_default_credentials.json
        .modal.toml accesstokens.json msal_token_cache.json msal_token_cache.bin""",
    "the credentials of a cluster": """
        kubeconfig kubeconfig.yaml kubeconfig.yml kubeconfig.json kubeconfig.conf *.kubeconfig
        *-kubeconfig.yaml""",
    "Terraform's state or variables": """
        *.tfstate *.tfstate.backup terraform.tfstate.* *.tfvars *.tfvars.json""",
    "a history of commands": """
        .bash_history .zsh_history .psql_history .mysql_history .python_history .sqlite_history
        .node_repl_history .rediscli_history .dbshell""",
}
"""What files of these names hold; they are refused unless the manifest allows them."""

# What belongs into a repository, so that others know what to fill in; and keys for everyone.
_INNOCENT = ("example", "sample", "template", "dist", "default", "defaults", "public", "pub")


def _table() -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    rules = [(rule, kind) for kind, text in REFUSED.items() for rule in text.split()]
    names = {rule: kind for rule, kind in rules if "*" not in rule}
    patterns = {}
    for rule, kind in rules:
        if "*" in rule:
            start, _, end = rule.partition("*")
            patterns[start, end.rpartition("*")[2]] = kind
    return names, patterns


_NAMES, _PATTERNS = _table()
# What editors and people put after a name, to keep what was there before.
_COPIES = (".bak", ".backup", ".old", ".orig", ".save", ".saved", ".copy", "~")
_IN_HOME = frozenset(name for name in LEFT_OUT if "*" not in name and name.startswith((".", "_")))
# One look for most files: few have such a beginning or such an end.
_ENDS = tuple({end for start, end in _PATTERNS if not start})
_STARTS = tuple({start for start, _ in _PATTERNS if start})


def kind_of_name(path: str) -> str:
    """Return what a file holds, as its name says: keys or passwords; nothing of any other."""
    name = path.rpartition("/")[2].lower()
    if name.endswith(_COPIES):
        name = name[: -len(next(filter(name.endswith, _COPIES)))]
        if name in _IN_HOME:
            return "credentials"
    return _kind(name)


def _kind(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    if not (name.endswith(_ENDS) or name.startswith(_STARTS)):
        return ""
    stem = name.rpartition(".")[0]
    if stem.rpartition(".")[2].rpartition("-")[2] in _INNOCENT or (not stem and name in _ENDS):
        return ""
    fits = (k for (s, e), k in _PATTERNS.items() if name.startswith(s) and name.endswith(e))
    return next(fits, "")
