"""The predefined tests, on the path that serves in Triton: pytest 1/test.py

Add tests of your own to the class. `self.predict(inputs, **parameters)` answers a list of inputs.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

from clarifai_runtime.testing import ModelTests  # noqa: E402


class TestModel(ModelTests):
    folder = FOLDER
    # Values for inference parameters without a default; secrets come from the environment, as
    # CLARIFAI_BUILD_PARAM_<name>:
    parameters = {}
