"""Applying a runner: built on a platform of the real form, in a bucket or in none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.destroy import destroy_leased, plan_deletion
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.runner.kept_nowhere import KEPT_NOWHERE
from clarifai_build.deploy.status import status_of
from clarifai_build.errors import BuilderError, BuildFailedError, RegistryError
from clarifai_build.manifest.types import Clarifai, Deployment, Manifest, Runner
from clarifai_build.pipeline import Applied, ApplyOptions, Waiting, apply, plan, roll_back
from clarifai_build.progress import Event
from clarifai_build.registry.account import Account
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.registry.runners.deployment_id import deployment_id
from clarifai_build.sandbox.state import APP_ID
from support.fakes import MemoryStore, ShortPauses, artifact_of, manifest_of
from support.runner_platform import Runners, breaks_at, runner_platform

SPEC = Deployment("pool", "cluster")
NAME = deployment_id(APP_ID, "lines")
NOT_DEPLOYED, FAILS, WELL = 21353, 21313, 10000


def tar_of(text: str) -> Artifact:
    """Make the artifact of a model that differs by a text."""
    return Artifact.tar_gz(artifact_of({"config.yaml": b"x", "1/model.py": text.encode()}).tree)


ONE, TWO = tar_of("one"), tar_of("two")


def manifest(deployment: Deployment | None = None, **runner: object) -> Manifest:
    """Make the manifest of a runner."""
    settings = Runner(deployment=deployment, **runner)  # type: ignore[arg-type]
    return replace(manifest_of(), target="runner", runner=settings, clarifai=Clarifai())


@dataclass
class World:
    """A platform, a bucket that nobody else can read, and what was told."""

    has: Runners
    registry: ClarifaiRegistry
    store: MemoryStore | None = None
    told: list[Event] = field(default_factory=list)
    cancel: ShortPauses = field(default_factory=ShortPauses)

    def plan(self, made: Artifact, wanted: Manifest) -> Plan:
        """Plan the one model."""
        return plan(wanted, made, self.store, self.registry)

    def apply(self, made: Artifact, wanted: Manifest, timeout: float = 30.0) -> Applied:
        """Apply it; pauses are short."""
        options = ApplyOptions(waiting=Waiting(timeout=timeout), cancel=self.cancel)
        return apply(wanted, made, self.store, self.registry, options, self.told.append)

    def messages(self, stage: str) -> list[str]:
        """Return what was told of a stage."""
        return [event.message for event in self.told if event.stage == stage and event.message]

    @property
    def served(self) -> str:
        """Return the version that the deployment points at."""
        return str(self.has.deployments[NAME].desired_worker.model.model_version.id)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A platform whose builds are ready at the first look, without a bucket."""
    with runner_platform(tmp_path) as (platform, has):
        has.stages = [(21100, "")]
        has.add_nodepool("cluster", "pool")
        channel = Channel(Account.resolve(Clarifai(), platform.environ), sleep=lambda _: None)
        yield World(has, ClarifaiRegistry(channel))
        channel.close()


def kinds(planned: Plan) -> list[str]:
    """Return the kinds of a plan's actions."""
    return [action.kind for action in planned.actions]


def code(raised: pytest.ExceptionInfo[BuilderError]) -> str:
    """Return the code of an error."""
    return raised.value.problems[0].code


def test_without_a_bucket_it_goes_to_the_platform_alone(world: World) -> None:
    """And applying again does nothing."""
    applied = world.apply(ONE, manifest())
    assert kinds(applied.plan) == ["create-model", "create-version"]
    assert applied.url == ""
    assert world.messages("register").count(KEPT_NOWHERE) == 1
    (upload,) = world.has.uploads
    assert upload.content == ONE.read(0, ONE.size)
    assert upload.config.storage_request_size == 4
    recorded = applied.version.recorded
    assert (recorded.target, recorded.artifact_digest) == ("runner", ONE.digest)
    assert (recorded.revision, recorded.canary, recorded.size) == (1, "", ONE.size)
    again = world.apply(ONE, manifest())
    assert kinds(again.plan) == []
    assert len(world.has.uploads) == 1


def test_a_bucket_keeps_it_and_need_not_be_public(world: World) -> None:
    """Nobody downloads it: the platform is sent it."""
    world.store = MemoryStore()
    applied = world.apply(ONE, manifest())
    assert kinds(applied.plan) == ["upload", "create-model", "create-version"]
    key = applied.plan.registration.key("models")
    assert world.store.objects[key][0] == ONE.read(0, ONE.size) == world.has.uploads[0].content
    assert applied.version.recorded.provenance
    assert kinds(world.apply(ONE, manifest()).plan) == []


