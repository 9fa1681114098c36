"""From the URL of a zip to a model that Triton serves."""
