class InferenceModel
    pass
