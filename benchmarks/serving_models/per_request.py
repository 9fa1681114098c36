"""A model.py after the seed's way: every request is a call of its own."""

import json
import sys
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parent))

from inference import InferenceModel


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.input = config["input"][0]["name"]
        self.output = config["output"][0]["name"]
        self.model = InferenceModel()

    def execute(self, requests):
        responses = []
        for request in requests:
            array = pb_utils.get_input_tensor_by_name(request, self.input).as_numpy()
            items = [item[0].decode() for item in array] if self.input == "text" else array[:]
            parameters = json.loads(request.parameters() or "{}")
            outputs = self.model.get_predictions(items, **parameters)
            values = np.array([value for output in outputs for value in vars(output).values()])
            tensor = pb_utils.Tensor(self.output, values)
            responses.append(pb_utils.InferenceResponse([tensor]))
        return responses
