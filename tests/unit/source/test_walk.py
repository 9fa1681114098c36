"""The walk: symbolic links, depth, and what can't be looked at."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clarifai_build.artifact.file_list import listing
from clarifai_build.source.ignoring.ignore import Rules
from clarifai_build.source.walk import MOST_NAMES, walk
from support.trees import manifest_of, write_files


def paths(folder: Path, *rules: str) -> list[str]:
    """Return what goes in; nothing may be wrong."""
    found = walk(folder, Rules.of(folder, rules))
    assert found.problems == []
    return sorted(file.path for file in found.files)


def problems(folder: Path) -> list[tuple[str, str | None]]:
    """Return code and file of what is wrong."""
    found = walk(folder, Rules.of(folder, ()))
    return sorted((problem.code, problem.file) for problem in found.problems)


def link(top: Path, /, **links: str) -> None:
    """Make symbolic links; `__` in a name stands for a slash."""
    for name, target in links.items():
        (top / name.replace("__", "/")).symlink_to(target)


def test_links_inside_are_followed(tmp_path: Path) -> None:
    """To files, to folders, to other links, and by several names."""
    write_files(tmp_path, {"real/a": b"", "real/sub/b": b""})
    link(tmp_path, file="real/a", one="real", two="real", chain="one", deep="two/sub")
    names = ("real", "one", "two", "chain")
    assert paths(tmp_path) == sorted(
        ["file", "deep/b", *(f"{n}/a" for n in names), *(f"{n}/sub/b" for n in names)]
    )


def test_links_in_linked_folders_are_followed(tmp_path: Path) -> None:
    """As where a folder of versions has a link to the latest, and is itself linked to."""
    write_files(tmp_path, {"models/v1/w": b"", "models/v2/w": b""})
    link(tmp_path, models__latest="v2", current="models")
    assert paths(tmp_path) == sorted(
        f"{top}/{version}/w" for top in ("models", "current") for version in ("v1", "v2", "latest")
    )


def test_links_that_can_not_be_followed_are_refused(tmp_path: Path) -> None:
    """Each is named, all at once, and the rest of the folder is looked at."""
    folder = write_files(tmp_path / "code", {"sub/a": b"", "file": b""})
    write_files(tmp_path, {"outside": b"", "code-too/x": b""})
    link(folder, away="../outside", sibling="../code-too", broken="nowhere", through="file/x")
    link(folder, self="self", ping="pong", pong="ping", long="x" * 300, sub__loop="..")
    os.mkfifo(folder / "pipe")
    link(folder, to_pipe="pipe", to_device="/dev/null")
    names = [
        "away",
        "sibling",
        "broken",
        "through",
        "self",
        "ping",
        "pong",
        "long",
        "sub/loop",
        "to_pipe",
        "to_device",
    ]
    assert problems(folder) == [
        ("odd-file", "pipe"),
        *(("symlink", name) for name in sorted(names)),
    ]
    found = walk(folder, Rules.of(folder, ()))
    assert sorted(file.path for file in found.files) == ["file", "sub/a"]


def test_a_link_to_itself_hides_nothing_beside_it(tmp_path: Path) -> None:
    """In a folder that a link led to, too."""
    write_files(tmp_path, {"real/a": b"", "real/b": b""})
    link(tmp_path, copy="real", real__self="self")
    assert problems(tmp_path) == [("symlink", "copy/self"), ("symlink", "real/self")]
    found = walk(tmp_path, Rules.of(tmp_path, ()))
    assert sorted(file.path for file in found.files) == ["copy/a", "copy/b", "real/a", "real/b"]


def test_circles_over_several_links_end(tmp_path: Path) -> None:
    """The link that closes a circle is refused, wherever it is met."""
    write_files(tmp_path, {"a/x": b"", "b/y": b""})
    link(tmp_path, a__b="../b", b__a="../a")
    assert problems(tmp_path) == [("symlink", "a/b/a"), ("symlink", "b/a/b")]


def test_a_folder_is_laid_out_under_a_limited_number_of_names(tmp_path: Path) -> None:
    """Two links a folder would otherwise give twice the paths with each level."""
    for level in range(30):
        write_files(tmp_path, {f"d{level}/x": b""})
        link(tmp_path, **{f"d{level}__{name}": f"../d{level + 1}" for name in "ab" if level < 29})
    found = walk(tmp_path, Rules.of(tmp_path, ()))
    ways = [min(2 ** (level + 1) - 2, MOST_NAMES) for level in range(30)]
    assert len(found.files) == sum(names + 1 for names in ways)
    assert sorted(problem.message.partition("folder ")[2] for problem in found.problems) == sorted(
        f"d{level}, which links lead to by {MOST_NAMES} already" for level in range(5, 30)
    )
    assert {problem.code for problem in found.problems} == {"symlink"}


def test_so_many_names_are_enough(tmp_path: Path) -> None:
    """The last one that is followed, and the first that is not."""
    write_files(tmp_path, {"real/x": b""})
    link(tmp_path, **{f"l{number}": "real" for number in range(MOST_NAMES)})
    assert len(paths(tmp_path)) == MOST_NAMES + 1
    link(tmp_path, more="real")
    ((code, file),) = problems(tmp_path)
    assert code == "symlink"
    assert file in {*(f"l{number}" for number in range(MOST_NAMES)), "more"}


def reasons(folder: Path, *exclude: str) -> dict[str, str]:
    """Return what is listed, and why it stays out."""
    return {path: reason for path, _, reason in listing(manifest_of(folder, exclude=exclude))}


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder with files that stay out, and links that lead to them."""
    names = (".env", ".aws/credentials", ".git/sub/x", "real/__pycache__/a.pyc", "real/a", "b.log")
    write_files(tmp_path, dict.fromkeys(names, b""))
    link(tmp_path, settings=".env", folder=".aws", keys=".aws/credentials", git=".git/sub")
    link(tmp_path, again="settings", copy="real", text="b.log")
    return tmp_path


