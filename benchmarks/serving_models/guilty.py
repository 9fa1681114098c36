"""A text model that fails whenever one of its texts is bad."""

from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data):
        if "bad" in input_data:
            raise ValueError("a bad text")
        return [TextOutput(text) for text in input_data]
