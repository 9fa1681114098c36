"""What a search looks for first: it must hide no token."""

from __future__ import annotations

import pytest

from clarifai_build.util.tokens.patterns import TOKEN_PATTERNS
from clarifai_build.util.tokens.search import TokenSearch
from clarifai_build.util.tokens.token_pattern import TokenPattern

# Each kind whose beginning does not say by itself what must stand in its tokens.
HIDDEN = {
    "a private key": ("-----BEGIN RSA " + "PRIVATE KEY", "-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    "a private key of WireGuard": ("PrivateKey", " = " + "aB3dE5gH7jK9" * 3 + "aB3dE5g="),
    "a password in an address": ("https://maria:", "aB3dE5gH7j" + "@db.internal/x"),
    "a password of a machine": ("machine", "\nhost.internal\nlogin maria\npassword aB3dE5gH7j"),
}


def kind_called(name: str) -> TokenPattern:
    return next(kind for kind in TOKEN_PATTERNS if kind.name == name)


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_sought_first_stands_behind_a_beginning(name: str) -> None:
    start, rest = HIDDEN[name]
    search = TokenSearch((kind_called(name),))
    assert search.first(f"é {start}{rest}\n".encode()) == name
    assert search.first(f"é {start}\n".encode()) == ""


def test_kinds_are_named_in_the_order_of_the_table() -> None:
    """Whatever they are sought by: a finding is kept, and told, by the first name."""
    secret = "aB3dE5gH7jK9mN1pQ2rS4tU6"
    content = f'api_key = "{secret}"\npassword = "{secret}!"\ncurl -u maria:{secret} x\n'.encode()
    names = [found.name for found in TokenSearch(TOKEN_PATTERNS).all(content)]
    assert names == ["a login on a command line", "a secret key", "a password"]


@pytest.mark.parametrize(
    "text",
    [
        "sshpass -p aB3dE5gH7j ls",
        "password=aB3dE5gH7j!",
        "<password>aB3dE5gH7j!</password>",
        "mysql --password aB3dE5gH7j!",
        "aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYzT3hQ9kLmN",
        "Authorization, bearer aB3dE5gH7jK9mN1pQ2rS4t",
    ],
)
def test_one_sign_is_enough(text: str) -> None:
    """What rules a kind out must not be there in any of its forms: each has a sign of its own."""
    assert TokenSearch(TOKEN_PATTERNS).first(text.encode())
