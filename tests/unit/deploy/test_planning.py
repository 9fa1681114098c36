"""The plan: pure, from what is wanted and what was observed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clarifai_build.deploy.planning import NotOursError, Observed, make_plan, pick_version
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, TEMPLATE, Registration
from clarifai_build.deploy.status import status_of
from clarifai_build.errors import RegistryError
from clarifai_build.registry import NewModel, RemoteModel, RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.reports.plan import Planned, plans_text
from clarifai_build.storage import StoredObject

WANTED = Registration(
    model=NewModel("lines", "visual-detector", "Finds lines.", "private"),
    input_fields_map={"image": "image"},
    output_fields_map={"concepts": "scores"},
    params=(),
    artifact_digest="a" * 64,
    size=100,
)
MODEL = RemoteModel("lines", "visual-detector", "Finds lines.", "private", managed=True)
METADATA = WANTED.new_version("http://zip", VersionMetadata(crc32="0000abcd")).metadata
READY = RemoteVersion("v1", 21100, "Model is trained", "", "", "Finds lines.", metadata=METADATA)
STORED = StoredObject("key", 100, "etag", {ARTIFACT_DIGEST: WANTED.artifact_digest}, "0000abcd")
SETTLED = Observed(MODEL, (READY,), STORED)


def kinds(observed: Observed, wanted: Registration = WANTED) -> list[str]:
    """Plan, and name the steps."""
    return [action.kind for action in make_plan(wanted, observed).actions]


def test_settled_model_needs_nothing() -> None:
    """What is live is what is wanted: no step."""
    assert kinds(SETTLED) == []
    plan = make_plan(WANTED, SETTLED)
    assert plans_text([Planned("clarifai.yaml", plan, (), "")]).endswith(
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
    changed = replace(WANTED, artifact_digest="b" * 64)
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
    ],
)
def test_model_fields_are_updated_in_place(model: RemoteModel) -> None:
    """Description and visibility change without a new version."""
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
    assert kinds(replace(SETTLED, stored=replace(STORED, size=99))) == ["upload"]


def test_replaced_object_is_uploaded_again() -> None:
    """Other content of the same size shows by the checksum, else by the digest beside it."""
    assert kinds(replace(SETTLED, stored=replace(STORED, crc32="00000000"))) == ["upload"]
    other = replace(STORED, crc32="", metadata={ARTIFACT_DIGEST: "other"})
    assert kinds(replace(SETTLED, stored=other)) == ["upload"]


def test_cache_in_front_of_the_bucket_may_say_less() -> None:
    """A CDN that hides checksum and metadata does not make every apply an upload."""
    assert kinds(replace(SETTLED, stored=replace(STORED, crc32="", metadata={}))) == []


def test_version_fields_are_updated_in_place() -> None:
    """Description, visibility and project of the live version follow the manifest."""
    assert kinds(replace(SETTLED, versions=(replace(READY, visibility="public"),))) == [
        "update-version"
    ]
    assert kinds(SETTLED, replace(WANTED, project="vision")) == ["update-version"]


def test_no_description_leaves_the_platforms() -> None:
    """A manifest without a description does not fight one that was written by hand."""
    model = replace(WANTED.model, description="")
    assert kinds(SETTLED, replace(WANTED, model=model)) == []


def test_going_back_makes_the_old_artifact_the_newest() -> None:
    """The newest version serves, so going back registers anew, and says what that costs."""
    metadata = replace(METADATA, registration_digest="x", artifact_digest="y")
    other = replace(READY, id="v2", metadata=metadata)
    plan = make_plan(WANTED, replace(SETTLED, versions=(other, READY)))
    assert [(a.kind, a.version, a.destructive) for a in plan.actions] == [
        ("delete-version", "v1", True),
        ("create-version", "", False),
    ]
    assert plan.destructive


def test_duplicates_leave_the_oldest() -> None:
    """Whoever looks keeps the same one of several versions that a race has made."""
    later = replace(READY, id="v2")
    plan = make_plan(WANTED, replace(SETTLED, versions=(later, READY)))
    assert [(a.kind, a.version, a.destructive) for a in plan.actions] == [
        ("delete-version", "v2", False)
    ]
    assert plan.live == READY
    assert pick_version(WANTED, [later, READY]) == (READY, [later])


def test_newer_builder_is_named_as_the_reason() -> None:
    """When what builds the artifact has changed, the reason says so."""
    metadata = VersionMetadata("old", "old", tool=METADATA.tool, template="0")
    old = replace(READY, metadata=metadata)
    plan = make_plan(WANTED, replace(SETTLED, versions=(old,), stored=None))
    assert plan.actions[1].reason == (
        f"the artifact has changed since v1, and what builds it: template 0 → {TEMPLATE}"
    )


def test_what_upload_model_registered_is_followed_by_ours() -> None:
    """It is ours, so it needs no --adopt and has no artifact; as the newest it serves."""
    legacy = RemoteVersion("v2", 21100, "", metadata=VersionMetadata(tool="1.0"))
    model = replace(MODEL, managed=False)
    plan = make_plan(WANTED, Observed(model, (legacy,), STORED))
    assert [action.kind for action in plan.actions] == ["adopt-model", "create-version"]
    assert "template unknown → " in plan.actions[1].reason
    status = status_of("clarifai.yaml", plan)
    assert (status.version, status.artifact_digest) == ("v2", "")


def test_version_of_someone_else_does_not_count() -> None:
    """A newer version that this tool did not make is neither used nor touched."""
    foreign = RemoteVersion("v2", 21100, "Model is trained")
    assert kinds(replace(SETTLED, versions=(foreign, READY))) == []


def test_foreign_model_needs_adopt() -> None:
    """A model that is not ours is not touched without --adopt."""
    foreign = Observed(replace(MODEL, managed=False), (), STORED)
    with pytest.raises(NotOursError):
        make_plan(WANTED, foreign)
    adopted = make_plan(WANTED, foreign, adopt=True)
    assert [action.kind for action in adopted.actions] == ["adopt-model", "create-version"]


def test_type_mismatch_names_both_types() -> None:
    """A model's type can't change, so the error says which is where."""
    with pytest.raises(RegistryError, match=r"visual-embedder.*visual-detector") as raised:
        make_plan(WANTED, replace(SETTLED, model=replace(MODEL, type="visual-embedder")))
    assert raised.value.problems[0].code == "type-mismatch"


def test_digest_leaves_out_what_can_change_in_place() -> None:
    """Description and visibility are no part of a version's identity."""
    other = replace(WANTED, model=replace(WANTED.model, description="x", visibility="public"))
    assert other.digest == WANTED.digest
    assert replace(WANTED, artifact_digest="c" * 64).digest != WANTED.digest


