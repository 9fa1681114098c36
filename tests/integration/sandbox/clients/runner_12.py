"""What a user of the SDK 12.5 asks a runner model; prints what came back, as JSON."""

import json
import os
import sys

from clarifai.client import Model

model_id, said = sys.argv[1:]
model = Model(
    model_id=model_id,
    user_id=os.environ["CLARIFAI_USER_ID"],
    app_id=os.environ["CLARIFAI_APP_ID"],
    base_url=os.environ["CLARIFAI_API_BASE"],
)


def old(**params):
    answer = model.predict_by_bytes(said.encode(), "text", inference_params=params)
    return answer.outputs[0].data.text.raw


found = {
    "predict": model.predict(text=said),
    "with a parameter": model.predict(text=said, loud=True),
    "generate": list(model.generate(text=said)),
    "batch": model.predict([{"text": said}, {"text": said + "!"}]),
    "methods": sorted(model.available_methods()),
    "predict_by_bytes": old(),
    "inference_params": old(loud=True),
}
print(json.dumps(found))
