"""A platform and a bucket in memory that obey the same protocols as the real ones."""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests import files as digests
from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Clarifai, Code, Manifest, Model, Storage, Triton
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance import records
from clarifai_build.registry import (
    NewModel,
    NewVersion,
    PredictionInput,
    RemoteModel,
    RemoteVersion,
)
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import (
    FoundObject,
    ObjectStore,
    SentCallback,
    SmallObject,
    StoredObject,
    ignore_sent,
)
from clarifai_build.storage.upload.copy_sources import CopySource, Run, plan_runs

BUILT = {"config.pbtxt": b"name: 'm'", "1/inference.py": b"pass"}


def artifact_of(files: Mapping[str, bytes]) -> Artifact:
    """Make an artifact of contents in memory."""
    entries = []
    for path, data in files.items():
        digest = digests.of_bytes(data)
        entries.append(Entry(path, 0o644, len(data), digest.sha256, digest.chunks, data))
    return Artifact(FileTree.of(entries))


def publish_records(
    store: ObjectStore, key: str, manifest: Manifest, artifact: Artifact
) -> records.Records:
    """Write the records of an artifact's zip."""
    sha256 = hashlib.sha256(artifact.read(0, artifact.size)).hexdigest()
    return records.publish(store, key, manifest, artifact, sha256)


def manifest_of(model_id: str = "lines", **model: Any) -> Manifest:
    """Make a manifest as `load` would."""
    return Manifest(
        path=Path("/models/clarifai.yaml"),
        model=Model(model_id, "text-to-text", **model),
        code=Code(Path("/models")),
        triton=Triton(8, ragged=False),
        storage=Storage("bucket", "models"),
        clarifai=Clarifai("me", "main"),
    )


class ShortPauses(CancelToken):
    """A token whose sleeps take at most so many seconds; `asked` is for how long each was meant."""

    def __init__(self, longest: float = 0.0) -> None:
        super().__init__()
        self.longest = longest
        self.asked: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Sleep, but not for long."""
        self.asked.append(seconds)
        super().sleep(min(seconds, self.longest))


@dataclass
class Calls:
    """Every call by name, and what happens before and after each: a fault, for one."""

    names: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda name: None
    after: Callable[[str], None] = lambda name: None

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Surround a call."""
        self.names.append(name)
        self.before(name)
        yield
        self.after(name)


WRITES = frozenset(
    {
        *("create_model", "update_model", "delete_model", "create_version", "update_version"),
        *("delete_version", "put_artifact", "put_if", "write", "delete"),
    }
)


class MemoryRegistry:
    """The models of one app. Versions are ready as soon as they are posted."""

    scope = "me/main"

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.lock = threading.RLock()
        self.by_id: dict[str, RemoteModel] = {}
        self.posted: dict[str, list[RemoteVersion]] = {}
        self.clock = count(1)
        self.code = 21100
        self.asked: list[tuple[str, str, tuple[PredictionInput, ...], dict[str, Any]]] = []
        self.silence: RegistryError | None = None
        self.patience = 0.0

    def model(self, model_id: str) -> RemoteModel | None:
        with self.calls.call("model"):
            versions = self.posted.get(model_id)
            found = self.by_id.get(model_id)
            return replace(found, newest=versions[-1].id) if found and versions else found

    def models(self) -> tuple[RemoteModel, ...]:
        with self.calls.call("models"):
            return tuple(self.by_id.values())

    def create_model(self, new: NewModel) -> RemoteModel:
        with self.calls.call("create_model"), self.lock:
            model = RemoteModel(new.id, new.type, new.description, new.visibility, managed=True)
            return self.by_id.setdefault(new.id, model)

    def update_model(self, new: NewModel) -> None:
        with self.calls.call("update_model"), self.lock:
            description = new.description or self.by_id[new.id].description
            self.by_id[new.id] = RemoteModel(
                new.id, new.type, description, new.visibility, managed=True
            )

    def delete_model(self, model_id: str) -> None:
        with self.calls.call("delete_model"), self.lock:
            self.by_id.pop(model_id, None)
            self.posted.pop(model_id, None)

    def versions(self, model_id: str) -> tuple[RemoteVersion, ...]:
        with self.calls.call("versions"):
            return tuple(reversed(self.posted.get(model_id, [])))

    def version(self, model_id: str, version_id: str) -> RemoteVersion | None:
        with self.calls.call("version"):
            versions = self.posted.get(model_id, [])
            return next((one for one in versions if one.id == version_id), None)

    def create_version(self, model_id: str, new: NewVersion) -> RemoteVersion:
        with self.calls.call("create_version"):
            return self.post(model_id, new)

    def post(self, model_id: str, new: NewVersion) -> RemoteVersion:
        """Register a version, without a call."""
        with self.lock:
            time = next(self.clock)
            version = RemoteVersion(
                id=f"v{time}",
                status_code=self.code,
                status="",
                description=new.description,
                zip_url=new.zip_url,
                visibility=new.visibility,
                created_at=float(time),
                metadata=VersionMetadata.from_struct(new.metadata.to_struct()),
                input_fields_map=new.input_fields_map,
                output_fields_map=new.output_fields_map,
                params=new.params,
            )
            self.posted.setdefault(model_id, []).append(version)
            return version

    def update_version(
        self, model_id: str, version_id: str, new: NewModel, metadata: VersionMetadata
    ) -> None:
        with self.calls.call("update_version"), self.lock:
            self.posted[model_id] = [
                replace(
                    version,
                    description=new.description or version.description,
                    visibility=new.visibility,
                    metadata=VersionMetadata.from_struct(metadata.to_struct()),
                )
                if version.id == version_id
                else version
                for version in self.posted[model_id]
            ]

    def delete_version(self, model_id: str, version_id: str) -> None:
        with self.calls.call("delete_version"), self.lock:
            versions = self.posted.get(model_id, [])
            versions[:] = [one for one in versions if one.id != version_id]

    def ask(
        self,
        model_id: str,
        version_id: str,
        inputs: Sequence[PredictionInput],
        params: Mapping[str, bool | float | str],
        timeout: float,
    ) -> None:
        with self.calls.call("ask"):
            self.patience = timeout
            self.asked.append((model_id, version_id, tuple(inputs), dict(params)))
            if self.silence:
                raise self.silence


