"""The platform's log of a build, page by page, as lines that were not seen before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from clarifai_grpc.grpc.api import service_pb2

from clarifai_build.registry.channel import Channel

# What the official client asks for.
_PAGE = 50
BUILDER = "builder"


class PagedBuildLog:
    """Reads on where it stopped. An entry is known by its URL, as two pages may repeat it."""

    def __init__(self, channel: Channel, model_id: str, version_id: str) -> None:
        self._channel = channel
        self._model_id, self._version_id = model_id, version_id
        self._page = 1
        self._seen: set[object] = set()

    def new_lines(self) -> Iterator[str]:
        """Yield the lines that came since the last call."""
        while True:
            entries = self._entries()
            fresh = [
                (key, entry)
                for key, entry in ((_key(place, one), one) for place, one in enumerate(entries))
                if key not in self._seen
            ]
            for key, entry in fresh:
                self._seen.add(key)
                yield from entry.message.splitlines()
            # A full page that only repeats others would be read for ever.
            if len(entries) < _PAGE or not fresh:
                return
            self._page += 1

    def _entries(self) -> Sequence[Any]:
        request = service_pb2.ListLogEntriesRequest(
            user_app_id=self._channel.user_app_id,
            log_type=BUILDER,
            model_id=self._model_id,
            model_version_id=self._version_id,
            page=self._page,
            per_page=_PAGE,
        )
        return self._channel.call("ListLogEntries", request).log_entries  # type: ignore[no-any-return]  # untyped stubs


def _key(place: int, entry: Any) -> object:
    return entry.url or (place, entry.message)
