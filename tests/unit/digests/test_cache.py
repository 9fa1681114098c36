"""Digests are taken once: what did not change is not read, what did is."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.layout import gather
from clarifai_build.artifact.tree import FileTree, make_tree
from clarifai_build.digests import files as digests
from clarifai_build.digests.cache import DigestCache, digests_file
from clarifai_build.digests.files import FileFacts
from clarifai_build.errors import ArtifactError, SourceError
from clarifai_build.progress import Event
from clarifai_build.source.content_checks import RULES
from clarifai_build.util.tokens.token_pattern import TokenPattern
from support.trees import manifest_of, write_files

FILES = {"a.txt": b"alpha", "b.bin": b"b" * 70_000, "sub/c.txt": b"gamma"}


def settled(folder: Path) -> Path:
    """Date files back: those that were just written are read again on purpose."""
    time.sleep(0.15)  # ctime can't be set
    return folder


class Reads:
    """Counts the bytes of content that are read."""

    bytes = 0

    def __call__(self, event: Event) -> None:
        if event.stage == "hash":
            self.bytes = event.done or 0


def lay(folder: Path, cache: DigestCache, *allowed: str) -> tuple[FileTree, int]:
    """Lay a folder out; return the tree, and how many bytes of content were read."""
    reads = Reads()
    return make_tree({}, manifest_of(folder, allow_secrets=allowed), reads, cache), reads.bytes


def refusal(folder: Path, cache: DigestCache, *allowed: str) -> tuple[str, int]:
    """Return why a folder can't be laid out, and how many bytes were read to know."""
    reads = Reads()
    with pytest.raises(SourceError) as caught:
        make_tree({}, manifest_of(folder, allow_secrets=allowed), reads, cache)
    (problem,) = caught.value.problems
    return f"{problem.code}: {problem.message}", reads.bytes


def test_unchanged_files_are_not_read(tmp_path: Path) -> None:
    """The second time nothing is read, and the tree is the same."""
    code = settled(write_files(tmp_path / "code", FILES))
    cache = DigestCache(tmp_path / "digests")
    first, read = lay(code, cache)
    assert read == sum(map(len, FILES.values()))
    assert lay(code, cache) == (first, 0)


def test_one_changed_file_is_read_alone(tmp_path: Path) -> None:
    """Even where its size and mtime are what they were."""
    code = settled(write_files(tmp_path / "code", FILES))
    cache = DigestCache(tmp_path / "digests")
    before, _ = lay(code, cache)
    status = (code / "a.txt").stat()
    (code / "a.txt").write_bytes(b"ALPHA")
    os.utime(code / "a.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    after, read = lay(code, cache)
    assert read == 5
    assert after.digest != before.digest


def test_removed_files_are_forgotten(tmp_path: Path) -> None:
    """A file that comes back is read again."""
    code = settled(write_files(tmp_path / "code", FILES))
    cache = DigestCache(tmp_path / "digests")
    lay(code, cache)
    (code / "a.txt").rename(tmp_path / "a.txt")
    lay(code, cache)
    (tmp_path / "a.txt").rename(code / "a.txt")
    assert lay(code, cache)[1] == 5


def test_files_written_in_the_same_moment_are_read_again(tmp_path: Path) -> None:
    """A clock's grain hides a second write in it, so such digests are not kept (as in Git)."""
    code = write_files(tmp_path / "code", {"a.txt": b"first"})
    cache = DigestCache(tmp_path / "digests")
    (file,) = gather({}, manifest_of(code)).found
    known = FileFacts({file.file: digests.of_bytes(b"first")}, {})
    for after, kept in ((0.05, FileFacts({}, {})), (0.15, known)):
        made_at = file.stamp.ctime_ns + int(after * 1e9)
        cache.keep(DigestCache().plan("tree", [file])._replace(made_at=made_at), known)
        assert cache.plan("tree", [file]).known == kept


def test_a_broken_cache_is_as_good_as_none(tmp_path: Path) -> None:
    """Rubbish in its place is replaced, a place that can't be written is passed over."""
    code = settled(write_files(tmp_path / "code", FILES))
    expected, _ = lay(code, DigestCache())
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"not a database" * 1000)
    for _ in range(2):
        assert lay(code, DigestCache(rubbish))[0] == expected
    assert lay(code, DigestCache(rubbish))[1] == 0
    assert lay(code, DigestCache(Path("/proc/nowhere/digests")))[0] == expected


