"""A text model to start from: it capitalises the first letter of every sentence."""

import re

from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    def __init__(self):
        # TODO: load your model here; this runs once, when Triton loads the model.
        self.start_of_sentence = re.compile(r"(?:^|[.!?]\s+)\w")

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, **kwargs) -> list:
        """Return a text for each text (str)."""
        return [TextOutput(predicted_text=self.rewrite(text)) for text in input_data]

    def rewrite(self, text: str) -> str:
        # TODO: call your model.
        return self.start_of_sentence.sub(lambda match: match[0].upper(), text)
