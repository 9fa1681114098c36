"""Generated files of a Triton model repository."""
