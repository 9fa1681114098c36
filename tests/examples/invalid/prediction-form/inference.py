from clarifai.models.model_serving.models.model_types import text_to_text
from clarifai.models.model_serving.models.output import TextOutput


class InferenceModel:
    @text_to_text
    def get_predictions(self, input_data):
        return TextOutput(predicted_text=input_data.upper())
