"""The upload stream of a runner's version: the config, then the parts, read when they are sent."""

from __future__ import annotations

from collections.abc import Iterator

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import RegistryError
from clarifai_build.progress import ProgressCallback, Tally
from clarifai_build.registry import BrokenStreamError
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.runners.protocol import UploadContent
from clarifai_build.registry.status_codes import MODEL_BUILDING, UPLOAD_DONE, UPLOAD_IN_PROGRESS

# The platform takes up to 127 MiB; gRPC holds several copies of a message in memory.
PART_BYTES = 32 * 1024 * 1024
# A part on a slow line (1 Mbit/s) takes four and a half minutes.
IDLE_SECONDS = 300.0
_TAKEN = (MODEL_BUILDING, UPLOAD_DONE)


class UploadStream:
    """One stream. `version_id` is what the platform has said so far, empty before."""

    def __init__(
        self,
        channel: Channel,
        config: service_pb2.PostModelVersionsUploadConfig,
        content: UploadContent,
        progress: ProgressCallback,
        cancel: CancelToken,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._channel, self._config, self._content = channel, config, content
        self._cancel, self._part_bytes = cancel, part_bytes
        self._tally = Tally("upload", content.size, progress)
        self._sent = 0
        self.version_id = ""

    def send(self, idle: float = IDLE_SECONDS) -> str:
        """Send all, and return the id of the version that is being built.

        Raises BrokenStreamError where the stream broke, or its answers do not add up to a version.
        """
        taken = ""
        for answer in self._channel.stream(
            "PostModelVersionsUpload",
            self._requests(),
            allowed=(UPLOAD_IN_PROGRESS, *_TAKEN),
            idle=idle,
            cancel=self._cancel,
        ):
            self.version_id = answer.model_version_id or self.version_id
            # Whatever order they come in: once it is taken, it is.
            if answer.status.code in _TAKEN:
                taken = answer.model_version_id or self.version_id
        if self._sent < self._content.size:
            raise self._incomplete()
        if not taken:
            raise BrokenStreamError.of(
                "upload-cut",
                f"the upload to '{self._config.model_id}' ended without the platform's word that "
                "it builds it",
                hint="apply again",
            )
        return taken

    def _requests(self) -> Iterator[service_pb2.PostModelVersionsUploadRequest]:
        yield service_pb2.PostModelVersionsUploadRequest(upload_config=self._config)
        size = self._content.size
        for number, start in enumerate(range(0, size, self._part_bytes), 1):
            self._cancel.check()
            length = min(self._part_bytes, size - start)
            part = resources_pb2.UploadContentPart(
                range_start=start, part_number=number, data=self._content.read(start, length)
            )
            # Before it is passed on: after the last part, gRPC may not come back.
            self._sent += length
            yield service_pb2.PostModelVersionsUploadRequest(content_part=part)
            self._tally.add(length)

    def _incomplete(self) -> RegistryError:
        return BrokenStreamError.of(
            "upload-cut",
            f"the platform ended the upload to '{self._config.model_id}' after {self._sent} of "
            f"{self._content.size} bytes",
            hint="apply again",
        )
