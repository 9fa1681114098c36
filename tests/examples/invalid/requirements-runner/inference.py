class InferenceModel:
    def get_predictions(self, input_data, **kwargs):
        return input_data
