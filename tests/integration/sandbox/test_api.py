"""Accounts, models and lists, and how the API refuses."""

from __future__ import annotations

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.exceptions
import pytest
import requests
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_code_pb2

from clarifai_build.model_types import MODEL_TYPES
from support.sandbox_client import Api, model_files, s3, zipped

RPCS = service_pb2.DESCRIPTOR.services_by_name["V2"].methods


def post_model(api: Api, model_id: str, model_type: str = "text-to-text", **fields: Any) -> Any:
    model = resources_pb2.Model(id=model_id, model_type_id=model_type, **fields)
    return api.call("PostModels", models=[model])


@pytest.mark.parametrize("pat", ["wrong", "Ünïcode", " "])
def test_a_wrong_token(api: Api, pat: str) -> None:
    """Whoever has no token of the sandbox gets nothing, and is told where to find it."""
    answer = api.stub.GetUser(
        service_pb2.GetUserRequest(user_app_id=api.user_app_id),
        metadata=[("authorization", f"Key {pat}".encode("ascii", "replace").decode())],
    )
    assert answer.status.code == 11008
    assert "sandbox status" in answer.status.details


def test_no_token_and_session_token(api: Api) -> None:
    """No token is refused; a session token is as good as a PAT."""
    request = service_pb2.GetUserRequest(user_app_id=api.user_app_id)
    assert api.stub.GetUser(request).status.code == 11008
    metadata = [("x-clarifai-session-token", api.endpoints.pat)]
    assert api.stub.GetUser(request, metadata=metadata).user.id == api.endpoints.user_id


def test_every_rpc_answers_in_band(api: Api) -> None:
    """None of the API's RPCs is UNIMPLEMENTED or UNAVAILABLE; refusals have details."""
    silent = []
    for rpc in RPCS:
        if rpc.client_streaming:
            continue
        request = getattr(service_pb2, rpc.input_type.name)()
        answer = getattr(api.stub, rpc.name)(request, metadata=api.metadata, timeout=30)
        answers = list(answer) if rpc.server_streaming else [answer]
        silent += [
            rpc.name
            for each in answers
            if not each.status.code or (each.status.code != 10000 and not each.status.details)
        ]
    assert silent == []


def test_request_ids(api: Api) -> None:
    """A client's prefix comes back before 32 hexadecimal digits."""
    answer = api.stub.GetUser(
        service_pb2.GetUserRequest(user_app_id=api.user_app_id),
        metadata=[*api.metadata, ("x-clarifai-request-id-prefix", "mine-1")],
    )
    assert re.fullmatch(r"mine-1-[0-9a-f]{32}", answer.status.req_id)


def test_somebody_else(api: Api) -> None:
    """Another user and an app that is not there look alike; 'me' is the sandbox's user."""
    stranger = resources_pb2.UserAppIDSet(user_id="stranger", app_id="x")
    nowhere = resources_pb2.UserAppIDSet(user_id=api.endpoints.user_id, app_id="nowhere")
    for account in (stranger, nowhere):
        assert api.call("GetApp", user_app_id=account).status.code == 11101
        answer = api.call("GetModel", user_app_id=account, model_id="x")
        assert answer.status.code == 11101
    me = resources_pb2.UserAppIDSet(user_id="me")
    assert api.call("GetUser", user_app_id=me).user.id == api.endpoints.user_id


def test_apps(api: Api) -> None:
    """Apps are made, found, changed and deleted with their models."""
    app = resources_pb2.App(id="my-app", description="mine")
    assert api.call("PostApps", apps=[app]).apps[0].user_id == api.endpoints.user_id
    assert "exists already" in api.call("PostApps", apps=[app]).status.details
    here = resources_pb2.UserAppIDSet(user_id="me", app_id="my-app")
    assert api.call("GetApp", user_app_id=here).app.description == "mine"
    changed = resources_pb2.App(id="my-app", description="ours")
    api.call("PatchApps", apps=[changed], action="merge")
    assert "my-app" in [app.id for app in api.call("ListApps").apps]
    model = resources_pb2.Model(id="in-my-app", model_type_id="text-to-text")
    assert api.call("PostModels", user_app_id=here, models=[model]).status.code == 10000
    assert api.call("GetModel", model_id="in-my-app").status.code == 21200
    assert api.call("DeleteApp", user_app_id=here).status.code == 10000
    assert api.call("GetApp", user_app_id=here).status.code == 11101


@pytest.mark.parametrize("model_id", ["", "a b", "a/../b", "-a", "a--b", "a" * 49, "ä", "a\n"])
def test_bad_model_ids(api: Api, model_id: str) -> None:
    """Ids that the platform's clients refuse are refused here."""
    assert post_model(api, model_id).status.code == 21202


def test_models(api: Api) -> None:
    """A model is made once, keeps its type, and can be described, found and deleted."""
    made = post_model(api, "a-model_1", description="first", notes="notes").model
    assert (made.id, made.model_type_id, made.app_id) == (
        "a-model_1",
        "text-to-text",
        "sandbox-app",
    )
    assert "exists already" in post_model(api, "a-model_1").status.details
    assert "not a model type" in post_model(api, "other", "no-such-type").status.details
    other = resources_pb2.Model(id="a-model_1", model_type_id="text-classifier")
    refused = api.call("PatchModels", models=[other], action="merge")
    assert "text-to-text and stays so" in refused.status.details
    changed = resources_pb2.Model(id="a-model_1", description="second")
    patched = api.call("PatchModels", models=[changed], action="merge").models[0]
    assert (patched.description, patched.notes) == ("second", "notes")
    assert api.call("DeleteModels", ids=["a-model_1"]).status.code == 10000
    assert api.call("GetModel", model_id="a-model_1").status.code == 21200
    assert api.call("DeleteModel", model_id="a-model_1").status.code == 21200