def test_links_do_not_get_round_the_rules(private: Path) -> None:
    """What they lead to is looked at, each part of its path, and named with the reason."""
    by_rule = ".clarifaiignore or code.exclude"
    links = ("settings", "again", "folder", "keys", "git")
    assert reasons(private, "*.log", "/real/a", *(f"/{name}" for name in links)) == {
        ".aws": "credentials",
        ".env": "credentials",
        ".git": "version control",
        "b.log": by_rule,
        "copy/__pycache__": "cache",
        "copy/a": f"leads to real/a: {by_rule}",
        "real/__pycache__": "cache",
        "real/a": by_rule,
        "text": f"leads to b.log: {by_rule}",
        **dict.fromkeys(links, by_rule),
    }


def test_links_to_credentials_and_repositories_are_refused(private: Path) -> None:
    """By whatever links they lead there: nobody asked for them to be left out."""
    assert problems(private) == [
        ("symlink", name) for name in ("again", "folder", "git", "keys", "settings")
    ]
    told = [problem.message for problem in walk(private, Rules.of(private, ())).problems]
    assert "keys is a symbolic link to .aws: credentials" in told
    assert "git is a symbolic link to .git: version control" in told


def test_a_rule_for_the_link_itself_brings_it_back(private: Path) -> None:
    """By the link's own path or name; or one for what it leads to does, and for all that is in."""
    out = ("/again", "/git", "/keys")
    rules = ("!settings", "!/folder", "!/copy/a", "/real/a", "*.log", "!text")
    listed = reasons(private, *out, *rules)
    went_in = {path for path, reason in listed.items() if not reason}
    assert went_in == {"settings", "folder/credentials", "copy/a", "text"}
    assert reasons(private, *out, "/folder", "!.env")["settings"] == ""


def test_links_to_what_builds_wrote_stay_out(tmp_path: Path) -> None:
    """The last artifact would be packed into the next one; labels may have a second name."""
    write_files(tmp_path, {"dist/m.zip": b"", "clarifai.yaml": b"", "a": b""})
    link(tmp_path, latest="dist", zipped="dist/m.zip", manifest="clarifai.yaml")
    assert reasons(tmp_path) == {
        "a": "",
        "clarifai.yaml": "the manifest",
        "dist": "built artifacts",
        "latest": "leads to dist: built artifacts",
        "manifest": "",
        "zipped": "leads to dist: built artifacts",
    }


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder that pytest could not remove by itself."""
    folder = tmp_path / "deep"
    folder.mkdir()
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def nest(folder: Path, levels: int) -> None:
    """Make folders `x` in one another with a file `f` in the last, whatever the paths' length."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("x", dir_fd=here)
        above, here = here, os.open("x", os.O_RDONLY, dir_fd=here)
        os.close(above)
    os.close(os.open("f", os.O_CREAT, dir_fd=here))
    os.close(here)


@contextmanager
def few_files() -> Iterator[None]:
    """Let this process open only some files more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = max(int(entry.name) for entry in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 16, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_depth_costs_neither_stack_nor_open_files(deep: Path) -> None:
    """1,800 folders in one another are a folder like any other, and so they are left out."""
    nest(deep, 1800)
    with few_files():
        assert paths(deep) == ["x/" * 1800 + "f"]
        assert reasons(deep, "x") == {"x": ".clarifaiignore or code.exclude"}


@pytest.mark.parametrize("beyond", [0, 1, 40])
def test_paths_that_are_too_long_are_refused(deep: Path, beyond: int) -> None:
    """By the file, or by the first folder that can't be opened."""
    room = os.pathconf(deep, "PC_PATH_MAX") - 1 - len(str(deep)) - len("/top/f")
    top = deep / ("top" + "p" * (room % 2))
    top.mkdir()
    nest(top, room // 2 + beyond)
    found = walk(top, Rules.of(top, ()))
    assert [problem.code for problem in found.problems] == ["unreadable"] * bool(beyond)
    assert len(found.files) == (beyond < 2)


def test_each_path_that_is_too_long_is_refused_once(deep: Path) -> None:
    """Whichever folder comes after it."""
    room = os.pathconf(deep, "PC_PATH_MAX") - 1 - len(str(deep)) - len("/top/f")
    tops = [top + "p" * (room % 2) for top in ("one", "two")]
    for top in tops:
        (deep / top).mkdir()
        nest(deep / top, room // 2 + 1)
    found = walk(deep, Rules.of(deep, ()))
    assert [problem.code for problem in found.problems] == ["unreadable"] * 2
    assert sorted((problem.file or "")[: len(tops[0])] for problem in found.problems) == tops


def test_odd_files_are_refused_by_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe and a socket can't be packed, under whatever name."""
    write_files(tmp_path, {"real/a": b""})
    os.mkfifo(tmp_path / "real" / "pipe")
    link(tmp_path, copy="real")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert problems(tmp_path) == [
            ("odd-file", "copy/pipe"),
            ("odd-file", "real/pipe"),
            ("odd-file", "socket"),
        ]
    found = walk(tmp_path, Rules.of(tmp_path, ()))
    assert sorted(problem.message for problem in found.problems) == [
        "copy/pipe is a named pipe, not a regular file",
        "real/pipe is a named pipe, not a regular file",
        "socket is a socket, not a regular file",
    ]
