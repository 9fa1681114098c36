"""`apply`: what it makes of one model and of many, and what it asks before it destroys."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from clarifai_build.registry import NewModel, RemoteVersion
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.sandbox.api.errors import Code
from support.command_line import World, ended
from support.memory_s3 import Request

PLAN = "../plan.json"


@pytest.fixture
def made(world: World) -> World:
    """One model, not yet applied."""
    world.model(at=".")
    return world


def newest(made: World, model: str = "lines") -> RemoteVersion:
    """Return what is live of a model."""
    return made.registry.versions(model)[0]


def theirs(made: World) -> None:
    """Let somebody else have made the model."""
    made.registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    made.platform.builds.disown("lines")


def test_apply_and_apply_again(made: World) -> None:
    """The first makes a version, the second says that there is nothing to do, and does nothing."""
    first = ended("apply")
    version = newest(made).id
    assert (first.code, first.out) == (0, f"lines: version {version} is ready\n")
    assert f"posted version {version}" in first.err
    made.forget()
    again = ended("apply")
    assert again.out == f"lines: nothing to do, version {version} is up to date\n"
    assert made.wrote() == []


def test_json_says_what_was_done(made: World) -> None:
    """Digest, address and steps; without progress on stdout."""
    done = ended("apply", "--json")
    (model,) = done.json["models"]
    (key,) = made.zips()
    assert model == {
        "manifest": "clarifai.yaml",
        "model": "lines",
        "version": newest(made).id,
        "status": "ready",
        "artifact_digest": key.split("/")[1],
        "url": f"{made.bucket.endpoint}/bucket/{key}",
        "actions": ["upload", "create-model", "create-version"],
    }
    assert done.json["pruned"] == done.json["errors"] == []
    assert ended("apply", "--json").json["models"] == [{**model, "actions": []}]


def test_many_models_are_a_table(made: World) -> None:
    """One that fails does not stop the others, and gives the exit code."""
    made.model("second", at="b")
    (made.folder / "c").mkdir()
    (made.folder / "c" / "clarifai.yaml").write_text("model: {id: c}\n")
    ended("apply")
    done = ended("apply", "clarifai.yaml", "b", "c")
    assert done.code == 3
    head, *rows = (line.split() for line in done.out.splitlines())
    assert head == ["MANIFEST", "MODEL", "RESULT", "VERSION", "STATUS"]
    second, first = newest(made, "second").id, newest(made).id
    assert rows[0] == ["b/clarifai.yaml", "second", "applied", second, "ready"]
    assert rows[1][:2] == ["c/clarifai.yaml", "failed"]
    assert rows[2] == ["clarifai.yaml", "lines", "unchanged", first, "ready"]
    document = ended("apply", "clarifai.yaml", "c", "--json").json
    assert [error["manifest"] for error in document["errors"]] == ["c/clarifai.yaml"]
    assert [model["model"] for model in document["models"]] == ["lines"]


def test_one_that_fails_alone_is_the_error(made: World) -> None:
    """As the command's own."""
    theirs(made)
    done = ended("apply")
    assert (done.code, done.out) == (1, "")
    assert "not-ours" in done.err
    assert ended("apply", "--adopt").code == 0
    model = made.registry.model("lines")
    assert model is not None
    assert model.managed


def test_waiting_can_be_left_out_or_limited(made: World) -> None:
    """A version that is still building is followed, at most for as long as is asked."""
    made.platform.builds.code = Code.MODEL_BUILDING
    late = ended("apply", "--timeout", "0")
    assert (late.code, late.out) == (1, "")
    assert "build-timeout" in late.err
    done = ended("apply", "--timeout", "0", "--no-wait")
    assert (done.code, done.out) == (0, f"lines: version {newest(made).id} is progressing\n")
    assert made.revisions() == [1]


def test_a_lease_keeps_others_out_unless_it_is_done_without(made: World) -> None:
    """And who holds it is said."""
    key = made.lease()
    refused = ended("apply")
    assert refused.code == 6
    assert "eve" in refused.err
    assert made.registry.model("lines") is None
    assert ended("apply", "--no-lease").code == 0
    assert made.revisions() == [1]
    assert key in made.bucket.objects


@pytest.mark.parametrize(
    ("flags", "answer", "goes"),
    [((), None, False), ((), "n\n", False), ((), "y\n", True), (("--yes",), None, True)],
)
def test_going_back_destroys_a_version(
    made: World, flags: tuple[str, ...], answer: str | None, goes: bool
) -> None:
    """Which is shown, and asked about."""
    for text in ("one", "more", "less"):
        made.edit(text, ".")
        ended("apply")
    made.edit("more", ".")
    earlier = made.registry.versions("lines")[1]
    done = ended("apply", *flags, answers=answer)
    assert f"- destroy version {earlier.id} of lines" in done.err
    assert made.revisions() == ([4, 3, 1] if goes else [3, 2, 1])
    assert done.code == (0 if goes else 64)


def models(made: World) -> set[str]:
    """Return the models that there are."""
    return {model.id for model in made.registry.models()}


