"""Desired against observed, and the way there."""
