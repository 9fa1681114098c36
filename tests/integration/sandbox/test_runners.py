"""Runner models in the sandbox: uploaded, built, deployed, asked through the official process."""

from __future__ import annotations

from typing import Any

import pytest

from support.handmade_runners import runner_files, tarred
from support.runner_uploads import (
    built,
    declaration,
    deploy,
    head,
    log_lines,
    part,
    parts_of,
    sent,
    upload,
)
from support.sandbox_client import Api, text

SUCCESS, FAILURE = 10000, 10020
TRAINED, BUILDING, BUILD_FAILED, NOT_DEPLOYED = 21100, 21107, 21108, 21353
INVALID, PREDICTION_FAILED = 21202, 21313


@pytest.fixture(scope="module")
def model(api: Api) -> tuple[str, str]:
    """A runner model and its version, built and not deployed."""
    model_id, version = built(api)
    assert version.status.code == TRAINED, version.status
    return model_id, version.id


def words(answer: Any) -> list[str]:
    return [output.data.text.raw for output in answer.outputs]


def test_a_version_is_built_and_says_how(api: Api, model: tuple[str, str]) -> None:
    lines = log_lines(api, *model)
    assert lines[0].startswith("Unpacking ")
    assert lines[-2:] == ["Loading the model", "The model asks for work: built"]


def test_what_is_not_deployed_says_so_but_a_version_can_be_tried(
    api: Api, model: tuple[str, str]
) -> None:
    model_id, version_id = model
    refused = api.predict(model_id, text("abc"))
    assert refused.status.code == NOT_DEPLOYED
    assert "post a deployment" in refused.status.details
    assert words(api.predict(model_id, text("abc"), version_id=version_id)) == ["cba"]


def test_parameters_and_inputs_reach_the_model(api: Api, model: tuple[str, str]) -> None:
    """As an older client sends them; each output says what it is of."""
    model_id, version_id = model
    from clarifai_grpc.grpc.api import resources_pb2

    asked = resources_pb2.Model()
    asked.model_version.output_info.params.update({"loud": True})
    answer = api.predict(model_id, text("ab"), text("cd"), version_id=version_id, model=asked)
    assert words(answer) == ["BA", "DC"]
    assert answer.status.code == SUCCESS
    assert {output.model.model_version.id for output in answer.outputs} == {version_id}


def test_an_answer_comes_in_parts(api: Api, model: tuple[str, str]) -> None:
    model_id, version_id = model
    answers = list(_generate(api, model_id, version_id, "xyz"))
    assert [_part(answer) for answer in answers] == ["x", "y", "z"]
    *_, last = _generate(api, model_id, version_id, "x!")
    assert last.status.code == FAILURE


def _generate(api: Api, model_id: str, version_id: str, said: str) -> Any:
    from clarifai_grpc.grpc.api import resources_pb2, service_pb2

    data = resources_pb2.Data(parts=[resources_pb2.Part(id="text")])
    data.parts[0].data.string_value = said
    data.metadata["_method_name"] = "generate"
    request = service_pb2.PostModelOutputsRequest(
        user_app_id=api.user_app_id,
        model_id=model_id,
        version_id=version_id,
        inputs=[resources_pb2.Input(data=data)],
    )
    return api.stub.GenerateModelOutputs(request, metadata=api.metadata, timeout=60)


def _part(answer: Any) -> str:
    return str(answer.outputs[0].data.parts[0].data.string_value)


def test_a_process_that_dies_fails_its_requests_and_is_started_again(
    api: Api, model: tuple[str, str]
) -> None:
    model_id, version_id = model
    dead = api.predict(model_id, text("die"), version_id=version_id)
    assert dead.status.code == PREDICTION_FAILED
    assert "ended" in dead.status.details
    assert words(api.predict(model_id, text("abc"), version_id=version_id)) == ["cba"]


def test_a_model_sees_no_credentials(api: Api, model: tuple[str, str]) -> None:
    """Its process's token opens its own requests, and nothing of the sandbox."""
    model_id, version_id = model
    (seen,) = words(api.predict(model_id, text("environment"), version_id=version_id))
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    lines = "\n".join(log_lines(api, model_id, version_id, "runner"))
    assert api.endpoints.pat not in lines
    assert lines


