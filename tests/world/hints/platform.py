"""Ways out of what the platform answers, and of settings that lead to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from clarifai_build.registry import NewModel
from clarifai_build.sandbox.api.errors import Code
from clarifai_build.sandbox.engines.processes import free_ports
from support.command_line import World, ended
from support.following import fine, live, told, warned

Following = Callable[[World, pytest.MonkeyPatch], None]


def setting(code: str, name: str, wrong: str | None, word: str) -> Following:
    """Return the way out of a wrong variable that the hint names: it is set right."""

    def follow(world: World, variables: pytest.MonkeyPatch) -> None:
        world.model(at=".")
        with variables.context() as spoilt:
            if wrong is None:
                spoilt.delenv(name)
            else:
                spoilt.setenv(name, wrong)
            assert word in told(code, "apply")
        live()

    return follow


def api_base_foreign(world: World, variables: pytest.MonkeyPatch) -> None:
    """The one of the manifest is removed: the token goes where the environment says."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    manifest.write_text(text.replace("clarifai: {", "clarifai: {api_base: 'https://a.example', "))
    with variables.context() as unset:
        unset.delenv("CLARIFAI_API_BASE")
        assert "set CLARIFAI_API_BASE=https://a.example" in told("api-base-foreign", "apply")
    manifest.write_text(text)
    live()


def root_certificates(world: World, variables: pytest.MonkeyPatch) -> None:
    """Without the variable, the usual certificates are taken."""
    world.model(at=".")
    with variables.context() as spoilt:
        spoilt.setenv("CLARIFAI_ROOT_CERTIFICATES_PATH", "/nowhere.pem")
        spoilt.setenv("CLARIFAI_API_BASE", "https://127.0.0.1:9")
        assert "or unset it" in told("root-certificates", "apply")
    live()


def build_failed(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Once the cause is gone, the next apply makes a version that is ready."""
    world.model(at=".")
    world.platform.builds.code = Code.MODEL_TRAINING_FAILED
    assert "fix the cause and apply again" in told("build-failed", "apply")
    world.platform.builds.code = Code.MODEL_TRAINED
    live()


def build_timeout(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The next apply goes on waiting for the same version."""
    world.model(at=".")
    world.platform.builds.code = Code.MODEL_TRAINING
    assert "apply again to go on waiting" in told("build-timeout", "apply", "--timeout", "0")
    (version,) = world.registry.versions("lines")
    world.platform.builds.become(version.id, Code.MODEL_TRAINED)
    live()
    assert [one.id for one in world.registry.versions("lines")] == [version.id]


def canary_params(world: World, variables: pytest.MonkeyPatch) -> None:
    """A value under test.params, or in the environment, and the version is asked."""
    manifest = world.model(at=".")
    text = f"{manifest.read_text()}params: [{{name: k, type: string}}]\n"
    manifest.write_text(text)
    assert "under test.params of the manifest" in warned("canary-params", "apply")
    with variables.context() as given:
        given.setenv("CLARIFAI_BUILD_PARAM_k", "v")
        assert "canary-params" not in ended("apply").err
    world.edit("more", model=".")
    warned("canary-params", "apply")
    manifest.write_text(f"{manifest.read_text()}test: {{params: {{k: v}}}}\n")
    world.forget()
    assert "canary-params" not in ended("apply").err
    assert "PostModelOutputs" in world.platform.calls
    live()


def many_manifests(world: World, _variables: pytest.MonkeyPatch) -> None:
    """One of those that the message names."""
    for name in ("a", "b"):
        world.model(name)
    fine("apply", ".")
    assert "a/clarifai.yaml" in told("many-manifests", "diff", "--manifest", ".")
    fine("diff", "--manifest", "a/clarifai.yaml")


def model_twice(world: World, _variables: pytest.MonkeyPatch) -> None:
    """An id of its own."""
    world.model("a")
    second = world.model("a", at="b")
    assert "a model.id of its own" in told("model-twice", "apply", ".")
    second.write_text(second.read_text().replace("id: a", "id: b"))
    fine("apply", ".")
    assert world.revisions("a") == world.revisions("b") == [1]


def no_such_version(world: World, _variables: pytest.MonkeyPatch) -> None:
    """One that `versions` lists."""
    world.model(at=".")
    live()
    assert "`clarifai-build versions`" in told("no-such-version", "verify", "--version", "v9")
    assert "v1" in ended("versions").out
    fine("verify", "--version", "v1")


def version_failed(world: World, _variables: pytest.MonkeyPatch) -> None:
    """One that `versions` says is ready."""
    world.model(at=".")
    for text in ("one", "two", "three"):
        world.edit(text, model=".")
        live()
    failed, *_ = world.registry.versions("lines")[1:]
    world.platform.builds.become(failed.id, Code.MODEL_TRAINING_FAILED)
    assert "versions` shows which" in told("version-failed", "rollback", "v2", "--yes")
    listed = [line.split() for line in ended("versions").out.splitlines() if "ready" in line]
    fine("rollback", listed[-1][0], "--yes")
    assert world.registry.versions("lines")[0].health == "ready"


def not_ours(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Taken over, or left alone under another id."""
    manifest = world.model(at=".")
    world.registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    world.platform.builds.disown("lines")
    assert "choose another model.id" in told("not-ours", "apply")
    fine("apply", "--adopt")
    fine("verify")
    manifest.write_text(manifest.read_text().replace("id: lines", "id: others"))
    live()


FOLLOWED: Mapping[str, Following] = {
    "api-base": setting("api-base", "CLARIFAI_API_BASE", "ftp://127.0.0.1", "write https://host"),
    "api-base-foreign": api_base_foreign,
    "api-unreachable": setting(
        "api-unreachable", "CLARIFAI_API_BASE", f"http://127.0.0.1:{free_ports(1)[0]}", "check"
    ),
    "app-not-found": setting("app-not-found", "CLARIFAI_APP_ID", "other", "there is no app"),
    "build-failed": build_failed,
    "build-timeout": build_timeout,
    "canary-params": canary_params,
    "credentials-missing": setting("credentials-missing", "CLARIFAI_PAT", None, "CLARIFAI_PAT"),
    "many-manifests": many_manifests,
    "model-twice": model_twice,
    "no-such-version": no_such_version,
    "not-authorised": setting("not-authorised", "CLARIFAI_PAT", "0" * 32, "CLARIFAI_PAT"),
    "not-ours": not_ours,
    "root-certificates": root_certificates,
    "version-failed": version_failed,
}
