"""What a plan has read, and that both ways of reading it come to the same."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clarifai_build.artifact.layout import gather
from clarifai_build.digests import files as digests
from clarifai_build.digests.cache import DigestCache
from clarifai_build.digests.files import FileFacts
from clarifai_build.progress import Event
from clarifai_build.source.content_checks import RULES
from clarifai_build.source.source_file import SourceFile
from support.trees import manifest_of, write_files

SMALL = {"a.txt": b"alpha", "empty": b"", "just.bin": b"s" * RULES.largest}
LARGE = {"large.bin": b"l" * (RULES.largest + 1)}
TOKEN = b"hf_" + b"aB" * 17


@pytest.fixture
def found(tmp_path: Path) -> list[SourceFile]:
    """Small and large files, whose digests may be kept."""
    folder = write_files(tmp_path / "code", {**SMALL, **LARGE, "token": TOKEN})
    time.sleep(0.15)  # ctime can't be set
    return gather({}, manifest_of(folder)).found


def names(files: list[SourceFile]) -> set[str]:
    """Return the paths of files, of which there is each once."""
    paths = [file.path for file in files]
    assert len(set(paths)) == len(paths)
    return set(paths)


def test_files_that_a_scan_looks_into_stand_apart(found: list[SourceFile]) -> None:
    """Up to its bound, which is one of the rules; each file once, however often it is laid."""
    plan = DigestCache().plan("tree", [*found, *found])
    assert (names(plan.small), names(plan.large)) == ({*SMALL, "token"}, LARGE.keys())
    assert plan.large_size == RULES.largest + 1
    lower = DigestCache(rules=RULES._replace(largest=5)).plan("tree", found)
    assert names(lower.small) == {"a.txt", "empty"}


def test_large_files_may_be_read_apart(found: list[SourceFile]) -> None:
    """All that is known in the end is what reading all at once tells."""
    plan = DigestCache().plan("tree", found)
    apart = plan.read_small().updated(digests.of_files(plan.large))
    assert apart == plan.read()
    assert apart.digests == {f.file: digests.of_bytes(Path(f.file).read_bytes()) for f in found}
    (finding,) = apart.findings.items()
    assert (Path(finding[0]).name, finding[1]) == ("token", "a Hugging Face token")


def test_what_was_kept_is_not_planned_again(found: list[SourceFile], tmp_path: Path) -> None:
    """A plan that has nothing to read reads nothing; to verify, all is planned."""
    cache = DigestCache(tmp_path / "digests")
    facts = cache.of_files("tree", found)
    plan = cache.plan("tree", found)
    events: list[Event] = []
    assert plan.is_done
    assert plan.read(events.append) == facts
    assert events == []
    again = cache._replace(verify=True).plan("tree", found)
    assert (again.known, len(again.small), len(again.large)) == (facts, 4, 1)


def test_a_file_that_fails_costs_the_others_nothing(
    found: list[SourceFile], tmp_path: Path
) -> None:
    """Their digests are kept, and the next plan has that file alone."""
    cache = DigestCache(tmp_path / "digests")
    place = next(Path(file.file) for file in found if file.path == "a.txt")
    place.rename(tmp_path / "aside")
    facts = cache.of_files("tree", found)
    assert [(p.code, p.file) for p in facts.problems] == [("vanished", str(place))]
    assert str(place) not in facts.digests
    assert names(cache.plan("tree", found).small) == {"a.txt"}


def test_newer_facts_replace_what_was_found_before() -> None:
    """A file that is clean now has no finding left; what is not among them stays."""
    digest = digests.of_bytes(b"")
    known = FileFacts({"a": digest, "b": digest}, {"a": "a token", "b": "a token"})
    fresh = FileFacts({"a": digests.of_bytes(b"x")}, {})
    expected = FileFacts({"a": digests.of_bytes(b"x"), "b": digest}, {"b": "a token"})
    assert known.updated(fresh) == expected