@pytest.mark.parametrize(
    "damage",
    [
        "update kept set value = null",
        "update kept set value = 'text'",
        "update kept set sum = null",
        "update kept set value = x'00'",
        "update kept set name = 'another', value = zeroblob(9)",
    ],
)
def test_a_damaged_row_is_as_good_as_none(tmp_path: Path, damage: str) -> None:
    """What is not what was kept is read anew."""
    code = settled(write_files(tmp_path / "code", FILES))
    cache = DigestCache(tmp_path / "digests")
    expected, size = lay(code, cache)
    with closing(sqlite3.connect(tmp_path / "digests")) as database, database:
        database.execute(damage)
    assert lay(code, cache) == (expected, size)
    assert lay(code, cache) == (expected, 0)


def test_a_damaged_file_gives_no_wrong_digest(tmp_path: Path) -> None:
    """A disk that was full, or lies: bits that flipped, an end that is missing, a page of zeros."""
    code = settled(write_files(tmp_path / "code", {f"f{n}": b"%d" % n for n in range(300)}))
    path = tmp_path / "digests"
    expected, _ = lay(code, DigestCache(path))
    DigestCache(path).keep_zip_sha256(expected.digest, "right")
    whole = path.read_bytes()
    chance = random.Random(5)
    for _ in range(60):
        damaged = bytearray(whole)
        at = chance.randrange(len(whole))
        match chance.randrange(3):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                del damaged[at:]
            case _:
                damaged[at : at + 512] = bytes(512)
        path.write_bytes(damaged)
        assert lay(code, DigestCache(path))[0] == expected
        assert DigestCache(path).zip_sha256(expected.digest) in (None, "right")


def test_paths_need_not_be_text(tmp_path: Path) -> None:
    """Names on POSIX are bytes, those of the folders above the manifest, too."""
    code = settled(write_files(tmp_path / "caf\udce9" / "code", FILES))
    cache = DigestCache(tmp_path / "digests")
    expected, _ = lay(code, cache)
    assert lay(code, cache) == (expected, 0)


def test_a_cache_that_others_hold_costs_no_long_wait(tmp_path: Path) -> None:
    """It counts as empty then."""
    code = settled(write_files(tmp_path / "code", FILES))
    expected, size = lay(code, DigestCache(tmp_path / "digests"))
    with closing(sqlite3.connect(tmp_path / "digests", isolation_level=None)) as database:
        database.execute("begin exclusive")
        assert lay(code, DigestCache(tmp_path / "digests")) == (expected, size)


@pytest.mark.parametrize("odd", [{"mtime_ns": -(1 << 64)}, {"inode": 1 << 64}])
def test_stamps_out_of_range_are_not_kept(tmp_path: Path, odd: dict[str, int]) -> None:
    """Nanoseconds since 1970 go back to 1677 in 64 bits, and Windows has inodes of 128."""
    code = settled(write_files(tmp_path / "code", FILES))
    (file, *_) = gather({}, manifest_of(code)).found
    old = file._replace(stamp=file.stamp._replace(**odd))
    cache = DigestCache(tmp_path / "digests")
    facts = FileFacts({old.file: digests.of_bytes(b"")}, {})
    cache.keep(cache.plan("tree", [old]), facts)
    plan = cache.plan("tree", [old])
    assert (plan.known, plan.small) == (FileFacts({}, {}), [old])


def test_verifying_names_a_wrong_sum_of_a_zip(tmp_path: Path) -> None:
    """And mends it."""
    path = tmp_path / "digests"
    DigestCache(path).keep_zip_sha256("tree", "wrong")
    DigestCache(path, verify=True).keep_zip_sha256("other", "right")
    with pytest.raises(ArtifactError, match="a digest of the zip of tree tree that is not"):
        DigestCache(path, verify=True).keep_zip_sha256("tree", "right")
    assert DigestCache(path).zip_sha256("tree") == "right"


def test_verifying_names_what_the_cache_has_wrong(tmp_path: Path) -> None:
    """And mends it."""
    code = settled(write_files(tmp_path / "code", FILES))
    cache = DigestCache(tmp_path / "digests")
    expected, _ = lay(code, cache)
    lay(code, DigestCache(tmp_path / "digests", verify=True))
    files = gather({}, manifest_of(code)).found
    plan = DigestCache().plan(str(code / "clarifai.yaml"), files)
    facts = plan.read()
    facts.digests[str(code / "a.txt")] = digests.of_bytes(b"another")
    cache.keep(plan, facts)
    with pytest.raises(ArtifactError, match=r"a digest of .*a\.txt that is not"):
        lay(code, DigestCache(tmp_path / "digests", verify=True))
    assert lay(code, cache) == (expected, 0)


