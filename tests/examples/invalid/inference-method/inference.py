class InferenceModel:
    def run(self):
        pass
