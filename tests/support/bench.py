"""A model folder, a bucket and a platform in memory, and the commands on them, in this process."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.cli.console import Console
from clarifai_build.errors import BuilderError
from support.fakes import Calls, MemoryRegistry, MemoryStore, public_bucket
from support.light_platform import INFERENCE
from support.trees import write_files

MANIFEST = """\
model: {id: %s, type: text-to-text}
storage: {bucket: models, prefix: models}
clarifai: {user_id: me, app_id: main}
"""


class Terminal(io.StringIO):
    """Text that a person reads, or has typed."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Bench:
    """One folder of models, one bucket, one app."""

    def __init__(self, folder: Path, store: MemoryStore, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.store, self._patch = folder, store, patch
        self.registry = MemoryRegistry(store.calls)
        patch.setattr("clarifai_build.storage.lazy_store.connect", lambda *_: self.store)
        patch.setattr("clarifai_build.registry.clarifai.open_registry", lambda *_: self.registry)
        patch.setenv("XDG_CACHE_HOME", str(folder.parent / "cache"))
        patch.setenv("NO_COLOR", "1")
        folder.mkdir()
        patch.chdir(folder)

    def model(self, name: str = "", model_id: str = "lines", more: str = "") -> Path:
        """Write a model folder, and return its manifest."""
        text = MANIFEST % model_id + more
        files = {"clarifai.yaml": text.encode(), "inference.py": INFERENCE.encode()}
        return write_files(self.folder / name, files) / "clarifai.yaml"

    def edit(self, text: str, name: str = "") -> None:
        """Change the code of a model."""
        (self.folder / name / "inference.py").write_text(f"{INFERENCE}# {text}\n")

    def run(self, command: str, *arguments: str | Path, answer: str | None = None) -> Done:
        """Run a command; with an `answer`, on a terminal where it is typed."""
        module = importlib.import_module(f"clarifai_build.cli.{command}")
        parser = argparse.ArgumentParser(allow_abbrev=False)
        module.configure(parser)
        out, err = io.StringIO(), io.StringIO() if answer is None else Terminal()
        self._patch.setattr(sys, "stdin", io.StringIO() if answer is None else Terminal(answer))
        console = Console(out, err)
        try:
            code = module.run(parser.parse_args(list(map(str, arguments))), console)
        except BuilderError as error:
            console.failure(error)
            code = error.exit_code
        return Done(code, out.getvalue(), err.getvalue())

    def ids(self, model_id: str = "lines") -> list[str]:
        """Return the ids of a model's versions, the newest first."""
        return [version.id for version in self.registry.versions(model_id)]

    def zips(self) -> list[str]:
        """Return the keys of the zips in the bucket."""
        return [key for key in self.store.objects if key.endswith(".zip")]


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Return a bench whose zips strangers can download; `folder` is made."""
    with public_bucket(MemoryStore(Calls())) as store, pytest.MonkeyPatch.context() as patch:
        yield Bench(folder, store, patch)


def wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel that holds nothing."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
