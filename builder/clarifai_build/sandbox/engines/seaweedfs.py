"""SeaweedFS as a real S3: access keys, a public bucket and a private one."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarifai_build.sandbox.engines.install import Engines
from clarifai_build.sandbox.engines.processes import spawn
from clarifai_build.util.processes.child_environment import child_environment

PUBLIC_BUCKET = "public"
PRIVATE_BUCKET = "private"
REGION = "us-east-1"
PORT_NAMES = (
    "s3",
    "s3_grpc",
    "master",
    "master_grpc",
    "volume",
    "volume_grpc",
    "filer",
    "filer_grpc",
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The only credentials that the store accepts."""

    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Keys({self.access_key!r}, ...)"


def start(
    engines: Engines, keys: Keys, ports: dict[str, int], data: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start the server on the given ports; `data` outlives it."""
    (data / "volumes").mkdir(parents=True, exist_ok=True)
    identities = data / "identities.json"
    # Before the secret is written.
    identities.touch(mode=0o600)
    identities.write_text(json.dumps(_identities(keys)), encoding="utf-8")
    folder = data / "cwd"
    # It reads filer.toml, security.toml and more from the folder it starts in, and from home.
    environment = child_environment() | {"HOME": str(folder)}
    return spawn(_command(engines, ports, data, identities), log, environment, folder)


def tidy(ports: Mapping[str, int]) -> None:
    """Remove the sockets that a server which was killed left in /tmp."""
    for port in ports.values():
        for leftover in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            leftover.unlink(missing_ok=True)


def is_ready(port: int) -> bool:
    """Return whether the S3 gateway answers; it comes up after everything behind it."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
    # Any answer will do: the gateway listens.
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def make_buckets(port: int, keys: Keys) -> None:
    """Create the two buckets if they are not there yet."""
    client = _client(port, keys)
    there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    for bucket in {PUBLIC_BUCKET, PRIVATE_BUCKET} - there:
        client.create_bucket(Bucket=bucket)


def reads_what_it_holds(port: int, keys: Keys) -> bool:
    """Return whether an object from before can be read, if there is one.

    The gateway lists objects before it knows where their content lies.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    client = _client(port, keys)
    try:
        for bucket in (PUBLIC_BUCKET, PRIVATE_BUCKET):
            for held in client.list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents", ()):
                client.get_object(Bucket=bucket, Key=held["Key"])["Body"].close()
    except (BotoCoreError, ClientError):
        return False
    return True


def _client(port: int, keys: Keys) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        region_name=REGION,
    )


def _identities(keys: Keys) -> dict[str, list[dict[str, object]]]:
    owner: dict[str, object] = {
        "name": "admin",
        "credentials": [{"accessKey": keys.access_key, "secretKey": keys.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    anonymous: dict[str, object] = {"name": "anonymous", "actions": [f"Read:{PUBLIC_BUCKET}"]}
    return {"identities": [owner, anonymous]}


def _command(engines: Engines, ports: dict[str, int], data: Path, identities: Path) -> list[str]:
    return [
        str(engines.weed),
        "server",
        f"-dir={data / 'volumes'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={ports['master']}",
        f"-master.port.grpc={ports['master_grpc']}",
        # There is one master; it need not wait for votes of others.
        "-master.electionTimeout=1s",
        "-master.telemetry=false",
        # Volumes grow as they fill; small ones keep an almost empty store small.
        "-master.volumeSizeLimitMB=1024",
        f"-volume.port={ports['volume']}",
        f"-volume.port.grpc={ports['volume_grpc']}",
        # 0: as many volumes as the disk has room for.
        "-volume.max=0",
        "-volume.preStopSeconds=0",
        "-filer",
        f"-filer.port={ports['filer']}",
        f"-filer.port.grpc={ports['filer_grpc']}",
        "-s3",
        f"-s3.port={ports['s3']}",
        f"-s3.port.grpc={ports['s3_grpc']}",
        # Table APIs, each with a port of its own, that nothing here uses.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        # S3 refuses a bucket that is not there, and so must a stand-in for it.
        "-s3.autoCreateBucket=false",
        f"-s3.config={identities}",
    ]