def test_a_deployment_decides_which_version_answers(api: Api, model: tuple[str, str]) -> None:
    model_id, first = model
    shouting = runner_files(model_id)["1/model.py"].replace("else text[::-1]", "else text + '!'")
    files = runner_files(model_id, model=shouting)
    answer = upload(api, model_id, tarred(files))
    second = api.settled(model_id, answer.model_version_id)
    assert second.status.code == TRAINED

    made = deploy(api, model_id, first)
    assert made.status.code == SUCCESS, made.status
    (deployment,) = made.deployments
    assert deployment.worker == deployment.desired_worker
    assert words(api.predict(model_id, text("abc"))) == ["cba"]

    deployment.desired_worker.model.model_version.id = second.id
    patched = api.call("PatchDeployments", deployments=[deployment], action="overwrite")
    assert patched.deployments[0].worker.model.model_version.id == second.id
    assert words(api.predict(model_id, text("abc"))) == ["abc!"]

    listed = api.call("ListDeployments", model_version_ids=[second.id], nodepool_id="sandbox")
    assert [each.id for each in listed.deployments] == [deployment.id]
    runners = api.call("ListRunners", model_version_ids=[second.id])
    assert runners.runners[0].runner_metrics.pods_running == 1
    api.call("DeleteDeployments", ids=[deployment.id])
    assert api.predict(model_id, text("abc")).status.code == NOT_DEPLOYED
    gone = api.call("GetDeployment", deployment_id=deployment.id)
    assert gone.status.code == 25900


def test_a_bad_requirement_fails_the_version_with_the_last_lines(api: Api) -> None:
    """And the model is as it was: another version can be built."""
    wrong = "clarifai==12.5.0\nclarifai-no-such-package-at-all==9.9\n"
    model_id, version = built(api, requirements=wrong)
    assert version.status.code == BUILD_FAILED
    assert "clarifai-no-such-package-at-all" in version.status.details
    lines = log_lines(api, model_id, version.id)
    assert any("No matching distribution" in line for line in lines[-4:]), lines
    mended = upload(api, model_id, tarred(runner_files(model_id)))
    assert api.settled(model_id, mended.model_version_id).status.code == TRAINED


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"model": "import nothing_of_the_kind\n"}, "nothing_of_the_kind"),
        ({"requirements": "numpy\n"}, "no line for clarifai"),
        ({"config": "model: {id: x}\nbuild_info: {python_version: 3.11}\n"}, "in quotes"),
        ({"config": "model: {id: x}\nnum_threads: 0\n"}, "num_threads"),
        ({"config": "[]"}, "not a mapping"),
        ({"config": "a: [\n"}, "can't be read"),
        ({"config": "model: {}\n"}, "model.id"),
    ],
)
def test_what_can_not_be_built_fails_with_its_reason(
    api: Api, changed: dict[str, str], reason: str
) -> None:
    model_id, version = built(api, **changed)
    assert version.status.code == BUILD_FAILED
    assert reason in version.status.details
    assert any(reason in line for line in log_lines(api, model_id, version.id))


def test_the_last_answer_is_that_it_is_being_built(api: Api) -> None:
    model_id = api.new_model("text-to-text")
    content = tarred(runner_files(model_id))
    first, *_, last = sent(api, [head(api, model_id, len(content)), *parts_of(content, 3)])
    assert first.status.code == 68000
    assert (last.status.code, last.model_version_id) == (BUILDING, first.model_version_id)


def test_the_end_of_a_part_for_its_start(api: Api) -> None:
    """As the official tool of version 12.5 sends it; a number that is neither is refused."""
    model_id = api.new_model("text-to-text")
    content = tarred(runner_files(model_id))
    begin = head(api, model_id, len(content))
    assert sent(api, [begin, part(1, len(content), content)])[-1].status.code == BUILDING
    refused = sent(api, [begin, part(1, 5, content)])[-1]
    assert refused.status.code == INVALID
    refused = sent(api, [begin, part(2, 0, content)])[-1]
    assert "part 2 comes where part 1 is due" in refused.status.details


def test_a_stream_that_breaks_off_leaves_no_version(api: Api) -> None:
    model_id = api.new_model("text-to-text")
    content = tarred(runner_files(model_id))
    sent(api, [head(api, model_id, len(content)), *list(parts_of(content, 5))[:2]])
    assert not api.call("ListModelVersions", model_id=model_id).model_versions