class MemoryStore:
    """A bucket; strangers download from a real HTTP server (see `public_bucket`)."""

    def __init__(self, calls: Calls | None = None, base: str = "http://nowhere") -> None:
        self.calls = calls or Calls()
        self.lock = threading.RLock()
        self.base = base
        self.objects: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self.ages: dict[str, float] = {}
        self.etags = count(1)

    def stat(self, key: str) -> StoredObject | None:
        with self.calls.call("stat"):
            if key not in self.objects:
                return None
            body, etag, metadata = self.objects[key]
            return StoredObject(key, len(body), etag, metadata, f"{zlib.crc32(body):08x}")

    def put_artifact(
        self,
        key: str,
        artifact: Artifact,
        metadata: dict[str, str],
        progress: ProgressCallback = no_progress,
        *,
        sent: SentCallback = ignore_sent,
        cancel: CancelToken = NEVER,
        sources: Sequence[CopySource] = (),
    ) -> StoredObject:
        with self.calls.call("put_artifact"):
            sent(0)
            content = b"".join(self.moved(artifact, run) for run in plan_runs(artifact, sources, 1))
            cancel.check()
            sent(len(content))
            if key not in self.objects or self.objects[key][0] != content:
                self.put(key, content, metadata)
            body, etag, found = self.objects[key]
            return StoredObject(key, len(body), etag, found, f"{zlib.crc32(body):08x}")

    def moved(self, artifact: Artifact, run: Run) -> bytes:
        """Return what is copied, or else sent."""
        if run.source is None:
            return artifact.read(run.offset, run.length)
        body, etag, _ = self.objects[run.source.key]
        assert etag == run.source.etag
        return body[run.start : run.start + run.length]

    def url(self, key: str) -> str:
        return f"{self.base}/{key}"

    def get(self, key: str) -> SmallObject | None:
        with self.calls.call("get"):
            if key not in self.objects:
                return None
            body, etag, _ = self.objects[key]
            return SmallObject(body, etag, self.ages.get(key, 0.0))

    def start_of(self, key: str, length: int) -> bytes | None:
        with self.calls.call("start_of"):
            return self.objects[key][0][:length] if key in self.objects else None

    def read(self, key: str, offset: int, length: int) -> bytes:
        with self.calls.call("read"):
            return self.objects[key][0][offset : offset + length]

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        with self.calls.call("put_if"), self.lock:
            there = self.objects[key][1] if key in self.objects else None
            return self.put(key, body, {}) if there == replaces else None

    def write(self, key: str, body: bytes) -> None:
        with self.calls.call("write"):
            self.put(key, body, {})

    def find(self, prefix: str) -> Iterator[FoundObject]:
        with self.calls.call("find"):
            for key, (body, _, _) in sorted(self.objects.items()):
                if key.startswith(prefix):
                    yield FoundObject(key, len(body), self.ages.get(key, 0.0))

    def delete(self, key: str, etag: str | None = None) -> bool:
        with self.calls.call("delete"), self.lock:
            if etag is not None and key in self.objects and self.objects[key][1] != etag:
                return False
            self.objects.pop(key, None)
            return True

    def put(self, key: str, body: bytes, metadata: dict[str, str]) -> str:
        """Put an object, without a call."""
        with self.lock:
            self.ages.pop(key, None)
            self.objects[key] = (body, f"e{next(self.etags)}", metadata)
            return self.objects[key][1]


@contextmanager
def public_bucket(store: MemoryStore) -> Iterator[MemoryStore]:
    """Let strangers download what is in the store, over HTTP with ranges."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = store.objects.get(self.path.lstrip("/"))
            if found is None:
                self.send_error(404)
                return
            first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            body = found[0][first : last + 1]
            self.send_response(206)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(found[0])}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    store.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
