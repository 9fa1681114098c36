"""The plan: pure, from what is wanted and what was observed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clarifai_build.plan import NotOursError, Observed, make_plan
from clarifai_build.plan_report import plan_text
from clarifai_build.problem import RegistryError
from clarifai_build.registration import Registration
from clarifai_build.registry import NewModel, RemoteModel, RemoteVersion

WANTED = Registration(
    model=NewModel("lines", "visual-detector", "Finds lines.", "private"),
    input_fields_map={"image": "image"},
    output_fields_map={"concepts": "scores"},
    params=(),
    artifact="a" * 64,
    size=100,
)
MODEL = RemoteModel("lines", "visual-detector", "Finds lines.", "private", managed=True)
MARK = {"registration": WANTED.digest, "artifact": WANTED.artifact}
READY = RemoteVersion("v1", 21100, "Model is trained", mark=MARK)
SETTLED = Observed(MODEL, (READY,), stored=100)


def kinds(observed: Observed, wanted: Registration = WANTED) -> list[str]:
    """Plan, and name the steps."""
    return [action.kind for action in make_plan(wanted, observed).actions]


def test_settled_model_needs_nothing() -> None:
    """What is live is what is wanted: no step."""
    assert kinds(SETTLED) == []
    assert plan_text(make_plan(WANTED, SETTLED)).endswith(
        "nothing to do\nPlan: 0 to add, 0 to change, 0 to destroy."
    )


def test_first_apply_uploads_before_it_registers() -> None:
    """Nothing is told to the platform before the artifact can be downloaded."""
    assert kinds(Observed(None, (), None)) == ["upload", "create-model", "create-version"]


def test_model_without_version_is_continued() -> None:
    """An apply that died after making the model does not block the next one."""
    assert kinds(replace(SETTLED, versions=())) == ["create-version"]


def test_changed_artifact_makes_a_version() -> None:
    """Another tree digest is another version, and the reason names the artifact."""
    changed = replace(WANTED, artifact="b" * 64)
    plan = make_plan(changed, replace(SETTLED, stored=None))
    assert [action.kind for action in plan.actions] == ["upload", "create-version"]
    assert "artifact has changed since v1" in plan.actions[1].reason


def test_changed_field_map_makes_a_version() -> None:
    """The registration counts, not the artifact alone."""
    changed = replace(WANTED, output_fields_map={"concepts": "other"})
    assert kinds(SETTLED, changed) == ["create-version"]


@pytest.mark.parametrize(
    "model",
    [
        replace(MODEL, description="Old."),
        replace(MODEL, visibility="public"),
        replace(MODEL, managed=False),
    ],
)
def test_model_fields_are_updated_in_place(model: RemoteModel) -> None:
    """Description, visibility and mark change without a new version."""
    assert kinds(replace(SETTLED, model=model)) == ["update-model"]


def test_version_under_construction_is_waited_for() -> None:
    """A version that is building is followed, not registered a second time."""
    building = replace(READY, status_code=21107)
    assert kinds(replace(SETTLED, versions=(building,))) == ["wait"]


def test_failed_version_is_replaced() -> None:
    """The same digest is never registered twice: the failed one goes first."""
    failed = replace(READY, status_code=21108, details="no such file")
    plan = make_plan(WANTED, replace(SETTLED, versions=(failed,)))
    assert [action.kind for action in plan.actions] == ["delete-version", "create-version"]
    assert "no such file" in plan.actions[0].reason


def test_lost_object_is_uploaded_again() -> None:
    """An artifact that was removed from the bucket by hand comes back; no version is made."""
    assert kinds(replace(SETTLED, stored=None)) == ["upload"]
    assert kinds(replace(SETTLED, stored=99)) == ["upload"]


def test_version_of_someone_else_does_not_count() -> None:
    """A newer version that this tool did not make is neither used nor touched."""
    foreign = RemoteVersion("v2", 21100, "Model is trained")
    assert kinds(replace(SETTLED, versions=(foreign, READY))) == []


def test_foreign_model_needs_adopt() -> None:
    """A model that carries no mark of ours is not touched without --adopt."""
    foreign = Observed(replace(MODEL, managed=False), (), stored=100)
    with pytest.raises(NotOursError):
        make_plan(WANTED, foreign)
    adopted = make_plan(WANTED, foreign, adopt=True)
    assert [action.kind for action in adopted.actions] == ["update-model", "create-version"]


def test_type_mismatch_names_both_types() -> None:
    """A model's type can't change, so the error says which is where."""
    with pytest.raises(RegistryError, match=r"visual-embedder.*visual-detector"):
        make_plan(WANTED, replace(SETTLED, model=replace(MODEL, type="visual-embedder")))


def test_digest_leaves_out_what_can_change_in_place() -> None:
    """Description and visibility are no part of a version's identity."""
    other = replace(WANTED, model=replace(WANTED.model, description="x", visibility="public"))
    assert other.digest == WANTED.digest
    assert replace(WANTED, artifact="c" * 64).digest != WANTED.digest
