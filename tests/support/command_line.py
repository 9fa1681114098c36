"""Commands as functions, and models, a store and a platform in memory for them."""

from __future__ import annotations

import importlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from clarifai_build.cli.console import Console
from clarifai_build.cli.main import COMMANDS, Parser
from clarifai_build.manifest.types import Clarifai
from clarifai_build.registry import ModelRegistry, NewVersion, RemoteVersion
from clarifai_build.registry.clarifai import open_registry
from support.light_platform import INFERENCE, Platform
from support.memory_s3 import BUCKET, Bucket

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


class Terminal(Console):
    """A console at which somebody sits."""

    interactive = True


def command(name: str, *arguments: str | Path, answers: str | None = None) -> Ran:
    """Run a command; with `answers`, somebody sits at a terminal and types them.

    Errors come as they are raised.
    """
    module: Any = importlib.import_module(f"clarifai_build.cli.{COMMANDS[name][0]}")
    parser = Parser(prog=name)
    module.configure(parser)
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err) if answers is None else Terminal(out, err)
    with patch.object(sys, "stdin", io.StringIO(answers or "")):
        code = module.run(parser.parse_args([str(argument) for argument in arguments]), console)
    return Ran(code, out.getvalue(), err.getvalue())


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
        code: str = INFERENCE,
        project: str = "",
        description: str = "d",
    ) -> Path:
        """Write a model's folder, and return its manifest."""
        folder = self.folder / model
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

    def post(self, model: str = "lines", **mark: Any) -> RemoteVersion:
        """Register a version, as another tool does where there is no mark."""
        url = f"{self.bucket.endpoint}/{BUCKET}/other.zip"
        fields = {"text": "text"}
        new = NewVersion(url, fields, fields, (), "", "private", mark)
        return self.registry.create_version(model, new)
