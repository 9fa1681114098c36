"""What can be wrong, as values: a `Problem` names the place and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

Severity = Literal["error", "warning"]


class Problem(NamedTuple):
    """One finding.

    `code` is stable and documented in docs/reference/problems.md. `line` and `column` count from 1;
    `length` is how many characters the finding covers on its line.
    """

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    length: int = 1
    hint: str | None = None
    severity: Severity = "error"


MOST_TOLD = 100
"""Problems of one file that are told; those beyond are only counted."""


def untold(code: str, file: str, severity: Severity = "error") -> Problem:
    """Return a problem that is only to be counted, beyond those of its file that are told."""
    return Problem(code, "", file, severity=severity)


def cannot_read(file: object, why: OSError | str, *, hint: str | None = None) -> Problem:
    """Return what to say of a file or folder that can't be read."""
    return Problem("unreadable", f"{file} can't be read: {_reason(why)}", str(file), hint=hint)


def cannot_write(file: object, why: OSError, *, kind: str = "", hint: str | None = None) -> Problem:
    """Return what to say of a file or folder that can't be written."""
    message = f"{kind} {file} can't be written: {_reason(why)}".lstrip()
    return Problem("unwritable", message, str(file), hint=hint)


def _reason(why: OSError | str) -> str:
    return why if isinstance(why, str) else why.strerror or str(why)


class BuilderError(Exception):
    """Base of every error a user can cause or meet; carries the problems it consists of."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))

    @classmethod
    def of(
        cls, code: str, message: str, *, hint: str | None = None, file: str | None = None
    ) -> Self:
        """Make an error of this class from a single problem."""
        return cls(Problem(code, message, file=file, hint=hint))


def in_one_line(error: BuilderError) -> str:
    """Return what went wrong, and the ways out."""
    return "; ".join(": ".join(filter(None, (p.message, p.hint))) for p in error.problems)


class ManifestError(BuilderError):
    """The manifest, or something that it names, is invalid."""

    exit_code = 3


class SourceError(ManifestError):
    """The user's files can't be packed as they are."""


class ArtifactError(BuilderError):
    """The artifact can't be written or read."""


class NotAuthorisedError(BuilderError):
    """Credentials are missing, refused, or do not reach far enough."""

    exit_code = 4


class StorageError(BuilderError):
    """The object store failed or refused."""

    exit_code = 5


class ConditionalWritesUnsupportedError(StorageError):
    """The object store refuses a write because it carries a condition."""


class NotPublicError(StorageError):
    """An anonymous client can't read an object that it should."""


class RegistryError(BuilderError):
    """The Clarifai API failed or refused."""

    exit_code = 5


class BuildFailedError(BuilderError):
    """The platform could not build the version."""


class SandboxError(BuilderError):
    """The local engines can't be installed, started or reached."""


class LeaseHeldError(BuilderError):
    """Another apply of the same model is under way."""

    exit_code = 6


class StalePlanError(BuilderError):
    """What a saved plan was made from has moved since."""

    exit_code = 7


class UsageError(BuilderError):
    """The command line makes no sense."""

    exit_code = 64
