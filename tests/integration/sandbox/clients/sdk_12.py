"""What a user of the SDK 12.5 does; prints what came back, as JSON."""

import json
import os
import sys

from clarifai.client import App, Model, User

url, text_url, file, model_id = sys.argv[1:]
base = os.environ["CLARIFAI_API_BASE"]
user = User(user_id=os.environ["CLARIFAI_USER_ID"], base_url=base)
app = App(app_id=os.environ["CLARIFAI_APP_ID"], user_id=user.id, base_url=base)
maps = {
    "input_field_maps": {"text": "text"},
    "output_field_maps": {"embeddings": "embeddings"},
}


def vector(answer):
    return list(answer.outputs[0].data.embeddings[0].vector)


model = app.create_model(model_id, model_type_id="text-embedder")
params = [{"path": "x", "field_type": 3, "default_value": 1.5, "description": "a number"}]
by_url = model.create_version_by_url(url=url, inference_parameter_configs=params, **maps)
known = Model(model_id=model_id, app_id=app.id, user_id=user.id, base_url=base)
found = {
    "bytes": vector(known.predict_by_bytes(b"abc", "text", inference_params={"x": 1})),
    "no type": vector(known.predict_by_bytes(b"abc", "")),
    "url": vector(known.predict_by_url(text_url, "text")),
    "generate": [vector(each) for each in known.generate_by_bytes(b"abcd", "text")],
    "stream": [vector(each) for each in known.stream_by_bytes(iter([b"ab", b"a"]), "text")],
}
known.patch_version(by_url.model_version.id, description="patched")
app.patch_model(model_id, action="merge", description="patched")
by_file = model.create_version_by_file(file, no_cache=True, **maps)
found["file"] = vector(by_file.predict_by_bytes(b"abcdef", "text"))
found["versions"] = len(list(known.list_versions()))
known.delete_version(by_url.model_version.id)
found["left"] = len(list(known.list_versions()))
print(json.dumps(found))
