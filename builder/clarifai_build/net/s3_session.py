"""AWS's configuration and credentials, as one environment leads to them."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import CredentialResolver
from botocore.session import Session

from clarifai_build.errors import NotAuthorisedError
from clarifai_build.net.s3_endpoints import profile_of

_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


class _Session(Session):
    """One whose profiles ask for codes of MFA devices only where somebody is there to type them."""

    def _create_credential_resolver(self) -> CredentialResolver:
        # botocore makes the provider itself, and hands it no other prompter.
        resolver: CredentialResolver = super()._create_credential_resolver()  # type: ignore[misc]
        resolver.get_provider("assume-role")._prompter = _mfa_code  # type: ignore[attr-defined]
        return resolver


class AwsSession(NamedTuple):
    """AWS's configuration as one environment leads to it, and what makes clients of that."""

    core: Session
    clients: boto3.Session


def session_of(environ: Mapping[str, str]) -> AwsSession:
    """Return the configuration and the credentials that the environment leads to."""
    key, secret, token = (_credential(environ, name) for name in (_KEY, _SECRET, _TOKEN))
    if (key is None) != (secret is None):
        there, missing = (_SECRET, _KEY) if key is None else (_KEY, _SECRET)
        raise NotAuthorisedError.of(
            "no-credentials",
            f"{there} is set, and {missing} is not",
            hint="set both, or neither and AWS_PROFILE",
        )
    core = _Session(_variables(environ))
    clients = boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token if key else None,
        botocore_session=core,
    )
    return AwsSession(core, clients)


def _mfa_code(prompt: str) -> str:
    # An open pipe would never answer; getpass looks for a terminal that may be another's.
    if not _has_terminal():
        raise NotAuthorisedError.of(
            "no-credentials",
            "the AWS profile needs a code of an MFA device, and there is no terminal to ask for it",
            hint="run it in a terminal, or get a session's keys there first: "
            '`eval "$(aws configure export-credentials --format env)"`',
        )
    return getpass.getpass(prompt)


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def trusted_by(session: AwsSession, environ: Mapping[str, str]) -> str | bool:
    """Return the file of certificates to trust, or True for those that botocore brings."""
    # In botocore's order.
    bundle = session.core.get_config_variable("ca_bundle") or environ.get("REQUESTS_CA_BUNDLE")
    return str(bundle) if bundle else True


def _variables(environ: Mapping[str, str]) -> dict[str, tuple[Any, Any, Any, Any]]:
    """Return what the environment says, in place of what botocore would take from the process's."""
    found: dict[str, tuple[Any, Any, Any, Any]] = {
        # Named in this way, a profile that `environ` does not know is not looked up elsewhere.
        "profile": (None, None, profile_of(environ), None)
    }
    for name, (_, variable, _, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        if name != "profile" and isinstance(variable, str) and environ.get(variable):
            found[name] = (None, None, environ[variable], convert)
    if environ.get("AWS_REGION"):  # botocore reads only AWS_DEFAULT_REGION
        found["region"] = (None, None, environ["AWS_REGION"], None)
    return found


def _credential(environ: Mapping[str, str], name: str) -> str | None:
    """Return a part of the credentials, which must be fit for signing and for a header."""
    value = environ.get(name) or None
    if value is None:
        return None
    if value != value.strip():
        flaw = "begins or ends with white space, a line break for example"
    elif not value.isprintable():
        flaw = "holds a control character"
    elif name != _SECRET and not value.isascii():
        flaw = "holds characters that are not ASCII"
    else:
        return value
    raise NotAuthorisedError.of(
        "credentials-malformed",
        f"{name} {flaw}",
        hint=f"set {name} anew: copied secrets often end with a line break (printf writes none)",
    )
