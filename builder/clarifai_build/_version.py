"""The version of the tool: on the ground, so that reading it imports nothing else."""

__version__ = "0.2.0"