TOKEN = b"key = 'new_" + b"7" * 16 + b"'"
NEWER = RULES._replace(
    tokens=(*RULES.tokens, TokenPattern("a new token", ("new_",), r"new_[0-9]{16}"))
)


REFUSED = "secret: settings.py holds a new token, and anyone can read an artifact"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder in which newer rules find a token, and older ones nothing."""
    return settled(write_files(tmp_path / "code", {**FILES, "settings.py": TOKEN}))


def test_what_older_rules_passed_is_refused_by_newer_ones(code: Path, tmp_path: Path) -> None:
    """From a cache that holds its digest; then nothing is read to refuse it again."""
    older = DigestCache(tmp_path / "digests")
    newer = older._replace(rules=NEWER)
    expected, size = lay(code, older)
    assert refusal(code, newer) == (REFUSED, size)
    assert refusal(code, newer) == (REFUSED, 0)
    assert lay(code, newer, "settings.py") == (expected, 0)


def test_newer_rules_read_small_files_once_and_large_ones_never(tmp_path: Path) -> None:
    """Nothing is looked for in large files, whose digests hold."""
    code = settled(write_files(tmp_path / "code", {**FILES, "large": bytes(RULES.largest + 1)}))
    cache = DigestCache(tmp_path / "digests")
    expected, _ = lay(code, cache)
    newer = cache._replace(rules=NEWER)
    assert lay(code, newer) == (expected, sum(map(len, FILES.values())))
    assert lay(code, newer) == (expected, 0)


def test_an_exemption_that_is_withdrawn_needs_no_second_scan(code: Path, tmp_path: Path) -> None:
    """What was found is kept, whatever the manifest allowed."""
    cache = DigestCache(tmp_path / "digests", rules=NEWER)
    expected, _ = lay(code, cache, "settings.py")
    assert refusal(code, cache) == (REFUSED, 0)
    assert lay(code, cache, "settings.py") == (expected, 0)


def test_a_damaged_row_hides_no_secret(code: Path, tmp_path: Path) -> None:
    """Even where the damage makes it say that nothing was found: the row is made anew."""
    cache = DigestCache(tmp_path / "digests", rules=NEWER)
    _, size = lay(code, cache, "settings.py")
    with closing(sqlite3.connect(tmp_path / "digests")) as database, database:
        (value,) = database.execute("select value from kept").fetchone()
        assert b"a new token" in value
        database.execute("update kept set value = ?", (value.replace(b"a new", b"no new"),))
    assert refusal(code, cache) == (REFUSED, size)
    assert refusal(code, cache) == (REFUSED, 0)


def test_a_tree_that_is_unchanged_takes_one_query(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row tells digests and findings alike, and is written when files were read only."""
    statements: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.set_trace_callback(lambda sql: statements.append(sql.split()[0].lower()))

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Traced))
    cache = DigestCache(tmp_path / "digests", rules=NEWER)
    lay(code, cache, "settings.py")
    assert [word for word in statements if word in ("select", "insert")] == ["select", "insert"]
    statements.clear()
    lay(code, cache, "settings.py")
    assert statements == ["create", "select"]


def test_many_processes_share_it(tmp_path: Path) -> None:
    """Builds side by side, some of them killed, leave a cache that is right."""
    code = settled(write_files(tmp_path / "code", {f"f{n}": b"%d" % n for n in range(300)}))
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from clarifai_build.digests.cache import DigestCache\n"
        "from clarifai_build.artifact.tree import make_tree\n"
        "from support.trees import manifest_of\n"
        "for _ in range(5):\n    print(make_tree({}, manifest_of(Path(sys.argv[1])), "
        "cache=DigestCache(Path(sys.argv[2]))).digest, flush=True)\n"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(code), str(tmp_path / "digests")]
    running = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    killed, *others = running
    assert killed.stdout
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    expected = lay(code, DigestCache())[0].digest
    for process in others:
        output, _ = process.communicate()
        assert output.split() == [expected] * 5
    tree, read = lay(code, DigestCache(tmp_path / "digests"))
    assert (tree.digest, read) == (expected, 0)


def test_a_file_is_named_by_its_format() -> None:
    """Older tools keep a file of their own in the same folder."""
    environ = {"XDG_CACHE_HOME": "/cache"}
    assert digests_file(environ) == Path("/cache/clarifai-build/digests-4.sqlite")
