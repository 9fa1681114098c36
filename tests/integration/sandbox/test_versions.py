"""From a posted version to one that is ready, or failed with its reason."""

from __future__ import annotations

import io
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.sandbox.api.builds.loaded_models import MOST_LOADED
from clarifai_build.sandbox.engines.triton import Client
from support.sandbox_client import Api, model_files, text, zipped

FieldType = resources_pb2.ModelTypeField.ModelTypeFieldType


def failed(api: Api, content: bytes, bucket: str = "public") -> Any:
    """Post a version that can't be built; returns the status it ends with."""
    model_id = api.new_model("text-to-text")
    posted = api.post_version(model_id, api.publish(content, bucket))
    version = api.settled(model_id, posted.model.model_version.id)
    answer = api.predict(model_id, text("x"))
    assert answer.status.code == 21353
    assert version.status.details in answer.status.details
    return version.status


def with_files(**changes: str | None) -> bytes:
    """A good model's zip with files replaced, or removed where None."""
    names = {"config": "config.pbtxt", "model": "1/model.py", "needs": "requirements.txt"}
    files = model_files("text-to-text")
    for name, content in changes.items():
        files.pop(names[name], None)
        if content is not None:
            files[names[name]] = content
    return zipped(files)


def test_a_version_gets_ready(api: Api) -> None:
    """It answers at once with an id, keeps what was posted, and says when it was completed."""
    model_id = api.new_model("text-to-text")
    spec = resources_pb2.ModelTypeField(path="loud", field_type=FieldType.BOOLEAN)
    fields = {
        "description": "first",
        "metadata": {"digest": "abc"},
        "output_info": resources_pb2.OutputInfo(params_specs=[spec]),
    }
    url = api.publish(with_files())
    posted = api.post_version(model_id, url, **fields)
    version_id = posted.model.model_version.id
    assert posted.model.model_version.status.code == 21104
    version = api.settled(model_id, version_id)
    assert version.status.code == 21100
    assert version.completed_at.seconds >= version.created_at.seconds
    assert version.pretrained_model_config.model_zip_url == url
    assert (version.description, version.metadata["digest"]) == ("first", "abc")
    assert version.output_info.params_specs[0].path == "loud"
    assert version.visibility.gettable == resources_pb2.Visibility.PRIVATE
    latest = api.call("GetModel", model_id=model_id).model.model_version
    assert latest.id == version_id


def test_a_private_zip(api: Api) -> None:
    """A URL that asks for credentials fails the upload, and says that it isn't public."""
    status = failed(api, with_files(), bucket="private")
    assert status.code == 21105
    assert "is it public?" in status.details


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a zip", "not a zip file"),
        (zipped({"../../x": "x"}), "outside"),
        (zipped({"other/config.pbtxt": "", "other/1/model.py": ""}), "other/ does"),
        (with_files(config=None), "no config.pbtxt"),
        (with_files(model=None), "no 1/model.py"),
        (with_files(config="name: {"), "can't be parsed"),
        (with_files(config='backend: "python" max_batch_size: 1'), "config.pbtxt has none"),
        (with_files(model="import nothing_like_it"), "nothing_like_it"),
        (with_files(model="def broken("), "SyntaxError"),
        (with_files(needs="numpy>=2"), "needs numpy<2"),
        (with_files(needs="not a requirement !"), "pip could not install"),
    ],
)
def test_a_zip_that_can_not_be_built(api: Api, content: bytes, reason: str) -> None:
    """The version fails with the reason in its details, and prediction repeats it."""
    status = failed(api, content)
    assert status.code == 21108
    assert reason in status.details


def test_labels_that_are_missing(api: Api) -> None:
    """A model whose config names a label file has to bring it, with labels in it."""
    files = model_files("text-classifier")
    _, version = api.deploy("text-classifier", files | {"labels.txt": "\n\n"})
    assert "labels.txt holds no labels" in version.status.details
    del files["labels.txt"]
    _, version = api.deploy("text-classifier", files)
    assert "labels.txt, which is not there" in version.status.details


def test_requirements_are_installed(api: Api) -> None:
    """A model finds what its requirements.txt names, and numpy below 2 with it."""
    code = "import six\n" + model_files("text-to-text")["1/model.py"]
    content = {"1/model.py": code, "requirements.txt": "six==1.16.0\n"}
    files = model_files("text-to-text") | content
    model_id, version = api.deploy("text-to-text", files)
    assert version.status.code == 21100, version.status.details
    assert api.predict(model_id, text("ab")).outputs[0].data.text.raw == "ba"


def test_a_later_version_takes_over_when_it_is_ready(api: Api) -> None:
    """Without a version id the newest ready version answers; one that failed never does."""
    model_id, first = api.deploy("text-to-text")
    broken = api.post_version(model_id, api.publish(b"no zip")).model.model_version.id
    api.settled(model_id, broken)
    answer = api.predict(model_id, text("ab"))
    assert answer.outputs[0].model.model_version.id == first.id
    listed = api.call("ListModelVersions", model_id=model_id).model_versions
    assert [version.id for version in listed] == [broken, first.id]
    trained = api.call("ListModelVersions", model_id=model_id, trained_only=True).model_versions
    assert [version.id for version in trained] == [first.id]


def test_deleting(api: Api) -> None:
    """A deleted version is neither found, nor asked, nor served; its model stays."""
    model_id, version = api.deploy("text-to-text")
    which = {"model_id": model_id, "version_id": version.id}
    assert api.call("DeleteModelVersion", **which).status.code == 10000
    assert api.call("GetModelVersion", **which).status.code == 21200
    assert api.predict(model_id, text("x"), version_id=version.id).status.code == 21200
    assert "no version" in api.predict(model_id, text("x")).status.details
    served = api.endpoints.state_dir / "data" / "models" / version.id
    assert not served.exists()
    assert api.call("GetModel", model_id=model_id).status.code == 10000


