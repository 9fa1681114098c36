"""Ways out of what a store answers, and of settings that lead to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from clarifai_build.sandbox.engines.processes import free_ports
from support.command_line import World, ended
from support.following import fine, live, told, warned
from support.memory_s3 import BUCKET, Answer, Request, error
from world.hints.platform import Following, setting


def answering(code: str, answer: Answer, word: str) -> Following:
    """Return the way out where something else than a store, or one that refuses, answers first."""

    def follow(world: World, _variables: pytest.MonkeyPatch) -> None:
        world.model(at=".")
        right, world.bucket.before = world.bucket.before, lambda _request: answer
        assert word in told(code, "apply")
        world.bucket.before = right
        live()

    return follow


def endpoint(code: str, address: str) -> Following:
    """Return the way out of an address that leads nowhere."""

    def follow(world: World, _variables: pytest.MonkeyPatch) -> None:
        manifest = world.model(at=".")
        text = manifest.read_text()
        manifest.write_text(text.replace(world.bucket.endpoint, address))
        assert "endpoint_url" in told(code, "apply")
        manifest.write_text(text)
        live()

    return follow


def ca_bundle(world: World, variables: pytest.MonkeyPatch) -> None:
    """Without the variable, what the manifest says is reached as before."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    manifest.write_text(text.replace("http://", "https://"))
    with variables.context() as spoilt:
        spoilt.setenv("AWS_CA_BUNDLE", "/nowhere.pem")
        assert "AWS_CA_BUNDLE" in told("ca-bundle", "apply")
    manifest.write_text(text)
    live()


def not_public(world: World, _variables: pytest.MonkeyPatch) -> None:
    """`access: presigned` needs no open bucket."""
    manifest = world.model(at=".")
    world.bucket.public = False
    assert "access: presigned" in told("not-public", "apply")
    text = manifest.read_text()
    manifest.write_text(text.replace("storage: {", "storage: {access: presigned, "))
    fine("apply")
    fine("verify")


def lease_held(world: World, _variables: pytest.MonkeyPatch) -> None:
    """`unlock` takes the lease of a dead one away."""
    world.model(at=".")
    world.lease()
    assert "`clarifai-build unlock`" in told("lease-held", "apply")
    fine("unlock", "clarifai.yaml")
    live()


def no_conditions(request: Request) -> Answer | None:
    """Know no conditional writes."""
    conditional = {"if-none-match", "if-match"} & set(request.headers)
    return error(501, "NotImplemented") if request.method == "PUT" and conditional else None


def lease_unsupported(world: World, _variables: pytest.MonkeyPatch) -> None:
    """`--no-lease` does without lease and warning."""
    world.model(at=".")
    world.bucket.before = no_conditions
    warned("lease-unsupported", "apply")
    world.edit("more", model=".")
    ran = ended("apply", "--no-lease")
    assert (ran.code, "lease-unsupported" in ran.err) == (0, False)
    fine("verify")


def lease_not_released(world: World, _variables: pytest.MonkeyPatch) -> None:
    """`unlock` takes what was left away."""
    world.model(at=".")
    world.bucket.before = lambda request: (
        error(403, "AccessDenied") if request.method == "DELETE" else None
    )
    assert "`clarifai-build unlock`" in warned("lease-not-released", "apply")
    world.bucket.before = lambda _request: None
    fine("unlock", "clarifai.yaml")
    world.edit("more", model=".")
    live()


def told_of(code: str, world: World, key: str) -> str:
    """Let something else lie at a key, and return what is said of the zip that it belongs to."""
    world.bucket.put(key, b"something else")
    (zip_key,) = world.zips()
    return told(code, "inspect", f"{world.bucket.endpoint}/{BUCKET}/{zip_key}")


def not_a_zip(world: World, _variables: pytest.MonkeyPatch) -> None:
    """It is removed, and comes anew."""
    world.model(at=".")
    live()
    (key,) = world.zips()
    told_of("not-a-zip", world, key)
    del world.bucket.objects[key]
    live()
    fine("inspect", f"{world.bucket.endpoint}/{BUCKET}/{key}")


def provenance_unreadable(world: World, _variables: pytest.MonkeyPatch) -> None:
    """It is restored, or the next change brings its own."""
    world.model(at=".")
    live()
    (key,) = (key for key in world.bucket.objects if key.endswith(".provenance.json"))
    right = world.bucket.objects[key]
    said = told_of("provenance-unreadable", world, key)
    assert "restore it from an older version of the object" in said
    world.bucket.objects[key] = right
    fine("verify")
    told_of("provenance-unreadable", world, key)
    assert "the next change that is applied" in said
    world.edit("more", model=".")
    live()


def object_gone(world: World, _variables: pytest.MonkeyPatch) -> None:
    """An apply of the same files publishes the same zip again."""
    world.model(at=".")
    live()
    (key,) = world.zips()
    world.edit("more", model=".")
    live()
    del world.bucket.objects[key]
    assert "publishes it again" in told("object-gone", "rollback", "v1", "--yes")
    world.model(at=".")
    live()
    assert key in world.bucket.objects


def presigned_temporary(world: World, variables: pytest.MonkeyPatch) -> None:
    """Credentials that last bring no warning."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    manifest.write_text(text.replace("storage: {", "storage: {access: presigned, "))
    with variables.context() as temporary:
        temporary.setenv("AWS_SESSION_TOKEN", "session")
        warned("presigned-temporary", "apply")
    world.edit("more", model=".")
    fine("apply")
    assert "presigned-temporary" not in ended("apply").err
    fine("verify")


def weight_refused(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The address as it is."""
    manifest = world.model(at=".")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    world.bucket.put("w.bin", b"x")
    address = f"{world.bucket.endpoint}/{BUCKET}"
    right = f"{manifest.read_text()}weights: [{{to: w, from: {address}/w.bin, sha256: {digest}}}]\n"
    manifest.write_text(right.replace("/w.bin", "/v.bin"))
    told("weight-refused", "build", ".", "-o", "../x.zip")
    manifest.write_text(right)
    fine("build", ".", "-o", "../x.zip")
    assert Path("../x.zip").stat().st_size
    live()


FOLLOWED: Mapping[str, Following] = {
    "ca-bundle": ca_bundle,
    "credentials-malformed": setting(
        "credentials-malformed", "AWS_ACCESS_KEY_ID", "key\n", "AWS_ACCESS_KEY_ID"
    ),
    "lease-held": lease_held,
    "lease-not-released": lease_not_released,
    "lease-unsupported": lease_unsupported,
    "no-bucket": answering("no-bucket", error(404, "NoSuchBucket"), "storage.bucket"),
    "no-credentials": setting("no-credentials", "AWS_ACCESS_KEY_ID", None, "AWS_ACCESS_KEY_ID"),
    "not-a-zip": not_a_zip,
    "not-public": not_public,
    "not-s3": answering("not-s3", Answer(200, b"<html>log in</html>"), "endpoint_url"),
    "object-gone": object_gone,
    "presigned-temporary": presigned_temporary,
    "provenance-unreadable": provenance_unreadable,
    "store-refused": answering("store-refused", error(403, "AccessDenied"), "credentials"),
    "store-unreachable": endpoint("store-unreachable", f"http://127.0.0.1:{free_ports(1)[0]}"),
    "weight-refused": weight_refused,
}
