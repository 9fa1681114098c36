"""The digests of a tree as one value of the cache: what is still known, whatever changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.digests.cache_format import DigestColumns
from clarifai_build.digests.files import Digest
from clarifai_build.source.source_file import FileStat

PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
SIGNED = st.integers(-(1 << 63), (1 << 63) - 1)
STAMPS = st.builds(FileStat, SIGNED, SIGNED, SIGNED, st.integers(0, (1 << 64) - 1))
CHUNKS = st.lists(st.integers(0, (1 << 32) - 1), max_size=3).map(tuple)
SHA256S = st.binary(min_size=32, max_size=32).map(bytes.hex)
FILES = st.dictionaries(PATHS, st.tuples(STAMPS, st.builds(Digest, SHA256S, CHUNKS)), max_size=8)


@given(FILES, st.data())
def test_what_has_its_stamp_is_known(
    files: dict[str, tuple[FileStat, Digest]], data: st.DataObject
) -> None:
    stamps = {path: stamp for path, (stamp, _) in files.items()}
    known = {path: digest for path, (_, digest) in files.items()}
    kept = DigestColumns.unpack(DigestColumns.of(stamps, known).pack())
    assert kept.still_known(stamps) == known

    order = data.draw(st.permutations(list(stamps)))
    gone = data.draw(st.sets(st.sampled_from(order))) if order else set()
    changed = data.draw(st.dictionaries(PATHS, STAMPS, max_size=3))
    now = {path: stamps[path] for path in order if path not in gone} | changed
    assert kept.still_known(now) == {p: known[p] for p in now if stamps.get(p) == now[p]}


@pytest.mark.parametrize("odd", [FileStat(1, 1 << 63, 3, 4), FileStat(1, 2, 3, 1 << 64)])
def test_a_stamp_that_can_not_be_kept_is_unknown(odd: FileStat) -> None:
    """And takes nothing from the others."""
    stamp, digest = FileStat(1, 2, 3, 4), Digest("00" * 32, (5,))
    kept = DigestColumns.of({"a": stamp}, {"a": digest})
    assert kept.still_known({"a": stamp, "b": odd}) == {"a": digest}
