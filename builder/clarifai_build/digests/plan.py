"""Which files have to be read for the digests of a tree, before it is decided how."""

from __future__ import annotations

from typing import NamedTuple

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests.files import FileFacts, of_files
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.source.content_checks import ContentRules
from clarifai_build.source.source_file import FileStat, SourceFile


class DigestPlan(NamedTuple):
    """What is known of a tree's files, and those that have to be read, each once.

    A scan looks into the `small` ones by `rules`. Of the `large` ones nothing but digests is
    wanted, which can as well be taken while they are packed. `made_at` is before any is read.
    """

    tree: str
    stamps: dict[str, FileStat]
    rules: ContentRules
    known: FileFacts
    small: list[SourceFile]
    large: list[SourceFile]
    made_at: int

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be read."""
        return not (self.small or self.large)

    @property
    def large_size(self) -> int:
        """How many bytes the large files have."""
        return sum(file.stamp.size for file in self.large)

    def read(
        self, progress: ProgressCallback = no_progress, *, cancel: CancelToken = NEVER
    ) -> FileFacts:
        """Read all that is not known."""
        return self._with([*self.small, *self.large], progress, cancel)

    def read_small(self, *, cancel: CancelToken = NEVER) -> FileFacts:
        """Read the small files alone."""
        return self._with(self.small, no_progress, cancel)

    def read_large(
        self, progress: ProgressCallback = no_progress, *, cancel: CancelToken = NEVER
    ) -> FileFacts:
        """Read the large files alone."""
        return self._with(self.large, progress, cancel)

    def _with(
        self, unread: list[SourceFile], progress: ProgressCallback, cancel: CancelToken
    ) -> FileFacts:
        if not unread:
            return self.known
        read = of_files(unread, progress, self.rules, cancel=cancel)
        return self.known.updated(read)