def test_what_the_platform_is_told_is_part_of_the_registration(world: World) -> None:
    """Other compute is another version of the same artifact."""
    world.apply(ONE, manifest())
    again = world.apply(ONE, manifest(num_threads=4))
    assert kinds(again.plan) == ["create-version"]
    assert "registration has changed" in again.plan.actions[0].reason
    assert world.has.uploads[1].config.model_version.num_threads == 4


def test_a_build_is_followed_line_by_line(world: World) -> None:
    """As it comes, each line once."""
    world.has.stages = [(21107, ""), (21107, ""), (21100, "")]
    world.has.lines = ["Step 1", "Step 2"]
    world.apply(ONE, manifest())
    assert world.messages("builder") == ["Step 1", "Step 2"]


def test_a_build_that_fails_says_why_and_is_tried_again(world: World) -> None:
    """With the builder's last lines; the model is as it was, and mending it is enough."""
    world.apply(ONE, manifest())
    world.has.stages = [(21107, ""), (21108, "the build failed")]
    world.has.lines = [f"line {number}" for number in range(30)] + ["No matching distribution"]
    with pytest.raises(BuildFailedError, match="No matching distribution") as raised:
        world.apply(TWO, manifest())
    assert code(raised) == "build-failed"
    assert "line 10\n" not in str(raised.value)
    assert "test --runner" in str(raised.value.problems[0].hint)
    states = [version.health for version in world.registry.versions("lines")]
    assert states == ["failed", "ready"]
    world.has.stages = [(21100, "")]
    mended = world.apply(tar_of("three"), manifest())
    assert kinds(mended.plan) == ["create-version"]


def test_a_failed_version_goes_when_it_is_tried_again(world: World) -> None:
    """The same artifact, after something else was mended."""
    world.has.stages = [(21108, "no disk")]
    with pytest.raises(BuildFailedError):
        world.apply(ONE, manifest())
    applied_plan = world.plan(ONE, manifest())
    assert kinds(applied_plan) == ["delete-version", "create-version"]
    world.has.stages = [(21100, "")]
    applied = world.apply(ONE, manifest())
    assert [version.id for version in world.registry.versions("lines")] == [applied.version.id]


def test_a_build_that_never_ends(world: World) -> None:
    """The time is over, and the last lines are told."""
    world.has.stages, world.has.lines = [(21107, "")], ["waiting for a machine"]
    with pytest.raises(BuildFailedError, match="waiting for a machine") as raised:
        world.apply(ONE, manifest(), timeout=0.0)
    assert code(raised) == "build-timeout"


def test_states_on_the_way_are_waited_for(world: World) -> None:
    """Uploading is no failure."""
    world.has.stages = [(21104, ""), (21103, ""), (21107, ""), (21100, "")]
    assert world.apply(ONE, manifest()).version.health == "ready"


def test_a_log_that_can_not_be_read_stops_nothing(world: World) -> None:
    """It is a warning, once."""
    world.has.stages = [(21107, ""), (21107, ""), (21100, "")]
    world.has.refuse["ListLogEntries"] = (11007, "no right to logs")
    assert world.apply(ONE, manifest()).version.health == "ready"
    warned = [event.warning.code for event in world.told if event.warning]
    assert warned == ["not-authorised"]


def test_an_upload_that_breaks_leaves_one_version(world: World) -> None:
    """And the apply ends well."""
    world.has.faults = [breaks_at(1, keeps=True)]
    applied = world.apply(ONE, manifest())
    assert [version.id for version in world.registry.versions("lines")] == [applied.version.id]


def test_an_interrupted_upload_is_found_again(world: World) -> None:
    """The version that it has made is kept, and not made twice."""
    world.has.stages = [(21107, "")]
    with pytest.raises(BuildFailedError):
        world.apply(ONE, manifest(), timeout=0.0)
    assert kinds(world.plan(ONE, manifest())) == ["wait"]
    world.has.stages = [(21100, "")]
    world.apply(ONE, manifest())
    assert len(world.has.uploads) == 1


@pytest.mark.parametrize(
    ("deployment", "said"),
    [
        (Deployment("other", "cluster"), "no nodepool 'other'"),
        (Deployment("pool", "other"), "no compute cluster 'other'"),
    ],
)
def test_a_nodepool_that_is_not_there(world: World, deployment: Deployment, said: str) -> None:
    """It is said before anything is made or sent."""
    with pytest.raises(RegistryError, match=said) as raised:
        world.apply(ONE, manifest(deployment))
    assert code(raised) == "nodepool-missing"
    assert world.has.uploads == []
    assert world.registry.model("lines") is None