def test_a_version_that_is_ready_takes_no_parts(api: Api, model: tuple[str, str]) -> None:
    model_id, version_id = model
    content = tarred(runner_files(model_id))
    begin = head(api, model_id, len(content), declaration(id=version_id))
    refused = sent(api, [begin, part(1, 0, content)])[-1]
    assert refused.status.code == INVALID
    assert "does not wait for parts" in refused.status.details
    assert api.version(model_id, version_id).status.code == TRAINED


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"inference_compute_info": None}, "inference_compute_info is missing"),
        ({"inference_compute_info": {"cpu_limit": "lots", "cpu_memory": "1Gi"}}, "not a quantity"),
        ({"inference_compute_info": {"cpu_memory": "1Gi"}}, "cpu_limit is missing"),
        ({"method_signatures": []}, "method_signatures is empty"),
        ({"num_threads": -1}, "num_threads is -1"),
        ({"pretrained_model_config": {"model_zip_url": "http://x/y.zip"}}, "is for a zip"),
    ],
)
def test_what_is_declared_is_checked(api: Api, wrong: dict[str, Any], reason: str) -> None:
    model_id = api.new_model("text-to-text")
    refused = upload(api, model_id, b"x", version=declaration(**wrong))
    assert refused.status.code == INVALID
    assert reason in refused.status.details


def test_a_labelled_type_needs_concepts(api: Api) -> None:
    model_id = api.new_model("text-classifier")
    refused = upload(api, model_id, b"x")
    assert "concepts is empty" in refused.status.details


def test_what_is_no_tar_fails(api: Api) -> None:
    model_id = api.new_model("text-to-text")
    posted = upload(api, model_id, b"no gzip")
    version = api.settled(model_id, posted.model_version_id)
    assert version.status.code == BUILD_FAILED
    assert "the tar.gz can't be used" in version.status.details


def test_clusters_and_nodepools(api: Api) -> None:
    """One of each is there; others can be made, and deployed to."""
    from clarifai_grpc.grpc.api import resources_pb2

    assert api.call("GetComputeCluster", compute_cluster_id="sandbox").status.code == SUCCESS
    pool = api.call("GetNodepool", compute_cluster_id="sandbox", nodepool_id="sandbox").nodepool
    assert pool.instance_types[0].id == "sandbox-cpu"
    assert api.call("GetComputeCluster", compute_cluster_id="x").status.code == 25800
    gone = api.call("GetNodepool", compute_cluster_id="sandbox", nodepool_id="x")
    assert gone.status.code == 25700
    cluster = resources_pb2.ComputeCluster(id="mine")
    made = api.call("PostComputeClusters", compute_clusters=[cluster])
    assert made.compute_clusters[0].user_id == api.endpoints.user_id
    again = api.call("PostComputeClusters", compute_clusters=[cluster])
    assert "exists already" in again.status.details
    wanted = resources_pb2.Nodepool(
        id="mine", max_instances=2, instance_types=[resources_pb2.InstanceType(id="sandbox-cpu")]
    )
    api.call("PostNodepools", compute_cluster_id="mine", nodepools=[wanted])
    listed = api.call("ListNodepools", compute_cluster_id="mine").nodepools
    assert [each.id for each in listed] == ["mine"]
    api.call("DeleteNodepools", compute_cluster_id="mine", ids=["mine"])
    api.call("DeleteComputeClusters", ids=["mine"])
    known = api.call("ListComputeClusters").compute_clusters
    assert "mine" not in {each.id for each in known}


def test_a_deployment_needs_a_version_a_nodepool_and_replicas(
    api: Api, model: tuple[str, str]
) -> None:
    from clarifai_grpc.grpc.api import resources_pb2

    model_id, version_id = model
    assert "has no version 'x'" in deploy(api, model_id, "x").status.details
    scale = resources_pb2.AutoscaleConfig(min_replicas=3)
    assert (
        "3 to 2 replicas"
        in deploy(api, model_id, version_id, autoscale_config=scale).status.details
    )
    nowhere = resources_pb2.DeploymentNodepool(id="x")
    assert deploy(api, model_id, version_id, deployment_nodepools=[nowhere]).status.code in (
        25700,
        25800,
    )
    refused = api.call("PatchDeployments", deployments=[], action="merge")
    assert "only 'overwrite'" in refused.status.details
