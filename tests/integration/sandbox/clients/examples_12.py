"""What today's SDK gets of an example: asked by its typed call and as older clients ask, as JSON.

examples_12.py MODEL_ID REQUEST...    each a JSON object: text or image (a file), and params
"""

import hashlib
import io
import json
import os
import sys
from pathlib import Path

from clarifai.client import Model
from clarifai.runners.utils.data_types import Image
from PIL import Image as Picture


def pixels(content):
    """Return a digest of a picture's pixels: its file may be compressed in several ways."""
    picture = Picture.open(io.BytesIO(content))
    return [*picture.size, hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()]


def typed(answer):
    """Return what a typed method answered, in the form of `older`."""
    if isinstance(answer, str):
        return {"text": answer}
    if isinstance(answer, Image):
        return {"image": pixels(answer.bytes)}
    if not isinstance(answer, list):
        return {"embedding": [float(value) for value in answer]}
    if answer and hasattr(answer[0], "concepts"):
        return {"regions": [region(one.to_proto()) for one in answer]}
    if answer and hasattr(answer[0], "name"):
        return {"concepts": {one.name: one.value for one in answer}}
    return {"regions": []}


def region(found):
    mask = found.region_info.mask.image.base64
    box = found.region_info.bounding_box
    return {
        "concepts": {one.name: one.value for one in found.data.concepts},
        "box": [box.top_row, box.left_col, box.bottom_row, box.right_col],
        "mask": pixels(mask) if mask else None,
    }


def older(data):
    """Return what stands in the answer to a request of an older client."""
    if data.embeddings:
        return {"embedding": list(data.embeddings[0].vector)}
    if data.concepts:
        return {"concepts": {one.name: one.value for one in data.concepts}}
    if data.image.base64:
        return {"image": pixels(data.image.base64)}
    if data.text.raw:
        return {"text": data.text.raw}
    return {"regions": [region(one) for one in data.regions]}


def main(model_id, *requests):
    model = Model(
        model_id=model_id,
        user_id=os.environ["CLARIFAI_USER_ID"],
        app_id=os.environ["CLARIFAI_APP_ID"],
        base_url=os.environ["CLARIFAI_API_BASE"],
    )
    answers = []
    for request in map(json.loads, requests):
        params = request.get("params", {})
        if "image" in request:
            content, kind = Path(request["image"]).read_bytes(), "image"
            given = {"image": Image(bytes=content)}
        else:
            content, kind = request["text"].encode(), "text"
            given = {"text": request["text"]}
        by_bytes = model.predict_by_bytes(content, kind, inference_params=params)
        answers.append(
            {
                "predict": typed(model.predict(**given, **params)),
                "predict_by_bytes": older(by_bytes.outputs[0].data),
            }
        )
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