def test_an_instance_type_that_is_not_there(world: World) -> None:
    """Likewise."""
    with pytest.raises(RegistryError) as raised:
        world.apply(ONE, manifest(instance="h9000"))
    assert code(raised) == "instance-unknown"
    assert world.registry.model("lines") is None


@pytest.mark.parametrize("create", [False, True])
def test_a_nodepool_is_made_of_an_instance_type(world: World, create: bool) -> None:
    """It costs money: unless the manifest asks for it, someone has to."""
    wanted = manifest(
        Deployment("new", "other", max_replicas=2, create=create), instance="sandbox-cpu"
    )
    applied = world.apply(ONE, wanted)
    assert kinds(applied.plan) == [
        *("create-cluster", "create-nodepool", "create-model", "create-version"),
        "create-deployment",
    ]
    assert applied.plan.costly is not create
    assert world.has.nodepools["other", "new"].max_instances == 2
    assert kinds(world.plan(ONE, wanted)) == []


def test_a_version_is_deployed_once_it_answers(world: World) -> None:
    """It is asked by its own id; another version takes its place in the same way."""
    first = world.apply(ONE, manifest(SPEC)).version
    assert (world.has.asked, world.served) == ([first.id], first.id)
    applied = world.apply(TWO, manifest(SPEC))
    assert kinds(applied.plan) == ["create-version", "update-deployment"]
    assert world.has.asked == [first.id, applied.version.id]
    assert (world.served, world.has.patches) == (applied.version.id, ["overwrite"])
    assert kinds(world.plan(TWO, manifest(SPEC))) == []


def test_a_version_that_does_not_answer_is_not_deployed(world: World) -> None:
    """The one before goes on serving, and the same artifact may be tried again."""
    first = world.apply(ONE, manifest(SPEC)).version
    world.has.answers = [FAILS]
    with pytest.raises(BuildFailedError) as raised:
        world.apply(TWO, manifest(SPEC))
    assert code(raised) == "canary-failed"
    assert world.served == first.id
    assert kinds(world.plan(TWO, manifest(SPEC))) == ["update-deployment"]
    applied = world.apply(TWO, manifest(SPEC))
    assert len(world.has.uploads) == 2
    assert world.served == applied.version.id


def test_where_only_what_is_deployed_can_be_asked(world: World) -> None:
    """The deployment is pointed at it first, and the version is asked as it starts."""
    world.has.answers = [NOT_DEPLOYED, NOT_DEPLOYED, 21351, WELL]
    applied = world.apply(ONE, manifest(SPEC))
    assert world.served == applied.version.id
    assert applied.version.recorded.canary == ""


def test_a_deployment_goes_back_to_what_answered(world: World) -> None:
    """Where the new version could be asked only when deployed, and did not answer."""
    first = world.apply(ONE, manifest(SPEC)).version
    world.has.answers = [NOT_DEPLOYED, FAILS]
    with pytest.raises(BuildFailedError):
        world.apply(TWO, manifest(SPEC))
    assert world.served == first.id
    assert world.messages("deploy")[-1] == f"deployment {NAME} serves version {first.id} again"


def test_a_first_deployment_that_does_not_answer_goes(world: World) -> None:
    """Nothing was served before, and nothing is."""
    world.has.answers = [NOT_DEPLOYED, FAILS]
    with pytest.raises(BuildFailedError):
        world.apply(ONE, manifest(SPEC))
    assert world.has.deployments == {}


def test_a_version_that_another_apply_overtook(world: World) -> None:
    """What came between is the one to serve; the next apply decides."""
    first = world.apply(ONE, manifest(SPEC)).version

    def overtake() -> None:
        world.has.before_answer = lambda: None
        options = ApplyOptions(waiting=Waiting(wait=False))
        apply(manifest(SPEC), tar_of("three"), None, world.registry, options)

    world.has.before_answer = overtake
    with pytest.raises(BuildFailedError) as raised:
        world.apply(TWO, manifest(SPEC))
    assert code(raised) == "deployment-overtaken"
    assert world.served == first.id


def test_other_replicas_change_the_deployment_alone(world: World) -> None:
    """Nothing is sent or asked anew."""
    world.apply(ONE, manifest(SPEC))
    applied = world.apply(ONE, manifest(replace(SPEC, min_replicas=1, max_replicas=4)))
    assert kinds(applied.plan) == ["update-deployment"]
    assert "replicas" in applied.plan.actions[0].reason
    assert world.has.deployments[NAME].autoscale_config.max_replicas == 4
    assert (len(world.has.uploads), len(world.has.asked)) == (1, 1)


