"""What is on record of a weight that somebody has read whole and found to be what it should be.

Where the object at a place still has the ETag on record, its size and CRC-32s are known without
reading it, and it can be copied from. What a record says of content is proven by nothing in it: the
store compares the CRC-32s when a copy is completed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from clarifai_build.digests.known import KnownContent, format_chunks, parse_content
from clarifai_build.util.canonical_json import canonical_json
from clarifai_build.util.small_files import MIB, parse_json

FORMAT = 1

MAX_BYTES = 2 * MIB
"""More than the record of the largest object that S3 takes has."""

WORTH_BYTES = 5 * MIB
"""Smaller weights have no record: to read one takes no longer than to ask, and S3 copies no part of
an object that is smaller."""

MOST_PLACES = 8
"""The newest ones: who asks needs one that still holds, and each is a request."""


class Place(NamedTuple):
    """An object of the store in which the record lies, in the state in which it was read.

    `etag` is without quotes; `version` is empty where the bucket keeps no versions.
    """

    bucket: str
    key: str
    etag: str
    version: str = ""


class WeightRecord(NamedTuple):
    """A weight, and the objects that it was found in, the newest first."""

    content: KnownContent
    places: tuple[Place, ...]

    def at(self, place: Place) -> WeightRecord:
        """Return the record with this place first, in place of an older state of that object."""
        others = [other for other in self.places if other[:2] != place[:2]]
        return self._replace(places=(place, *others)[:MOST_PLACES])

    def format(self) -> bytes:
        """Write it as JSON; equal records have equal bytes."""
        sha256, size, chunks = self.content
        places = [place._asdict() for place in self.places]
        value = {"format": FORMAT, "sha256": sha256, "size": size, "places": places}
        return canonical_json({**value, "chunks": format_chunks(chunks)}).encode() + b"\n"


def parse_record(body: bytes, sha256: str) -> WeightRecord | None:
    """Read the record of a weight; None for one that is damaged, too large or of another weight."""
    if len(body) > MAX_BYTES:
        return None
    try:
        value = parse_json(body)
        content = parse_content(value["sha256"], value["size"], value["chunks"])
        places = tuple(_places(value["places"]))
        known = value["format"] == FORMAT and content.sha256 == sha256
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return WeightRecord(content, places) if known and places else None


def _places(value: Any) -> Iterator[Place]:
    for one in value[:MOST_PLACES]:
        place = Place(one["bucket"], one["key"], one["etag"], one.get("version", ""))
        # They become parts of requests.
        if all(map(_is_word, place)) and all(place[:3]):
            yield place


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()
