"""What today's method and the older call of the SDK 12.5 answer to one input, as JSON."""

import hashlib
import json
import os
import sys
from pathlib import Path

from clarifai.client import Model
from clarifai.runners.utils.data_types import Image

model_id, kind, picture = sys.argv[1:]
model = Model(
    model_id=model_id,
    user_id=os.environ["CLARIFAI_USER_ID"],
    app_id=os.environ["CLARIFAI_APP_ID"],
    base_url=os.environ["CLARIFAI_API_BASE"],
)
content = Path(picture).read_bytes() if kind == "image" else b"two words"
given = Image(bytes=content) if kind == "image" else content.decode()


def plain_concepts(concepts):
    return [[concept.id, round(concept.value, 6)] for concept in concepts]


def plain_regions(regions):
    return [[each.id, plain_concepts(each.data.concepts)] for each in regions]


def plain(answer):
    """Return an answer of the typed method as JSON has it."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, Image):
        return hashlib.sha256(answer.bytes).hexdigest()
    if hasattr(answer, "tolist"):
        return [round(value, 5) for value in answer.tolist()]
    protos = [each.to_proto() for each in answer]
    regions = bool(protos) and hasattr(protos[0], "region_info")
    return plain_regions(protos) if regions else plain_concepts(protos)


def plain_data(data):
    """Return the same of an answer to an older client."""
    if data.HasField("text"):
        return data.text.raw
    if data.HasField("image"):
        return hashlib.sha256(data.image.base64).hexdigest()
    if data.embeddings:
        return [round(value, 5) for value in data.embeddings[0].vector]
    return plain_regions(data.regions) if data.regions else plain_concepts(data.concepts)


found = {
    "today": plain(model.predict(**{kind: given})),
    "older": plain_data(model.predict_by_bytes(content, kind).outputs[0].data),
}
print(json.dumps(found))
