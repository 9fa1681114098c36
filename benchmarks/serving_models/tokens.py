"""A text model that yields 64 tokens, 5 ms each."""

import time

from clarifai_runtime import get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data):
        for number in range(64):
            time.sleep(0.005)
            yield f"{input_data[0]} {number} "