def test_digest_of_a_registration_holds() -> None:
    """Another one would register every model anew: it changes with registration.FORMAT alone."""
    assert WANTED.digest == "51687e401b4a6d25e018aebf09e0cb49e6fd37cdd1816b2fb8a7d8158395389e"
    assert replace(WANTED, artifact_digest="c" * 64).digest != WANTED.digest


def test_a_version_of_ours_makes_a_model_ours() -> None:
    """A model whose notes were rewritten by hand is taken back without --adopt."""
    plan = make_plan(WANTED, replace(SETTLED, model=replace(MODEL, managed=False)))
    assert [action.kind for action in plan.actions] == ["adopt-model"]


def test_versions_of_others_are_no_reason_to_adopt() -> None:
    """What someone else registered neither makes a model ours nor is waited for."""
    foreign = RemoteVersion("v9", 21107, "building")
    observed = Observed(MODEL, (foreign,), STORED)
    plan = make_plan(WANTED, observed)
    assert [action.kind for action in plan.actions] == ["create-version"]
    assert plan.live is None
    with pytest.raises(NotOursError):
        make_plan(WANTED, replace(observed, model=replace(MODEL, managed=False)))


def test_versions_of_ours_alone_are_sorted_out() -> None:
    """A foreign one between two of ours does not hide the older."""
    foreign = RemoteVersion("v2", 21100, "Model is trained")
    assert pick_version(WANTED, [foreign, READY]) == (READY, [])
    assert pick_version(WANTED, [replace(READY, id="v3"), foreign, READY]) == (
        READY,
        [replace(READY, id="v3")],
    )


def test_the_reason_of_an_upload_says_what_was_lost() -> None:
    """A live artifact that is gone is more than one that was never there."""
    lost = make_plan(WANTED, replace(SETTLED, stored=None))
    assert [action.reason for action in lost.actions] == [
        "the live artifact is gone from the bucket"
    ]
    metadata = replace(METADATA, artifact_digest="b" * 64, registration_digest="x")
    other = replace(READY, metadata=metadata)
    for versions in ((), (other,)):
        new = make_plan(WANTED, replace(SETTLED, versions=versions, stored=None))
        assert new.actions[0].reason == "the artifact is not in the bucket"
    short = make_plan(WANTED, replace(SETTLED, stored=replace(STORED, size=99)))
    assert short.actions[0].reason == "the object has 99 bytes instead of 100"


def test_the_checksum_of_another_artifact_says_nothing() -> None:
    """What the live version recorded is compared only where it is of this artifact."""
    metadata = replace(METADATA, artifact_digest="b" * 64, crc32="11111111")
    other = replace(READY, metadata=metadata)
    assert kinds(replace(SETTLED, versions=(other,))) == []
    for crc32 in (None, ""):
        unknown = replace(READY, metadata=replace(METADATA, crc32=crc32))
        assert kinds(replace(SETTLED, versions=(unknown,))) == []


@pytest.mark.parametrize(("details", "said"), [("", "Failed"), ("no memory", "no memory")])
def test_why_a_version_goes_is_said(details: str, said: str) -> None:
    """In the platform's details, or else its status."""
    failed = replace(READY, status_code=21108, status="Failed", details=details)
    plan = make_plan(WANTED, replace(SETTLED, versions=(failed,)))
    assert [action.reason for action in plan.actions] == [
        f"it failed: {said}",
        "the same artifact is tried again",
    ]
    twice = make_plan(WANTED, replace(SETTLED, versions=(replace(READY, id="v2"), READY)))
    assert twice.actions[0].reason == "duplicate of v1"


def test_an_action_is_found_by_its_kind() -> None:
    """And one that is not planned is none."""
    other = replace(READY, metadata=replace(METADATA, registration_digest="x"))
    plan = make_plan(WANTED, replace(SETTLED, versions=(other,), stored=None))
    create = plan.wants("create-version")
    assert create is not None
    assert create.reason == "the registration has changed since v1"
    assert plan.wants("wait") is None
    assert plan.writes
    building = replace(READY, status_code=21107)
    assert not make_plan(WANTED, replace(SETTLED, versions=(building,))).writes
