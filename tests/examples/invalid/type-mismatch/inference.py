config = get_model_config("text-embedder")


class InferenceModel:
    def get_predictions(self, input_data, **kwargs):
        return input_data
