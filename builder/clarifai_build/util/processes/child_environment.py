"""The environment of child processes: without credentials, and without what redirects them.

pip builds foreign source packages, a model's tests are the model's, and engines run its code: none
of them needs what opens a bucket or an account.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from clarifai_build.util.tokens.variables import CREDENTIALS, TOKENS, is_credential

# PYTHON: PYTHONPATH and PYTHONHOME would mix the packages of two environments. WEED and TRITON:
# each setting of SeaweedFS's configuration files has such a variable, and so have Triton's.
# PYTEST: a developer's options are not for a model's tests.
_PREFIXES = ("AWS_", "AZURE_", "CLARIFAI_", "PYTHON", "PYTEST_", "WEED_", "TRITON")
# Each makes pip install into another place, or other versions, than its arguments say, or nothing.
_REDIRECTS_PIP = (
    *("TARGET", "PREFIX", "USER", "ROOT", "PYTHON", "CONSTRAINT", "REQUIREMENT", "EDITABLE"),
    *("NO_DEPS", "DRY_RUN", "REQUIRE_HASHES", "REQUIRE_VIRTUALENV"),
)
# `git rev-parse --local-env-vars` and what changes how paths are read: hooks set them for the
# repository that runs the hook. Git's configuration stays (GIT_CONFIG_COUNT, GIT_SSH_COMMAND).
_LEADS_GIT_ELSEWHERE = (
    *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE"),
    *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH", "SHALLOW_FILE"),
    *("GRAFT_FILE", "REPLACE_REF_BASE", "NO_REPLACE_OBJECTS", "INTERNAL_SUPER_PREFIX"),
    *("CEILING_DIRECTORIES", "ATTR_SOURCE"),
    *("LITERAL_PATHSPECS", "GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS"),
)
_DROPPED = frozenset(
    (
        *CREDENTIALS,
        "VIRTUAL_ENV",
        # Files that a shell reads before its command; CI services keep secrets in the first.
        *("BASH_ENV", "ENV"),
        *(f"PIP_{name}" for name in _REDIRECTS_PIP),
        *(f"GIT_{name}" for name in _LEADS_GIT_ELSEWHERE),
    )
)
# More than may be named in a manifest: a child that misses one of these is seldom the worse.
_SECRET_NAME = re.compile(
    r"(^|_)(TOKENS?|JWT|SECRETS?|CREDENTIALS?)(_|$)|PASSWORD|PASSWD|_KEY$|_AUTH(_CONFIG)?$",
    re.IGNORECASE,
)
# An address with a password, as of a database.
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
# What may ask for credentials of its own: an index of packages, and a proxy.
_EXCEPTED = re.compile(r"PIP_|UV_(DEFAULT_|EXTRA_)?INDEX|(.*_)?PROXY$", re.IGNORECASE)
# A dot, or nothing, between two colons is the folder that a child starts in.
_SEARCH_PATHS = frozenset(("PATH", "LD_LIBRARY_PATH"))
_FILES = frozenset(
    (
        *("PIP_CONFIG_FILE", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CACHE_DIR", "PIP_FIND_LINKS"),
        *("UV_CONFIG_FILE", "UV_CACHE_DIR", "UV_FIND_LINKS", "NETRC", "GIT_CONFIG_GLOBAL"),
        *(
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "GIT_SSL_CAINFO",
        ),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "TMPDIR"),
        "GOOGLE_APPLICATION_CREDENTIALS",
    )
)


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a child may see of `environ`, so that it means the same in another folder.

    Where packages come from (`PIP_INDEX_URL`, `UV_INDEX_URL`) stays.
    """
    return _anchored({name: value for name, value in environ.items() if _may_see(name, value)})


def without_tokens(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for this tool itself, as a child that talks to no platform."""
    kept = _anchored({name: value for name, value in environ.items() if name not in TOKENS})
    if path := kept.get("PYTHONPATH"):
        # Entered into another folder, it has to import what this process does.
        kept["PYTHONPATH"] = os.pathsep.join(
            str(Path(place).absolute()) for place in path.split(os.pathsep)
        )
    return kept


def _may_see(name: str, value: str) -> bool:
    if name in _DROPPED or name.startswith(_PREFIXES):
        return False
    secret = is_credential(name) or _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)
    return not secret or _EXCEPTED.match(name) is not None


def _anchored(environ: dict[str, str]) -> dict[str, str]:
    """Return an environment without paths that depend on the folder of the process."""
    for name in _FILES & environ.keys():
        value = environ[name]
        if value and "://" not in value and Path(value).exists():
            environ[name] = str(Path(value).absolute())
    for name in _SEARCH_PATHS & environ.keys():
        places = [p for p in environ[name].split(os.pathsep) if Path(p).is_absolute()]
        # An empty path would be the folder again.
        environ[name] = os.pathsep.join(places) or os.devnull
    return environ
