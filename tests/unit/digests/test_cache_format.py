"""The digests of a tree as one value of the cache: what is still known, whatever changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.digests.cache_format import DigestColumns
from clarifai_build.digests.files import Digest, FileFacts
from clarifai_build.source.content_checks import NO_RULES, RULES
from clarifai_build.source.source_file import FileStat

PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
SIGNED = st.integers(-(1 << 63), (1 << 63) - 1)
STAMPS = st.builds(FileStat, SIGNED, SIGNED, SIGNED, st.integers(0, (1 << 64) - 1))
CHUNKS = st.lists(st.integers(0, (1 << 32) - 1), max_size=3).map(tuple)
SHA256S = st.binary(min_size=32, max_size=32).map(bytes.hex)
DIGESTS = st.builds(Digest, SHA256S, CHUNKS)
FINDINGS = st.sampled_from(["", "", "a token", "ein Schlüssel"])
FILES = st.dictionaries(PATHS, st.tuples(STAMPS, DIGESTS, FINDINGS), max_size=8)


def facts_of(files: dict[str, tuple[FileStat, Digest, str]]) -> FileFacts:
    """Return what is known of files."""
    digests = {path: digest for path, (_, digest, _) in files.items()}
    return FileFacts(digests, {path: what for path, (_, _, what) in files.items() if what})


@given(FILES, st.data())
def test_what_has_its_stamp_is_known(
    files: dict[str, tuple[FileStat, Digest, str]], data: st.DataObject
) -> None:
    """Its digest, and what was found in it."""
    stamps = {path: stamp for path, (stamp, _, _) in files.items()}
    kept = DigestColumns.unpack(DigestColumns.of(stamps, facts_of(files), RULES).pack())
    assert kept.still_known(stamps, RULES) == facts_of(files)

    order = data.draw(st.permutations(list(stamps)))
    gone = data.draw(st.sets(st.sampled_from(order))) if order else set()
    changed = data.draw(st.dictionaries(PATHS, STAMPS, max_size=3))
    now = {path: stamps[path] for path in order if path not in gone} | changed
    same = {path: files[path] for path in now if stamps.get(path) == now[path]}
    assert kept.still_known(now, RULES) == facts_of(same)


@given(FILES, st.integers(0, 1 << 64))
def test_by_other_rules_only_what_they_do_not_look_into_is_known(
    files: dict[str, tuple[FileStat, Digest, str]], largest: int
) -> None:
    """Files that are larger than what is looked into keep their digests, and have no findings."""
    stamps = {path: stamp for path, (stamp, _, _) in files.items()}
    facts = facts_of(files)
    kept = DigestColumns.unpack(DigestColumns.of(stamps, facts, RULES).pack())
    large = {path: d for path, d in facts.digests.items() if stamps[path].size > largest}
    other = NO_RULES._replace(largest=largest)
    assert kept.still_known(stamps, other) == FileFacts(large, {})


@pytest.mark.parametrize("odd", [FileStat(1, 1 << 63, 3, 4), FileStat(1, 2, 3, 1 << 64)])
def test_a_stamp_that_can_not_be_kept_is_unknown(odd: FileStat) -> None:
    """And takes nothing from the others."""
    stamp, digest = FileStat(1, 2, 3, 4), Digest("00" * 32, (5,))
    facts = FileFacts({"a": digest}, {"a": "a token"})
    kept = DigestColumns.of({"a": stamp}, facts, RULES)
    assert kept.still_known({"a": stamp, "b": odd}, RULES) == facts
