"""Commands as functions, and models, a store and a platform in memory for them."""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from clarifai_build.cli.console import Console
from clarifai_build.cli.main import COMMANDS, Parser
from clarifai_build.errors import BuilderError
from clarifai_build.manifest.types import Clarifai
from clarifai_build.registry import ModelRegistry, NewVersion, RemoteVersion
from clarifai_build.registry.clarifai import open_registry
from clarifai_build.registry.version_metadata import METADATA_KEY, NO_METADATA, VersionMetadata
from clarifai_build.sandbox.state import APP_ID, USER_ID
from clarifai_build.storage.keys import lease_key
from clarifai_build.storage.lease_holder import Holder
from support.light_platform import INFERENCE, Platform
from support.memory_s3 import BUCKET, Bucket

Guard = Callable[[Callable[[], int], Console], int]

MANIFEST = """\
model: {{id: {model}, type: text-to-text, description: "{description}"}}
{project}storage: {{bucket: {bucket}, prefix: models, endpoint_url: "{endpoint}"}}
clarifai: {{user_id: "${{env:CLARIFAI_USER_ID}}", app_id: "${{env:CLARIFAI_APP_ID}}"}}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stands on stdout, as JSON."""
        return json.loads(self.out)


PREFIX = "models"
_WRITES = ("PUT", "POST", "DELETE")
_CHANGES = ("Post", "Patch", "Delete")


class Terminal(Console):
    """A console at which somebody sits."""

    interactive = True


def command(name: str, *arguments: str | Path, answers: str | None = None) -> Ran:
    """Run a command; with `answers`, somebody sits at a terminal and types them.

    Errors come as they are raised.
    """
    return _run(name, arguments, answers, _raising)


def ended(name: str, *arguments: str | Path, answers: str | None = None) -> Ran:
    """Run a command likewise; an error is told, and gives the exit code."""
    return _run(name, arguments, answers, _telling)


def script(run: Callable[[list[str]], int], *arguments: str | Path) -> Ran:
    """Run what is a command of its own, as its process would."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Ran(code, out.getvalue(), err.getvalue())


def _run(name: str, arguments: Iterable[str | Path], answers: str | None, guard: Guard) -> Ran:
    module: Any = importlib.import_module(f"clarifai_build.cli.commands.{COMMANDS[name][0]}")
    parser = Parser(prog=name)
    module.configure(parser)
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err) if answers is None else Terminal(out, err)
    with patch.object(sys, "stdin", io.StringIO(answers or "")):
        given = parser.parse_args([str(argument) for argument in arguments])
        code = guard(lambda: module.run(given, console), console)
    return Ran(code, out.getvalue(), err.getvalue())


def _raising(run: Callable[[], int], _console: Console) -> int:
    return run()


def _telling(run: Callable[[], int], console: Console) -> int:
    try:
        return run()
    except BuilderError as error:
        console.failure(error)
        return error.exit_code


@dataclass
class World:
    """Where models lie, and what the commands reach."""

    folder: Path
    bucket: Bucket
    platform: Platform

    def model(
        self,
        model: str = "lines",
        *,
        at: str = "",
        code: str = INFERENCE,
        project: str = "",
        description: str = "d",
    ) -> Path:
        """Write a model's folder, which is called as the model if not `at`; return its manifest."""
        folder = self.folder / (at or model)
        folder.mkdir(exist_ok=True)
        (folder / "inference.py").write_text(code)
        (folder / "clarifai.yaml").write_text(
            MANIFEST.format(
                model=model,
                description=description,
                project=f"project: {project}\n" if project else "",
                bucket=BUCKET,
                endpoint=self.bucket.endpoint,
            )
        )
        return folder / "clarifai.yaml"

    def edit(self, text: str, model: str = "lines") -> None:
        """Change the code of a model."""
        (self.folder / model / "inference.py").write_text(f"{INFERENCE}# {text}\n")

    def zips(self) -> list[str]:
        """Return the keys of the artifacts in the bucket."""
        return sorted(key for key in self.bucket.objects if key.endswith(".zip"))

    @property
    def registry(self) -> ModelRegistry:
        """Return the app, as any other tool would reach it."""
        environ = self.platform.environ
        account = Clarifai(
            environ["CLARIFAI_USER_ID"], environ["CLARIFAI_APP_ID"], environ["CLARIFAI_API_BASE"]
        )
        return open_registry(account, environ)

    @property
    def scope(self) -> str:
        """Return the app, as keys in the bucket name it."""
        return f"{USER_ID}/{APP_ID}"

    def post(
        self, model: str = "lines", metadata: VersionMetadata = NO_METADATA, url: str = ""
    ) -> RemoteVersion:
        """Register a version, as another tool does where there is no metadata."""
        url = url or f"{self.bucket.endpoint}/{BUCKET}/other.zip"
        fields = {"text": "text"}
        new = NewVersion(url, fields, fields, (), "", "private", metadata)
        return self.registry.create_version(model, new)

    def revisions(self, model: str = "lines") -> list[int]:
        """Return the numbers of a model's versions, the newest first; those of others are 0."""
        return [version.revision for version in self.registry.versions(model)]

    def record(self, version: RemoteVersion, metadata: VersionMetadata) -> None:
        """Let other metadata be recorded of a version."""

        def change(message: Any) -> None:
            message.metadata.Clear()
            message.metadata.update({METADATA_KEY: metadata.to_struct()})

        self.platform.builds.change(version.id, change)

    def lease(self, model: str = "lines") -> str:
        """Let somebody called Eve be at work on a model; returns the key of the lease."""
        key = lease_key(PREFIX, self.scope, model)
        self.bucket.put(key, Holder("x", "eve", "h:1", "s", "a test").body())
        return key

    def forget(self) -> None:
        """Forget what store and platform were asked so far."""
        self.bucket.asked.clear()
        self.platform.calls.clear()

    def wrote(self) -> list[str]:
        """Return what store and platform were asked to change."""
        stored = [f"{one.method} {one.key}" for one in self.bucket.asked if one.method in _WRITES]
        return stored + [name for name in self.platform.calls if name.startswith(_CHANGES)]