def test_patching(api: Api) -> None:
    """Description and metadata change by merge, overwrite and remove; the zip never does."""
    model_id, version = api.deploy("text-to-text")

    def patch(action: str, **fields: Any) -> Any:
        wanted = resources_pb2.ModelVersion(id=version.id, **fields)
        answer = api.call(
            "PatchModelVersions", model_id=model_id, model_versions=[wanted], action=action
        )
        return answer.status if answer.status.code != 10000 else answer.model_versions[0]

    assert patch("merge", metadata={"a": 1, "b": 2}).metadata["a"] == 1
    assert patch("overwrite", metadata={"b": 3}).metadata == {"b": 3}
    assert patch("merge", description="new").metadata["b"] == 3
    assert not patch("remove", description="new").description
    config = resources_pb2.PretrainedModelConfig(model_zip_url="http://x/y.zip")
    assert patch("merge", pretrained_model_config=config).code == 21202


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "ftp://host/x.zip"}, "not an http"),
        ({"url": ""}, "not an http"),
        ({"url": "http://user:word@host/x.zip"}, "credentials"),
        ({"inputs": {"image": "text"}}, "input_fields_map of this model type has 'text'"),
        ({"outputs": {}}, "got nothing"),
        ({"outputs": {"text": 5}}, "name of a tensor"),
        ({"specs": [("not an identifier", 1, None)]}, "identifier"),
        ({"specs": [("a", 1, None), ("a", 1, None)]}, "twice"),
        ({"specs": [("a", 99, None)]}, "field_type"),
        ({"specs": [("a", FieldType.NUMBER, "5")]}, "does not fit"),
        ({"specs": [("a", FieldType.BOOLEAN, 1)]}, "does not fit"),
    ],
)
def test_a_version_that_is_refused(api: Api, change: dict[str, Any], reason: str) -> None:
    """What can be seen at once is refused at once, and nothing is stored."""
    model_id = api.new_model("text-to-text")
    version = resources_pb2.ModelVersion()
    config = version.pretrained_model_config
    config.model_zip_url = change.get("url", "http://127.0.0.1:1/x.zip")
    config.input_fields_map.update(change.get("inputs", {"text": "text"}))
    config.output_fields_map.update(change.get("outputs", {"text": "text"}))
    for path, kind, default in change.get("specs", ()):
        spec = version.output_info.params_specs.add(path=path, field_type=kind)
        if isinstance(default, str):
            spec.default_value.string_value = default
        elif default is not None:
            spec.default_value.number_value = default
    answer = api.call("PostModelVersions", model_id=model_id, model_versions=[version])
    assert answer.status.code == 21202
    assert reason in answer.status.details
    assert not api.call("ListModelVersions", model_id=model_id).model_versions


def test_a_map_that_names_no_tensor(api: Api) -> None:
    """The maps are held against config.pbtxt once it is there."""
    files = model_files("text-to-text")
    files["config.pbtxt"] = files["config.pbtxt"].replace('"text"', '"words"')
    _, version = api.deploy("text-to-text", files)
    assert "'text' names 'text'; config.pbtxt has words" in version.status.details


def test_a_download_that_fails_at_first(api: Api) -> None:
    """A server error and a connection that breaks off are tried again."""
    content = with_files()
    answers = iter(["error", "half", "whole"])

    class Flaky(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            how = next(answers)
            self.send_response(500 if how == "error" else 200)
            self.send_header("Content-Length", str(0 if how == "error" else len(content)))
            self.end_headers()
            if how != "error":
                self.wfile.write(content if how == "whole" else content[:99])

    with HTTPServer(("127.0.0.1", 0), Flaky) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        model_id = api.new_model("text-to-text")
        url = f"http://127.0.0.1:{server.server_port}/x.zip"
        version_id = api.post_version(model_id, url).model.model_version.id
        version = api.settled(model_id, version_id)
        server.shutdown()
    assert version.status.code == 21100, version.status.details


def test_many_at_once(api: Api) -> None:
    """Models made, built and asked by several clients at once don't mix."""

    def one(number: int) -> str:
        model_id, version = api.deploy("text-to-text")
        answer = api.predict(model_id, text(f"word {number}"), version_id=version.id)
        return str(answer.outputs[0].data.text.raw[::-1])

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, range(6))) == [f"word {number}" for number in range(6)]


def test_idle_models_give_up_their_process(api: Api) -> None:
    """Beyond a number of models the one that was idle longest is unloaded, until it is asked."""
    triton = Client(int(api.endpoints.triton.rpartition(":")[2]))
    model_id, version = api.deploy("text-to-text")
    assert triton.has(version.id)
    for _ in range(MOST_LOADED):
        api.deploy("text-embedder")
    assert not triton.has(version.id)
    assert api.predict(model_id, text("ab")).outputs[0].data.text.raw == "ba"
    assert triton.has(version.id)
    triton.close()


def test_a_compressed_zip_with_folders(api: Api) -> None:
    """Deflated entries and entries for folders are as good as any."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("1")
        for name, content in model_files("text-to-text").items():
            archive.writestr(name, content)
    model_id = api.new_model("text-to-text")
    posted = api.post_version(model_id, api.publish(buffer.getvalue()))
    assert api.settled(model_id, posted.model.model_version.id).status.code == 21100
