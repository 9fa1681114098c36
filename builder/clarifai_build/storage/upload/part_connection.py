"""Parts on the wire: signed by botocore, sent from the source files by the kernel.

boto3 would read every part into memory and hash it once more; the CRC-32 that it needs is known.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.segments import Span, read_span, unreadable
from clarifai_build.net.s3_access import S3Access, address_of
from clarifai_build.source.source_file import FileStat, open_source, refuse_changed
from clarifai_build.storage.upload.parts import Part, base64_of
from clarifai_build.storage.upload.proxy import Route, route_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

# Bytes between two looks at `stop`, and between two reports of progress.
_STEP = 4 << 20
# Bytes. Headers and smaller pieces are joined: each would be a send, and a packet, of its own.
_KERNEL_SEND = 64 << 10
_CHECKSUM = "x-amz-checksum-crc32"
# A word in the XML of an error: all else may repeat what was signed.
_CODE = re.compile(r"<Code>\s*(\w{1,64})\s*</Code>")


class StoreAnsweredError(Exception):
    """The store answered a part with an error. All else that it says may repeat what was signed."""

    def __init__(self, status: int, body: str) -> None:
        code = _CODE.search(body)
        self.status = status
        self.code = code[1] if code else str(status)
        what = "without an ETag" if status == 200 else code[1] if code else ""
        super().__init__(f"the store answers {status} {what}".rstrip())


@dataclass(frozen=True, slots=True)
class Wire:
    """Sends the parts of one upload, from any number of threads."""

    access: S3Access
    bucket: str
    key: str
    upload: str
    checksums: bool
    count: Callable[[int], None]
    stop: threading.Event = field(default_factory=threading.Event)
    routes: set[Route] = field(default_factory=set)
    summed: set[int] = field(default_factory=set)
    """The numbers of the parts whose checksum the store repeated: it has compared it."""

    def close(self) -> None:
        """Break off whatever is being sent."""
        self.stop.set()
        for route in tuple(self.routes):
            route.shut()

    def send(self, artifact: Artifact, part: Part) -> str:
        """Send one part and return its ETag; raises InterruptedError once the wire is closed."""
        url, headers = self._signed(part)
        route = route_to(url, self.access.client.meta.endpoint_url, self.access.verify)
        connection = route.connection
        # Before `stop` is looked at: `close` sets it first, so that it misses no route.
        self.routes.add(route)
        try:
            self._check_cancelled()
            route.connect()
            # While it connected it had no socket that `close` could have shut.
            self._check_cancelled()
            connection.putrequest("PUT", route.target, skip_accept_encoding=True, skip_host=True)
            for name, value in {**headers, **route.headers}.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(part.length))
            connection.endheaders()
            try:
                self._send_body(connection.sock, artifact, part)
            except (BrokenPipeError, ConnectionResetError):
                # The store may have said why before it hung up.
                return self._etag(part, connection.getresponse())
            return self._etag(part, connection.getresponse())
        finally:
            self.routes.discard(route)
            connection.close()

    def _signed(self, part: Part) -> tuple[str, dict[str, str]]:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.config import Config

        url, region, service = address_of(
            self.access.client,
            "upload_part",
            Bucket=self.bucket,
            Key=self.key,
            PartNumber=part.number,
            UploadId=self.upload,
        )
        headers = {"Host": urlsplit(url).netloc}
        if self.checksums:
            headers[_CHECKSUM] = base64_of(part.crc32)
            # As boto3 has it: some stores look for this one with Object Lock.
            headers["x-amz-sdk-checksum-algorithm"] = "CRC32"
        request = AWSRequest("PUT", url, headers=headers)
        # To sign the SHA-256 of the body would mean to read the part once more.
        request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        # Of one moment: key and token may be replaced between two looks at them.
        credentials = self.access.credentials.get_frozen_credentials()
        S3SigV4Auth(credentials, service, region).add_auth(request)
        return url, dict(request.headers.items())

    def _send_body(self, connection: socket.socket, artifact: Artifact, part: Part) -> None:
        if artifact.is_tar_gz:
            # Cut every 64 KiB: the kernel's calls would cost more than a copy.
            for block in artifact.blocks(part.offset, part.length):
                self._go_on(len(block))
                connection.sendall(block)
            return
        small = bytearray()
        for span in artifact.spans(part.offset, part.length):
            if not isinstance(span.source, str) or span.length < _KERNEL_SEND:
                small += b"".join(read_span(span))
                if len(small) >= _KERNEL_SEND:
                    self._flush(connection, small)
                continue
            self._flush(connection, small)
            self._send_file(connection, span, span.source)
        self._flush(connection, small)

    def _flush(self, connection: socket.socket, small: bytearray) -> None:
        if small:
            self._go_on(len(small))
            connection.sendall(small)
            small.clear()

    def _send_file(self, connection: socket.socket, span: Span, file: str) -> None:
        # What is encrypted can only pass through OpenSSL.
        if isinstance(connection, ssl.SSLSocket):
            for block in read_span(span):
                self._go_on(len(block))
                connection.sendall(block)
            return
        with _opened(file) as stream:
            refuse_changed(file, span.stamp, FileStat.of(os.fstat(stream.fileno())))
            start, end = span.start, span.start + span.length
            while start < end:
                sent = connection.sendfile(stream, start, min(_STEP, end - start))
                # The file was cut off, as its stamp says below.
                if not sent:
                    break
                self._go_on(sent)
                start += sent
            refuse_changed(file, span.stamp, FileStat.of(os.fstat(stream.fileno())))

    def _etag(self, part: Part, response: http.client.HTTPResponse) -> str:
        etag = _etag(response)
        if response.headers.get(_CHECKSUM) == base64_of(part.crc32):
            self.summed.add(part.number)
        return etag

    def _go_on(self, count: int) -> None:
        self._check_cancelled()
        self.count(count)

    def _check_cancelled(self) -> None:
        if self.stop.is_set():
            raise InterruptedError


def _opened(file: str) -> FileIO:
    """Open a source; a failure is the source's, not the store's."""
    try:
        return open_source(file)
    except OSError as exc:
        raise unreadable(file, exc) from exc


def _etag(response: http.client.HTTPResponse) -> str:
    # Enough for an error of S3; a web page in its place may have no end.
    body = response.read(64 << 10).decode("utf-8", "replace")
    etag = response.headers.get("ETag")
    if response.status != 200 or etag is None:
        raise StoreAnsweredError(response.status, body)
    return etag
