"""Claims on artifacts, and removals that announce themselves."""

from __future__ import annotations

import hashlib

import pytest

from clarifai_build.errors import StorageError
from clarifai_build.storage import claims
from clarifai_build.storage.keys import Claim, artifact_folder, claim_in, claim_key, is_removal
from support.fakes import MemoryStore

FOLDER = "models/" + "a" * 64 + "/"
ZIP = FOLDER + "lines.zip"
REMOVAL = FOLDER + "being-removed"


def test_a_claim_is_read_back_from_its_key() -> None:
    """Scope and model are told apart, wherever the artifact lies."""
    claim = Claim("me/main", "lines")
    key = claim_key(artifact_folder(ZIP), claim)
    assert key == FOLDER + "used-by/me/main/lines"
    assert claim_in(key) == claim
    assert claim_in("used-by/x/" + key) == claim


@pytest.mark.parametrize(
    "key",
    [ZIP, REMOVAL, FOLDER + "used-by/", FOLDER + "used-by/lines", FOLDER + "used-by/me/main/"],
)
def test_other_objects_are_no_claims(key: str) -> None:
    """Nor is a claim without a scope, or of no model."""
    assert claim_in(key) is None


@pytest.mark.parametrize(
    ("key", "removal"),
    [(REMOVAL, True), (ZIP, False), (REMOVAL + "/x", False), ("xbeing-removed", False)],
)
def test_an_announcement_is_told_by_its_key(key: str, removal: bool) -> None:
    """And nothing else is taken for one."""
    assert is_removal(key) is removal


def test_a_claim_is_laid_before_a_removal_is_looked_for() -> None:
    """Whichever comes first, one of the two sees the other."""
    store = MemoryStore()
    assert claims.announce_removal(store, FOLDER)
    store.calls.names.clear()
    with pytest.raises(StorageError, match="being removed") as raised:
        claims.lay_claim(store, ZIP, "me/main", "lines")
    assert raised.value.problems[0].code == "artifact-being-removed"
    assert store.calls.names == ["write", "get"]
    assert {key for key in store.objects if claim_in(key)} == {FOLDER + "used-by/me/main/lines"}
    assert REMOVAL in store.objects


@pytest.mark.parametrize(("age", "dead"), [(599.0, False), (600.0, True)])
def test_a_removal_that_is_long_silent_is_dead(age: float, dead: bool) -> None:
    """Then a claim clears it away, and another removal takes it over; before, neither does."""
    store = MemoryStore()
    assert claims.announce_removal(store, FOLDER)
    store.ages[REMOVAL] = age
    assert claims.announce_removal(store, FOLDER) is dead
    store.ages[REMOVAL] = age
    if dead:
        claims.lay_claim(store, ZIP, "me/main", "lines")
    else:
        with pytest.raises(StorageError):
            claims.lay_claim(store, ZIP, "me/main", "lines")
    assert (REMOVAL in store.objects) is not dead


def test_of_two_that_take_over_a_dead_removal_one_does() -> None:
    """The other finds what the first has written."""
    store = MemoryStore()
    assert claims.announce_removal(store, FOLDER)
    store.ages[REMOVAL] = claims.REMOVAL_SECONDS
    real = store.get

    def raced(key: str) -> object:
        found = real(key)
        store.put(REMOVAL, b"", {})
        return found

    store.get = raced  # type: ignore[method-assign, assignment]  # another is quicker
    assert not claims.announce_removal(store, FOLDER)


class ContentTaggedStore(MemoryStore):
    """A bucket whose ETags are the MD5 of the content, as on S3 and most other stores."""

    def put(self, key: str, body: bytes, metadata: dict[str, str]) -> str:
        """Put an object; the same content has the same ETag."""
        super().put(key, body, metadata)
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self.objects[key] = (body, etag, metadata)
        return etag


def test_one_takes_over_where_etags_follow_from_the_content() -> None:
    """Of two that saw the same dead removal, the second is refused: its ETag is another by then."""
    store = ContentTaggedStore()
    assert claims.announce_removal(store, FOLDER)
    store.ages[REMOVAL] = claims.REMOVAL_SECONDS
    seen = store.get(REMOVAL)
    assert claims.announce_removal(store, FOLDER)
    store.get = lambda _key: seen  # type: ignore[method-assign]  # read before the first took over
    assert not claims.announce_removal(store, FOLDER)


def test_a_new_removal_is_not_taken_for_the_dead_one_before_it() -> None:
    """A claim cleared that one away, and another was announced, between a look and a takeover."""
    store = ContentTaggedStore()
    assert claims.announce_removal(store, FOLDER)
    store.ages[REMOVAL] = claims.REMOVAL_SECONDS
    seen = store.get(REMOVAL)
    claims.lay_claim(store, ZIP, "me/main", "lines")
    assert claims.announce_removal(store, FOLDER)
    store.get = lambda _key: seen  # type: ignore[method-assign]  # read before all that
    assert not claims.announce_removal(store, FOLDER)


def test_a_removal_that_ends_meanwhile_counts_as_under_way() -> None:
    """Who was refused does not try again by itself: what was judged may have changed."""
    store = MemoryStore()
    store.put_if = lambda *_: None  # type: ignore[method-assign]  # it is there now, and then not
    assert not claims.announce_removal(store, FOLDER)


def test_the_end_of_a_removal_takes_its_announcement_alone() -> None:
    """What lies beside it stays."""
    store = MemoryStore()
    store.put(ZIP, b"zip", {})
    assert claims.announce_removal(store, FOLDER)
    claims.end_removal(store, FOLDER)
    assert list(store.objects) == [ZIP]
