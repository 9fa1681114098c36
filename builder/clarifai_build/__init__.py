"""Declarative, reproducible packaging and publishing of models for Clarifai."""

__version__ = "0.1.0"
