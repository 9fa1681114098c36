"""Ways out where the store, or what stands before it, fails for a while, and of damaged objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from clarifai_build.provenance import requirements
from clarifai_build.storage import claims, leases, public_download
from clarifai_build.storage.keys import artifact_folder
from clarifai_build.storage.upload import part_sender, uploader
from support.command_line import World
from support.following import fine, live, told
from support.memory_s3 import BUCKET, Answer, Request, error
from world.hints.platform import Following
from world.hints.store import told_of

Before = Callable[[World, Request], Answer | None]


def failing(code: str, before: Before, word: str = "pply again") -> Following:
    """Return the way out of a store that fails: applied again, once it does so no more."""

    def follow(world: World, variables: pytest.MonkeyPatch) -> None:
        world.model(at=".")
        with variables.context() as impatient:
            impatient.setattr(public_download, "_PAUSES", ())
            impatient.setattr(part_sender, "_ATTEMPTS", 1)
            impatient.setattr(uploader, "ONE_REQUEST", 0)
            world.bucket.before = lambda request: before(world, request)
            assert word in told(code, "apply")
        world.bucket.before = lambda _request: None
        live()

    return follow


def is_anonymous(request: Request) -> bool:
    """Return whether somebody without credentials asks."""
    return request.method == "GET" and "authorization" not in request.headers


def down(_world: World, request: Request) -> Answer | None:
    """Fail for whoever has no credentials, as a CDN does that can't reach the store."""
    return error(503, "SlowDown") if is_anonymous(request) else None


def replaced(world: World, request: Request) -> Answer | None:
    """Keep other content of the same size, from the upload on."""
    if is_anonymous(request) and request.key.endswith(".zip"):
        body = world.bucket.objects[request.key].body
        return Answer(200, bytes(len(body)), {"Content-Length": str(len(body))})
    return None


def refusing_parts(_world: World, request: Request) -> Answer | None:
    """Fail for each part."""
    return error(503, "SlowDown") if "partNumber" in request.query else None


def other_first(world: World, request: Request) -> Answer | None:
    """Store something else at the key of a zip whenever one is sent there."""
    if request.method in ("PUT", "POST") and request.key.endswith(".zip"):
        world.bucket.put(request.key, b"something else")
    return None


def broken(_world: World, request: Request) -> Answer | None:
    """Answer with an error that says nothing."""
    return error(418, "Teapot") if request.method == "PUT" else None


def record_removed(world: World, request: Request) -> Answer | None:
    """Refuse a record, as one is there, which is gone when it is read."""
    if request.key.endswith(".provenance.json") and request.method == "PUT":
        return error(412, "PreconditionFailed")
    return None


def upload_damaged(world: World, _variables: pytest.MonkeyPatch) -> None:
    """A store that keeps what it is sent is sent it anew."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    manifest.write_text(text.replace("storage: {", "storage: {checksums: when_required, "))
    world.bucket.checksums = False

    def damage(request: Request, answer: Answer) -> Answer:
        if request.key.endswith(".zip") and request.method in ("PUT", "POST"):
            stored = world.bucket.objects[request.key]
            stored.body = bytes(len(stored.body))
        return answer

    world.bucket.after = damage
    assert "apply again" in told("upload-damaged", "apply")
    assert world.zips() == []
    world.bucket.after = lambda _request, answer: answer
    live()


def artifact_being_removed(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Once the removal has ended, it is uploaded anew."""
    world.model(at=".")
    live()
    (key,) = world.zips()
    (version,) = world.registry.versions("lines")
    world.registry.delete_version("lines", version.id)
    removal = claims.removal_key(artifact_folder(key))
    world.bucket.put(removal, b"a gc")
    assert "apply again in a moment" in told("artifact-being-removed", "apply")
    for one in (key, removal):
        del world.bucket.objects[one]
    live()
    assert world.zips() == [key]


def lease_lost(world: World, variables: pytest.MonkeyPatch) -> None:
    """The next apply goes on from here."""
    world.model(at=".")
    with variables.context() as asleep:
        asleep.setattr(leases, "EXPIRY", -1.0)  # as if this machine had slept
        assert "apply again" in told("lease-lost", "apply")
    world.bucket.objects = {
        key: one for key, one in world.bucket.objects.items() if "lease" not in key
    }
    live()


def sbom_unreadable(world: World, variables: pytest.MonkeyPatch) -> None:
    """It is restored, or the next change brings its own."""
    manifest = world.model(at=".")
    variables.setattr(requirements, "compile_pins", lambda *_: "six==1.16.0\n")
    Path("requirements.txt").write_text("six==1.16.0\n")
    manifest.write_text(f"{manifest.read_text()}code: {{requirements: requirements.txt}}\n")
    fine("lock")
    live()
    (key,) = (key for key in world.bucket.objects if key.endswith(".sbom.json"))
    right = world.bucket.objects[key]
    said = told_of("sbom-unreadable", world, key)
    assert "restore it from an older version of the object" in said
    world.bucket.objects[key] = right
    (zip_key,) = world.zips()
    fine("inspect", f"{world.bucket.endpoint}/{BUCKET}/{zip_key}")
    told_of("sbom-unreadable", world, key)
    assert "the next change that is applied" in said
    world.edit("more", model=".")
    live()
    (newest,) = set(world.zips()) - {zip_key}
    fine("inspect", f"{world.bucket.endpoint}/{BUCKET}/{newest}")


def weight_unreachable(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The next run fetches it to its end."""
    manifest = world.model(at=".")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    world.bucket.put("w.bin", b"x")
    weight = f"{{to: w, from: {world.bucket.endpoint}/{BUCKET}/w.bin, sha256: {digest}}}"
    manifest.write_text(f"{manifest.read_text()}weights: [{weight}]\n")
    world.bucket.before = lambda request: error(503, "SlowDown") if request.key == "w.bin" else None
    assert "then run again" in told("weight-unreachable", "build", ".", "-o", "../x.zip")
    world.bucket.before = lambda _request: None
    fine("build", ".", "-o", "../x.zip")
    live()


FOLLOWED: Mapping[str, Following] = {
    "artifact-being-removed": artifact_being_removed,
    "download-failed": failing("download-failed", down),
    "lease-lost": lease_lost,
    "published-differs": failing("published-differs", replaced),
    "records-unstable": failing("records-unstable", record_removed),
    "sbom-unreadable": sbom_unreadable,
    "store-failed": failing("store-failed", broken, "418"),
    "upload-damaged": upload_damaged,
    "upload-failed": failing("upload-failed", refusing_parts, "next run goes on"),
    "upload-lost": failing("upload-lost", other_first),
    "weight-unreachable": weight_unreachable,
}
