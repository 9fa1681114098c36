"""A model's folder, and connections that lead to a platform and a bucket in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clarifai_build.connection import Connection, connect
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage import ObjectStore
from support.fakes import MemoryRegistry, MemoryStore
from support.light_platform import INFERENCE
from support.trees import write_files

PAT = "a-token-of-mine"
MANIFEST = """\
model: {{id: {model}, type: text-to-text}}
storage: {{type: s3, bucket: models, prefix: mine, region: eu-central-1}}
"""

ENDPOINTS = Endpoints(
    state_dir=Path("/nowhere"),
    s3_endpoint="http://127.0.0.1:1",
    region="us-east-1",
    access_key="key",
    secret_key="secret",
    bucket="public",
    private_bucket="private",
    api_base="http://127.0.0.1:2",
    user_id="sandbox",
    app_id="local",
    pat="local-token",
    triton="127.0.0.1:3",
)


def model_in(folder: Path, name: str = "lines") -> Path:
    """Write a model's folder."""
    files = {"clarifai.yaml": MANIFEST.format(model=name), "inference.py": INFERENCE}
    return write_files(folder / name, {path: text.encode() for path, text in files.items()})


def environ_of(folder: Path) -> dict[str, str]:
    """Return an environment with an account, and a home of its own."""
    account = {"CLARIFAI_USER_ID": "me", "CLARIFAI_APP_ID": "main", "CLARIFAI_PAT": PAT}
    return {**account, "HOME": str(folder / "home")}


@dataclass(frozen=True, slots=True)
class MemoryConnection(Connection):
    """A connection whose bucket is in memory."""

    bucket: MemoryStore

    def store(self) -> ObjectStore:
        """Return the bucket of this process."""
        return self.bucket


def in_memory(folder: Path, bucket: MemoryStore) -> MemoryConnection:
    """Connect a model in a folder to a platform and a bucket in memory."""
    found = connect(model_in(folder), environ_of(folder))
    environs = (found.environ, found.store_environ)
    return MemoryConnection(found.name, found.manifest, MemoryRegistry(), *environs, bucket)
