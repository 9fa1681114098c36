"""A manifest together with what it is applied with: its bucket, its platform, and the caches.

The entry point of the commands, and of Python programs in their place: `connect` one manifest,
or with `connect_all` all that some paths name.
"""

from clarifai_build.connection.connection import Connection
from clarifai_build.connection.connector import Connected, connect, connect_all
from clarifai_build.connection.sandboxed import in_sandbox

__all__ = ["Connected", "Connection", "connect", "connect_all", "in_sandbox"]
