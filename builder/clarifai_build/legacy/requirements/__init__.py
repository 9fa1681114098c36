"""What imported models need: `kept` is for others, `conda_environment` for Triton repositories."""
