{%- set examples = {
  "visual-detector": ["VisualDetectorOutput", "images: uint8 arrays, height x width x 3 (RGB)", "VisualDetectorOutput(
        #         predicted_bboxes=boxes,    # float32 (n, 4): top, left, bottom, right from 0 to 1
        #         predicted_labels=labels,   # int32 (n, 1): indexes into labels.txt
        #         predicted_scores=scores,   # float32 (n, 1): from 0 to 1
        #     )"],
  "visual-classifier": ["ClassifierOutput", "images: uint8 arrays, height x width x 3 (RGB)", "ClassifierOutput(scores)  # float32, one score a label, from 0 to 1"],
  "text-classifier": ["ClassifierOutput", "texts", "ClassifierOutput(scores)  # float32, one score a label, from 0 to 1"],
  "text-to-text": ["TextOutput", "texts", "TextOutput(text)"],
  "text-embedder": ["EmbeddingOutput", "texts", "EmbeddingOutput(vector)  # float32, one dimension"],
  "text-to-image": ["ImageOutput", "texts", "ImageOutput(image)  # uint8, height x width x 3 (RGB)"],
  "visual-embedder": ["EmbeddingOutput", "images: uint8 arrays, height x width x 3 (RGB)", "EmbeddingOutput(vector)  # float32, one dimension"],
  "visual-segmenter": ["MasksOutput", "images: uint8 arrays, height x width x 3 (RGB)", "MasksOutput(mask)  # int64, height x width: indexes into labels.txt"],
  "multimodal-embedder": ["EmbeddingOutput", "dicts of \"image\" (an array or None) and \"text\" (a str or None)", "EmbeddingOutput(vector)  # float32, one dimension"]
} -%}
{%- set output, items, example = examples[cookiecutter.model_type] -%}
"""The model: loaded once, then asked for predictions, many inputs at a time."""

import os

from clarifai_runtime import {{ output }}, get_model_config  # noqa: F401

config = get_model_config("{{ cookiecutter.model_type }}")


class InferenceModel:
    def __init__(self):
        self.base_path = os.path.dirname(os.path.abspath(__file__))
        # Load weights here, from files beside this one:
        # self.model = load(os.path.join(self.base_path, "weights.bin"))

    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        """Return one {{ output }} for each input, in order.

        input_data: {{ items }}.
        kwargs: the inference parameters that the manifest declares.
        """
        # Return a list like this:
        # return [
        #     {{ example }}
        #     for item in input_data
        # ]
        raise NotImplementedError("get_predictions in 1/inference.py is still to be written")
