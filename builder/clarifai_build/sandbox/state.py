"""The sandbox's folder: what survives between runs, and who is running now."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.engines import seaweedfs
from clarifai_build.sandbox.engines.file_locks import is_claimed, writing
from clarifai_build.sandbox.engines.processes import free_ports, is_free
from clarifai_build.util.atomic_file import fresh_mark, partial_path, remove_abandoned
from clarifai_build.util.small_files import MIB, read_small_json

PORT_NAMES = ("api", "triton", *seaweedfs.PORT_NAMES)
USER_ID = "sandbox-user"
APP_ID = "sandbox-app"
_MAX_BYTES = MIB


@dataclass(frozen=True, slots=True)
class Settings:
    """Ports and secrets, kept so that stored URLs and exported variables stay valid."""

    ports: dict[str, int]
    access_key: str
    secret_key: str = field(repr=False)
    pat: str = field(repr=False)

    @property
    def keys(self) -> seaweedfs.Keys:
        return seaweedfs.Keys(self.access_key, self.secret_key)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of one sandbox lies."""

    root: Path

    @property
    def settings_file(self) -> Path:
        return self.root / "state.json"

    @property
    def phase_file(self) -> Path:
        return self.root / "phase.json"

    @property
    def lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def starting_lock(self) -> Path:
        return self.root / "starting.lock"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def models(self) -> Path:
        """The model repository that Triton serves."""
        return self.data / "models"

    @property
    def triton(self) -> Path:
        """Triton's scratch folder."""
        return self.root / "triton"

    @property
    def database(self) -> Path:
        return self.data / "api.sqlite"

    def cwd(self, name: str) -> Path:
        """Return the folder in which one of the sandbox's own programs starts."""
        return self.root / "cwd" / name

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def create(self) -> None:
        """Make the folder, readable by its owner alone: it holds secrets."""
        with writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.log("x").parent.mkdir(exist_ok=True)
            self.data.mkdir(exist_ok=True)
        remove_abandoned(self.root)

    def is_running(self) -> bool:
        """Return whether a supervisor lives. What it left behind when killed does not count."""
        return is_claimed(self.lock)

    def settings(self) -> Settings | None:
        """Return what an earlier run settled on, or None before the first."""
        if not self.settings_file.exists():
            return None
        try:
            return Settings(**read_small_json(self.settings_file, _MAX_BYTES))
        except (OSError, ValueError, TypeError) as error:
            raise self._broken(self.settings_file, error) from error

    def _broken(self, file: Path, error: Exception) -> SandboxError:
        return SandboxError.of(
            "sandbox-state-broken",
            f"{file} can't be read: {error}",
            hint=f"remove {self.root} to start afresh",
        )

    def settle(self) -> Settings:
        """Return settings to start with: those of the last run, with ports that are free now."""
        known = self.settings()
        if known is None:
            known = Settings(
                ports={},
                access_key="sandbox" + secrets.token_hex(4),
                secret_key=secrets.token_hex(16),
                # The form of a real PAT, 32 hex digits, so that it is masked like one.
                pat=secrets.token_hex(16),
            )
        settings = replace(known, ports=_usable(known.ports))
        _write(self.settings_file, asdict(settings))
        return settings

    def set_phase(self, name: str, message: str = "") -> None:
        """Publish how far the supervisor has come, for the commands that wait for it."""
        _write(self.phase_file, {"phase": name, "message": message, "pid": os.getpid()})

    def phase(self) -> Phase:
        """Return how far the supervisor had come."""
        try:
            return Phase(**read_small_json(self.phase_file, _MAX_BYTES))
        except (FileNotFoundError, NotADirectoryError):
            return Phase("stopped", "", 0)
        except (OSError, ValueError, TypeError) as error:
            raise self._broken(self.phase_file, error) from error


@dataclass(frozen=True, slots=True)
class Phase:
    """starting, ready, failed or stopped; the supervisor's process id; what it says."""

    phase: str
    message: str
    pid: int


def _usable(ports: Mapping[str, int]) -> dict[str, int]:
    kept = {name: port for name, port in ports.items() if name in PORT_NAMES and is_free(port)}
    missing = [name for name in PORT_NAMES if name not in kept]
    return kept | dict(zip(missing, free_ports(len(missing)), strict=True))


def _write(path: Path, value: object) -> None:
    """Replace the file whole, readable by its owner alone."""
    temporary = partial_path(path, fresh_mark())
    with writing(path):
        # Created with its mode: a chmod afterwards would leave a moment to read the secrets.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2, sort_keys=True)
        temporary.replace(path)
