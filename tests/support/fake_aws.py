"""AWS on loopback: a proxy that ends TLS for any host itself, and buckets, each in one region.

Who takes the environment goes through it to the addresses that AWS has.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support.memory_s3 import KEYS, Answer, Bucket, Request, handler_of
from support.scripted_web import serving

HOME = "eu-central-1"
_HOSTS = (
    *(f"*.s3.{region}.amazonaws.com" for region in (HOME, "us-east-1", "us-west-2")),
    *(f"s3.{region}.amazonaws.com" for region in (HOME, "us-east-1", "us-west-2")),
    "*.s3.amazonaws.com",
    "cdn.test",
)


@dataclass
class FakeAws:
    """The bucket, the environment that leads to it, and the hosts that were asked, in order.

    It has any name, and lies in `HOME`, but by the names in `regions`.
    """

    bucket: Bucket
    environ: dict[str, str]
    authority: Path
    hosts: list[str] = field(default_factory=list)
    regions: dict[str, str] = field(default_factory=dict)

    def redirect(self, request: Request) -> Answer | None:
        """Answer as the other regions do, and as this one does to what is signed for another."""
        host = request.headers["host"]
        home = self.regions.get(host.partition(".")[0], HOME)
        if f"s3.{home}." not in host:
            return _elsewhere(301, "PermanentRedirect", home)
        signed = request.headers.get("authorization", f"/{home}/")
        if f"/{home}/" in signed:
            return None
        return _elsewhere(400, "AuthorizationHeaderMalformed", home)


def _elsewhere(status: int, code: str, home: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Region>{home}</Region></Error>".encode()
    return Answer(status, body, {"x-amz-bucket-region": home})


def make_certificate(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Return a certificate that is its own authority, and its key."""
    certificate, key = folder / "authority.pem", folder / "key.pem"
    names = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={names}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@contextmanager
def fake_aws(folder: Path) -> Iterator[FakeAws]:
    """Run the proxy, before one empty bucket that lies in `HOME`."""
    certificate, key = make_certificate(folder, *_HOSTS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    aws = FakeAws(Bucket(), dict(KEYS), certificate)
    aws.bucket.before = aws.redirect
    answering = handler_of(aws.bucket)

    class Tunnel(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            aws.hosts.append(self.path.partition(":")[0])
            self.send_response_only(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as secure:
                answering(secure, self.client_address, self.server)  # type: ignore[arg-type]  # as a server does

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with serving(_Proxy(("127.0.0.1", 0), Tunnel)) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        aws.environ |= {"HTTPS_PROXY": address, "https_proxy": address, "NO_PROXY": ""}
        aws.environ |= {"no_proxy": "", "HOME": str(folder)}
        yield aws


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or does not trust the certificate, is no error."""
