"""What a user of the SDK 9.11 does; prints what came back, as JSON."""

import json
import os
import sys

from clarifai.client.app import App
from clarifai.client.model import Model
from clarifai.client.user import User
from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf.struct_pb2 import Struct

url, model_id = sys.argv[1:]
base = os.environ["CLARIFAI_API_BASE"]
user = User(user_id=os.environ["CLARIFAI_USER_ID"], base_url=base)
user.create_app(f"app-{model_id}", base_workflow="Empty")
apps = [app.id for app in user.list_apps()]
user.delete_app(f"app-{model_id}")

app = App(app_id=os.environ["CLARIFAI_APP_ID"], base_url=base)
model = app.create_model(model_id, model_type_id="text-embedder")
inputs, outputs = Struct(), Struct()
inputs.update({"text": "text"})
outputs.update({"embeddings": "embeddings"})
version = model.create_version(
    pretrained_model_config=resources_pb2.PretrainedModelConfig(
        input_fields_map=inputs, output_fields_map=outputs, model_zip_url=url
    )
)

known = Model(model_id=model_id, app_id=app.id, user_id=user.id, base_url=base)
answer = known.predict_by_bytes(b"abc", "text", inference_params={"x": 1})
versions = [each.model_version.id for each in known.list_versions()]
models = [each.id for each in app.list_models()]
known.delete_version(version.model_version.id)
app.delete_model(model_id)
found = {
    "apps": apps,
    "models": models,
    "versions": versions,
    "version": version.model_version.id,
    "vector": list(answer.outputs[0].data.embeddings[0].vector),
    "left": [each.id for each in app.list_models()],
}
print(json.dumps(found))
