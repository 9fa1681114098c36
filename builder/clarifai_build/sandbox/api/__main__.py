"""Runs the API on the sandbox's port: `python -m clarifai_build.sandbox.api STATE_DIR`."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from clarifai_grpc.grpc.api import service_pb2_grpc

from clarifai_build.sandbox.api.builds.loaded_models import Serving
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.builds.triton_build import TritonBuilds
from clarifai_build.sandbox.api.database import Database
from clarifai_build.sandbox.api.rpc import handlers
from clarifai_build.sandbox.api.rpc.accounts import Accounts
from clarifai_build.sandbox.api.runners.build import RunnerBuilds
from clarifai_build.sandbox.api.runners.gate import Gate
from clarifai_build.sandbox.api.runners.serving import Runners
from clarifai_build.sandbox.api.service import Access, Service
from clarifai_build.sandbox.engines import install, triton
from clarifai_build.sandbox.state import APP_ID, USER_ID, Folder

# Calls at once: one that waits for a prediction or an upload keeps its thread.
WORKERS = 64
# Those beyond the threads wait, and their requests are in memory.
MOST_CALLS = 256
# A request of 128 MiB is what Clarifai takes; with one that is larger, 64 threads can fill memory.
MOST_REQUEST_BYTES = 192 << 20
# For calls under way; the supervisor kills after its STOP_SECONDS, 3.
GRACE_SECONDS = 2.0


def main(root: Path) -> int:
    """Serve until told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    folder = Folder(root)
    settings = folder.settings()
    if settings is None:
        logging.error("%s holds no settings; the supervisor writes them", root)
        return 1
    database = Database(folder.database)
    accounts = Accounts(database, USER_ID)
    accounts.create_app(APP_ID, "Where the sandbox registers models")
    serving = Serving(triton.Client(settings.ports["triton"]), folder.models)
    engines = install.install()
    runners = Runners(folder.data / "runners", engines.python, Gate())
    builds = Builds(
        database, TritonBuilds(serving, engines), RunnerBuilds(runners), folder.data / "builds"
    )
    builds.resume()
    access = Access(USER_ID, settings.pat)
    service = Service(handlers.table(database, accounts, builds, serving, runners, access), access)
    server = grpc.server(
        ThreadPoolExecutor(WORKERS), options=server_options(), maximum_concurrent_rpcs=MOST_CALLS
    )
    service_pb2_grpc.add_V2Servicer_to_server(service, server)
    server.add_insecure_port(f"127.0.0.1:{settings.ports['api']}")
    server.start()
    ended.wait()
    server.stop(GRACE_SECONDS).wait()
    builds.close()
    runners.close()
    return 0


def server_options() -> list[tuple[str, int]]:
    """Return how the server's connections differ from gRPC's defaults."""
    return [
        # By default, two servers on Linux share a port, and each gets some of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", MOST_REQUEST_BYTES),
    ]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
