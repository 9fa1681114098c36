"""Where requirements come from: addresses and paths are told from names as pip tells them."""

from __future__ import annotations

import pytest

from clarifai_build.requirements.location import Location, is_loopback, location_of, split_marker
from clarifai_build.requirements.markers import is_for_linux


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("numpy==1.0", None),
        ("numpy[all]>=1 ; python_version < '3.9'", None),
        ("own @ https://h/x.whl ; os_name == 'nt'", Location("https://h/x.whl", "own")),
        ("own@git+https://git@h/x@v1", Location("git+https://git@h/x@v1", "own")),
        ("https://h/x;y.zip ; os_name == 'nt'", Location("https://h/x;y.zip")),
        ("HTTPS://h/x.zip", Location("HTTPS://h/x.zip")),
        ("./own[extra];os_name=='nt'", Location("./own")),
        ("own-1.0.tar.gz", Location("own-1.0.tar.gz")),
        ("..\\own", Location("..\\own")),
        ("D:/own", Location("D:/own")),
        ("~/own", Location("~/own")),
    ],
)
def test_locations(requirement: str, expected: Location | None) -> None:
    """None for what an index is asked for by its name."""
    assert location_of(requirement) == expected


@pytest.mark.parametrize(
    ("text", "local", "key"),
    [
        ("file:///x", True, False),
        ("git+file:///x", True, False),
        ("x/y", True, False),
        ("git+ssh://git@h/x", False, True),
        ("hg+ssh://h/x", False, True),
        ("ftp://h/x", False, False),
        ("git+https://h/x", False, False),
    ],
)
def test_what_is_here_and_what_needs_a_key(text: str, local: bool, key: bool) -> None:
    """Version control systems put their own name before the scheme."""
    assert (Location(text).is_local, Location(text).needs_ssh_key) == (local, key)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://h/x", False),
        ("git+https://git@h/x", False),
        ("https://user@h/x", True),
        ("https://user:word@h/x", True),
        ("https://:word@h/x", True),
        ("https://[h/x", True),
    ],
)
def test_credentials(address: str, expected: bool) -> None:
    """Any user but Git's own; what can't be read is taken for one."""
    assert Location(address).has_credentials is expected


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("a-1-py3-none-any.whl", ""),
        ("a-1-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", ""),
        ("a-1-cp311-cp311-linux_x86_64.whl#sha256=aa", ""),
        ("a-1.tar.gz", ""),
        ("a-1-cp311-cp311-win_amd64.whl", "win_amd64"),
        ("a-1-cp311-cp311-macosx_11_0_arm64.whl?x=1", "macosx_11_0_arm64"),
        ("a-1-cp311-cp311-manylinux_2_17_aarch64.whl", "manylinux_2_17_aarch64"),
        ("a-1-cp311-cp311-musllinux_1_1_x86_64.whl", "musllinux_1_1_x86_64"),
    ],
)
def test_platforms_of_wheels(name: str, platform: str) -> None:
    """The one that is not served, if none is."""
    assert Location(f"https://h/{name}").foreign_platform == platform


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://localhost:1/x", True),
        ("http://127.8.0.1", True),
        ("http://[::1]/x", True),
        ("http://0.0.0.0", True),
        ("https://localhost.example", False),
        ("http://[", False),
    ],
)
def test_servers_of_this_machine(address: str, expected: bool) -> None:
    """By the host alone."""
    assert is_loopback(address) is expected


def test_a_marker_is_divided_from_an_address_by_a_space() -> None:
    """A ';' may be a part of an address."""
    assert split_marker("https://h/a;b ; os_name=='nt'") == ("https://h/a;b", "os_name=='nt'")
    assert split_marker("a;os_name=='nt'") == ("a", "os_name=='nt'")


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("sys_platform == 'linux'", True),
        ("sys_platform != 'linux'", False),
        ("platform_machine == 'arm64'", False),
        ("python_version < '3.9'", True),
        ("python_version >= '3.14'", True),
        ("python_version < '3'", False),
        ("os_name == 'nt' and python_version > '3'", False),
        ("nonsense", True),
    ],
)
def test_markers_are_asked_of_linux(marker: str, expected: bool) -> None:
    """Whatever the model's Python; one that can't be read decides nothing."""
    assert is_for_linux(f"a ; {marker}") is expected
