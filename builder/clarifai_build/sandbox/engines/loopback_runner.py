"""Serves a runner model by Clarifai's own server, on the loopback interface alone.

    python loopback_runner.py FOLDER PORT

A program of its own, for an environment that holds clarifai and not this package. By itself the
server listens on all interfaces, and asks for no token.
"""

import sys
from typing import Any

from clarifai.runners import server


def main(folder: str, port: str) -> None:
    """Serve until ended."""
    grpc_server: Any = server.GRPCServer
    bind = grpc_server.add_port_to_server

    def bind_loopback(self: Any, address: str, *rest: Any) -> Any:
        return bind(self, f"127.0.0.1:{address.rpartition(':')[2]}", *rest)

    grpc_server.add_port_to_server = bind_loopback
    sys.argv = [sys.argv[0], "--model_path", folder, "--grpc", "--port", port]
    server.main()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
