"""Lays the runtime, which pre_gen_project has fetched, beside the code."""

import shutil
from pathlib import Path

runtime = Path("1", "clarifai_runtime")
# Of an earlier run, where the folder is written over.
shutil.rmtree(runtime, ignore_errors=True)
Path(".clarifai_runtime").rename(runtime)
