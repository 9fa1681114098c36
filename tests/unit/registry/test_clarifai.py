"""The registry on an API of the platform's form: what is sent comes back, and goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.errors import NotAuthorisedError, RegistryError
from clarifai_build.manifest.types import Clarifai, Param
from clarifai_build.registry import NewModel, NewVersion
from clarifai_build.registry.clarifai import ClarifaiRegistry, open_registry
from clarifai_build.registry.messages import params_spec
from clarifai_build.registry.version_metadata import VersionMetadata
from support.light_platform import Platform, light_platform

MODEL = NewModel("lines", "text-to-text", "Reads lines.", "private")
VERSION = NewVersion(
    zip_url="https://b.example/lines.zip",
    input_fields_map={"text": "text"},
    output_fields_map={"text": "text"},
    params=(
        Param("k", "number", 3, "How many."),
        Param("loud", "boolean", False, "Loud."),
        Param("style", "string", "plain", "Style."),
    ),
    description="Reads lines.",
    visibility="private",
    metadata=VersionMetadata("a" * 64, revision=1, size=12, dirty=True),
)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """An empty app."""
    with light_platform(tmp_path) as started:
        yield started


@pytest.fixture
def registry(platform: Platform) -> ClarifaiRegistry:
    """Connected by the environment."""
    return open_registry(Clarifai(), platform.environ)


def test_the_scope_is_user_and_app(registry: ClarifaiRegistry, platform: Platform) -> None:
    """As they were found in the environment."""
    user, app = (platform.environ[f"CLARIFAI_{name}_ID"] for name in ("USER", "APP"))
    assert registry.scope == f"{user}/{app}"


def test_a_model_is_made_changed_listed_and_removed(registry: ClarifaiRegistry) -> None:
    """It is known as ours, and removing it twice is no error."""
    assert registry.model("lines") is None
    assert registry.models() == ()
    made = registry.create_model(MODEL)
    assert (made.id, made.type, made.description) == ("lines", "text-to-text", "Reads lines.")
    assert (made.visibility, made.managed, made.newest) == ("private", True, "")
    assert registry.model("lines") == made
    registry.create_model(replace(MODEL, id="other"))
    assert {model.id for model in registry.models()} == {"lines", "other"}
    registry.update_model(replace(MODEL, description="More.", visibility="public"))
    changed = registry.model("lines")
    assert changed == replace(made, description="More.", visibility="public")
    registry.delete_model("lines")
    registry.delete_model("lines")
    assert registry.model("lines") is None
    assert [model.id for model in registry.models()] == ["other"]


def test_a_model_that_is_there_already_is_taken(registry: ClarifaiRegistry) -> None:
    """Two applies at once make one; what can't be made at all is an error."""
    made = registry.create_model(MODEL)
    assert registry.create_model(replace(MODEL, description="Theirs.")) == made
    with pytest.raises(RegistryError):
        registry.create_model(replace(MODEL, id="x" * 200, type="no-such-type"))


def test_a_version_comes_back_as_it_was_posted(registry: ClarifaiRegistry) -> None:
    """Address, maps, parameters, texts, visibility and metadata; values keep their types."""
    registry.create_model(MODEL)
    posted = registry.create_version("lines", VERSION)
    found = registry.version("lines", posted.id)
    assert found is not None
    assert (found.zip_url, found.description, found.visibility) == (
        VERSION.zip_url,
        VERSION.description,
        VERSION.visibility,
    )
    assert found.input_fields_map == VERSION.input_fields_map
    assert found.output_fields_map == VERSION.output_fields_map
    assert found.params == VERSION.params
    assert [type(param.default) for param in found.params] == [float, bool, str]
    assert found.metadata == VERSION.metadata
    assert (found.revision, found.size, found.artifact_digest) == (1, 12, "a" * 64)
    assert found.health == "ready"
    assert found.created_at > 1e9
    assert registry.versions("lines") == (found,)
    model = registry.model("lines")
    assert model is not None
    assert model.newest == posted.id


def test_versions_are_changed_and_removed_alone(registry: ClarifaiRegistry) -> None:
    """The newest is first; a change leaves what it does not name, and goes to one version."""
    registry.create_model(MODEL)
    first = registry.create_version("lines", VERSION)
    second = registry.create_version("lines", VERSION)
    assert [one.id for one in registry.versions("lines")] == [second.id, first.id]
    before = registry.version("lines", first.id)
    assert before is not None
    wanted = replace(MODEL, description="New.", visibility="org")
    metadata = replace(VERSION.metadata, project="ocr")
    registry.update_version("lines", first.id, wanted, metadata)
    assert registry.version("lines", first.id) == replace(
        before, description="New.", visibility="org", metadata=metadata
    )
    untouched = registry.version("lines", second.id)
    assert untouched is not None
    assert (untouched.description, untouched.metadata) == (
        VERSION.description,
        VERSION.metadata,
    )
    registry.delete_version("lines", first.id)
    registry.delete_version("lines", first.id)
    assert [one.id for one in registry.versions("lines")] == [second.id]
    assert registry.version("lines", first.id) is None


def test_a_model_that_is_not_there_has_no_versions(registry: ClarifaiRegistry) -> None:
    """That is an answer; to post one is an error."""
    assert registry.versions("none") == ()
    assert registry.version("none", "v1") is None
    registry.delete_version("none", "v1")
    with pytest.raises(RegistryError):
        registry.create_version("none", VERSION)


def test_a_wrong_token_is_told(platform: Platform) -> None:
    """Whatever is asked for."""
    stranger = open_registry(Clarifai(), {**platform.environ, "CLARIFAI_PAT": "other"})
    for ask in (stranger.models, lambda: stranger.create_model(MODEL)):
        with pytest.raises(NotAuthorisedError):
            ask()


@pytest.mark.parametrize(
    ("default", "kind"),
    [(True, "bool_value"), (2, "number_value"), (0.5, "number_value"), ("00123", "string_value")],
)
def test_defaults_keep_their_type(default: Any, kind: str) -> None:
    """No default changes its type on the way to the platform."""
    spec = params_spec(Param("p", "string", default))
    assert spec.default_value.WhichOneof("kind") == kind
