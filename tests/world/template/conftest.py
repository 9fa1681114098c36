"""A real Triton server."""

from __future__ import annotations

from support.triton_server import server

__all__ = ["server"]