def test_what_serves_is_not_removed_before_something_else_does(world: World) -> None:
    """Going back to what serves already, past a version that never answered."""
    first = world.apply(ONE, manifest(SPEC)).version
    world.has.answers = [FAILS]
    with pytest.raises(BuildFailedError):
        world.apply(TWO, manifest(SPEC))
    world.has.answers = [FAILS]
    with pytest.raises(BuildFailedError):
        world.apply(ONE, manifest(SPEC))
    assert first.id in {version.id for version in world.registry.versions("lines")}
    assert world.served == first.id
    applied = world.apply(ONE, manifest(SPEC))
    assert world.served == applied.version.id != first.id
    assert first.id not in {version.id for version in world.registry.versions("lines")}
    assert kinds(world.plan(ONE, manifest(SPEC))) == []


def test_without_waiting_nothing_is_deployed(world: World) -> None:
    """That is said, and the next apply does it."""
    options = ApplyOptions(waiting=Waiting(wait=False))
    apply(manifest(SPEC), ONE, None, world.registry, options, world.told.append)
    assert world.has.deployments == {}
    assert [event.warning.code for event in world.told if event.warning] == ["not-deployed"]
    applied = world.apply(ONE, manifest(SPEC))
    assert world.served == applied.version.id


def test_a_deployment_that_is_refused(world: World) -> None:
    """A quota, for one: the words are the platform's, and the next apply goes on from there."""
    world.has.refuse["PostDeployments"] = (11006, "no more replicas")
    with pytest.raises(RegistryError, match="no more replicas") as raised:
        world.apply(ONE, manifest(SPEC))
    assert code(raised) == "quota"
    world.has.refuse.clear()
    assert kinds(world.apply(ONE, manifest(SPEC)).plan) == ["create-deployment"]
    assert len(world.has.uploads) == 1


def test_going_back_sends_what_the_bucket_keeps(world: World) -> None:
    """As it was declared then, and the deployment serves it once it answers."""
    world.store = MemoryStore()
    first = world.apply(ONE, manifest(SPEC)).version
    world.apply(TWO, manifest(SPEC, num_threads=4))
    new = roll_back(
        *(manifest(SPEC), first, world.store, world.registry, Waiting(), world.told.append),
        cancel=world.cancel,
    )
    assert world.has.uploads[2].content == ONE.read(0, ONE.size)
    sent = world.has.uploads[2].config.model_version
    before = world.has.uploads[0].config.model_version
    for name in ("inference_compute_info", "num_threads", "build_info", "output_info"):
        assert getattr(sent, name) == getattr(before, name)
    assert list(sent.method_signatures) == list(before.method_signatures)
    assert (new.revision, new.recorded.rollback_of) == (3, "v1")
    assert world.served == new.id
    assert first.id not in {version.id for version in world.registry.versions("lines")}


def test_destroying_takes_the_deployment_along(world: World) -> None:
    """First; without a bucket there is no lease to hold."""
    world.apply(ONE, manifest(SPEC))
    deletion = plan_deletion(world.registry, "lines")
    assert deletion
    assert deletion.deployment == NAME
    destroy_leased(None, "", world.registry, deletion)
    assert world.has.deployments == {}
    assert world.registry.model("lines") is None
    assert plan_deletion(world.registry, "lines") is None


@pytest.mark.parametrize(("live", "health"), [(0, "Progressing"), (2, "Healthy")])
def test_the_status_counts_replicas(world: World, live: int, health: str) -> None:
    """A model is healthy once all that are wanted are live."""
    world.apply(ONE, manifest(SPEC))
    aggregate = world.has.deployments[NAME].deployment_metrics.aggregate
    aggregate.desired_replicas, aggregate.live_replicas = 2, live
    status = status_of("clarifai.yaml", world.plan(ONE, manifest(SPEC)))
    assert (status.sync, status.health) == ("Synced", health)
    assert status.replicas
    assert (status.replicas.live, status.replicas.desired) == (live, 2)
    assert ("ReplicasLive" in {one.type for one in status.conditions}) is (live < 2)


def test_cancelling_while_it_is_built(world: World) -> None:
    """It ends at once, and the next apply goes on waiting."""
    world.has.stages = [(21107, "")]

    def interrupt(event: Event) -> None:
        if event.stage == "builder":
            world.cancel.cancel()

    world.has.lines = ["Step 1"]
    options = ApplyOptions(cancel=world.cancel)
    with pytest.raises(KeyboardInterrupt):
        apply(manifest(), ONE, None, world.registry, options, interrupt)
    assert kinds(world.plan(ONE, manifest())) == ["wait"]