def test_a_race_for_a_model_id(api: Api) -> None:
    """Of many who create the same model at once, one does."""
    start = threading.Barrier(8)

    def post(_: int) -> int:
        start.wait()
        return int(post_model(api, "wanted-by-many").status.code)

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(post, range(8))) == {10000: 1, 21202: 7}


def test_pages(api: Api) -> None:
    """Pages count from 1; past the end there is success and nothing."""
    app = resources_pb2.App(id="paged")
    api.call("PostApps", apps=[app])
    here = resources_pb2.UserAppIDSet(user_id="me", app_id="paged")
    for number in range(5):
        kind = "text-to-text" if number % 2 else "text-embedder"
        model = resources_pb2.Model(id=f"m{number}", model_type_id=kind)
        api.call("PostModels", user_app_id=here, models=[model])

    def ids(**fields: Any) -> list[str]:
        answer = api.call("ListModels", user_app_id=here, **fields)
        assert answer.status.code == 10000
        return [model.id for model in answer.models]

    assert ids() == ["m4", "m3", "m2", "m1", "m0"]
    assert ids(page=1, per_page=2) == ["m4", "m3"]
    assert ids(page=3, per_page=2) == ["m0"]
    assert ids(page=4, per_page=2) == []
    assert ids(model_type_id="text-to-text") == ["m3", "m1"]
    assert ids(trained_only=True) == []


def test_model_types(api: Api) -> None:
    """Each model type has its fields, and layers whose data type is known."""
    listed = api.call("ListModelTypes").model_types
    assert {each.id for each in listed} == set(MODEL_TYPES)
    for each in listed:
        found = api.call("GetModelType", model_type_id=each.id).model_type
        assert list(found.input_fields) == list(MODEL_TYPES[each.id].input_fields_map)
        layers = [*found.expected_input_layers, *found.expected_output_layers]
        assert all(layer.shapes[0].data_type for layer in layers)
    assert api.call("GetModelType", model_type_id="none").status.code == 21202


def test_an_upload_that_breaks_off_and_goes_on(api: Api) -> None:
    """Parts may come over several streams, in any order; a stream without a start is refused."""
    content = zipped(model_files("text-to-text"))
    cut = len(content) // 2
    model_id = api.new_model("text-to-text")

    def upload(version_id: str, *parts: tuple[int, bytes]) -> list[Any]:
        version = resources_pb2.ModelVersion(id=version_id)
        version.pretrained_model_config.input_fields_map.update({"text": "text"})
        version.pretrained_model_config.output_fields_map.update({"text": "text"})
        config = service_pb2.PostModelVersionsUploadConfig(
            user_app_id=api.user_app_id,
            model_id=model_id,
            model_version=version,
            total_size=len(content),
        )
        sent = [service_pb2.PostModelVersionsUploadRequest(upload_config=config)]
        for number, data in parts:
            part = resources_pb2.UploadContentPart(part_number=number, data=data)
            sent.append(service_pb2.PostModelVersionsUploadRequest(content_part=part))
        return list(api.stub.PostModelVersionsUpload(iter(sent), metadata=api.metadata))

    first = upload("", (2, content[cut:]))
    version_id = first[0].model_version_id
    assert {answer.status.code for answer in first} == {status_code_pb2.UPLOAD_IN_PROGRESS}
    assert first[-1].bytes_remaining == cut
    last = upload(version_id, (1, content[:cut]))
    assert last[-1].status.code == status_code_pb2.UPLOAD_DONE
    assert last[-1].model_version_id == version_id
    assert api.settled(model_id, version_id).status.code == 21100
    nothing = list(api.stub.PostModelVersionsUpload(iter([]), metadata=api.metadata))
    assert nothing[0].status.code == 21202


def test_s3_lets_strangers_into_one_bucket(api: Api) -> None:
    """Without credentials the public bucket can be read, not written; the private one neither."""
    store = s3(api.endpoints)
    for bucket in ("public", "private"):
        store.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    base = api.endpoints.s3_endpoint
    assert requests.get(f"{base}/public/a/b", timeout=10).content == b"x"
    assert requests.get(f"{base}/private/a/b", timeout=10).status_code == 403
    assert requests.put(f"{base}/public/a/c", data=b"y", timeout=10).status_code == 403


def test_s3_refuses_a_wrong_key(api: Api) -> None:
    """Only the sandbox's keys open it."""
    endpoints = api.endpoints
    stranger = boto3.client(
        "s3",
        endpoint_url=endpoints.s3_endpoint,
        aws_access_key_id=endpoints.access_key,
        aws_secret_access_key="wrong",
        region_name=endpoints.region,
    )
    with pytest.raises(botocore.exceptions.ClientError, match="SignatureDoesNotMatch"):
        stranger.list_objects_v2(Bucket="public")
