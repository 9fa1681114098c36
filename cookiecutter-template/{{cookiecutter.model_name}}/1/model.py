"""What Triton's python backend loads. All of it is in clarifai_runtime, beside this file."""

import os
import sys

# First on the path, so that no installed package can stand before the runtime that came along.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from clarifai_runtime.triton_model import TritonPythonModel  # noqa: E402, F401
