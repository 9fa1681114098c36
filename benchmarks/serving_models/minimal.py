"""A minimal hand-written model.py, the limit: one call for the requests that can share one.

It checks nothing, isolates nothing, and knows one input and one output.
"""

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
        self.mixed_sizes = getattr(self.model, "mixed_sizes", False)

    def execute(self, requests):
        groups = {}
        for index, request in enumerate(requests):
            array = pb_utils.get_input_tensor_by_name(request, self.input).as_numpy()
            key = (request.parameters(), None if self.mixed_sizes else array.shape[1:])
            groups.setdefault(key, []).append((index, array))
        responses = [None] * len(requests)
        for (parameters, _), members in groups.items():
            items = [item for _, array in members for item in array]
            if self.input == "text":
                items = [item[0].decode() for item in items]
            outputs = self.model.get_predictions(items, **json.loads(parameters or "{}"))
            values = np.array([value for output in outputs for value in vars(output).values()])
            start = 0
            for index, array in members:
                stop = start + len(array)
                tensor = pb_utils.Tensor(self.output, values[start:stop])
                responses[index] = pb_utils.InferenceResponse([tensor])
                start = stop
        return responses
