"""Files that are held in memory to be read: what a scan finds in them, and what is wrong."""

from __future__ import annotations

from clarifai_build.errors import Problem, SourceError
from clarifai_build.source.content_checks import NO_RULES, ContentRules
from clarifai_build.source.source_file import SourceFile, read_whole, unreadable


class ContentReader:
    """Reads files whole, scans the small ones by `rules`, and gathers findings and problems."""

    def __init__(self, rules: ContentRules = NO_RULES) -> None:
        self.rules = rules
        self.findings: dict[str, str] = {}
        self.problems: list[Problem] = []

    def content(self, found: SourceFile) -> bytes | None:
        """Return a file's content; where there is none, that is a problem among the others."""
        try:
            content = read_whole(found)
        except SourceError as exc:
            self.problems += exc.problems
        except OSError as exc:
            self.problems.append(unreadable(found.file, exc))
        else:
            if len(content) <= self.rules.largest and (what := self.rules.finding(content)):
                self.findings[found.file] = what
            return content
        return None