class TestSavedPlans:
    """A plan that was kept is applied as it was shown, once."""

    def test_it_is_applied_once(self, made: World) -> None:
        """And marks what it made."""
        assert ended("plan", "--out", PLAN).code == 0
        done = ended("apply", PLAN)
        assert done.code == 0, done.err
        assert newest(made).recorded.apply
        again = ended("apply", PLAN)
        assert again.code == 7
        assert "plan-applied" in again.err

    def test_it_is_stale_once_the_source_has_changed(self, made: World) -> None:
        """Nothing is written then."""
        ended("plan", "--out", PLAN)
        made.edit("more", ".")
        done = ended("apply", PLAN, "--yes")
        assert done.code == 7
        assert "plan-stale" in done.err
        assert made.registry.model("lines") is None

    def test_it_is_applied_alone(self, made: World) -> None:
        """Beside other manifests it would not be what was shown."""
        ended("plan", "--out", PLAN)
        done = ended("apply", PLAN, "clarifai.yaml")
        assert done.code == 64
        assert ended("apply", "clarifai.yaml", PLAN).code == 64

    def test_it_adopts_and_prunes_as_it_was_made(self, made: World) -> None:
        """Whatever the flags of `apply` say."""
        made.model("lines", at=".", project="ocr")
        made.model("old", project="ocr")
        ended("apply", "old")
        theirs(made)
        assert ended("plan", "--adopt", "--prune", "--out", PLAN).code == 0
        done = ended("apply", PLAN)
        assert done.code == 0, done.err
        assert models(made) == {"lines"}
        assert "old: destroyed" in done.out


class TestPruning:
    """Models of the project that no manifest names any more."""

    @pytest.fixture
    def project(self, made: World) -> World:
        """Two models of one project, applied, and a third of none."""
        made.model("lines", at=".", project="ocr")
        made.model("old", project="ocr")
        made.model("other")
        assert ended("apply", ".").code == 0
        return made

    def test_what_is_not_named_goes_after_it_was_agreed_to(self, project: World) -> None:
        """And only that."""
        refused = ended("apply", "--prune")
        assert refused.code == 64
        assert models(project) == {"lines", "old", "other"}
        done = ended("apply", "--prune", "--yes", "--json")
        assert done.json["pruned"] == ["old"]
        assert models(project) == {"lines", "other"}

    def test_without_the_option_everything_stays(self, project: World) -> None:
        """--yes alone destroys nothing."""
        assert ended("apply", "--yes").code == 0
        assert models(project) == {"lines", "old", "other"}

    def test_it_needs_a_project_and_manifests_that_load(self, project: World) -> None:
        """Otherwise nobody knows what is not named."""
        assert "prune-project" in ended("apply", "other", "--prune", "--yes").err
        (project.folder / "old" / "clarifai.yaml").write_text("model: {id: old}\n")
        unsure = ended("apply", ".", "--prune", "--yes")
        assert "prune-unsure" in unsure.err
        assert models(project) == {"lines", "old", "other"}

    def test_a_failure_prunes_nothing(self, project: World) -> None:
        """What replaces the old model may not be there."""
        project.edit("more", ".")
        project.bucket.public = False
        assert ended("apply", "--prune", "--yes").code == 5
        assert "old" in models(project)

    def test_a_model_that_is_leased_is_not_pruned(self, project: World) -> None:
        """An apply of it is under way; what was applied is shown all the same."""
        project.lease("old")
        done = ended("apply", "--prune", "--yes")
        assert done.code == 6
        assert "old" in models(project)
        assert "unchanged" in done.out
        assert ended("apply", "--prune", "--yes", "--no-lease").code == 0
        assert "old" not in models(project)

    def test_what_changed_since_it_was_shown_stays(self, project: World) -> None:
        """A version that came between question and answer was not agreed to."""
        version = newest(project, "old")
        late: list[str] = []

        def come(request: Request) -> None:
            if request.method == "PUT" and not late and request.key.endswith("/old.json"):
                late.append(project.post("old", version.recorded, version.zip_url).id)

        project.bucket.before = come
        done = ended("apply", "--prune", "--yes")
        assert done.code == 7
        assert [one.id for one in project.registry.versions("old")] == [*late, version.id]


def test_two_manifests_of_one_model_are_refused(made: World) -> None:
    """They would undo each other's work for ever."""
    made.model("lines", at="b")
    done = ended("apply", "clarifai.yaml", "b", "--json")
    assert done.code == 3
    (error,) = done.json["errors"]
    assert error["error"]["code"] == "model-twice"


def test_a_bug_of_one_is_told_among_the_results(made: World) -> None:
    """The other models are applied."""
    made.model("second", at="b")
    real = ClarifaiRegistry.versions

    def versions(registry: ClarifaiRegistry, model: str) -> tuple[RemoteVersion, ...]:
        if model == "second":
            raise ZeroDivisionError
        return real(registry, model)

    made.registry.create_model(NewModel("second", "text-to-text", "", "private"))
    with patch.object(ClarifaiRegistry, "versions", versions):  # a bug
        done = ended("apply", ".")
    assert done.code == 70
    assert made.revisions() == [1]
    assert "internal-error" in done.out
